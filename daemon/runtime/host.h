// The host: all pipelines of a daemon, those of the pipeline folder and those that were deployed. It plans
// each text, runs what is right, shows what is wrong, restarts what has failed, and puts new versions in the
// place of old ones. On the loop; `statuses` may be called from any thread.
//
// A name belongs to who had it first. A deployed text is in the store and survives restarts; a file that
// appears with its name later is refused. A file's name is the file's: it is not deployed over, nor removed
// or renamed here, as the next start would read the file again. A changed folder is read by `reload`.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/loop/handles.h"
#include "daemon/runtime/deploy.h"
#include "daemon/runtime/farewells.h"
#include "daemon/runtime/late_publisher.h"
#include "daemon/runtime/pipeline.h"
#include "daemon/runtime/reload.h"
#include "daemon/runtime/restart.h"
#include "daemon/runtime/status.h"

namespace leat::sources {
class HttpPorts;
}

namespace leat::runtime {

class Neighbours;

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

  /// Plans and starts what is deployed, then every *.sql file of the folder, in name order. A broken text
  /// fails its own pipeline only; a missing folder is reported and leaves none.
  void load_folder(const std::string& folder);
  /// The same, with `progress` called before each pipeline: restoring a large state takes a while.
  void load_folder(const std::string& folder, const std::function<void()>& progress);
  /// Reads the folder again and does what its files say now (reload.h). Files that are refused are in the
  /// report. From any thread but the loop's, which it blocks for seconds. Errors: io (the folder cannot be
  /// read: nothing is done), conflict (another change takes too long), unavailable (the daemon starts or
  /// stops; what was done until then stays).
  Result<ReloadReport> reload(const ReloadRequest& request);
  /// Ends all pipelines, each within the time; then calls `done`.
  void stop(std::int64_t deadline, std::function<void()> done);
  /// The loop does not run any more, perhaps before `done` was called: who waits for it gives up.
  void loop_ended() { ended_ = true; }

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
  /// How many run or have finished, and how many do not, that ought to; any thread.
  struct Counts {
    std::size_t running = 0;
    std::size_t paused = 0;
    std::size_t failed = 0;
    std::size_t refused = 0;  ///< Of all these, those with a new text that does not take over.
    bool operator==(const Counts&) const = default;
  };
  [[nodiscard]] Counts counts() const;
  /// Steers a pipeline, waits until that is done, and logs it; any thread but the loop's. Pausing what is
  /// paused and resuming what is not are done already. A restart runs what the pipeline's file has now, as
  /// `reload` does. Errors: not found, invalid (what its file has now is wrong), conflict (its file is wrong,
  /// another steering is under way, a restart of one that is paused), unavailable (the daemon stops, the
  /// store refuses, or it does not start), io.
  Status steer(const PipelineName& pipeline, Steering steering);
  /// Commands the delivery of a sink, and logs who did so; any thread but the loop's. Errors: not found,
  /// conflict, unavailable (the pipeline is down).
  Status command(const PipelineName& pipeline, const TableName& sink, Delivery::Command command);

  // Changes. From any thread but the loop's, which they block for seconds; one at a time (conflict). Each is
  // whole or not at all, also over a crash: it happens at one transaction of the store, before which the
  // former version goes on and behind which the new one starts.

  /// Plans the text, builds all of it without connecting, and only then ends the version that runs: what that
  /// has taken in is processed and committed, and the new one takes over journals, positions, state and
  /// outboxes. When the new one does not start all the same, the former one does. A pipeline that is paused
  /// stays so. Errors: invalid (name, text), conflict (a file's; operators would start cold; a local table is
  /// there in another shape; another pipeline has what only one can have), exhausted and io (the store),
  /// unavailable (the daemon stops).
  DeployOutcome deploy(const DeployRequest& request);
  /// Ends a deployed pipeline and its sessions at brokers, and purges these parts of it; the others stay, and
  /// a later pipeline of that name takes them up. Of a pipeline that is gone, purges what was kept. Errors:
  /// not found, conflict (a file's).
  Result<Removed> remove(const PipelineName& pipeline, const std::set<Part>& purge);
  /// Gives a deployed pipeline, or what is kept of one, another name. Errors: not found, conflict (a file's;
  /// the name is taken, or parts of another pipeline are kept under it), invalid (the name).
  Status rename(const PipelineName& from, const PipelineName& to);
  /// Throws away what waits for a sink at present; a shipment that may have arrived stays. Errors: not found.
  Result<OutboxPurged> purge_outbox(const PipelineName& pipeline, const TableName& sink);

  /// What a pipeline runs; none: there is no such pipeline. Any thread.
  [[nodiscard]] std::optional<PipelineText> text(const PipelineName& pipeline) const;
  /// True when the folder has been read and every pipeline runs (or has finished): what /readyz asks.
  /// `reasons` gets one sentence for each that does not.
  [[nodiscard]] bool ready(std::vector<std::string>& reasons) const;
  /// What the folder that was read has left behind (leftovers.h); any thread.
  [[nodiscard]] std::vector<std::string> leftovers() const;

 private:
  struct Entry;

  /// Errors: unavailable. Until the folder is read, what is there looks like what is left of something.
  [[nodiscard]] Status check_open() const;
  void replay_in(const PipelineName& pipeline, std::vector<store::DeadLetterRow> letters, ReplayDone done);
  void load_deployed(const std::function<void()>& progress);
  void load_file(const std::string& path);
  void add_entry(std::unique_ptr<Entry> made, const plan::PlanOutcome& outcome);
  [[nodiscard]] plan::PlanOutcome planned(const std::string& file, const std::string& sql) const;
  void forget_gone_readers();
  [[nodiscard]] PipelineContext pipeline_context(const PipelineName& identity) const;
  Result<std::unique_ptr<Pipeline>> make(Entry& entry,
                                         std::optional<store::SavedPipeline> saved = std::nullopt);
  Status launch(Entry& entry, Pipeline& pipeline);
  void start(Entry& entry, std::optional<store::SavedPipeline> saved = std::nullopt);
  static void log_start(const Entry& entry);
  static PipelineStatus status_of(const Entry& entry);
  static std::string taken(const Entry& text, const Entry& by);
  void ended(Entry& entry);
  void restart_later(Entry& entry);
  [[nodiscard]] std::vector<Served> what_is_served() const;
  void look_for_leftovers();
  [[nodiscard]] bool knows_all() const;
  Status publish_left_open(const PipelineName& pipeline, const std::set<Part>& purge);
  void tell_open(const PipelineName& pipeline, const std::set<Part>& purge, Removed& removed) const;
  using Steered = std::function<void(Status)>;
  Status begin_steering(const PipelineName& pipeline);
  void end_steering(const PipelineName& pipeline);
  void steer_now(const PipelineName& pipeline, Steering steering, Steered done);
  void pause(Entry& entry, Steered done);
  void resume(Entry& entry, Steered done);
  void restart(Entry& entry, Steered done);
  void start_anew(Entry& entry, const Steered& done);
  void fail(Entry& entry, Error error);
  [[nodiscard]] Entry* find(const PipelineName& name) const;
  template <class T>
  Result<T> ask_loop(const std::function<Result<T>()>& ask);
  Result<Pipeline*> running(const PipelineName& pipeline);
  Result<PipelineName> owner_of(const TableName& table);

  // Changes: steps on the loop, between which the caller's thread waits for the store.
  struct Former;
  struct Swap;
  Status on_loop(std::function<void(Steered)> work);
  Status in_loop(std::function<Status()> work);
  [[nodiscard]] std::set<PipelineName> under_change() const;
  void begin_change(const PipelineName& pipeline, Steered done);
  void end_change(Entry& entry);
  [[nodiscard]] Former former_of(const PipelineName& pipeline) const;
  [[nodiscard]] tl::expected<plan::Plan, DeployRefusal> plan_for(const DeployRequest& request) const;
  static Status may_replace(const Swap& change);
  static bool runs_already(const Former& former, const std::string& sql);
  static Deployed unchanged(const Former& former, const store::KeptParts& parts);
  [[nodiscard]] Neighbours neighbours(const std::set<PipelineName>& without) const;
  [[nodiscard]] DeployOutcome rehearse_change(Swap& change, const store::KeptParts& parts) const;
  Result<std::vector<std::string>> swap(Swap& change);
  Status prepare(Swap& change, store::KeptParts& parts) const;

  // Reading files anew (host_reload.cc); the caller holds change_mutex_.
  struct Reload;
  Result<std::vector<FolderFile>> read_folder(const std::vector<ServedFile>& served);
  Result<std::vector<ServedFile>> served();
  [[nodiscard]] FolderFile read_now(const std::string& path, const std::vector<ServedFile>& served) const;
  Status end_gone(Reload& reload);
  Status erase_failed(const std::string& path);
  Status apply_file(Reload& reload, std::size_t index);
  Status keep_running(const ServedFile& now, const std::string& path);
  Status refuse_file(const Reload& reload, const FolderFile& file, Error why, ReloadedFile& report);
  Status put_in_place(const Reload& reload, const FolderFile& file, ReloadedFile& report);
  [[nodiscard]] Neighbours beside(const Reload& reload, const FolderFile& file) const;
  Status take_file(const Reload& reload, const FolderFile& file, ReloadedFile& report);
  [[nodiscard]] std::optional<std::string> changed_file(const PipelineName& pipeline) const;
  Status restart_with_file(const PipelineName& pipeline, const std::string& path);
  Status take_over(Swap& change);
  Status build(Swap& change, store::SavedPipeline saved);
  Status run_new(const PipelineName& pipeline);
  void go_back(Swap& change);
  Status add_empty(const Swap& change);
  void erase(const PipelineName& pipeline);
  Status end_for_good(const PipelineName& pipeline);
  Status rename_running(const PipelineName& from, const PipelineName& to, const std::string& sql);
  [[nodiscard]] Result<bool> has_left(const PipelineName& pipeline,
                                      const std::vector<std::string>& tables) const;
  Status purge_parts(const PipelineName& pipeline, const std::set<Part>& purge,
                     const std::vector<std::string>& tables, Removed& removed);
  Result<std::vector<std::string>> own_tables(const PipelineName& pipeline, Removed& removed);
  Status tell_kept(const PipelineName& pipeline, const std::set<Part>& purge, Removed& removed);
  [[nodiscard]] std::vector<Session> sessions(const plan::Plan& plan, const PipelineName& identity) const;
  [[nodiscard]] std::vector<Session> running_sessions() const;

  const HostContext context_;
  Farewells farewells_{*context_.clock};
  LatePublisher late_publisher_{*context_.store, context_.gateway_id};
  const std::unique_ptr<sources::HttpPorts> ports_;  // Of all pipelines' sources.
  std::mutex replay_mutex_;                          // Held by the replay that is under way.
  std::timed_mutex
      change_mutex_;  // Held by the change that is under way; not over what waits for others' machines.
  mutable std::mutex mutex_;  // Guards the list and each entry's pipeline pointer for readers.
  std::vector<std::unique_ptr<Entry>> entries_;  // Changed on the loop only.
  std::string folder_;                           // As `load_folder` was told.
  std::string folder_error_;                     // Under mutex_, as is the next.
  std::string deployed_error_;                   // What the store says of the deployed texts.
  std::vector<std::string> leftovers_;
  bool loaded_ = false;  // Under mutex_, as is stopping_ below.
  std::atomic<bool> ended_ = false;
  bool stopping_ = false;  // Set on the loop, under mutex_.
};

}  // namespace leat::runtime
