// What stands between a changelog and its sink, and state that expires.
#include <doctest/doctest.h>

#include "pipelines/plan/group_aggregate_node.h"
#include "pipelines/plan/set_operation_node.h"
#include "pipelines/plan/table_nodes.h"
#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;
constexpr auto kBack = RowKind::kUpdateBefore;
constexpr auto kAfter = RowKind::kUpdateAfter;

plan::NodePtr changing_scan() {
  const auto table = scan({.has_watermark = false});
  table->updating = true;
  return table;
}

plan::NodePtr counts_by_key(plan::NodePtr input, Micros ttl = 0s) {
  auto node = std::make_shared<plan::GroupAggregateNode>();
  node->inputs = {std::move(input)};
  node->keys = {kKey};
  node->calls = {call(count_rows())};
  node->state_ttl = ttl;
  node->fingerprint = "group";
  plan::derive_group_schema(*node);
  return node;
}

plan::NodePtr upsert(plan::NodePtr input, plan::UpsertForm form, std::vector<std::size_t> keys) {
  auto node = plan::make_upsert(std::move(input), form, std::move(keys));
  const_cast<plan::Node&>(*node).fingerprint = "upsert";
  return node;
}

TEST_CASE("a row taken back from a group that does not exist is ignored and counted") {
  const Outcome outcome = run(pipeline({counts_by_key(changing_scan())}),
                              {Row{1, "a", 1, kBack}, Row{2, "a"}, Row{3, "a", 1, RowKind::kDelete},
                               Row{4, "a", 1, RowKind::kDelete}, Row{5, "a"}});
  CHECK(outcome.rows == Rows{"+I[a, 1]", "-D[a, 1]", "+I[a, 1]"});
  CHECK(outcome.counters("group aggregate 1").filtered == 2);
  CHECK(outcome.counters("group aggregate 1").applied == 3);
}

TEST_CASE("a group that no row has written for the time to live begins anew, without a word") {
  // Row n comes in at second n.
  const Outcome outcome =
      run(pipeline({counts_by_key(scan({.has_watermark = false}), 3s)}),
          {Row{1, "a"}, Row{2, "b"}, Row{3, "a"}, Row{4, "c"}, Row{5, "c"}, Row{6, "a"}, Row{7, "b"}});
  CHECK(outcome.rows == Rows{"+I[a, 1]", "+I[b, 1]", "-U[a, 1]", "+U[a, 2]", "+I[c, 1]", "-U[c, 1]",
                             "+U[c, 2]", "+I[a, 1]", "+I[b, 1]"});
}

TEST_CASE("an upsert sink of the query's own key gets no -U, and -D where the +U was filtered away") {
  const auto few = literal(3);
  const plan::NodePtr small =
      filter(counts_by_key(scan({.has_watermark = false})), greater(few, column(1, Type::big_int())));
  const Outcome outcome = run(pipeline({upsert(small, plan::UpsertForm::kSameKey, {0})}),
                              {Row{1, "a"}, Row{2, "a"}, Row{3, "b"}, Row{4, "a"}, Row{5, "a"}});
  CHECK(outcome.rows == Rows{"+I[a, 1]", "+U[a, 2]", "+I[b, 1]", "-D[a, 2]"});
}

TEST_CASE("a sink of another key gets the last of several rows, and the one before when it goes") {
  const plan::NodePtr rows =
      project(changing_scan(), {column(kKey, Type::string()), column(kValue, Type::big_int())});
  const Outcome outcome = run(
      pipeline({upsert(rows, plan::UpsertForm::kMaterialize, {0})}),
      {Row{1, "a", 1}, Row{2, "a", 2}, Row{3, "b", 7}, Row{4, "a", 1, kBack}, Row{5, "a", 3, kAfter},
       Row{6, "a", 3, RowKind::kDelete}, Row{7, "a", 9, RowKind::kDelete}, Row{8, "a", 2, RowKind::kDelete}});
  CHECK(outcome.rows == Rows{"+I[a, 1]", "+U[a, 2]", "+I[b, 7]", "+U[a, 3]", "+U[a, 2]", "-D[a, 2]"});
  CHECK(outcome.counters("upsert 1").filtered == 1);
}

std::vector<Event> conflicts() {
  return {Row{1, "a", 1},        Row{2, "a", 2},         Row{3, "b", 7}, Row{4, "a", 2, RowKind::kDelete},
          Row{5, "a", 1, kBack}, Row{6, "a", 3, kAfter}, Row{7, "a", 1}};
}

plan::NodePtr keys_and_values() {
  return project(changing_scan(), {column(kKey, Type::string()), column(kValue, Type::big_int())});
}

TEST_CASE("the first row of a key stays until it is taken back, others are left out") {
  const Outcome outcome =
      run(pipeline({upsert(keys_and_values(), plan::UpsertForm::kFirst, {0})}), conflicts());
  CHECK(outcome.rows == Rows{"+I[a, 1]", "+I[b, 7]", "-D[a, 1]", "+I[a, 3]"});
  CHECK(outcome.counters("upsert 1").filtered == 3);
  CHECK(outcome.dead.empty());
}

TEST_CASE("where a key may have one row only, others are dead letters") {
  const Outcome outcome =
      run(pipeline({upsert(keys_and_values(), plan::UpsertForm::kOnly, {0})}), conflicts());
  CHECK(outcome.rows == Rows{"+I[a, 1]", "+I[b, 7]", "-D[a, 1]", "+I[a, 3]"});
  CHECK(outcome.counters("upsert 1").dead == 2);
  CHECK(outcome.dead.size() == 2);
  CHECK(outcome.dead[0].find("the table has a row of this PRIMARY KEY (") != std::string::npos);
}

TEST_CASE("a batch run ends with the rows that its changes leave") {
  const auto rows =
      std::make_shared<plan::FinalRowsNode>(static_cast<const plan::FinalRowsNode&>(*plan::make_final_rows(
          project(changing_scan(), {column(kKey, Type::string()), column(kValue, Type::big_int())}))));
  rows->fingerprint = "rows";
  const Outcome outcome =
      run(pipeline({rows}), {Row{1, "a", 1}, Row{2, "b", 2}, Row{3, "b", 2}, Row{4, "a", 1, kBack},
                             Row{5, "a", 2, kAfter}, Row{6, "b", 2, RowKind::kDelete}});
  CHECK(outcome.rows == Rows{"+I[b, 2]", "+I[a, 2]"});
}

}  // namespace
}  // namespace leat::exec::test
