// A running pipeline: sources → dataflow → commit → outbox, on one loop. It owns everything that belongs to
// it and shares the store with its neighbours.
//
// Life cycle: create (plans nothing, connects nothing) → start → running … → finished | failed | paused |
// stopped. A failed or paused pipeline takes nothing in and delivers on; it runs again as a new object.
// `stop` drains, commits and answers once. All methods are for the loop's thread, except `status`.
//
// Between two batches it hands the storage thread one commit with all that changed; while that is under way
// the engine goes on, and the next commit takes what came since. Sources are told of a position only when its
// commit is synced.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/loop/clock.h"
#include "daemon/loop/handles.h"
#include "daemon/loop/loop.h"
#include "daemon/runtime/delivery.h"
#include "daemon/runtime/event_clock.h"
#include "daemon/runtime/lookups.h"
#include "daemon/runtime/message_tap.h"
#include "daemon/runtime/replay_queue.h"
#include "daemon/runtime/row_channel.h"
#include "daemon/runtime/sink_writer.h"
#include "daemon/runtime/source_reader.h"
#include "daemon/runtime/status.h"
#include "daemon/store/store.h"
#include "pipelines/base/bytes.h"
#include "pipelines/exec/dataflow.h"
#include "pipelines/plan/node.h"

namespace leat::runtime {

/// The zone in which times without one are read and printed. The planner has put its name into every plan.
std::string time_zone_of(const plan::Plan& plan);

/// Takes the rows of bare SELECTs (`leat run`). On the loop.
class ResultListener {
 public:
  virtual ~ResultListener() = default;
  /// Errors: io (nobody takes the rows any more); it fails the pipeline.
  virtual Status rows(std::size_t sink, const Schema& schema, const Batch& batch) = 0;
};

/// How a replay by the rows' own clock ends.
struct Replay {
  std::optional<std::int64_t> until;  ///< Time goes on to this moment behind the last row.
  enum class End : std::uint8_t {
    kFlush,  ///< As bounded inputs end: every window fires.
    kOpen,   ///< As if live: what is not due stays unsaid.
  } end = End::kFlush;
};

struct PipelineContext {
  loop::Loop* loop = nullptr;  ///< Outlives the pipeline, as do clock, store and listener.
  const loop::Clock* clock = nullptr;
  store::Store* store = nullptr;
  ResultListener* results = nullptr;  ///< Null under `leat serve`: there are no bare SELECTs.
  std::string gateway_id;
  std::string journal_dir;  ///< Empty: intakes in memory.
  /// Under which name brokers, receivers and the journals know the pipeline (store::PipelineStore); empty:
  /// its own.
  PipelineName identity = {};
  /// Bytes of messages per batch; 1 makes one-message batches (tests).
  std::size_t batch_bytes = 256 * 1024;
  /// Files are read in messages of so many bytes of whole lines.
  std::size_t chunk_bytes = 128 * 1024;
  /// Replays bounded inputs with the clock of their rows in place of the gateway's.
  std::optional<Replay> replay;
  /// By table: what stands in for the connector that a scan names (trial.h). They outlive the pipeline.
  const std::map<std::string, sources::SourceConnector>* stand_ins = nullptr;
  /// Where rows of local tables are looked up; null: in `store`. Outlives the pipeline.
  store::TableStore* lookup_tables = nullptr;
  /// Asked between two batches of an operator, and in long ones: an error fails the pipeline (trial.h).
  std::function<Status()> go_on = nullptr;
  /// A stop waits up to its deadline for what was made to be delivered, but no longer than this for a far
  /// side that settles nothing (twice that if it ever has); 0: for each up to the deadline.
  Micros silence_max{0};
  /// Commits behind every batch and waits for it before the next: slow, and every cut is a consistent one.
  bool lock_step = false;
  /// The addresses that its sources listen on; null: each has its own. Outlives the pipeline.
  sources::HttpPorts* ports = nullptr;
  /// Whether commits hold the operators' state.
  enum class State : std::uint8_t {
    kCommitted,
    kForgotten,  ///< The store goes with the process: nobody could ever restore from it.
  } state = State::kCommitted;
};

struct PipelineEvents {
  /// Finished or failed; called once, from the loop, never from inside a call of ours.
  std::function<void()> ended;
  /// Between any two batches; for tests of the accounting.
  std::function<void()> batch_done;
  /// Behind every commit that the store has taken; the pipeline may be destroyed in it.
  std::function<void()> committed;
};

class Pipeline {
 public:
  /// `plan` is complete and checked. Errors: invalid, io, corrupt: what was saved cannot be taken over.
  /// With `saved`, which was read when nobody ran under this name, and declared tables (rehearsal.h) the
  /// store is not waited for.
  static Result<std::unique_ptr<Pipeline>> create(PipelineName name, std::string file, plan::Plan plan,
                                                  const PipelineContext& context, PipelineEvents events,
                                                  std::optional<store::SavedPipeline> saved = std::nullopt);
  ~Pipeline();

  Status start();
  /// Starts as one that is paused: only what it had made before is delivered.
  void start_paused();
  /// Begins what `stop` waits for, and returns at once: with many pipelines, all of them first.
  void begin_stop();
  /// Ends sources, processes what they left, commits, lets sinks deliver until `deadline` (monotonic
  /// microseconds), then calls `done`. Idempotent: later calls are answered, too.
  void stop(std::int64_t deadline, std::function<void()> done);
  /// As `stop`, but what it has made is delivered on; a pipeline that has failed is paused at once.
  void pause(std::int64_t deadline, std::function<void()> done);

  /// Of one that takes nothing in any more: what has been written to sinks that are taken away is published,
  /// as far as that is done by `deadline` (monotonic microseconds); what is not is in the log. Then `done`.
  void take_away(const std::function<bool(const plan::SinkNode&)>& goes, std::int64_t deadline,
                 std::function<void()> done);

  /// Puts dead letters of this pipeline's sources back in, as fresh messages. They go with the commit that
  /// holds what came of them; `done` is called when that is synced. Letters that cannot go back stay, with
  /// the reason in the outcome. Errors: unavailable (the pipeline ended before).
  void replay(std::vector<store::DeadLetterRow> letters, ReplayDone done);

  /// A reader of the rows of a table: of a source as far as the plan reads its columns, or of a sink. From
  /// now on, until the reader leaves or the pipeline ends. On the loop. Errors: not found, conflict (it does
  /// not run).
  Result<std::shared_ptr<RowChannel>> tail(const TableName& table);
  /// The messages of a source; as above.
  Result<std::shared_ptr<MessageTap>> tap(const TableName& table);

  [[nodiscard]] PipelineStatus status() const;  ///< The last snapshot, at most 200 ms old; any thread.
  /// Of this moment; on the loop.
  [[nodiscard]] PipelineStatus status_now() const;
  [[nodiscard]] const plan::Plan& plan() const { return plan_; }
  [[nodiscard]] const PipelineName& name() const { return name_; }
  /// Commands the delivery of one of its sinks; any thread. Errors: not found (no such sink, or none with an
  /// outbox), conflict.
  Status command(const TableName& sink, Delivery::Command command);

 private:
  struct Input;
  struct Target;
  class Hooks;

  Pipeline(PipelineName name, std::string file, plan::Plan plan, const PipelineContext& context,
           PipelineEvents events);
  Status restore(std::optional<store::SavedPipeline> read_before);
  Status make_inputs(const store::SavedPipeline& saved);
  [[nodiscard]] ReaderContext reader_context() const;
  [[nodiscard]] std::vector<store::TableDeclaration> declared_tables() const;
  Status make_targets();
  Status make_target(const plan::SinkNode& sink);
  Status make_delivery(Target& target, const sinks::SinkContext& made);
  Status make_dataflow(const store::SavedPipeline& saved);
  [[nodiscard]] bool read_by_a_source(const exec::StateChange& entry) const;

  [[nodiscard]] Status refuse_onlookers() const;
  void show_rows(RowTap& tap, const Batch& batch) const;
  void tick_taps();
  void send_onlookers_away();

  void pump();
  /// What a step of the pump did.
  enum class Step : std::uint8_t { kIdle, kWorked };
  Result<Step> step();
  Result<Step> step_replay();
  [[nodiscard]] Result<std::size_t> input_of(const store::DeadLetterRow& row) const;
  Status push_replayed(std::size_t index, std::span<const store::DeadLetterRow> letters);
  Status tell_splits(std::size_t index);
  Result<Step> step_arrivals();
  Result<Step> step_merged();
  Result<bool> fill(std::size_t index);
  Status push_run(std::size_t index, std::size_t begin, std::size_t end);
  Status replay_to(std::int64_t moment);
  Status finish_replay();
  Status hold(std::size_t index, Batch batch);
  void let_go(std::size_t index);
  Status take_pieces(std::size_t index, Batch first);
  Status take_batch(std::size_t index, Batch batch);
  Status finish_input(std::size_t index);
  [[nodiscard]] bool wants_more(std::size_t index) const;
  Status dismiss(std::size_t index);
  void tick();
  /// Logs what has changed at sources and sinks.
  void tell_news();
  void tell_of_deliveries();
  [[nodiscard]] bool blocked();
  [[nodiscard]] bool stream_is_full(const SinkWriter& writer) const;
  Status output(std::size_t sink, const Batch& batch);

  void commit();
  void save_state(store::Commit& commit);
  std::shared_ptr<store::Commit> make_commit();
  void add_positions(store::Commit& commit) const;
  void add_passed(store::Commit& commit) const;
  void hand_over(std::shared_ptr<const store::Commit> commit);
  void committed(const std::shared_ptr<const store::Commit>& commit, const Result<void>& outcome);
  void end_sources();
  void begin_drain();
  void wait_for_drain();
  bool is_silent(Target& target) const;
  void await_taken_away();
  void fail_with(const Error& error);
  void end_with(PipelineState state);
  [[nodiscard]] SinkStatus status_of(const Target& target) const;
  void publish();
  [[nodiscard]] std::string encode_counters() const;
  void restore_counters(std::string_view bytes);
  void restore_operators(ByteReader& in);
  [[nodiscard]] std::uint64_t received_for_good() const;
  [[nodiscard]] std::uint64_t pending_bytes() const;

  const PipelineName name_;
  const std::string file_;
  const plan::Plan plan_;
  const PipelineContext context_;
  const PipelineEvents events_;
  std::shared_ptr<int> alive_ =
      std::make_shared<int>(0);  // Expires with the pipeline; posted work looks at it.

  std::unique_ptr<Hooks> hooks_;
  std::unique_ptr<Lookups> lookups_;
  std::unique_ptr<exec::Dataflow> dataflow_;
  std::vector<std::unique_ptr<Input>> inputs_;    // One per plan_.scans.
  std::vector<std::unique_ptr<Target>> targets_;  // One per table that is written, and per bare SELECT.
  std::vector<Target*> target_of_;                // The target of each of plan_.sinks.
  EventClock event_clock_;                        // Of a replay.
  bool merge_ = false;                            // Several bounded inputs: by row time.

  std::unique_ptr<loop::Async> wake_;
  std::unique_ptr<loop::Async> arrival_;  // A message came from outside: the pump may linger for more.
  loop::Timer linger_timer_;
  loop::Timer commit_timer_;
  loop::Timer tick_timer_;
  loop::Timer retry_timer_;
  loop::Timer take_away_timer_;
  Micros commit_interval_{kMicrosPerSecond};

  PipelineState state_ = PipelineState::kStarting;
  std::string error_;
  ErrorCode error_code_ = ErrorCode::kInternal;
  std::string waiting_for_;
  CommitNumber last_commit_;
  std::int64_t last_commit_time_ = 0;
  std::int64_t last_commit_micros_ = 0;
  std::int64_t commit_started_ = 0;  // Monotonic.
  bool told_slow_ = false;           // The log knows of a commit that takes long.
  std::shared_ptr<const store::Commit> in_flight_;
  bool in_flight_failed_ = false;  // Waits for retry_timer_.
  std::vector<store::DeadLetter> dead_letters_;
  std::vector<store::DeadLetter>* dead_target_ =
      &dead_letters_;  // Where the dataflow's rejects go at the moment.
  std::uint64_t dead_letter_count_ = 0;
  ReplayQueue replays_;
  std::vector<std::string> positions_;  // As last handed to a commit, one per input.
  std::uint64_t received_ = 0;          // SourceReader::received_for_good of all, as of then.
  std::vector<exec::StateChange>
      stale_;                // Saved entries that no operator knows; the next commit erases them.
  bool draining_ = false;    // Nothing more comes in; what is there is processed, committed and delivered.
  bool drain_told_ = false;  // The deliveries know.
  bool pausing_ = false;     // What is drained is to be paused, not stopped.
  std::int64_t drain_deadline_ = 0;
  std::vector<std::function<void()>> stopped_;
  std::vector<const Target*> taken_away_;  // By `take_away`,
  std::int64_t take_away_deadline_ = 0;    // whose answer waits for them.
  std::function<void()> told_taken_away_;

  mutable std::mutex published_mutex_;
  std::shared_ptr<const PipelineStatus> published_;  // Guarded by published_mutex_.
  std::int64_t published_at_ = 0;
};

}  // namespace leat::runtime
