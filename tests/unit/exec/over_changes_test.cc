// OVER a stream in an order of values: what it counts, what it emits of nothing, what rows in order cost.
#include <doctest/doctest.h>

#include "pipelines/exec/over_changes.h"
#include "pipelines/plan/ordered_over_node.h"
#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

/// COUNT(*) OVER (PARTITION BY key ORDER BY value).
std::shared_ptr<plan::OverChangesNode> counted() {
  auto table = scan({.has_watermark = false});
  table->updating = true;
  table->time_attributes.resize(3, plan::TimeAttribute::kNone);
  auto node = std::make_shared<plan::OverChangesNode>();
  node->inputs = {table};
  node->partition_by = {kKey};
  node->order = {{kValue}};
  node->calls = {{.call = call(count_rows()), .type = Type::big_int()}};
  node->fingerprint = "over";
  node->pass_all();
  return node;
}

struct Emitted final : Output {
  Status emit(Batch batch) override {
    batches.push_back(std::move(batch));
    return {};
  }
  Status advance(std::int64_t, std::int64_t) override { return {}; }
  std::vector<Batch> batches;
};

Batch arriving(std::int64_t value, RowKind kind) {
  ColumnBuilder ts(Type::timestamp(3));
  ColumnBuilder key(Type::string());
  ColumnBuilder number(Type::big_int());
  ts.append<std::int64_t>(0);
  key.append_string("a");
  number.append<std::int64_t>(value);
  Batch batch;
  batch.size = 1;
  batch.columns = {ts.finish(), key.finish(), number.finish()};
  batch.kinds = {kind};
  batch.watermarks = {kMinWatermark};
  batch.intake_times = {1};
  return batch;
}

TEST_CASE("a row that is taken back but is not there is filtered") {
  const auto node = counted();
  OverChanges over(*node);
  Emitted out;
  REQUIRE(over.process(0, arriving(1, RowKind::kInsert), out).has_value());
  REQUIRE(over.process(0, arriving(2, RowKind::kDelete), out).has_value());
  CHECK(over.counters().rows_in == 2);
  CHECK(over.counters().applied == 1);
  CHECK(over.counters().filtered == 1);
  CHECK(out.batches.back().size == 0);
  CHECK(out.batches.back().columns.empty());
}

TEST_CASE("a batch without rows hands on its watermark alone") {
  const auto node = counted();
  OverChanges over(*node);
  Emitted out;
  Batch empty = slice(arriving(1, RowKind::kInsert), 0, 0);
  empty.watermark_after = 7;
  REQUIRE(over.process(0, empty, out).has_value());
  REQUIRE(out.batches.size() == 1);
  CHECK(out.batches[0].watermark_after == 7);
  CHECK(out.batches[0].columns.empty());
}

// Row n comes in at second n.
TEST_CASE("a partition that no row has changed for the time to live begins anew, without a word") {
  const auto node = counted();
  node->state_ttl = 3s;
  const Outcome outcome =
      run(pipeline({node}), {Row{1, "a", 5}, Row{2, "b", 1}, Row{3, "a", 7}, Row{4, "a", 6}, Row{5, "b", 2},
                             Row{6, "c"}, Row{7, "a", 8}, Row{8, "a", 6, RowKind::kDelete}, Row{9, "a", 9}});
  CHECK(outcome.rows == std::vector<std::string>{"+I[1, a, 5, 1]", "+I[2, b, 1, 1]", "+I[3, a, 7, 2]",
                                                 "+I[4, a, 6, 2]", "-U[3, a, 7, 2]", "+U[3, a, 7, 3]",
                                                 "+I[5, b, 2, 1]", "+I[6, c, 1, 1]", "+I[7, a, 8, 1]",
                                                 "+I[9, a, 9, 2]"});
  CHECK(outcome.counters("over changes 1").filtered == 1);
}

// Quadratic, this would take the time of 1.25 billion rows.
TEST_CASE("rows in their order cost the same however many were before them") {
  const auto node = counted();
  OverChanges over(*node);
  Emitted out;
  for (std::int64_t value = 0; value < 50'000; ++value) {
    out.batches.clear();
    REQUIRE(over.process(0, arriving(value, RowKind::kInsert), out).has_value());
  }
  CHECK(out.batches[0].columns.back()->values<std::int64_t>()[0] == 50'000);
}

}  // namespace
}  // namespace leat::exec::test
