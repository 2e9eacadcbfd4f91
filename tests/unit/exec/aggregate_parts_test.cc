// What a commit writes of groups that keep sets and lists: the values that changed, and nothing else.
#include <doctest/doctest.h>

#include "pipelines/functions/aggregate.h"
#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using functions::Distinctness;

plan::AggregateCall distinct_values() {
  const functions::ArgumentInfo argument{Type::big_int(), std::nullopt};
  return call(*functions::find_aggregate("COUNT")->bind({&argument, 1}, Distinctness::kDistinct, false),
              {kValue});
}

// A dataflow of one window aggregate, and the store that takes its commits.
class Daemon {
 public:
  explicit Daemon(const plan::WindowSpec& window)
      : plan_(pipeline({aggregate(scan({.delay = 30s}), window, {call(count_rows()), distinct_values()})})) {
    restart();
  }
  void push(double seconds, std::int64_t value) {
    const Row row{seconds, "a", value};
    auto prepared = dataflow_->prepare(0, batch_of(std::span(&row, 1), 1));
    REQUIRE(dataflow_->push(0, std::move(prepared->batch)).has_value());
  }
  /// Entries written and erased.
  std::size_t commit() {
    store_.puts = store_.erases = 0;
    dataflow_->save(store_);
    return store_.puts + store_.erases;
  }
  void restart() {
    dataflow_ = std::move(*build_dataflow(plan_, {}, recorder_));
    store_.load_into(*dataflow_);
    REQUIRE(dataflow_->start(0).has_value());
  }
  [[nodiscard]] const Snapshot& store() const { return store_; }
  [[nodiscard]] const std::vector<std::string>& rows() const { return recorder_.outcome.rows; }

 private:
  plan::Plan plan_;
  Recorder recorder_{Show::kRows};
  Snapshot store_;
  std::unique_ptr<Dataflow> dataflow_;
};

TEST_CASE("one new value in a group of a thousand commits one entry beside the group's own") {
  for (const plan::WindowSpec& window : {tumble(10s), cumulate(5s, 10s), session(10s)}) {
    Daemon daemon(window);
    for (std::int64_t i = 0; i < 1000; ++i) daemon.push(1, i);
    CHECK(daemon.commit() > 1000);
    daemon.push(2, 5000);
    CHECK(daemon.commit() <= 4);  // The value, the group, the window's progress, the scan's watermark.
    daemon.push(2, 7);
    CHECK(daemon.commit() <= 3);
  }
}

TEST_CASE("a window that fires leaves none of its values behind") {
  for (const plan::WindowSpec& window : {tumble(10s), hop(5s, 10s), cumulate(5s, 10s), session(10s)}) {
    Daemon daemon(window);
    for (std::int64_t i = 0; i < 100; ++i) daemon.push(1, i);
    daemon.commit();
    daemon.restart();
    daemon.push(100, 1);
    daemon.commit();
    REQUIRE(!daemon.rows().empty());
    CHECK(daemon.rows().back().starts_with("+I[a, 100, 100, "));
    CHECK(daemon.store().entries.size() == 4);  // One group with one value, and how far all have come.
  }
}

TEST_CASE("sessions that join after a restart have the values of both") {
  for (const double first : {0.0, 13.0}) {
    Daemon daemon(session(10s));
    daemon.push(first, 1);
    daemon.push(first, 2);
    daemon.push(13 - first, 2);
    daemon.push(13 - first, 3);
    daemon.commit();
    daemon.restart();
    daemon.push(6, 4);
    daemon.commit();
    daemon.restart();
    daemon.push(100, 1);
    CHECK(daemon.rows() == std::vector<std::string>{"+I[a, 5, 4, 0, 23, 22.999]"});
    daemon.commit();
    CHECK(daemon.store().entries.size() == 4);
  }
}

}  // namespace
}  // namespace leat::exec::test
