#include "tests/sql/run_case.h"

#include <algorithm>

#include "daemon/loop/clock.h"
#include "daemon/loop/loop.h"
#include "daemon/runtime/catalog.h"
#include "daemon/runtime/pipeline.h"
#include "daemon/store/store.h"
#include "pipelines/column/text.h"
#include "pipelines/plan/planner.h"

namespace leat::sql_test {
namespace {

constexpr std::size_t kMostDeadLetters = 10'000;

class RowCollector final : public runtime::ResultListener {
 public:
  RowCollector(std::vector<std::string>& rows, std::string time_zone)
      : rows_(rows), style_{std::move(time_zone), "null"} {}

  Status rows(std::size_t, const Schema&, const Batch& batch) override {
    for (std::size_t row = 0; row < batch.size; ++row)
      append_row_text(batch, row, style_, rows_.emplace_back());
    return {};
  }

 private:
  std::vector<std::string>& rows_;
  const TextStyle style_;
};

std::string setting(const plan::Plan& plan, const std::string& key, const std::string& otherwise) {
  const auto found = plan.settings.find(key);
  return found == plan.settings.end() ? otherwise : found->second;
}

class CaseRun {
 public:
  CaseRun(const Case& test, const plan::Plan& plan, Mode mode, store::Store& store, loop::Loop& loop,
          Outcome& outcome)
      : test_(test),
        plan_(plan),
        mode_(mode),
        store_(store),
        loop_(loop),
        outcome_(outcome),
        collector_(outcome.rows, setting(plan, "table.local-time-zone", "UTC")) {}

  void run() {
    begin();
    if (pipeline_) loop_.run();
    if (pipeline_) outcome_.error = pipeline_->status_now().error;
    pipeline_.reset();
  }

 private:
  runtime::PipelineContext context() {
    runtime::PipelineContext context{
        .loop = &loop_, .clock = &clock_, .store = &store_, .results = &collector_};
    if (mode_ != Mode::kWhole) context.batch_bytes = context.chunk_bytes = 1;
    context.lock_step = mode_ == Mode::kCut;
    if (test_.event_clock) context.replay = runtime::Replay{};
    return context;
  }

  void begin() {
    runtime::PipelineEvents events{.ended = [this] { loop_.stop(); }, .batch_done = {}, .committed = {}};
    if (mode_ == Mode::kCut) events.committed = [this] { cut(); };
    auto made =
        runtime::Pipeline::create(PipelineName{"case"}, "case.sql", plan_, context(), std::move(events));
    Status started = made ? (*made)->start() : tl::unexpected<Error>(made.error());
    if (!started) {
      outcome_.error = started.error().message;
      return loop_.stop();
    }
    pipeline_ = *std::move(made);
  }

  /// As a crash behind the commit would leave it.
  void cut() {
    pipeline_.reset();
    ++outcome_.restarts;
    loop_.post([this] { begin(); });
  }

  const Case& test_;
  const plan::Plan& plan_;
  const Mode mode_;
  store::Store& store_;
  loop::Loop& loop_;
  Outcome& outcome_;
  const loop::SystemClock clock_;
  RowCollector collector_;
  std::unique_ptr<runtime::Pipeline> pipeline_;
};

}  // namespace

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::kWhole:
      return "whole";
    case Mode::kOneRow:
      return "one-row batches";
    case Mode::kCut:
      return "cut and restored";
  }
  return "?";
}

Outcome run_case(const Case& test, Mode mode) {
  Outcome outcome;
  const auto planned = plan::plan_pipeline(
      {.file = "case.sql", .text = test.pipeline, .overrides = {}, .allow_select = true}, runtime::catalog());
  if (!planned.ok()) {
    for (const plan::Message& message : planned.messages) outcome.error += message.rendered;
    return outcome;
  }
  std::vector<std::string> notes;
  auto store = store::Store::open({}, notes);
  auto loop = loop::Loop::create();
  if (!store || !loop) {
    outcome.error = "no store or no loop";
    return outcome;
  }
  CaseRun(test, planned.plan, mode, **store, **loop, outcome).run();
  const store::DeadLetterPage page{
      .order = store::DeadLetterPage::Order::kOldestFirst, .letters = kMostDeadLetters, .payload_bytes = 0};
  if (const auto letters = (*store)->dead_letters({}, page); letters)
    for (const auto& row : *letters) outcome.dead.push_back(row.letter.reason);
  (*store)->close();
  return outcome;
}

}  // namespace leat::sql_test
