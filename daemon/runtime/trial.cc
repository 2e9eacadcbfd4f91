#include "daemon/runtime/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/loop/clock.h"
#include "daemon/loop/handles.h"
#include "daemon/runtime/pipeline.h"
#include "daemon/runtime/table_load.h"
#include "daemon/runtime/trial_sources.h"
#include "daemon/store/store.h"
#include "pipelines/plan/lookup_node.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/rewrite.h"

namespace leat::runtime {
namespace {

/// Of the rows that are given out, where their number is bounded.
constexpr std::uint64_t kMostBytes = 16 << 20;
/// Small: what a batch holds is computed at once, and looks at no clock meanwhile.
constexpr std::size_t kBatchBytes = 8 * 1024;
constexpr std::size_t kShownLetters = 3;

/// Every sink gives its rows out, and pasted tables are read to their end.
void redirect(plan::Plan& plan, const std::map<std::string, std::string>& pasted) {
  plan::rewrite_nodes(plan, [&](const plan::NodePtr& node) -> plan::NodePtr {
    if (node->kind == plan::NodeKind::kScan) {
      const auto& scan = static_cast<const plan::ScanNode&>(*node);
      return pasted.contains(scan.table) ? as_pasted(scan) : nullptr;
    }
    if (node->kind == plan::NodeKind::kLookupTable) {
      auto table = std::make_shared<plan::LookupTableNode>(static_cast<const plan::LookupTableNode&>(*node));
      if (!pasted.contains(table->scan->table)) return nullptr;
      table->scan = as_own_table(*table->scan);
      return table;
    }
    if (node->kind != plan::NodeKind::kSink) return nullptr;
    auto sink = std::make_shared<plan::SinkNode>(static_cast<const plan::SinkNode&>(*node));
    sink->connector.clear();
    return sink;
  });
}

std::string plural(std::uint64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

/// What lives on the trial's thread.
class Trial::Run final : public ResultListener {
 public:
  Run(TrialSetup setup, loop::Loop& loop, RowChannel& channel)
      : setup_(std::move(setup)), loop_(loop), channel_(channel) {}

  void run() {
    loop_.adopt();
    const Status ran = try_run();
    if (!ran) channel_.end(ran.error().message);
    channel_.end(reason_.empty() ? "the trial was stopped" : reason_);
  }

  /// A bounded trial ends with its last row; of another one what does not fit is skipped.
  Status rows(std::size_t sink, const Schema&, const Batch& batch) override {
    if (sink != setup_.sink || !reason_.empty() || batch.size == 0) return {};
    std::size_t count = batch.size;
    if (setup_.rows) count = static_cast<std::size_t>(std::min<std::uint64_t>(count, *setup_.rows - given_));
    std::uint64_t bytes = 0;
    std::size_t copied = 0;
    for (; copied < count && (!setup_.rows || given_bytes_ + bytes < kMostBytes); ++copied)
      bytes += bytes_of_row(batch, copied);
    if (copied > 0) channel_.put({{std::make_shared<const Batch>(copy_rows(batch, 0, copied)), bytes}});
    given_ += copied;
    given_bytes_ += bytes;
    if (setup_.rows && given_ >= *setup_.rows)
      finish(fmt::format("{}, which is the limit", plural(given_, "row")));
    else if (copied < count)
      finish("the rows take more memory than a trial may");
    return {};
  }

 private:
  Status try_run() {
    std::vector<std::string> notes;
    LEAT_ASSIGN(const std::unique_ptr<store::Store> store, store::Store::open({}, notes));
    take_lookup_rows();
    make_stand_ins();
    PipelineContext context{.loop = &loop_,
                            .clock = &clock_,
                            .store = store.get(),
                            .results = this,
                            .gateway_id = "trial",
                            .batch_bytes = kBatchBytes};
    context.stand_ins = &stand_ins_;
    context.go_on = [this] { return go_on(); };
    if (setup_.time) deadline_ = clock_.monotonic() + *setup_.time;
    if (lookup_rows_.empty()) context.lookup_tables = setup_.tables;
    loop::Timer limit(loop_, [this] { finish("the time is over"); });
    if (setup_.time) limit.start(Micros(*setup_.time));
    redirect(setup_.plan, setup_.pasted);
    {
      LEAT_ASSIGN(const auto pipeline, Pipeline::create(PipelineName{"trial"}, "", setup_.plan, context,
                                                        {.ended = [this] { loop_.stop(); }}));
      LEAT_TRY(load_lookup_rows(store->tables(), clock_.wall()));
      const Status started = pipeline->start();
      if (!started && !cut_) return started;
      if (started) loop_.run();
      conclude(pipeline->status_now());
    }
    tell_of_letters(*store);
    store->close();
    return {};
  }

  /// The loop's timer and a stop are not looked at while a batch is under way, and a join may make millions
  /// of rows of one. Errors: cancelled.
  Status go_on() {
    const bool late = deadline_ && clock_.monotonic() >= *deadline_;
    if (late && !loop_.stopping()) finish("the time is over");
    if (!loop_.stopping()) return {};
    cut_ = true;
    return fail(ErrorCode::kCancelled, "the trial is over");
  }

  /// Of pasted tables, those in which rows are looked up.
  void take_lookup_rows() {
    plan::for_each_node(setup_.plan, [this](const plan::NodePtr& node) {
      if (node->kind != plan::NodeKind::kLookupTable) return;
      const plan::ScanNode& scan = *static_cast<const plan::LookupTableNode&>(*node).scan;
      const auto pasted = setup_.pasted.find(scan.table);
      if (pasted == setup_.pasted.end()) return;
      const auto format = scan.options.find("format");
      lookup_rows_[scan.table] = {format == scan.options.end() ? "json" : format->second, pasted->second};
    });
  }

  /// The pipeline has declared their tables.
  Status load_lookup_rows(store::TableStore& tables, std::int64_t now) {
    for (const auto& [table, rows] : lookup_rows_) {
      const auto loaded =
          load_into_table(tables, table, {.format = rows.first, .columns = {}, .text = rows.second}, now);
      if (!loaded) return fail(loaded.error(), fmt::format("the rows of '{}'", table));
      if (loaded->refused > 0)
        channel_.note(fmt::format("{} of '{}' could not be used: {}", plural(loaded->refused, "record"),
                                  table, loaded->first_refusal));
    }
    return {};
  }

  void make_stand_ins() {
    for (auto& [table, text] : setup_.pasted) stand_ins_.emplace(table, pasted_source(std::move(text)));
    for (const auto& scan : setup_.plan.scans) {
      const sources::SourceConnector* own = sources::find_source(scan->connector);
      const auto live = setup_.live.find(scan->table);
      if (own == nullptr || stand_ins_.contains(scan->table)) continue;
      if (live != setup_.live.end())
        stand_ins_.emplace(scan->table, tapped_source(*own, live->second, ended_by_other()));
      else if (scan->connector == "sqlite" && setup_.tables != nullptr)
        stand_ins_.emplace(scan->table, over_tables(*own, *setup_.tables));
    }
  }

  /// Called on the loop of the pipeline that was tapped.
  MessageTap::Ended ended_by_other() {
    return [this](const std::string& why) { loop_.post([this, why] { finish(why); }); };
  }

  void finish(std::string why) {
    if (reason_.empty()) reason_ = std::move(why);
    loop_.stop();
  }

  void conclude(const PipelineStatus& status) {
    if (status.state == PipelineState::kFailed && !cut_) reason_ = "the query failed: " + status.error;
    if (status.state == PipelineState::kFinished && reason_.empty()) reason_ = "the input is read to its end";
    std::uint64_t late = 0;
    for (const auto& info : status.operators) late += info.counters.late;
    if (late > 0) channel_.note(plural(late, "row") + " came too late for the query");
    for (const auto& [table, tap] : setup_.live)
      if (tap->skipped() > 0)
        channel_.note(fmt::format("{} of '{}' were left out, as the trial is slower than they come",
                                  plural(tap->skipped(), "message"), table));
    dead_ = status.dead_letters;
  }

  /// Records that were of no use: how many, and why the last ones.
  void tell_of_letters(store::Store& store) {
    const auto letters = store.dead_letters({}, {.letters = kShownLetters, .payload_bytes = 200});
    if (!letters) return;
    const std::uint64_t count = std::max<std::uint64_t>(dead_, letters->size());
    if (count > 0) channel_.note(plural(count, "record") + " could not be used");
    for (const store::DeadLetterRow& row : *letters)
      channel_.note(fmt::format("{}: {}: {}", row.letter.origin, row.letter.reason, row.letter.payload));
  }

  TrialSetup setup_;
  loop::Loop& loop_;
  RowChannel& channel_;
  std::map<std::string, sources::SourceConnector> stand_ins_;
  std::map<std::string, std::pair<std::string, std::string>> lookup_rows_;  // Format and text, by table.
  const loop::SystemClock clock_;
  std::optional<std::int64_t> deadline_;  // Monotonic.
  bool cut_ = false;                      // It ends in the midst of a batch.
  std::string reason_;                    // Why it ends; empty: it has not yet.
  std::uint64_t given_ = 0;
  std::uint64_t given_bytes_ = 0;
  std::uint64_t dead_ = 0;
};

namespace {

/// Where rows are bounded all of them fit.
RowChannel::Bounds bounds_of(const TrialSetup& setup) {
  if (!setup.rows) return {};
  return {.rows = *setup.rows, .bytes = 2 * kMostBytes};
}

}  // namespace

Trial::Trial(TrialSetup setup, std::unique_ptr<loop::Loop> loop)
    : channel_(std::make_shared<RowChannel>(setup.plan.sinks[setup.sink]->schema, time_zone_of(setup.plan),
                                            bounds_of(setup))),
      loop_(std::move(loop)),
      run_(std::make_unique<Run>(std::move(setup), *loop_, *channel_)),
      thread_([this] { run_->run(); }) {}

Trial::~Trial() {
  loop_->stop();
  thread_.join();
  loop_->adopt();
}

Result<std::unique_ptr<Trial>> Trial::start(TrialSetup setup) {
  LEAT_ASSIGN(std::unique_ptr<loop::Loop> loop, loop::Loop::create());
  return std::unique_ptr<Trial>(new Trial(std::move(setup), std::move(loop)));
}

}  // namespace leat::runtime
