// OVER in event time: what its frames of times write of the keys that they forget, and what they read.
#include <doctest/doctest.h>

#include "pipelines/base/bytes.h"
#include "pipelines/plan/over_node.h"
#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

/// COUNT(*) OVER (PARTITION BY key ORDER BY ts RANGE BETWEEN `range` PRECEDING AND CURRENT ROW).
plan::Plan counted(Micros range, Micros delay) {
  auto table = scan({.delay = delay});
  table->time_attributes = {plan::TimeAttribute::kRowTime, plan::TimeAttribute::kNone,
                            plan::TimeAttribute::kNone};
  auto node = std::make_shared<plan::OverNode>();
  node->inputs = {table};
  node->partition_by = {kKey};
  node->time_column = kTs;
  node->time = plan::TimeAttribute::kRowTime;
  node->calls = {{call(count_rows()), {plan::OverFrame::Unit::kRange, range.count()}}};
  node->fingerprint = "over";
  node->pass_all();
  return pipeline({node});
}

/// A dataflow that a test feeds and saves when it likes.
class Running {
 public:
  explicit Running(const plan::Plan& plan) : dataflow_(*build_dataflow(plan, {}, recorder_)) {}

  void push(std::span<const Row> rows) {
    REQUIRE(dataflow_->push(0, dataflow_->prepare(0, batch_of(rows, 1))->batch).has_value());
  }
  Dataflow& dataflow() { return *dataflow_; }
  [[nodiscard]] const Outcome& outcome() const { return recorder_.outcome; }

 private:
  Recorder recorder_{Show::kRows};
  std::unique_ptr<Dataflow> dataflow_;
};

std::vector<Row> ten_milliseconds_apart(std::size_t count, double begin = 10) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < count; ++i) rows.push_back(Row{begin + static_cast<double>(i) * 0.01});
  return rows;
}

std::size_t longest_value(const Snapshot& store) {
  std::size_t longest = 0;
  for (const auto& [key, value] : store.entries) longest = std::max(longest, value.size());
  return longest;
}

// Quadratic, this would take the time of 20 billion times.
TEST_CASE("putting off and the watermark's passing cost the same however many times are to come") {
  const plan::Plan plan = counted(5ms, 1h);
  Running running(plan);
  running.push(ten_milliseconds_apart(200'000));
  const Row last{1e6, "b"};
  running.push(std::span(&last, 1));
  CHECK(running.outcome().rows.size() == 200'000);
}

TEST_CASE("a save writes the times that were put off since the last one, and erases those that came") {
  const plan::Plan plan = counted(5ms, 100s);
  Running running(plan);
  Snapshot store;
  const std::vector<Row> rows = ten_milliseconds_apart(1000);
  for (std::size_t i = 0; i < rows.size(); i += 10) {
    running.push(std::span(rows).subspan(i, 10));
    store.puts = 0;
    running.dataflow().save(store);
    CHECK(store.puts <= 10 + 10 + 3);  // Rows, times, the key, two progresses.
  }
  CHECK(longest_value(store) < 40);
  const Row last{1e6, "b"};
  running.push(std::span(&last, 1));
  running.dataflow().save(store);
  CHECK(store.entries.size() == 4);  // b, its row, two progresses.
}

/// As the version before wrote it: the times that are put off stand in the entry of the key.
Snapshot as_before(const Snapshot& store) {
  Snapshot before;
  for (const auto& [key, value] : store.entries)
    if (key.first != "over" || key.second[0] != 'o') before.entries[key] = value;
  for (const auto& [key, value] : store.entries) {
    if (key.first != "over" || key.second[0] != 'o') continue;
    const std::string cells = key.second.substr(1, 1 + 1 + 1);
    before.entries.at({"over", "k" + cells}) += key.second.substr(1 + cells.size());
  }
  return before;
}

TEST_CASE("times that were put off by the version before are read, and written anew") {
  const plan::Plan plan = counted(5ms, 25ms);
  Running first(plan);
  const std::vector<Row> rows = ten_milliseconds_apart(6);
  first.push(rows);
  Snapshot store;
  first.dataflow().save(store);
  Snapshot before = as_before(store);
  REQUIRE(before.entries.size() + 3 == store.entries.size());

  // The watermark comes to 10.039: the key was to be forgotten at 10.038, so 10.038 is late and 10.039 not.
  const std::vector<Row> more = {Row{10.0635, "b"}, Row{10.038}, Row{10.039}, Row{10.2}};
  Running again(plan);
  before.load_into(again.dataflow());
  again.dataflow().save(before);
  CHECK(before.entries == store.entries);
  again.push(more);
  Running restored(plan);
  store.load_into(restored.dataflow());
  restored.push(more);
  CHECK(again.outcome().rows == restored.outcome().rows);
  CHECK(again.outcome().late == std::vector<std::string>{"over 1: 10.038, a, 1"});
  again.dataflow().save(before);
  restored.dataflow().save(store);
  CHECK(before.entries == store.entries);
}

TEST_CASE("a time that was put off of a key that is not to be forgotten is damage") {
  const plan::Plan plan = counted(5ms, 25ms);
  Running first(plan);
  first.push(ten_milliseconds_apart(6));
  Snapshot store;
  first.dataflow().save(store);
  std::erase_if(store.entries, [](const auto& entry) { return entry.first.second.starts_with('k'); });
  Running again(plan);
  for (const auto& [key, value] : store.entries)
    REQUIRE(again.dataflow().load(key.first, key.second, value).has_value());
  const Status loaded = again.dataflow().loaded();
  REQUIRE(!loaded.has_value());
  CHECK(loaded.error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace leat::exec::test
