// The examples of the function table are documentation; here they are planned and evaluated as SQL.
#include <doctest/doctest.h>

#include <string>

#include "pipelines/base/time.h"
#include "pipelines/column/text.h"
#include "pipelines/exec/evaluate.h"
#include "pipelines/functions/scalar.h"
#include "pipelines/plan/planner.h"

namespace leat::functions {
namespace {

/// The one expression of "SELECT …", or nullptr with the planner's messages logged.
plan::ExprPtr planned(const std::string& expression) {
  const std::string sql = "SELECT CAST(" + expression + " AS STRING);";
  const plan::PlanOutcome outcome =
      plan::plan_pipeline({.file = "example", .text = sql, .allow_select = true}, {});
  for (const plan::Message& message : outcome.messages) MESSAGE(message.rendered);
  if (!outcome.ok()) return nullptr;
  const plan::Node* node = outcome.plan.sinks.front()->inputs.front().get();
  if (const auto* project = dynamic_cast<const plan::ProjectNode*>(node)) return project->exprs.front();
  const auto* values = dynamic_cast<const plan::ValuesNode*>(node);
  return values != nullptr ? values->rows.front().front() : nullptr;
}

std::string evaluated(const plan::ExprPtr& expr) {
  const std::int64_t intake_time = 1'600'000'000'000'000;
  const std::int64_t watermark = kMinWatermark;
  RowErrors errors;
  const ColumnPtr column = exec::Evaluator(expr).column(
      {.rows = 1, .intake_times = {&intake_time, 1}, .watermarks = {&watermark, 1}}, errors);
  if (!errors.empty()) return "error: " + errors.entries().front().message;
  std::string out;
  append_text(*column, 0, {}, out);
  return out;
}

TEST_CASE("every example of the function table gives the result beside it") {
  for (const ScalarFunction& function : all_scalars()) {
    CAPTURE(function.example);
    const plan::ExprPtr expr = planned(function.example);
    CHECK(expr != nullptr);
    if (expr != nullptr) CHECK(evaluated(expr) == function.example_result);
  }
}

}  // namespace
}  // namespace leat::functions
