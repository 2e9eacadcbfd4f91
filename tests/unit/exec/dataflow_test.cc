#include <doctest/doctest.h>

#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;

const Type kLong = Type::big_int();

plan::NodePtr with_key(const plan::NodePtr& input, const std::string& key) {
  return filter(input, equals_text(column(kKey, Type::string()), key));
}

TEST_CASE("two queries over one table share its scan, and each keeps its order") {
  const auto readings = scan();
  const plan::Plan plan = pipeline({with_key(readings, "a"), with_key(readings, "b")});
  const Outcome outcome = run(plan, {Row{1, "a"}});
  CHECK(outcome.rows == Rows{"+I[1, a, 1]"});
  CHECK(outcome.counters("scan readings").rows_in == 1);
  CHECK(outcome.counters("filter 2").filtered == 1);
  CHECK(outcome.counters("sink out 2").applied == 0);
}

TEST_CASE("branches of one table meet again in the order of its rows") {
  const auto readings = scan();
  const plan::Plan plan = pipeline({union_all({with_key(readings, "b"), with_key(readings, "a")})});
  const Outcome outcome = run(plan, {Row{1, "a"}, Row{2, "b"}, Row{3, "a"}, Row{4, "c"}, Row{5, "b"}},
                              {.show = Show::kWithWatermarks});
  CHECK(outcome.rows == Rows{"+I[1, a, 1] @min", "+I[2, b, 1] @1", "+I[3, a, 1] @2", "+I[5, b, 1] @4"});
}

TEST_CASE("the watermark of a union is the least of its inputs, row by row") {
  const auto left = scan({.table = "left"});
  const auto right = scan({.table = "right"});
  const plan::Plan plan = pipeline({union_all({left, right})});
  const std::vector<Event> events = {Row{.seconds = 5, .key = "l"},
                                     Row{.seconds = 6, .key = "l"},
                                     Row{.seconds = 3, .key = "r", .scan = 1},
                                     Row{.seconds = 9, .key = "r", .scan = 1},
                                     Row{.seconds = 7, .key = "l"},
                                     Row{.seconds = 1, .key = "r", .scan = 1}};
  const Outcome outcome = run(plan, events, {.show = Show::kWithWatermarks});
  CHECK(outcome.rows == Rows{"+I[5, l, 1] @min", "+I[6, l, 1] @min", "+I[3, r, 1] @min", "+I[9, r, 1] @3",
                             "+I[7, l, 1] @6", "+I[1, r, 1] @7"});
}

TEST_CASE("a bounded input that ends holds no other back") {
  const auto left = scan({.table = "left"});
  const auto right = scan({.table = "right"});
  const plan::Plan plan = pipeline({aggregate(union_all({left, right}), tumble(10s), {call(count_rows())})});
  const std::vector<Event> events = {Row{1}, Row{.seconds = 2, .scan = 1}, Row{15}, Finish{1}};
  CHECK(run(plan, events, {.finish = false}).rows == Rows{"+I[a, 2, 0, 10, 9.999]"});
}

TEST_CASE("an idle input of a union stops counting until its next row") {
  const auto left = scan({.table = "left", .idle_timeout = 5s});
  const auto right = scan({.table = "right", .idle_timeout = 50s});
  const plan::Plan plan = pipeline({aggregate(union_all({left, right}), tumble(10s), {call(count_rows())})});
  const std::vector<Event> events = {Tick{0, {true, true}}, Row{1}, Row{.seconds = 25, .scan = 1},
                                     Tick{4, {true, true}}, Tick{5, {true, true}}};
  const Outcome outcome = run(plan, events, {.restore = false, .finish = false});
  CHECK(outcome.rows == Rows{"+I[a, 1, 0, 10, 9.999]"});
  std::vector<Event> early(events.begin(), events.end() - 1);
  CHECK(run(plan, early, {.restore = false, .finish = false}).rows.empty());
}

TEST_CASE("VALUES come once in the life of a pipeline") {
  const plan::Plan plan = pipeline({values({{literal(1), literal(2)}, {literal(3), literal(4)}})});
  Recorder recorder(Show::kRows);
  Snapshot snapshot;
  for (int start = 0; start < 2; ++start) {
    const auto dataflow = *build_dataflow(plan, {}, recorder);
    snapshot.load_into(*dataflow);
    REQUIRE(dataflow->start(0).has_value());
    dataflow->save(snapshot);
  }
  CHECK(recorder.outcome.rows == Rows{"+I[1, 2]", "+I[3, 4]"});
}

TEST_CASE("the pipeline's watermark is the least of its tables'") {
  const plan::Plan plan = pipeline(
      {scan({.table = "left"}), scan({.table = "right"}), scan({.table = "x", .has_watermark = false})});
  Recorder recorder(Show::kRows);
  const auto dataflow = *build_dataflow(plan, {}, recorder);
  CHECK(dataflow->watermark() == kMinWatermark);
  for (const std::size_t table : {0U, 1U}) {
    const Row row{table == 0 ? 7.0 : 4.0};
    REQUIRE(
        dataflow->push(table, dataflow->prepare(table, batch_of(std::span(&row, 1), 1))->batch).has_value());
  }
  CHECK(dataflow->watermark() == 4'000'000);
}

TEST_CASE("a watermark per partition without an idle time-out is refused") {
  Recorder recorder(Show::kRows);
  const auto built = build_dataflow(pipeline({scan({.partition_by_key = true})}), {}, recorder);
  REQUIRE(!built.has_value());
  CHECK(built.error().message.find("'scan.watermark.idle-timeout'") != std::string::npos);
}

TEST_CASE("a cumulating window whose step does not divide its size is refused") {
  Recorder recorder(Show::kRows);
  const auto node = aggregate(scan(), cumulate(3s, 10s), {call(count_rows())});
  CHECK(build_dataflow(pipeline({node}), {}, recorder).error().code == ErrorCode::kInvalid);
}

// ---- Windows on their own --------------------------------------------------------------------------------

TEST_CASE("TUMBLE gives each row its window at once") {
  const plan::Plan plan = pipeline({assign(scan(), tumble(10s, 6s))});
  CHECK(run(plan, {Row{5}, Row{7}, Row{-12}}, {.finish = false}).rows ==
        Rows{"+I[5, a, 1, -4, 6, 5.999]", "+I[7, a, 1, 6, 16, 15.999]", "+I[-12, a, 1, -14, -4, -4.001]"});
}

TEST_CASE("HOP and CUMULATE give a row once per window") {
  CHECK(run(pipeline({assign(scan(), hop(5s, 10s))}), {Row{7}}).rows ==
        Rows{"+I[7, a, 1, 5, 15, 14.999]", "+I[7, a, 1, 0, 10, 9.999]"});
  CHECK(run(pipeline({assign(scan(), cumulate(5s, 15s))}), {Row{7}}).rows ==
        Rows{"+I[7, a, 1, 0, 10, 9.999]", "+I[7, a, 1, 0, 15, 14.999]"});
}

TEST_CASE("SESSION keeps its rows until the session has ended") {
  const plan::Plan plan = pipeline({assign(scan({.delay = 4s}), session(5s))});
  const std::vector<Event> events = {Row{1, "a", 1}, Row{8, "b", 2}, Row{4, "a", 3},
                                     Row{9, "a", 4}, Row{0, "c", 5}, Row{20, "b", 6}};
  const Outcome outcome = run(plan, events, {.finish = false});
  CHECK(outcome.rows == Rows{"+I[8, b, 2, 8, 13, 12.999]", "+I[1, a, 1, 1, 14, 13.999]",
                             "+I[4, a, 3, 1, 14, 13.999]", "+I[9, a, 4, 1, 14, 13.999]"});
  CHECK(outcome.late == Rows{"window 1: 0, c, 5"});
}

}  // namespace
}  // namespace leat::exec::test
