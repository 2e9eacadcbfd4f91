// State that expires ('table.exec.state.ttl') in Top-N, deduplication and OVER. Row n comes in at second n.
#include <doctest/doctest.h>

#include "pipelines/exec/key_lifetimes.h"
#include "pipelines/plan/over_node.h"
#include "pipelines/plan/rank_node.h"
#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;
using plan::DeduplicateNode;
using plan::TimeAttribute;

std::shared_ptr<plan::ScanNode> readings(const ScanOptions& options = {}) {
  auto table = scan(options);
  table->time_attributes = {TimeAttribute::kRowTime, TimeAttribute::kNone, TimeAttribute::kNone};
  return table;
}

plan::NodePtr values_of(std::shared_ptr<plan::PassingNode> node, std::vector<plan::ExprPtr> own = {}) {
  std::vector<plan::ExprPtr> exprs = {column(kKey, Type::string()), column(kValue, Type::big_int())};
  exprs.insert(exprs.end(), own.begin(), own.end());
  return project(std::move(node), std::move(exprs));
}

plan::NodePtr greatest(plan::NodePtr input, Micros ttl) {
  auto node = std::make_shared<plan::RankNode>();
  node->inputs = {std::move(input)};
  node->partition_by = {kKey};
  node->order = {{kValue, plan::SortDirection::kDescending, plan::NullPlace::kLast}};
  node->range.last = 1;
  node->gives_number = false;
  node->state_ttl = ttl;
  node->fingerprint = "rank";
  node->pass_all();
  return values_of(node);
}

plan::NodePtr one_per_key(DeduplicateNode::Keep keep, TimeAttribute time, Micros ttl, Micros delay = 0s) {
  auto node = std::make_shared<DeduplicateNode>();
  node->inputs = {readings({.delay = delay})};
  node->partition_by = {kKey};
  node->time_column = kTs;
  node->time = time;
  node->keep = keep;
  node->state_ttl = ttl;
  node->fingerprint = "deduplicate";
  node->pass_all();
  return values_of(node);
}

plan::NodePtr counts(TimeAttribute time, plan::OverFrame frame, Micros ttl, Micros delay = 0s) {
  auto node = std::make_shared<plan::OverNode>();
  node->inputs = {readings({.delay = delay})};
  node->partition_by = {kKey};
  node->time_column = kTs;
  node->time = time;
  node->calls = {{call(count_rows()), frame}};
  node->state_ttl = ttl;
  node->fingerprint = "over";
  node->pass_all();
  return values_of(node, {column(3, Type::big_int())});
}

Rows rows_of(plan::NodePtr node, const std::vector<Event>& events) {
  return run(pipeline({std::move(node)}), events).rows;
}

constexpr plan::OverFrame kAllBefore = {plan::OverFrame::Unit::kRows, std::nullopt};

TEST_CASE("a partition of a Top-N that kept no row for the time to live begins anew, without a word") {
  const std::vector<Event> events = {Row{1, "a", 9}, Row{2, "b", 5}, Row{3, "a", 8},
                                     Row{4, "a", 7}, Row{5, "b", 6}, Row{6, "b", 7}};
  CHECK(rows_of(greatest(readings(), 0s), events) ==
        Rows{"+I[a, 9]", "+I[b, 5]", "-D[b, 5]", "+I[b, 6]", "-D[b, 6]", "+I[b, 7]"});
  // a: 8 is not kept, so 7 comes 3 s behind the last write; so does b's 6. b's 7 comes 1 s behind it.
  CHECK(rows_of(greatest(readings(), 3s), events) ==
        Rows{"+I[a, 9]", "+I[b, 5]", "+I[a, 7]", "+I[b, 6]", "-D[b, 6]", "+I[b, 7]"});
}

TEST_CASE("a row that is taken back from a forgotten partition is ignored") {
  const auto table = readings({.has_watermark = false});
  table->updating = true;
  const std::vector<Event> events = {
      Row{1, "a", 9}, Row{2, "a", 8}, Row{3, "b", 1}, Row{4, "b", 2}, Row{5, "a", 9, RowKind::kDelete},
      Row{6, "a", 3}};
  CHECK(rows_of(greatest(table, 3s), events) ==
        Rows{"+I[a, 9]", "+I[b, 1]", "-D[b, 1]", "+I[b, 2]", "+I[a, 3]"});
}

TEST_CASE("keep first: the time to live begins with the row that was given out, others do not prolong it") {
  const std::vector<Event> events = {Row{1, "a", 1}, Row{2, "a", 2}, Row{3, "a", 3},
                                     Row{4, "a", 4}, Row{5, "b", 5}, Row{6, "a", 6}};
  const auto in = [&](Micros ttl) {
    return rows_of(one_per_key(DeduplicateNode::Keep::kFirst, TimeAttribute::kProcTime, ttl), events);
  };
  CHECK(in(0s) == Rows{"+I[a, 1]", "+I[b, 5]"});
  CHECK(in(3s) == Rows{"+I[a, 1]", "+I[a, 4]", "+I[b, 5]"});
}

TEST_CASE("keep first in event time: a key is forgotten behind its row, not while it waits") {
  // a's 1 waits for the watermark that the row of second 9 brings, which comes in as the fifth.
  const std::vector<Event> events = {Row{1, "a", 1}, Row{1, "a", 2},   Row{1, "a", 3},   Row{1, "a", 4},
                                     Row{9, "b", 5}, Row{9.5, "a", 6}, Row{9.6, "a", 7}, Row{9.7, "a", 8}};
  const auto in = [&](Micros ttl) {
    return rows_of(one_per_key(DeduplicateNode::Keep::kFirst, TimeAttribute::kRowTime, ttl, 2s), events);
  };
  CHECK(in(0s) == Rows{"+I[a, 1]", "+I[b, 5]"});
  CHECK(in(3s) == Rows{"+I[a, 1]", "+I[b, 5]", "+I[a, 8]"});
}

TEST_CASE("keep last: each row that is given out prolongs the life of its key") {
  const std::vector<Event> events = {Row{1, "a", 1}, Row{2, "b", 2}, Row{3, "a", 3}, Row{5, "a", 4},
                                     Row{6, "b", 5}};
  CHECK(rows_of(one_per_key(DeduplicateNode::Keep::kLast, TimeAttribute::kRowTime, 3s), events) ==
        Rows{"+I[a, 1]", "+I[b, 2]", "-U[a, 1]", "+U[a, 3]", "-U[a, 3]", "+U[a, 4]", "+I[b, 5]"});
}

TEST_CASE("OVER without a begin counts from 1 again when the time to live is over") {
  const std::vector<Event> events = {Row{1, "a", 1}, Row{2, "a", 2}, Row{3, "b", 3}, Row{4, "b", 4},
                                     Row{5, "a", 5}, Row{6, "b", 6}, Row{7, "b", 7}};
  CHECK(rows_of(counts(TimeAttribute::kProcTime, kAllBefore, 0s), events).at(4) == "+I[a, 5, 3]");
  const Rows expected = {"+I[a, 1, 1]", "+I[a, 2, 2]", "+I[b, 3, 1]", "+I[b, 4, 2]",
                         "+I[a, 5, 1]", "+I[b, 6, 3]", "+I[b, 7, 4]"};
  CHECK(rows_of(counts(TimeAttribute::kProcTime, kAllBefore, 3s), events) == expected);
}

TEST_CASE("OVER in event time: rows that wait for the watermark keep their key alive") {
  const auto in = [&](Micros ttl, const std::vector<Event>& events) {
    return rows_of(counts(TimeAttribute::kRowTime, kAllBefore, ttl, 2s), events);
  };
  // The second row waits until the last one comes, four seconds behind it.
  const std::vector<Event> waits = {Row{1, "a", 1}, Row{9, "a", 2}, Row{9, "b", 3},
                                    Row{9, "b", 4}, Row{9, "b", 5}, Row{20, "a", 6}};
  CHECK(in(3s, waits) ==
        Rows{"+I[a, 1, 1]", "+I[a, 2, 2]", "+I[b, 3, 1]", "+I[b, 4, 2]", "+I[b, 5, 3]", "+I[a, 6, 3]"});
  const std::vector<Event> idle = {Row{1, "a", 1}, Row{2, "b", 2}, Row{3, "b", 3}, Row{4, "b", 4},
                                   Row{5, "b", 5}, Row{6, "a", 6}, Row{7, "b", 7}};
  CHECK(in(0s, idle).at(5) == "+I[a, 6, 2]");
  CHECK(in(3s, idle).at(5) == "+I[a, 6, 1]");
  CHECK(in(3s, idle).at(6) == "+I[b, 7, 5]");
}

TEST_CASE("frames of times forget keys by themselves, with the same results") {
  constexpr plan::OverFrame kTwoSeconds = {plan::OverFrame::Unit::kRange, 2'000'000};
  const std::vector<Event> events = {Row{1, "a", 1}, Row{2, "b", 2}, Row{3, "a", 3}, Row{4, "b", 4},
                                     Row{5, "b", 5}, Row{6, "a", 6}, Row{7, "a", 7}};
  CHECK(rows_of(counts(TimeAttribute::kProcTime, kTwoSeconds, 1s), events) ==
        Rows{"+I[a, 1, 1]", "+I[b, 2, 1]", "+I[a, 3, 2]", "+I[b, 4, 2]", "+I[b, 5, 2]", "+I[a, 6, 1]",
             "+I[a, 7, 2]"});
}

TEST_CASE("expired keys leave the state") {
  Snapshot state;
  const plan::Plan plan =
      pipeline({one_per_key(DeduplicateNode::Keep::kFirst, TimeAttribute::kProcTime, 3s)});
  Recorder recorder(Show::kRows);
  auto dataflow = build_dataflow(plan, {}, recorder);
  REQUIRE(dataflow.has_value());
  for (std::size_t i = 1; i <= 40; ++i) {
    const Row row{static_cast<double>(i), "key " + std::to_string(i)};
    auto prepared = (*dataflow)->prepare(0, batch_of(std::span(&row, 1), i));
    REQUIRE(prepared.has_value());
    REQUIRE((*dataflow)->push(0, std::move(prepared->batch)).has_value());
    (*dataflow)->save(state);
  }
  CHECK(recorder.outcome.rows.size() == 40);
  // At most twice the time to live: six keys with an entry and a time each, beside the operator's time and
  // what the scan saves.
  CHECK(state.entries.size() < 20);
}

TEST_CASE("numbers of emptied keys are swept without a time to live, too") {
  KeyLifetimes lifetimes(0s);
  KeyMap keys({Type::big_int()});
  std::vector<KeyId> ids;
  for (std::int64_t value = 0; value < 100'000; ++value) {
    ColumnBuilder cell(Type::big_int());
    cell.append<std::int64_t>(value);
    const ColumnPtr column = cell.finish();
    keys.lookup({&column, 1}, 1, ids);
    lifetimes.touch(ids[0]);
    lifetimes.erase(ids[0], keys);
    lifetimes.sweep(keys, [](KeyId) { return false; });
  }
  CHECK(keys.id_limit() < 4096);
}

}  // namespace
}  // namespace leat::exec::test
