// The host: all pipelines of a daemon. It reads the pipeline folder, plans each file, runs what is right,
// shows what is wrong, and restarts what has failed. On the loop; `statuses` may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/loop/handles.h"
#include "daemon/runtime/pipeline.h"
#include "daemon/runtime/restart.h"
#include "daemon/runtime/status.h"

namespace leat::runtime {

struct HostContext {
  loop::Loop* loop = nullptr;  ///< Outlives the host, as do clock and store.
  const loop::Clock* clock = nullptr;
  store::Store* store = nullptr;
  std::string gateway_id;
  std::string journal_dir;
  std::string time_zone = "UTC";  ///< The machine's, as an IANA name.
};

/// What people want of a pipeline.
enum class Steering : std::uint8_t {
  kPause,    ///< Takes nothing in any more, commits, and delivers on; also after a restart of the daemon.
  kResume,   ///< Goes on where it was paused.
  kRestart,  ///< Stops (or is failed, or has finished) and starts anew from its last commit.
};
std::string_view to_string(Steering steering);

/// What came of a page of dead letters.
struct ReplayReport {
  ReplayOutcome outcome;
  std::int64_t last = 0;   ///< Id of the last letter that was looked at; 0: there was none.
  std::int64_t below = 0;  ///< Letters from this id on are younger than the replay: those that died again.
  bool more = false;       ///< There may be more between the two.
};

/// A pipeline as it was planned.
struct PlannedPipeline {
  PipelineName name;
  std::string file;
  plan::Plan plan;   ///< Empty: its text is wrong.
  std::string text;  ///< As it is now; empty: it cannot be read.
};

class Host {
 public:
  explicit Host(const HostContext& context);
  ~Host();

  /// Plans and starts every *.sql file of the folder, in name order. A broken file fails its own pipeline
  /// only; a missing folder is reported and leaves none.
  void load_folder(const std::string& folder);
  /// Ends all pipelines, each within the time; then calls `done`.
  void stop(std::int64_t deadline, std::function<void()> done);

  /// Has pipelines replay the oldest page of the dead letters that the filter means (Pipeline::replay), and
  /// waits until what came of them is committed. From any thread but the loop's; one at a time, so that no
  /// letter is read while it is on its way back. Errors: conflict (another one is under way), unavailable
  /// (the store, or a pipeline that ends meanwhile).
  Result<ReplayReport> replay(store::DeadLetterFilter filter);

  // Looking on; any thread but the loop's. Errors: not found, conflict (the file is wrong, it does not run,
  // several pipelines are meant), unavailable (the daemon stops).
  Result<plan::Plan> plan_of(const PipelineName& pipeline);
  Result<std::vector<PlannedPipeline>> plans();
  /// The rows of a table from now on (Pipeline::tail); without a pipeline, of the one that has the table.
  Result<std::shared_ptr<RowChannel>> tail(const std::optional<PipelineName>& pipeline,
                                           const TableName& table);
  /// The messages of a source from now on (Pipeline::tap).
  Result<std::shared_ptr<MessageTap>> tap(const PipelineName& pipeline, const TableName& table);

  /// Of every pipeline, by name; any thread.
  [[nodiscard]] std::vector<PipelineStatus> statuses() const;
  /// Steers a pipeline, waits until that is done, and logs it; any thread but the loop's. Pausing what is
  /// paused and resuming what is not are done already. Errors: not found, conflict (its file is wrong,
  /// another steering is under way, a restart of one that is paused), unavailable (the daemon stops, the
  /// store refuses, or it does not start), io.
  Status steer(const PipelineName& pipeline, Steering steering);
  /// Commands the delivery of a sink, and logs who did so; any thread but the loop's. Errors: not found,
  /// conflict, unavailable (the pipeline is down).
  Status command(const PipelineName& pipeline, const TableName& sink, Delivery::Command command);
  /// True when the folder has been read and every pipeline runs (or has finished): what /readyz asks.
  /// `reasons` gets one sentence for each that does not.
  [[nodiscard]] bool ready(std::vector<std::string>& reasons) const;
  /// What the folder that was read has left behind (leftovers.h); any thread.
  [[nodiscard]] std::vector<std::string> leftovers() const;

 private:
  struct Entry;

  void replay_in(const PipelineName& pipeline, std::vector<store::DeadLetterRow> letters, ReplayDone done);
  void load_file(const std::string& path);
  void start(Entry& entry);
  void ended(Entry& entry);
  void restart_later(Entry& entry);
  void look_for_leftovers();
  using Steered = std::function<void(Status)>;
  void steer_now(const PipelineName& pipeline, Steering steering, Steered done);
  void pause(Entry& entry, Steered done);
  void resume(Entry& entry, Steered done);
  void restart(Entry& entry, Steered done);
  void start_anew(Entry& entry, const Steered& done);
  void fail(Entry& entry, Error error);
  [[nodiscard]] Entry* find(const PipelineName& name);
  template <class T>
  Result<T> ask_loop(const std::function<Result<T>()>& ask);
  Result<Pipeline*> running(const PipelineName& pipeline);
  Result<PipelineName> owner_of(const TableName& table);

  const HostContext context_;
  std::mutex replay_mutex_;   // Held by the replay that is under way.
  mutable std::mutex mutex_;  // Guards the list and each entry's pipeline pointer for readers.
  std::vector<std::unique_ptr<Entry>> entries_;  // Changed on the loop only.
  std::string folder_error_;
  std::vector<std::string> leftovers_;
  bool loaded_ = false;
  bool stopping_ = false;  // Set on the loop, under mutex_.
};

}  // namespace leat::runtime
