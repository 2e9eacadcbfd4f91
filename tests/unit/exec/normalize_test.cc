// The latest row of each key becomes a changelog.
#include "pipelines/plan/normalize_node.h"

#include <doctest/doctest.h>

#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;

/// Of the table (key, value); a value below 0 says that the key's row is gone.
plan::NodePtr normalized(Micros ttl = 0s) {
  const plan::ExprPtr value = column(kValue, Type::big_int());
  auto input = project(scan({.has_watermark = false}),
                       {column(kKey, Type::string()), value, greater(literal(0), value)});
  const_cast<plan::Node&>(*input).time_attributes.assign(3, plan::TimeAttribute::kNone);
  auto node = plan::make_normalize(std::move(input), {0}, 2, ttl);
  const_cast<plan::Node&>(*node).fingerprint = "normalize";
  return node;
}

TEST_CASE("rows replace those of their key, and what stays the same is not told") {
  const Outcome outcome = run(pipeline({normalized()}), {Row{1, "a", 1}, Row{2, "b", 2}, Row{3, "a", 1},
                                                         Row{4, "a", 3}, Row{5, "b", 2}});
  CHECK(outcome.rows == Rows{"+I[a, 1]", "+I[b, 2]", "-U[a, 1]", "+U[a, 3]"});
  CHECK(outcome.counters("normalize 1").applied == 5);
}

TEST_CASE("the end of a key takes its row away as it was; of a key without a row it is nothing") {
  const Outcome outcome = run(pipeline({normalized()}), {Row{1, "a", 1}, Row{2, "a", -1}, Row{3, "a", -1},
                                                         Row{4, "b", -1}, Row{5, "a", 2}});
  CHECK(outcome.rows == Rows{"+I[a, 1]", "-D[a, 1]", "+I[a, 2]"});
  CHECK(outcome.counters("normalize 1").filtered == 2);
}

TEST_CASE("a key that no row has written for the time to live begins anew, and equal rows are told") {
  // Row n comes in at second n.
  const Outcome outcome = run(pipeline({normalized(3s)}), {Row{1, "a", 1}, Row{2, "a", 1}, Row{3, "b", 1},
                                                           Row{4, "b", 2}, Row{5, "a", 1}, Row{6, "b", 2}});
  CHECK(outcome.rows == Rows{"+I[a, 1]", "-U[a, 1]", "+U[a, 1]", "+I[b, 1]", "-U[b, 1]", "+U[b, 2]",
                             "+I[a, 1]", "-U[b, 2]", "+U[b, 2]"});
}

TEST_CASE("its key names its rows as long as the key is given out") {
  const auto node = normalized();
  CHECK(plan::as_operator_node(*node).upsert_key() == std::vector<std::size_t>{0});
  CHECK(node->updating);
  CHECK(node->schema.size() == 2);
}

}  // namespace
}  // namespace leat::exec::test
