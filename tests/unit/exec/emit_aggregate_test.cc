// Row n comes in at second n of the gateway's clock, ts is event time, and the watermark is ts.
#include <doctest/doctest.h>

#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;

constexpr plan::EmitStrategy kLateRows{.early = std::nullopt, .late = 0s, .lateness = 5s};

plan::Plan counts(const plan::EmitStrategy& emit, Micros delay = 0s) {
  return pipeline({emitting(aggregate(scan({.delay = delay}), tumble(10s), {call(count_rows())}), emit)});
}

TEST_CASE("early results come in steps of the delay from the first row of each window and key on") {
  const plan::Plan plan = counts({.early = 500ms});
  const std::vector<Event> events = {Row{1}, Tick{.at = 1.4}, Row{2, "b"}, Row{3}, Tick{.at = 3.4}};
  // Of a: due at 1.5, given out before the row of second 2 is looked at.
  CHECK(run(plan, events, {.show = Show::kWithIntake, .finish = false}).rows ==
        Rows{"+I[a, 1, 0, 10, 9.999] in 2", "+I[b, 1, 0, 10, 9.999] in 3"});
  CHECK(
      run(plan, {Row{1}, Row{2}, Tick{.at = 2.5}}, {.show = Show::kWithIntake, .finish = false}).rows ==
      Rows{"+I[a, 1, 0, 10, 9.999] in 2", "-U[a, 1, 0, 10, 9.999] in 2.5", "+U[a, 2, 0, 10, 9.999] in 2.5"});
}

TEST_CASE("steps are on the grid of the first row, however long nothing happened in between") {
  const plan::Plan plan = counts({.early = 3s}, 100s);
  const std::vector<Event> events = {Row{1}, Row{2, "b"}, Row{3, "b"}, Row{4, "b"}, Row{5, "b"}, Row{6}};
  // Of a: due at 4; the row of second 6 is due at 7.
  std::vector<Event> before = events;
  before.push_back(Tick{.at = 6.9});
  std::vector<Event> then = events;
  then.push_back(Tick{.at = 7});
  CHECK(run(plan, before, {.finish = false}).rows ==
        Rows{"+I[a, 1, 0, 10, 9.999]", "+I[b, 3, 0, 10, 9.999]"});
  CHECK(run(plan, then, {.finish = false}).rows == Rows{"+I[a, 1, 0, 10, 9.999]", "+I[b, 3, 0, 10, 9.999]",
                                                        "-U[a, 1, 0, 10, 9.999]", "+U[a, 2, 0, 10, 9.999]"});
}

TEST_CASE("while rows wait in front of the pipeline the clock gives out nothing") {
  const plan::Plan plan = counts({.early = 3s});
  CHECK(run(plan, {Row{1}, Tick{.at = 9, .drained = false}}, {.finish = false}).rows.empty());
}

TEST_CASE("late results come in steps from the first late row on") {
  const plan::Plan plan = counts({.early = std::nullopt, .late = 2s, .lateness = 100s});
  const std::vector<Event> events = {Row{1}, Row{12}, Row{3}, Tick{.at = 3.9}, Row{4}, Tick{.at = 4.9}};
  CHECK(run(plan, events, {.finish = false}).rows == Rows{"+I[a, 1, 0, 10, 9.999]"});
  std::vector<Event> then = events;
  then.push_back(Tick{.at = 5});
  CHECK(run(plan, then, {.finish = false}).rows ==
        Rows{"+I[a, 1, 0, 10, 9.999]", "-U[a, 1, 0, 10, 9.999]", "+U[a, 3, 0, 10, 9.999]"});
}

TEST_CASE("equal delays are one series of steps, over the end of the window") {
  const std::vector<Event> events = {Row{1}, Row{2}, Row{12}, Row{5}, Tick{.at = 5}};
  const Rows early = {"+I[a, 2, 0, 10, 9.999]"};
  Rows all = early;
  for (const char* row : {"-U[a, 2, 0, 10, 9.999]", "+U[a, 3, 0, 10, 9.999]", "+I[a, 1, 10, 20, 19.999]"})
    all.emplace_back(row);
  CHECK(run(counts({.early = 2s, .late = 2s, .lateness = 100s}), events, {.finish = false}).rows == all);
  // Otherwise the late row of second 4 begins a series of its own.
  Rows without = early;
  without.emplace_back("+I[a, 1, 10, 20, 19.999]");
  CHECK(run(counts({.early = 2s, .late = 3s, .lateness = 100s}), events, {.finish = false}).rows == without);
}

TEST_CASE("a window whose first row is late gives a result with each row") {
  const plan::Plan plan = counts({.early = std::nullopt, .late = 1h, .lateness = 2h});
  CHECK(run(plan, {Row{12, "b"}, Row{3}, Row{4}}, {.finish = false}).rows ==
        Rows{"+I[a, 1, 0, 10, 9.999]", "-U[a, 1, 0, 10, 9.999]", "+U[a, 2, 0, 10, 9.999]"});
}

TEST_CASE("when the lateness is over rows are late, and nothing is kept") {
  const Outcome outcome =
      run(counts(kLateRows), {Row{1}, Row{12}, Row{3}, Row{14.999}, Row{4}, Row{40}}, {.finish = false});
  CHECK(outcome.rows == Rows{"+I[a, 1, 0, 10, 9.999]", "-U[a, 1, 0, 10, 9.999]", "+U[a, 2, 0, 10, 9.999]",
                             "+I[a, 2, 10, 20, 19.999]"});
  CHECK(outcome.late == Rows{"window aggregate 1: 4, a, 1"});
  CHECK(outcome.counters("window aggregate 1").late == 1);
  CHECK(outcome.operators.back().keys <= 1);
}

TEST_CASE("what waits for its step is given out when the lateness is over") {
  const plan::Plan plan = counts({.early = std::nullopt, .late = 1h, .lateness = 5s});
  CHECK(
      run(plan, {Row{1}, Row{12}, Row{3}, Row{15}}, {.show = Show::kWithWatermarks, .finish = false}).rows ==
      Rows{"+I[a, 1, 0, 10, 9.999] @9.998999", "-U[a, 1, 0, 10, 9.999] @14.998999",
           "+U[a, 2, 0, 10, 9.999] @14.998999"});
}

TEST_CASE("rows that are taken back are taken back from the result, the last one with -D") {
  auto changes = std::make_shared<plan::ScanNode>(*scan({.delay = 100s}));
  changes->updating = true;
  const plan::Plan plan =
      pipeline({emitting(aggregate(changes, tumble(10s), {call(sum(), {kValue})}), {.early = 0s})});
  const std::vector<Event> events = {Row{1, "a", 5},
                                     Row{2, "a", 0},
                                     Row{2, "a", 5, RowKind::kUpdateBefore},
                                     Row{2, "a", 7, RowKind::kUpdateAfter},
                                     Row{2, "a", 7, RowKind::kDelete},
                                     Row{2, "a", 0, RowKind::kDelete}};
  CHECK(run(plan, events).rows == Rows{"+I[a, 5, 0, 10, 9.999]", "-U[a, 5, 0, 10, 9.999]",
                                       "+U[a, 0, 0, 10, 9.999]", "-U[a, 0, 0, 10, 9.999]",
                                       "+U[a, 7, 0, 10, 9.999]", "-U[a, 7, 0, 10, 9.999]",
                                       "+U[a, 0, 0, 10, 9.999]", "-D[a, 0, 0, 10, 9.999]"});
}

TEST_CASE("texts and parts of aggregates are found again after a restart") {
  const plan::Plan plan = pipeline({emitting(
      aggregate(scan({.delay = 100s}), hop(4s, 10s), {call(joined(), {kKey})}, {}), {.early = 0s})});
  CHECK(run(plan, {Row{5, "x"}, Row{7, "y"}}, {.finish = false}).rows ==
        Rows{"+I[x, -4, 6, 5.999]", "+I[x, 0, 10, 9.999]", "+I[x, 4, 14, 13.999]", "-U[x, 0, 10, 9.999]",
             "+U[x|y, 0, 10, 9.999]", "-U[x, 4, 14, 13.999]", "+U[x|y, 4, 14, 13.999]"});
}

TEST_CASE("windows over processing time give early results, too") {
  const plan::Plan plan = pipeline({emitting(
      aggregate(clock(scan({.local_time = true, .has_watermark = false})), tumble(4s), {call(count_rows())}),
      {.early = 1s})});
  const std::vector<Event> events = {Row{0}, Row{0}, Tick{.at = 3}, Tick{.at = 4}, Row{0}};
  CHECK(run(plan, events).rows == Rows{"+I[a, 1, 0, 4, 3.999]", "-U[a, 1, 0, 4, 3.999]",
                                       "+U[a, 2, 0, 4, 3.999]", "+I[a, 1, 4, 8, 7.999]"});
}

TEST_CASE("a tick that gives nothing out writes nothing, one that does writes its time") {
  const plan::Plan plan = counts({.early = 3s});
  Recorder recorder(Show::kRows);
  auto dataflow = build_dataflow(plan, {}, recorder);
  REQUIRE(dataflow.has_value());
  Snapshot store;
  const SourceStatus drained{.quiet = true, .drained = true};
  const auto writes_at = [&](std::int64_t seconds) {
    REQUIRE((*dataflow)->tick(seconds * 1'000'000, seconds * 1'000'000, std::span(&drained, 1)).has_value());
    store.puts = store.erases = 0;
    (*dataflow)->save(store);
    return store.puts + store.erases;
  };
  const std::vector<Row> rows = {Row{1}};
  auto prepared = (*dataflow)->prepare(0, batch_of(rows, 1));
  REQUIRE((*dataflow)->push(0, std::move(prepared->batch)).has_value());
  CHECK(writes_at(2) > 0);
  CHECK(writes_at(3) == 0);
  CHECK(writes_at(4) == 2);  // The result, and the time.
  CHECK(writes_at(60) == 0);
  CHECK(recorder.outcome.rows == Rows{"+I[a, 1, 0, 10, 9.999]"});
}

}  // namespace
}  // namespace leat::exec::test
