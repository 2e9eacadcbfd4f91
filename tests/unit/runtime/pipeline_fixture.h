// A pipeline on a loop and a store of its own, from SQL text; restarted at will.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/loop/clock.h"
#include "daemon/loop/handles.h"
#include "daemon/loop/loop.h"
#include "daemon/runtime/catalog.h"
#include "daemon/runtime/pipeline.h"
#include "daemon/store/store.h"
#include "pipelines/column/text.h"
#include "pipelines/plan/planner.h"

/// So that a failed comparison shows its lines.
namespace doctest {
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += "\n  " + line;
    return text.c_str();
  }
};
}  // namespace doctest

namespace leat::runtime {

class Rows final : public ResultListener {
 public:
  Status rows(std::size_t, const Schema&, const Batch& batch) override {
    if (refuses) return fail(ErrorCode::kIo, "nobody takes the rows");
    largest_batch = std::max(largest_batch, batch.size);
    for (std::size_t row = 0; row < batch.size; ++row)
      append_row_text(batch, row, {"UTC", "null"}, lines.emplace_back());
    return {};
  }
  std::vector<std::string> lines;
  std::size_t largest_batch = 0;  // In rows.
  bool refuses = false;
};

inline plan::Plan planned(const std::string& text) {
  auto outcome = plan::plan_pipeline(
      {.file = "test.sql", .text = text, .overrides = {}, .allow_select = true}, catalog());
  for (const plan::Message& message : outcome.messages) INFO(message.rendered);
  REQUIRE(outcome.ok());
  return std::move(outcome.plan);
}

struct PipelineWorld {
  PipelineWorld() {
    std::vector<std::string> notes;
    auto opened = store::Store::open({}, notes);
    REQUIRE(opened);
    store = *std::move(opened);
    auto made = loop::Loop::create();
    REQUIRE(made);
    loop = *std::move(made);
  }

  /// Runs the pipeline until it ends by itself, or `until` says so behind a batch or a commit: then it is
  /// destroyed as a crash would.
  PipelineStatus run(const std::string& text, PipelineEvents events = {}, bool lock_step = false) {
    PipelineContext context{.loop = loop.get(), .clock = &clock, .store = store.get(), .results = &rows};
    context.lock_step = lock_step;
    if (lock_step) context.batch_bytes = 1;
    events.ended = [this] { loop->stop(); };
    auto made = Pipeline::create(PipelineName{"test"}, "test.sql", planned(text), context, std::move(events));
    REQUIRE_MESSAGE(made, made.error().message);
    pipeline = *std::move(made);
    REQUIRE(pipeline->start());
    loop->run();
    const PipelineStatus status = pipeline ? pipeline->status_now() : PipelineStatus{};
    pipeline.reset();
    return status;
  }
  void crash() { loop->stop(); }

  std::unique_ptr<store::Store> store;
  std::unique_ptr<loop::Loop> loop;
  loop::SystemClock clock;
  Rows rows;
  std::unique_ptr<Pipeline> pipeline;
};

}  // namespace leat::runtime
