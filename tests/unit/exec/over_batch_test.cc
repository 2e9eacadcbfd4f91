// OVER in batch mode: frames that slide, partitions and their order, more rows than one batch holds.
#include <doctest/doctest.h>

#include <algorithm>

#include "pipelines/exec/partition_calls.h"
#include "pipelines/functions/aggregate.h"
#include "pipelines/plan/ordered_over_node.h"
#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;
using plan::FrameEdge;
using plan::OrderedFrame;
using plan::OrderedOverCall;

FrameEdge rows_away(std::int64_t rows) {
  return {.kind = FrameEdge::Kind::kOffset, .offset = rows};
}

OrderedOverCall of_rows(functions::AggregatePtr function, std::int64_t from, std::int64_t to) {
  const Type type = function->result_type();
  const std::size_t argument = function->argument_types()[0].is_character() ? kKey : kValue;
  return {.call = call(std::move(function), {argument}),
          .type = type,
          .frame = {OrderedFrame::Unit::kRows, rows_away(from), rows_away(to)}};
}

plan::NodePtr over(OrderedOverCall call, std::vector<std::size_t> partition_by) {
  auto table = scan();
  table->time_attributes.resize(3, plan::TimeAttribute::kNone);
  auto node = std::make_shared<plan::OverBatchNode>();
  node->inputs = {table};
  node->partition_by = std::move(partition_by);
  node->order = {{kValue}};
  const Type type = call.type;
  node->calls = {std::move(call)};
  node->fingerprint = "over";
  node->pass_all();
  return project(node, {column(kKey, Type::string()), column(kValue, Type::big_int()), column(3, type)});
}

Rows rows_of(plan::NodePtr node, const std::vector<Event>& events, const ScriptOptions& options = {}) {
  return run(pipeline({std::move(node)}), events, options).rows;
}

functions::AggregatePtr distinct(std::string_view name, const Type& type) {
  const functions::ArgumentInfo argument{type, std::nullopt};
  return functions::find_aggregate(name)
      ->bind({&argument, 1}, functions::Distinctness::kDistinct, true)
      .value();
}

TEST_CASE("partitions come by their first row, their rows in the window's order, whatever the time") {
  const std::vector<Event> events = {Row{5, "b", 2}, Row{1, "a", 3}, Row{9, "a", 1}, Row{2, "b", 1},
                                     Row{3, "a", std::nullopt}};
  CHECK(rows_of(over(of_rows(sum(), 0, 1), {kKey}), events) ==
        Rows{"+I[b, 1, 3]", "+I[b, 2, 2]", "+I[a, null, 1]", "+I[a, 1, 4]", "+I[a, 3, 3]"});
}

TEST_CASE("what cannot be subtracted slides as well") {
  const std::vector<Event> events = {Row{1, "a", 1}, Row{2, "b", 2}, Row{3, "c", 3}, Row{4, "d", 4},
                                     Row{5, "e", 5}};
  CHECK(rows_of(over(of_rows(joined(), -1, 1), {}), events) ==
        Rows{"+I[a, 1, a|b]", "+I[b, 2, a|b|c]", "+I[c, 3, b|c|d]", "+I[d, 4, c|d|e]", "+I[e, 5, d|e]"});
}

TEST_CASE("a frame may be behind all rows, or before them") {
  const std::vector<Event> events = {Row{1, "a", 1}, Row{2, "b", 2}, Row{3, "c", 3}};
  CHECK(rows_of(over(of_rows(sum(), 2, 9), {}), events) ==
        Rows{"+I[a, 1, 3]", "+I[b, 2, null]", "+I[c, 3, null]"});
  CHECK(rows_of(over(of_rows(sum(), -9, -2), {}), events) ==
        Rows{"+I[a, 1, null]", "+I[b, 2, null]", "+I[c, 3, 1]"});
}

TEST_CASE("a partition may be larger than a batch") {
  constexpr std::int64_t kRows = 20'000;
  std::vector<Event> events;
  for (std::int64_t value = kRows; value > 0; --value) events.emplace_back(Row{1, "a", value});
  const OrderedOverCall number = {.kind = OrderedOverCall::Kind::kRowNumber,
                                  .call = {.name = "ROW_NUMBER()", .kind = "ROW_NUMBER"},
                                  .type = Type::big_int()};
  const Rows rows = rows_of(over(number, {}), events, {.restore = false});
  REQUIRE(rows.size() == kRows);
  CHECK(rows.front() == "+I[a, 1, 1]");
  CHECK(rows.back() == "+I[a, 20000, 20000]");
}

TEST_CASE("a set of distinct fractions takes memory by its frame, not by the square of the rows") {
  constexpr std::uint32_t kRows = 2000;
  constexpr std::uint32_t kFrame = 50;
  ColumnBuilder values(Type::float64());
  for (std::uint32_t i = 0; i < kRows; ++i) values.append<double>(i);
  Batch rows;
  rows.size = kRows;
  rows.columns = {values.finish()};
  for (const char* const name : {"COUNT", "SUM"}) {
    plan::AggregateCall counted = call(distinct(name, Type::float64()), {0});
    counted.kind = std::string(name) + " DISTINCT";
    SlidingAggregate aggregate(counted);
    ColumnBuilder results(counted.function->result_type());
    aggregate.open(rows);
    std::size_t most = 0;
    for (std::uint32_t row = 0; row < kRows; ++row) {
      aggregate.move_to({row, std::min(row + kFrame, kRows)});
      aggregate.append_result(results);
      most = std::max(most, aggregate.memory_bytes());
    }
    CHECK(results.size() == kRows);
    CHECK(most < std::size_t{1} << 19);
  }
}

TEST_CASE("what a call holds of a partition counts for the bound of the memory") {
  constexpr std::int64_t kRows = 30'000;
  std::vector<Row> rows;
  for (std::int64_t value = 0; value < kRows; ++value) rows.push_back(Row{1, "a", value});
  OrderedOverCall counted = of_rows(distinct("COUNT", Type::big_int()), 0, 1);
  counted.frame.lower = {};
  const plan::Plan plan = pipeline({over(std::move(counted), {})});
  const auto finished_with = [&](std::uint64_t memory_max) {
    Recorder recorder(Show::kRows);
    const auto dataflow = *build_dataflow(plan, {.memory_max = memory_max}, recorder);
    REQUIRE(dataflow->push(0, dataflow->prepare(0, batch_of(rows, 1))->batch).has_value());
    return dataflow->finish(0, 1'000'000);
  };
  CHECK(finished_with(1U << 28).has_value());
  const Status finished = finished_with(4'000'000);
  REQUIRE(!finished.has_value());
  CHECK(finished.error().code == ErrorCode::kExhausted);
  CHECK(finished.error().message.find("'leat.memory.max'") != std::string::npos);
}

}  // namespace
}  // namespace leat::exec::test
