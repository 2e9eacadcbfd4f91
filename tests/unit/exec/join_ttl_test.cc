// Regular joins whose rows expire ('table.exec.state.ttl'). Row n of a script comes in at second n.
#include <doctest/doctest.h>

#include <array>

#include "pipelines/plan/join_node.h"
#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using plan::JoinType;
using Rows = std::vector<std::string>;

constexpr std::size_t kLeft = 0;
constexpr std::size_t kRight = 1;

/// key and value of the left side, and value of the right one if the type of the join has it.
plan::Plan joined(JoinType type, std::array<Micros, 2> ttls, bool changing = false) {
  auto node = std::make_shared<plan::JoinNode>();
  for (const char* const table : {"left", "right"}) {
    const auto input = scan({.table = table, .has_watermark = false});
    input->time_attributes.assign(input->schema.size(), plan::TimeAttribute::kNone);
    input->updating = changing;
    node->inputs.push_back(input);
  }
  node->type = type;
  node->keys = {{.left = kKey, .right = kKey}};
  node->output = {kKey, kValue};
  if (plan::gives_right(type)) node->output.push_back(node->left_width() + kValue);
  node->state_ttl = ttls;
  node->fingerprint = "join";
  node->derive();
  return pipeline({node});
}

plan::Plan joined(JoinType type, Micros ttl, bool changing = false) {
  return joined(type, std::array{ttl, ttl}, changing);
}

Row left(std::string key, std::int64_t value = 1, RowKind kind = RowKind::kInsert) {
  return {0, std::move(key), value, kind, kLeft};
}
Row right(std::string key, std::int64_t value = 1, RowKind kind = RowKind::kInsert) {
  return {0, std::move(key), value, kind, kRight};
}

TEST_CASE("a row meets only rows that came less than the time to live before it") {
  const Outcome outcome = run(
      joined(JoinType::kInner, 3s),
      {left("a", 1), right("a", 10), left("b"), right("a", 20), left("a", 2), left("a", 3), left("a", 4)});
  CHECK(outcome.rows == Rows{"+I[a, 1, 10]", "+I[a, 2, 20]", "+I[a, 3, 20]"});
}

TEST_CASE("each side forgets its rows by its own time to live") {
  const Outcome outcome =
      run(joined(JoinType::kInner, std::array<Micros, 2>{3s, 0s}),
          {left("a", 1), right("a", 10), right("b"), right("b"), right("a", 20), left("a", 2)});
  CHECK(outcome.rows == Rows{"+I[a, 1, 10]", "+I[a, 2, 10]", "+I[a, 2, 20]"});
}

TEST_CASE("each match writes a row whose matches are counted, also within a batch") {
  const Outcome outcome =
      run(joined(JoinType::kLeft, 3s),
          {left("a", 1), right("a", 10), left("b"), right("a", 20), right("a", 30), right("a", 40),
           right("a", 50), left("c"), left("c"), left("c"), right("a", 60), left("a", 2)});
  CHECK(outcome.rows == Rows{"+I[a, 1, null]", "-D[a, 1, null]", "+I[a, 1, 10]", "+I[b, 1, null]",
                             "+I[a, 1, 20]", "+I[a, 1, 30]", "+I[a, 1, 40]", "+I[a, 1, 50]", "+I[c, 1, null]",
                             "+I[c, 1, null]", "+I[c, 1, null]", "+I[a, 2, 60]"});
}

TEST_CASE("semi and anti joins forget on both sides") {
  const std::vector<Event> events = {right("a"), left("a", 1), left("b", 2), left("a", 3),
                                     right("b"), left("b", 4), right("c"),   right("b")};
  CHECK(run(joined(JoinType::kSemi, 3s), events).rows == Rows{"+I[a, 1]", "+I[b, 2]", "+I[b, 4]"});
  CHECK(run(joined(JoinType::kAnti, 3s), events).rows == Rows{"+I[b, 2]", "+I[a, 3]", "-D[b, 2]"});
}

TEST_CASE("a row taken back after it was forgotten takes back its pairs with the rows that are left") {
  const auto back = RowKind::kUpdateBefore;
  const Outcome outcome =
      run(joined(JoinType::kInner, 3s, true), {left("a", 1), right("b"), right("a", 10), left("a", 1, back),
                                               left("b", 7), right("c"), left("a", 1, back)});
  CHECK(outcome.rows == Rows{"+I[a, 1, 10]", "-U[a, 1, 10]"});
}

TEST_CASE("rows that have expired leave the store, and nothing else is written anew") {
  const plan::Plan plan = joined(JoinType::kInner, 3s);
  Recorder recorder(Show::kRows);
  Snapshot store;
  auto dataflow = std::move(*build_dataflow(plan, {}, recorder));
  const auto push = [&](const Row& row, std::size_t second) {
    auto prepared = dataflow->prepare(row.scan, batch_of(std::span(&row, 1), second));
    REQUIRE(dataflow->push(row.scan, std::move(prepared->batch)).has_value());
    store.puts = store.erases = 0;
    dataflow->save(store);
  };
  for (std::size_t i = 0; i < 100; ++i) push(left("a"), 1);
  push(right("b"), 2);
  CHECK(store.puts == 2);  // The row, and the time.
  push(right("a"), 4);
  CHECK(recorder.outcome.rows.empty());
  push(right("b"), 4);
  CHECK(store.erases == 100);
  CHECK(store.entries.size() == 4);  // Three rows and the time.
}

// Versions are valid from their ts; left rows leave when both watermarks have reached theirs.
plan::Plan versioned(Micros ttl) {
  auto node = std::make_shared<plan::TemporalJoinNode>();
  for (const char* const table : {"left", "right"}) {
    const auto input = scan({.table = table});
    input->time_attributes.assign(input->schema.size(), plan::TimeAttribute::kNone);
    node->inputs.push_back(input);
  }
  node->type = JoinType::kLeft;
  node->keys = {{.left = kKey, .right = kKey}};
  node->special = {{{kTs}, {kTs}}};
  node->output = {kKey, kValue, node->left_width() + kValue};
  node->state_ttl = ttl;
  node->fingerprint = "temporal";
  node->derive();
  return pipeline({node});
}

TEST_CASE("a version is forgotten when no row of either input has had its key for the time to live") {
  const auto version = [](double ts, std::string key, std::int64_t value) {
    return Row{ts, std::move(key), value, RowKind::kInsert, kRight};
  };
  const auto row = [](double ts, std::string key) { return Row{ts, std::move(key), 1}; };
  // In at 1, 2, 3, …: "a" is asked for at 3, 5 and 7, "b" not before 8.
  const std::vector<Event> events = {version(1, "a", 10), version(1, "b", 20), row(2, "a"),
                                     version(9, "z", 0),  row(3, "a"),         version(9, "z", 0),
                                     row(4, "a"),         row(5, "b")};
  CHECK(run(versioned(0s), events).rows ==
        Rows{"+I[a, 1, 10]", "+I[a, 1, 10]", "+I[a, 1, 10]", "+I[b, 1, 20]"});
  CHECK(run(versioned(4s), events).rows ==
        Rows{"+I[a, 1, 10]", "+I[a, 1, 10]", "+I[a, 1, 10]", "+I[b, 1, null]"});
}

}  // namespace
}  // namespace leat::exec::test
