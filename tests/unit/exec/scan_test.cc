#include <doctest/doctest.h>

#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;

const Type kTime = Type::timestamp(3);
const Type kLong = Type::big_int();

TEST_CASE("a row sees the watermark before it, which is the expression without minus one") {
  const plan::Plan plan = pipeline({scan({.delay = 1s})});
  const Outcome outcome = run(plan, {Row{0.001}, Row{0.002}, Row{0.003}}, {.show = Show::kWithWatermarks});
  CHECK(outcome.rows == Rows{"+I[0.001, a, 1] @min", "+I[0.002, a, 1] @-0.999", "+I[0.003, a, 1] @-0.998"});
}

TEST_CASE("CURRENT_WATERMARK is NULL before the first watermark") {
  const plan::Plan plan = pipeline({project(scan(), {current_watermark()})});
  CHECK(run(plan, {Row{3}, Row{2}, Row{4}}).rows == Rows{"+I[null]", "+I[3000000]", "+I[3000000]"});
}

TEST_CASE("the watermark never falls") {
  const plan::Plan plan = pipeline({scan()});
  CHECK(run(plan, {Row{9}, Row{2}, Row{3}}, {.show = Show::kWithWatermarks}).rows.back() == "+I[3, a, 1] @9");
}

TEST_CASE("a pushed-down filter hides no row from the watermark and counts what it refuses") {
  const plan::Plan plan = pipeline({scan({.filter = greater(column(kValue, kLong), literal(5))})});
  const Outcome outcome = run(plan, {Row{9, "a", 1}, Row{4, "a", 9}}, {.show = Show::kWithWatermarks});
  CHECK(outcome.rows == Rows{"+I[4, a, 9] @9"});
  CHECK(outcome.counters("scan readings").filtered == 1);
}

TEST_CASE("a row without a rowtime is a dead letter and moves no watermark") {
  const Outcome outcome = run(pipeline({scan()}), {Row{1}, Row{std::nullopt}, Row{2}});
  CHECK(outcome.rows == Rows{"+I[1, a, 1]", "+I[2, a, 1]"});
  CHECK(outcome.dead == Rows{"scan readings: the time attribute 'ts' is NULL: null, a, 1"});
}

TEST_CASE("a row too far ahead of its intake time is a dead letter and moves no watermark") {
  const plan::Plan plan = pipeline({scan({.max_ahead = 1h})});
  const Outcome outcome = run(plan, {Row{3601}, Row{3603}, Row{4}}, {.show = Show::kWithWatermarks});
  CHECK(outcome.rows == Rows{"+I[3601, a, 1] @min", "+I[4, a, 1] @3601"});
  CHECK(outcome.dead.size() == 1);
  CHECK(outcome.dead[0].find("more than 'scan.watermark.max-ahead' = 1 h ahead") != std::string::npos);
}

TEST_CASE("max-ahead is not judged by a clock that cannot be right") {
  const plan::Plan plan = pipeline({scan({.max_ahead = 1h})});
  CHECK(run(plan, {Row{1e9}}, {.dataflow = {.clock_plausible_from = 1'000'000'000'000}}).dead.empty());
}

TEST_CASE("rows whose computed columns fail leave before the watermark") {
  const auto node = scan();
  node->rows[kValue] = divide(literal(10), column(kValue, kLong));
  const Outcome outcome = run(pipeline({node}), {Row{1, "a", 5}, Row{9, "a", 0}, Row{2, "a", 2}},
                              {.show = Show::kWithWatermarks});
  CHECK(outcome.rows == Rows{"+I[1, a, 2] @min", "+I[2, a, 5] @1"});
  CHECK(outcome.dead == Rows{"scan readings: column 'value': division by zero: 9, a, 0"});
  CHECK(outcome.counters("scan readings").dead == 1);
}

TEST_CASE("a failing row fails the pipeline when its user wants that") {
  const auto node = filter(scan(), greater(divide(literal(1), column(kValue, kLong)), literal(0)));
  const Outcome outcome = run(pipeline({node}), {Row{2, "a", 0}}, {.dataflow = {.fail_on_row_error = true}});
  CHECK(outcome.error == "filter 1: condition ((1 / c2) > 0): division by zero");
}

TEST_CASE("a filter sends rows that fail to the dead letters, TRUE or not") {
  const auto fails = greater(divide(literal(1), column(kValue, kLong)), literal(5));
  const auto always = greater(literal(1), literal(0));
  const auto node = filter(scan(), logical(plan::ExprKind::kOr, {fails, always}, Type::boolean()));
  const Outcome outcome = run(pipeline({node}), {Row{1, "a", 1}, Row{2, "a", 0}});
  CHECK(outcome.rows == Rows{"+I[1, a, 1]"});
  CHECK(outcome.dead == Rows{"filter 1: condition (((1 / c2) > 5) OR (1 > 0)): division by zero: 2, a, 0"});
}

TEST_CASE("a projection sends rows that fail to the dead letters") {
  const auto node = project(scan(), {column(kTs, kTime), divide(literal(6), column(kValue, kLong))});
  const Outcome outcome = run(pipeline({node}), {Row{1, "a", 0}, Row{2, "a", 3}});
  CHECK(outcome.rows == Rows{"+I[2, 2]"});
  CHECK(outcome.counters("project 1").dead == 1);
}

TEST_CASE("prepared rows show their row times, the least of all where it is NULL") {
  const plan::Plan plan = pipeline({scan()});
  Recorder recorder(Show::kRows);
  const auto dataflow = *build_dataflow(plan, {}, recorder);
  const std::vector<Row> rows = {Row{3}, Row{std::nullopt}};
  const Prepared prepared = *dataflow->prepare(0, batch_of(rows, 1));
  CHECK(prepared.rowtimes[0] == 3'000'000);
  CHECK(prepared.rowtimes[1] == kMinWatermark);
}

// ---- Partitions ------------------------------------------------------------------------------------------

ScanOptions by_device() {
  return {.idle_timeout = 10s, .partition_by_key = true};
}

TEST_CASE("with a watermark per device one slow clock makes nobody late") {
  const plan::Plan plan = pipeline({aggregate(scan(by_device()), tumble(10s), {call(count_rows())})});
  const std::vector<Event> events = {Row{1, "slow"}, Row{21, "fast"}, Row{31, "fast"},
                                     Row{2, "slow"}, Row{11, "slow"}, Row{32, "fast"}};
  const Outcome outcome = run(plan, events, {.finish = false});
  CHECK(outcome.rows == Rows{"+I[slow, 2, 0, 10, 9.999]"});
  CHECK(outcome.late.empty());
}

TEST_CASE("a split holds the watermark back from its opening on, not from its first row") {
  const plan::Plan plan = pipeline({aggregate(scan({.by_split = true}), tumble(10s), {call(count_rows())})});
  const std::vector<Event> events = {
      SplitChanges{.scope = SplitChanges::Scope::kAll, .opened = {"p0", "p1"}, .ended = {}}, Row{1, "p0"},
      Row{50, "p0"}, Row{2, "p1"}, Row{11, "p1"}};
  const Outcome outcome = run(plan, events, {.finish = false});
  CHECK(outcome.rows == Rows{"+I[p0, 1, 0, 10, 9.999]", "+I[p1, 1, 0, 10, 9.999]"});
  CHECK(outcome.late.empty());
}

TEST_CASE("a split that has ended holds nothing back, and rows that come of it all the same move nothing") {
  const plan::Plan plan = pipeline({scan({.by_split = true})});
  const std::vector<Event> events = {
      SplitChanges{.scope = SplitChanges::Scope::kAll, .opened = {"p0", "p1"}, .ended = {}},
      Row{1, "p0"},
      Row{50, "p1"},
      SplitChanges{.opened = {}, .ended = {"p0"}},
      Row{60, "p1"},
      Row{99, "p0"},
      Row{61, "p1"}};
  const Outcome outcome = run(plan, events, {.show = Show::kWithWatermarks, .finish = false});
  CHECK(outcome.rows == Rows{"+I[1, p0, 1] @min", "+I[50, p1, 1] @min", "+I[60, p1, 1] @50",
                             "+I[99, p0, 1] @60", "+I[61, p1, 1] @60"});
}

TEST_CASE("a split that a former run has left and this one has not is forgotten") {
  const plan::Plan plan = pipeline({scan({.by_split = true})});
  const std::vector<Event> events = {
      SplitChanges{.scope = SplitChanges::Scope::kAll, .opened = {"p0", "p1"}, .ended = {}}, Row{1, "p0"},
      Row{50, "p1"}, SplitChanges{.scope = SplitChanges::Scope::kAll, .opened = {"p1"}, .ended = {}},
      Row{60, "p1"}};
  const Outcome outcome =
      run(plan, events, {.show = Show::kWithWatermarks, .restore = false, .finish = false});
  CHECK(outcome.rows.back() == "+I[60, p1, 1] @50");
}

TEST_CASE("a silent device stops counting after the idle time-out of quiet time") {
  const plan::Plan plan = pipeline({scan(by_device())});
  const std::vector<Event> events = {Tick{0},         Row{1, "slow"},    Row{50, "fast"}, Tick{9},
                                     Row{60, "fast"}, Tick{10, {false}}, Tick{11},        Row{61, "fast"}};
  const Outcome outcome =
      run(plan, events, {.show = Show::kWithWatermarks, .restore = false, .finish = false});
  CHECK(outcome.rows ==
        Rows{"+I[1, slow, 1] @min", "+I[50, fast, 1] @1", "+I[60, fast, 1] @1", "+I[61, fast, 1] @60"});
  CHECK(outcome.operators[0].keys == 1);
  CHECK(outcome.operators[0].watermark == 61'000'000);
}

TEST_CASE("the least of many partitions is followed as each of them moves") {
  std::vector<Event> events;
  for (int i = 0; i < 200; ++i)
    events.push_back(Row{(i / 10) * 10.0 + (i * 7) % 10, std::to_string((i * 7) % 10)});
  const Outcome outcome = run(pipeline({scan(by_device())}), events, {.finish = false});
  CHECK(outcome.operators[0].watermark == 190'000'000);
}

// ---- Idle sources ----------------------------------------------------------------------------------------

plan::Plan quiet_sensor() {
  return pipeline({aggregate(scan({.idle_timeout = 5s}), tumble(10s), {call(count_rows())})});
}
const ScriptOptions kLive = {.show = Show::kWithIntake, .restore = false, .finish = false};

TEST_CASE("when all sources are idle the watermark rises with the clock and the last window fires") {
  const std::vector<Event> events = {Tick{0}, Row{8}, Tick{4}, Tick{5}, Tick{6}, Tick{6.999}};
  CHECK(run(quiet_sensor(), events, kLive).rows == Rows{"+I[a, 1, 0, 10, 9.999] in 6.999"});
  const Outcome before = run(quiet_sensor(), {Tick{0}, Row{8}, Tick{5}, Tick{6.998}}, kLive);
  CHECK(before.rows.empty());
  CHECK(before.operators[0].watermark == 9'998'000);
}

TEST_CASE("a source that is disconnected or has rows waiting is not idle") {
  const std::vector<Event> events = {Tick{0}, Row{8}, Tick{4}, Tick{100, {false}}, Tick{104}};
  CHECK(run(quiet_sensor(), events, kLive).rows.empty());
}

TEST_CASE("without an idle time-out time stands still") {
  const plan::Plan plan = pipeline({aggregate(scan(), tumble(10s), {call(count_rows())})});
  CHECK(run(plan, {Tick{0}, Row{8}, Tick{1000}}, kLive).rows.empty());
}

TEST_CASE("an idle dataflow has nothing to save") {
  const plan::Plan plan = quiet_sensor();
  Recorder recorder(Show::kRows);
  const auto dataflow = *build_dataflow(plan, {}, recorder);
  const Row row{8};
  REQUIRE(dataflow->push(0, dataflow->prepare(0, batch_of(std::span(&row, 1), 1))->batch).has_value());
  const SourceStatus quiet{true};
  for (const std::int64_t second : {0, 10, 20, 30})
    REQUIRE(dataflow->tick(second * 1'000'000, second * 1'000'000, std::span(&quiet, 1)).has_value());
  CHECK(recorder.outcome.rows.size() == 1);
  Snapshot snapshot;
  dataflow->save(snapshot);
  snapshot.puts = 0;
  REQUIRE(dataflow->tick(40'000'000, 40'000'000, std::span(&quiet, 1)).has_value());
  dataflow->save(snapshot);
  CHECK(snapshot.puts == 0);
}

TEST_CASE("a row for a window that fired while idle is late after a restart, too") {
  const plan::Plan plan = quiet_sensor();
  const auto push = [](Dataflow& dataflow, const Row& row) {
    REQUIRE(dataflow.push(0, dataflow.prepare(0, batch_of(std::span(&row, 1), 1))->batch).has_value());
  };
  Recorder recorder(Show::kRows);
  Snapshot snapshot;
  const SourceStatus quiet{true};
  {
    const auto dataflow = *build_dataflow(plan, {}, recorder);
    push(*dataflow, Row{8});
    dataflow->save(snapshot);
    for (const std::int64_t second : {0, 10, 20})
      REQUIRE(dataflow->tick(second * 1'000'000, second * 1'000'000, std::span(&quiet, 1)).has_value());
    dataflow->save(snapshot);
  }
  const auto dataflow = *build_dataflow(plan, {}, recorder);
  snapshot.load_into(*dataflow);
  push(*dataflow, Row{9});
  CHECK(recorder.outcome.rows.size() == 1);
  CHECK(recorder.outcome.late.size() == 1);
}

}  // namespace
}  // namespace leat::exec::test
