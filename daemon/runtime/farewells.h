// Sessions at brokers that are to end, as the pipeline that had them is gone. Threads of ours try each at
// once, some side by side, and where the broker cannot be reached ever more seldom, for as long as the daemon
// runs, a day at most. What is not ended by then ends at the broker by its own expiry.
//
// Who changes pipelines hands sessions over (`begin`) while nobody else may change any, and waits for them
// (`await`) behind that: a broker that is away holds up nobody else.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
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

  /// They end soon. Gives what to wait for.
  std::vector<std::string> begin(std::vector<Session> sessions);
  /// Waits until each that `begin` named was tried once; one sentence for each: it has ended, or why not and
  /// what becomes of it. Blocks for some seconds. Any thread but the loop's.
  std::vector<std::string> await(const std::vector<std::string>& keys);
  /// These are wanted again: nobody ends them when this returns. Gives those that were to end: who does not
  /// want them after all gives them back to `begin`.
  std::vector<Session> keep(const std::vector<Session>& sessions);
  /// Idempotent.
  void stop();

 private:
  struct Pending {
    Session session;
    std::int64_t next = 0;  // Monotonic, as the others.
    std::int64_t until = 0;
    Micros delay{0};
    bool tried = false;
    std::string error = {};  // Of the last try.
  };
  void run();
  void try_one(std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool was_tried(const std::string& key) const;
  [[nodiscard]] std::string outcome(const std::string& key);

  const loop::Clock& clock_;
  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::vector<Pending> pending_;
  std::map<std::string, std::string> ended_;  // Tables by key, until somebody has asked.
  std::set<std::string> under_way_;           // Keys of the sessions that the threads are at.
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // Begun by `begin` when there is something for them.
};

/// One attempt; blocks for about `patience` at most.
Status end_session(const Session& session, Micros patience);
/// The sessions of a plan's sources.
std::vector<Session> sessions_of(const plan::Plan& plan, const sources::SourceContext& of);
/// Those of `sessions` that `others` do not have.
std::vector<Session> without(std::vector<Session> sessions, const std::vector<Session>& others);

}  // namespace leat::runtime
