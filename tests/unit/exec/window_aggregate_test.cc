#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;

// The rows of Flink's own window tests: out of order, with one row behind the watermark (ts − 1 s).
std::vector<Event> sample() {
  return {Row{1, "a"}, Row{2, "a"}, Row{3, "a"},  Row{4, "a"},           Row{7, "b"}, Row{6, "b"},
          Row{8, "a"}, Row{4, "a"}, Row{16, "b"}, Row{32, std::nullopt}, Row{34, "b"}};
}

plan::Plan counts(plan::WindowSpec window, ScanOptions options = {.delay = 1s}) {
  return pipeline({aggregate(scan(options), std::move(window), {call(count_rows())})});
}

TEST_CASE("a tumbling window counts each row once and drops the row behind its firing") {
  const Outcome outcome = run(counts(tumble(5s)), sample());
  CHECK(outcome.rows == Rows{"+I[a, 4, 0, 5, 4.999]", "+I[b, 2, 5, 10, 9.999]", "+I[a, 1, 5, 10, 9.999]",
                             "+I[b, 1, 15, 20, 19.999]", "+I[null, 1, 30, 35, 34.999]",
                             "+I[b, 1, 30, 35, 34.999]"});
  CHECK(outcome.late == Rows{"window aggregate 1: 4, a, 1"});
}

TEST_CASE("a late row still counts in the hopping windows that have not fired") {
  const Outcome outcome = run(counts(hop(5s, 10s)), sample());
  CHECK(outcome.rows == Rows{"+I[a, 4, -5, 5, 4.999]", "+I[a, 6, 0, 10, 9.999]", "+I[b, 2, 0, 10, 9.999]",
                             "+I[b, 2, 5, 15, 14.999]", "+I[a, 1, 5, 15, 14.999]", "+I[b, 1, 10, 20, 19.999]",
                             "+I[b, 1, 15, 25, 24.999]", "+I[null, 1, 25, 35, 34.999]",
                             "+I[b, 1, 25, 35, 34.999]", "+I[null, 1, 30, 40, 39.999]",
                             "+I[b, 1, 30, 40, 39.999]"});
  CHECK(outcome.late.empty());
}

TEST_CASE("hopping windows of any size and slide hold the rows that are in them") {
  CHECK(run(counts(hop(7s, 10s)), {Row{1}, Row{8}, Row{7, "b"}, Row{20}}).rows ==
        Rows{"+I[a, 1, -7, 3, 2.999]", "+I[a, 2, 0, 10, 9.999]", "+I[b, 1, 0, 10, 9.999]",
             "+I[a, 1, 7, 17, 16.999]", "+I[b, 1, 7, 17, 16.999]", "+I[a, 1, 14, 24, 23.999]"});
  const Outcome sparse = run(counts(hop(10s, 4s)), {Row{3}, Row{4}, Row{9.999}, Row{10}, Row{3.5}});
  CHECK(sparse.rows == Rows{"+I[a, 1, 0, 4, 3.999]", "+I[a, 1, 10, 14, 13.999]"});
  CHECK(sparse.counters("window aggregate 1").filtered == 2);
  CHECK(sparse.counters("window aggregate 1").late == 1);
}

TEST_CASE("a cumulating window repeats an unchanged value at every step until its end") {
  const Outcome outcome = run(counts(cumulate(5s, 15s)), sample());
  CHECK(outcome.rows == Rows{"+I[a, 4, 0, 5, 4.999]", "+I[a, 6, 0, 10, 9.999]", "+I[b, 2, 0, 10, 9.999]",
                             "+I[a, 6, 0, 15, 14.999]", "+I[b, 2, 0, 15, 14.999]", "+I[b, 1, 15, 20, 19.999]",
                             "+I[b, 1, 15, 25, 24.999]", "+I[b, 1, 15, 30, 29.999]",
                             "+I[null, 1, 30, 35, 34.999]", "+I[b, 1, 30, 35, 34.999]",
                             "+I[null, 1, 30, 40, 39.999]", "+I[b, 1, 30, 40, 39.999]",
                             "+I[null, 1, 30, 45, 44.999]", "+I[b, 1, 30, 45, 44.999]"});
}

TEST_CASE("a session is extended by a late row that touches it, lateness being judged after merging") {
  const Outcome outcome = run(counts(session(5s)), sample());
  CHECK(outcome.rows == Rows{"+I[b, 2, 6, 12, 11.999]", "+I[a, 6, 1, 13, 12.999]", "+I[b, 1, 16, 21, 20.999]",
                             "+I[null, 1, 32, 37, 36.999]", "+I[b, 1, 34, 39, 38.999]"});
}

TEST_CASE("a window fires at its end - 1 ms and not a microsecond before") {
  const plan::Plan plan = counts(tumble(5s), {});
  CHECK(run(plan, {Row{1}, Row{4.998999}}, {.finish = false}).rows.empty());
  CHECK(run(plan, {Row{1}, Row{4.999}}, {.finish = false}).rows == Rows{"+I[a, 2, 0, 5, 4.999]"});
}

TEST_CASE("a row exactly at the watermark is late for a window that has fired") {
  const Outcome outcome = run(counts(tumble(5s), {}), {Row{4.999}, Row{4.999, "b"}});
  CHECK(outcome.late == Rows{"window aggregate 1: 4.999, b, 1"});
}

TEST_CASE("a row behind the watermark is not late while its window is open") {
  const Outcome outcome = run(counts(tumble(10s), {}), {Row{8}, Row{2}});
  CHECK(outcome.rows == Rows{"+I[a, 2, 0, 10, 9.999]"});
}

TEST_CASE("windows before 1970 align to the epoch and fire under negative watermarks") {
  const Outcome outcome = run(counts(tumble(5s), {}), {Row{-7}, Row{-0.5}, Row{3}}, {.finish = false});
  CHECK(outcome.rows == Rows{"+I[a, 1, -10, -5, -5.001]", "+I[a, 1, -5, 0, -0.001]"});
}

TEST_CASE("an offset moves the windows, a negative one too") {
  CHECK(run(counts(tumble(10s, 3s)), {Row{2}, Row{3}}).rows ==
        Rows{"+I[a, 1, -7, 3, 2.999]", "+I[a, 1, 3, 13, 12.999]"});
  CHECK(run(counts(tumble(10s, -3s)), {Row{6}, Row{7}}).rows ==
        Rows{"+I[a, 1, -3, 7, 6.999]", "+I[a, 1, 7, 17, 16.999]"});
}

TEST_CASE("a firing emits by window end, then by the key's first arrival in the window") {
  const std::vector<Event> events = {Row{12, "z"}, Row{11, "y"}, Row{3, "m"}, Row{4, "k"}, Row{11, "k"}};
  const Outcome outcome = run(counts(tumble(10s), {.delay = 60s}), events);
  CHECK(outcome.rows == Rows{"+I[m, 1, 0, 10, 9.999]", "+I[k, 1, 0, 10, 9.999]", "+I[z, 1, 10, 20, 19.999]",
                             "+I[y, 1, 10, 20, 19.999]", "+I[k, 1, 10, 20, 19.999]"});
}

TEST_CASE("a hopping window orders its keys by their arrival in it, not by slice") {
  const std::vector<Event> events = {Row{7, "late slice"}, Row{2, "early slice"}};
  const Outcome outcome = run(counts(hop(5s, 10s), {.delay = 60s}), events);
  CHECK(outcome.rows[1] == "+I[late slice, 1, 0, 10, 9.999]");
  CHECK(outcome.rows[2] == "+I[early slice, 1, 0, 10, 9.999]");
}

TEST_CASE("a fired row comes just before the watermark that fires its window") {
  const std::vector<Event> events = {Row{1}, Row{7}, Row{40}};
  const Outcome outcome = run(counts(tumble(5s), {}), events, {.show = Show::kWithWatermarks});
  CHECK(outcome.rows == Rows{"+I[a, 1, 0, 5, 4.999] @4.998999", "+I[a, 1, 5, 10, 9.999] @9.998999",
                             "+I[a, 1, 40, 45, 44.999] @44.998999"});
}

TEST_CASE("a fired row has the intake time of the row that fires it") {
  const std::vector<Event> events = {Row{1}, Row{2}, Row{7}, Row{8}};
  const Outcome outcome = run(counts(tumble(5s), {}), events, {.show = Show::kWithIntake, .finish = false});
  CHECK(outcome.rows == Rows{"+I[a, 2, 0, 5, 4.999] in 3"});
}

TEST_CASE("rows without a rowtime are dropped and counted by the window") {
  const Outcome outcome = run(counts(tumble(5s), {.has_watermark = false}), {Row{1}, Row{std::nullopt}});
  CHECK(outcome.rows == Rows{"+I[a, 1, 0, 5, 4.999]"});
  CHECK(outcome.counters("window aggregate 1").filtered == 1);
}

TEST_CASE("a window over a changelog takes rows back, and is silent when nothing is left") {
  auto input = scan();
  input->updating = true;
  const plan::Plan plan =
      pipeline({aggregate(input, tumble(10s), {call(count_rows()), call(sum(), {kValue})})});
  const Outcome outcome =
      run(plan, {Row{1, "a", 5}, Row{2, "b", 7}, Row{1, "a", 5, RowKind::kUpdateBefore},
                 Row{1, "a", 6, RowKind::kUpdateAfter}, Row{2, "b", 7, RowKind::kDelete}});
  CHECK(outcome.rows == Rows{"+I[a, 1, 6, 0, 10, 9.999]"});
}

TEST_CASE("FILTER lets only TRUE rows into its aggregate") {
  const auto input = scan();
  const auto flagged =
      project(input, {column(kTs, Type::timestamp(3)), column(kKey, Type::string()),
                      column(kValue, Type::big_int()), greater(column(kValue, Type::big_int()), literal(2))});
  plan::AggregateCall filtered = call(count_rows());
  filtered.filter = 3;
  const plan::Plan plan = pipeline({aggregate(flagged, tumble(10s), {call(count_rows()), filtered})});
  CHECK(run(plan, {Row{1, "a", 1}, Row{2, "a", std::nullopt}, Row{3, "a", 3}}).rows ==
        Rows{"+I[a, 3, 1, 0, 10, 9.999]"});
}

TEST_CASE("aggregates that own memory are merged, saved and freed with their slices") {
  for (const plan::WindowSpec& window : {tumble(4s), hop(2s, 4s), cumulate(2s, 4s), session(1s)}) {
    const plan::Plan plan = pipeline({aggregate(scan(), window, {call(joined(), {kKey})}, {})});
    const Outcome outcome =
        run(plan, {Row{0.5, "a device with a long name"}, Row{3, "b"}, Row{2.5, "c"}, Row{9, "d"}},
            {.finish = false});
    CHECK(!outcome.rows.empty());
  }
}

TEST_CASE("windows of a global aggregate have no keys") {
  const plan::Plan plan = pipeline({aggregate(scan(), tumble(5s), {call(count_rows())}, {})});
  CHECK(run(plan, {Row{1, "a"}, Row{2, "b"}, Row{6}}).rows ==
        Rows{"+I[2, 0, 5, 4.999]", "+I[1, 5, 10, 9.999]"});
}

TEST_CASE("keys of several columns keep NULL apart from every value") {
  const plan::Plan plan = pipeline({aggregate(scan(), tumble(5s), {call(count_rows())}, {kKey, kValue})});
  CHECK(
      run(plan, {Row{1, "a", 1}, Row{1, "a", std::nullopt}, Row{1, std::nullopt, 1}, Row{1, "a", 1}}).rows ==
      Rows{"+I[a, 1, 2, 0, 5, 4.999]", "+I[a, null, 1, 0, 5, 4.999]", "+I[null, 1, 1, 0, 5, 4.999]"});
}

TEST_CASE("a cascade groups the windows of an aggregate again") {
  const auto inner = aggregate(scan(), hop(5s, 10s), {call(count_rows())});  // key, n, start, end, time
  const plan::Plan plan = pipeline({aggregate_attached(inner, {2, 3}, {call(sum(), {1})}, {})});
  CHECK(run(plan, {Row{1, "a"}, Row{2, "b"}, Row{7, "b"}, Row{20, "a"}}, {.finish = false}).rows ==
        Rows{"+I[2, -5, 5, 4.999]", "+I[3, 0, 10, 9.999]", "+I[1, 5, 15, 14.999]"});
}

TEST_CASE("a cascade opens other windows on window_time") {
  const auto inner = aggregate(scan(), tumble(5s), {call(count_rows())});
  plan::WindowSpec window = tumble(10s);
  window.time_column = 4;
  const plan::Plan plan = pipeline({aggregate(inner, window, {call(sum(), {1})}, {0})});
  CHECK(run(plan, {Row{1}, Row{6}, Row{7}, Row{11}, Row{22}}).rows ==
        Rows{"+I[a, 3, 0, 10, 9.999]", "+I[a, 1, 10, 20, 19.999]", "+I[a, 1, 20, 30, 29.999]"});
}

TEST_CASE("a filter between source and window hides no time from the window") {
  const auto passing = filter(scan(), greater(column(kValue, Type::big_int()), literal(0)));
  const plan::Plan plan = pipeline({aggregate(passing, tumble(5s), {call(count_rows())})});
  const Outcome outcome =
      run(plan, {Row{1}, Row{6, "a", 0}, Row{12, "a", 0}, Row{2}, Row{13}}, {.show = Show::kWithWatermarks});
  CHECK(outcome.rows == Rows{"+I[a, 1, 0, 5, 4.999] @4.998999", "+I[a, 1, 10, 15, 14.999] @14.998999"});
  CHECK(outcome.late.size() == 1);
}

// Clocks in Berlin went from 02:00 to 03:00 on 2021-03-28 (01:00 UTC) and from 03:00 back to 02:00 on
// 2021-10-31 (01:00 UTC).
constexpr double kMarch28 = 1616886000;    // 2021-03-28 00:00 in Berlin, in UTC seconds
constexpr double kOctober31 = 1635631200;  // 2021-10-31 00:00 in Berlin
constexpr double kWallMarch28 = 1616889600;
constexpr double kWallOctober31 = 1635638400;

std::string wall(double seconds) {
  return std::to_string(static_cast<std::int64_t>(seconds));
}

TEST_CASE("a day of TIMESTAMP_LTZ is a local day of 23 or 25 hours when the clock jumps") {
  const ScanOptions ltz{.local_time = true};
  const plan::Plan plan = counts(in_zone(tumble(24h), "Europe/Berlin"), ltz);
  const std::vector<Event> spring = {Row{kMarch28}, Row{kMarch28 + 23 * 3600 - 1}, Row{kMarch28 + 23 * 3600}};
  CHECK(run(plan, spring, {.finish = false}).rows ==
        Rows{"+I[a, 2, " + wall(kWallMarch28) + ", " + wall(kWallMarch28 + 86400) + ", " +
             wall(kMarch28 + 23 * 3600 - 1) + ".999]"});
  const std::vector<Event> autumn = {Row{kOctober31}, Row{kOctober31 + 25 * 3600 - 1},
                                     Row{kOctober31 + 25 * 3600}};
  CHECK(run(plan, autumn, {.finish = false}).rows ==
        Rows{"+I[a, 2, " + wall(kWallOctober31) + ", " + wall(kWallOctober31 + 86400) + ", " +
             wall(kOctober31 + 25 * 3600 - 1) + ".999]"});
}

TEST_CASE("an hour that exists twice is one window and fires after the second time") {
  const plan::Plan plan = counts(in_zone(tumble(1h), "Europe/Berlin"), {.local_time = true});
  const std::vector<Event> events = {Row{kOctober31 + 2 * 3600 + 60}, Row{kOctober31 + 3 * 3600 + 60},
                                     Row{kOctober31 + 4 * 3600 - 1}, Row{kOctober31 + 4 * 3600}};
  CHECK(run(plan, events, {.finish = false}).rows ==
        Rows{"+I[a, 3, " + wall(kWallOctober31 + 7200) + ", " + wall(kWallOctober31 + 10800) + ", " +
             wall(kOctober31 + 3 * 3600 - 1) + ".999]"});
}

TEST_CASE("a sparse stream fires each window at the first row beyond it, however long the batch") {
  std::vector<Event> events;
  for (int i = 0; i < 300; ++i) events.push_back(Row{i * 7.0, i % 3 == 0 ? "a" : "b"});
  for (const plan::WindowSpec& window : {tumble(10s), hop(5s, 20s), cumulate(5s, 20s), session(8s)}) {
    const Outcome outcome = run(counts(window, {.delay = 3s}), events);
    CHECK(outcome.rows.size() > 2);
  }
}

TEST_CASE("many keys out of order give the same windows for every cut of the input") {
  std::vector<Event> events;
  std::uint64_t random = 7;
  for (int i = 0; i < 2000; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const double ts = i * 0.2 - static_cast<double>(random >> 60) * 0.7;
    events.push_back(Row{ts, "device" + std::to_string((random >> 40) % 37)});
  }
  for (const plan::WindowSpec& window : {tumble(10s), hop(5s, 20s), cumulate(5s, 20s), session(3s)}) {
    const Outcome outcome = run(counts(window, {.delay = 4s}), events);
    CHECK(outcome.rows.size() > 40);
    if (window.kind == plan::WindowKind::kTumble) CHECK(!outcome.late.empty());
  }
}

TEST_CASE("a save writes the groups that changed and erases those that fired") {
  const plan::Plan plan = counts(tumble(10s), {});
  Recorder recorder(Show::kRows);
  const auto dataflow = *build_dataflow(plan, {}, recorder);
  Snapshot snapshot;
  const auto push = [&](const Row& row) {
    REQUIRE(dataflow->push(0, dataflow->prepare(0, batch_of(std::span(&row, 1), 1))->batch).has_value());
    snapshot.puts = snapshot.erases = 0;
    dataflow->save(snapshot);
  };
  push(Row{1, "a"});
  push(Row{2, "b"});
  CHECK(snapshot.puts == 3);  // b, the window's progress, the scan's watermark
  push(Row{12, "c"});
  CHECK(snapshot.erases == 2);
  CHECK(snapshot.entries.size() == 3);
  snapshot.puts = 0;
  dataflow->save(snapshot);
  CHECK(snapshot.puts == 0);
}

TEST_CASE("state beyond the bound fails the pipeline and names the operator and its numbers") {
  std::vector<Row> rows;
  for (int i = 0; i < 500; ++i) rows.push_back(Row{1, "device " + std::to_string(i)});
  Recorder recorder(Show::kRows);
  const plan::Plan plan = counts(tumble(10s));
  const auto dataflow = *build_dataflow(plan, {.memory_max = 20'000}, recorder);
  const Status pushed = dataflow->push(0, dataflow->prepare(0, batch_of(rows, 1))->batch);
  REQUIRE(!pushed.has_value());
  CHECK(pushed.error().code == ErrorCode::kExhausted);
  CHECK(pushed.error().message.find("window aggregate 1 holds") != std::string::npos);
  CHECK(pushed.error().message.find("in 500 keys") != std::string::npos);
}

TEST_CASE("more keys than allowed fail the pipeline and name the operator and its numbers") {
  std::vector<Row> rows;
  for (int i = 0; i < 11; ++i) rows.push_back(Row{1, "device " + std::to_string(i)});
  const plan::Plan plan = counts(tumble(10s));
  const auto pushed = [&](std::uint64_t max_keys) {
    Recorder recorder(Show::kRows);
    const auto dataflow = *build_dataflow(plan, {.max_keys = max_keys}, recorder);
    return dataflow->push(0, dataflow->prepare(0, batch_of(rows, 1))->batch);
  };
  CHECK(pushed(11).has_value());
  const Status refused = pushed(10);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == ErrorCode::kExhausted);
  CHECK(refused.error().message.find(
            "window aggregate 1 holds 11 keys, more than 'leat.state.max-keys' = 10") == 0);
}

TEST_CASE("damaged state entries are refused as corrupt") {
  const plan::Plan plan = counts(tumble(10s), {});
  Recorder recorder(Show::kRows);
  const auto dataflow = *build_dataflow(plan, {}, recorder);
  const std::string node = dataflow->operators()[1].fingerprint;
  CHECK(dataflow->load(node, "x", "").error().code == ErrorCode::kCorrupt);
  CHECK(dataflow->load(node, "s\x14\x01", "").error().code == ErrorCode::kCorrupt);
  CHECK(dataflow->load(node, "m", "\x80").error().code == ErrorCode::kCorrupt);
  CHECK(dataflow->load("no such node", "m", "").error().code == ErrorCode::kNotFound);
}

/// What HOP must give for these rows of one key, in seconds: "+I[a, count, start, end, end - 1 ms]".
Rows hop_by_hand(const std::vector<double>& seconds, int slide, int size, int offset, double delay) {
  std::map<int, int> counts;  // By window end.
  double latest = -1e9;
  for (const double at : seconds) {
    for (int end = offset; end <= 200; end += slide) {
      const bool holds = at >= end - size && at < end;
      const bool fired = latest - delay >= end - 0.001;
      if (holds && !fired) ++counts[end];
    }
    latest = std::max(latest, at);
  }
  Rows rows;
  for (const auto& [end, count] : counts)
    rows.push_back("+I[a, " + std::to_string(count) + ", " + std::to_string(end - size) + ", " +
                   std::to_string(end) + ", " + std::to_string(end - 1) + ".999]");
  return rows;
}

TEST_CASE("HOP with many slices counts rows out of order and late ones as by hand, across its blocks") {
  std::vector<double> seconds;
  std::uint32_t random = 1;
  for (int i = 0; i < 150; ++i) {
    random = random * 1664525 + 1013904223;
    seconds.push_back(20 + i * 0.5 - (random >> 24) % 12);
  }
  for (const int offset : {0, 1}) {
    plan::WindowSpec window = hop(2s, 14s);
    window.offset = std::chrono::seconds(offset);
    const plan::Plan plan = pipeline({aggregate(scan({.delay = 2s}), window, {call(count_rows())})});
    std::vector<Event> events;
    for (const double at : seconds) events.push_back(Row{at});
    CHECK(run(plan, events).rows == hop_by_hand(seconds, 2, 14, offset, 2));
  }
}

}  // namespace
}  // namespace leat::exec::test
