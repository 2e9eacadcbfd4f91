// A trial: a query that runs for a while so that people see what it gives. It is a pipeline of its own, in
// memory, on its own thread and loop, as `leat run` has it; nothing of it is kept or delivered. Its tables
// are
//   - texts that somebody pasted, read to their end, or looked up in;
//   - messages of a running pipeline's source, copied by a tap: the broker sees no second client;
//   - else what their connectors give, for those that take nothing away from anybody: generated rows, files,
//     the local tables of the daemon's store.
// It is bounded in time, rows, bytes and the memory of its state.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/loop/loop.h"
#include "daemon/runtime/message_tap.h"
#include "daemon/runtime/row_channel.h"
#include "daemon/store/table_store.h"
#include "pipelines/base/result.h"
#include "pipelines/plan/node.h"

namespace leat::runtime {

/// The most that the state of a trial may hold, whatever the text sets.
inline constexpr const char* kTrialMemory = "64 mb";

struct TrialSetup {
  plan::Plan plan;       ///< With bare SELECTs; sinks of INSERTs give their rows out, too.
  std::size_t sink = 0;  ///< Whose rows are wanted.
  std::map<std::string, std::string> pasted;                ///< By table; of looked-up ones all or none.
  std::map<std::string, std::shared_ptr<MessageTap>> live;  ///< By table.
  store::TableStore* tables = nullptr;                      ///< Of the daemon; outlives the trial.
  std::optional<std::int64_t> time;                         ///< Microseconds; none: until it is left.
  std::optional<std::uint64_t> rows;                        ///< None: what does not fit is skipped.
};

class Trial {
 public:
  /// Begins. Errors: io (no loop), internal. What goes wrong later ends the channel with the reason.
  static Result<std::unique_ptr<Trial>> start(TrialSetup setup);
  /// Stops and waits for the thread, which looks up between two batches, and within those of joins.
  ~Trial();
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  [[nodiscard]] const std::shared_ptr<RowChannel>& channel() const { return channel_; }

 private:
  class Run;
  Trial(TrialSetup setup, std::unique_ptr<loop::Loop> loop);

  const std::shared_ptr<RowChannel> channel_;
  const std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<Run> run_;  // On the thread, once it has begun.
  std::thread thread_;
};

}  // namespace leat::runtime
