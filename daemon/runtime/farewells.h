// Sessions at brokers that are to end, as the pipeline that had them is gone. Each is tried at once on the
// caller's thread; where the broker cannot be reached a thread of ours tries on, ever more seldom, for as
// long as the daemon runs, a day at most. What is not ended by then ends at the broker by its own expiry.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/loop/clock.h"
#include "pipelines/base/options.h"
#include "pipelines/plan/node.h"
#include "sources/source.h"

namespace leat::runtime {

/// A session that the other side keeps for a source.
struct Session {
  std::string key;  ///< SourceConnector::session: no two sessions have one.
  const sources::SourceConnector* connector = nullptr;
  OptionMap options;
  sources::SourceContext context;
};

class Farewells {
 public:
  /// The clock outlives the object.
  explicit Farewells(const loop::Clock& clock) : clock_(clock) {}
  ~Farewells() { stop(); }

  /// Ends them; one sentence for each: it has ended, or why not and what becomes of it. Blocks for some
  /// seconds. Any thread but the loop's.
  std::vector<std::string> end(std::vector<Session> sessions);
  /// These are wanted again: nobody ends them when this returns.
  void keep(const std::vector<Session>& sessions);
  /// Idempotent.
  void stop();

 private:
  struct Pending {
    Session session;
    std::int64_t next = 0;  // Monotonic, as the others.
    std::int64_t until = 0;
    Micros delay{0};
  };
  void run();
  void try_one(std::unique_lock<std::mutex>& lock);
  void put_off(Session session);

  const loop::Clock& clock_;
  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::vector<Pending> pending_;
  std::string under_way_;  // Key of the session that the thread is at; empty: none.
  bool stopping_ = false;
  std::thread thread_;
};

/// One attempt; blocks for about `patience` at most.
Status end_session(const Session& session, Micros patience);
/// The sessions of a plan's sources.
std::vector<Session> sessions_of(const plan::Plan& plan, const sources::SourceContext& of);
/// Those of `sessions` that `others` do not have.
std::vector<Session> without(std::vector<Session> sessions, const std::vector<Session>& others);

}  // namespace leat::runtime
