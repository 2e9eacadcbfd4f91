#include <doctest/doctest.h>

#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;

plan::Plan joined_sessions(Micros gap, Micros delay) {
  return pipeline(
      {aggregate(scan({.delay = delay}), session(gap), {call(count_rows()), call(sum(), {kValue})})});
}

TEST_CASE("rows exactly the gap apart belong together, one millisecond more does not") {
  CHECK(run(joined_sessions(5s, 60s), {Row{1}, Row{6}}).rows == Rows{"+I[a, 2, 2, 1, 11, 10.999]"});
  CHECK(run(joined_sessions(5s, 60s), {Row{1}, Row{6.001}}).rows.size() == 2);
}

TEST_CASE("a row between sessions joins them") {
  const std::vector<Event> events = {Row{1, "a", 1},  Row{20, "a", 2},  Row{9, "a", 4},
                                     Row{16, "a", 8}, Row{12, "a", 16}, Row{5, "a", 32}};
  CHECK(run(joined_sessions(5s, 60s), events).rows == Rows{"+I[a, 6, 63, 1, 25, 24.999]"});
}

TEST_CASE("a row beyond all open sessions is late only if its own session has fired") {
  const Outcome outcome = run(joined_sessions(5s, 0s), {Row{10}, Row{5}, Row{4.998}, Row{20, "b"}});
  CHECK(outcome.rows == Rows{"+I[a, 3, 3, 4.998, 15, 14.999]", "+I[b, 1, 1, 20, 25, 24.999]"});
  CHECK(run(joined_sessions(5s, 0s), {Row{9.998}, Row{5, "b"}}).late.empty());
  CHECK(run(joined_sessions(5s, 0s), {Row{9.999}, Row{5, "b"}}).late.size() == 1);
}

TEST_CASE("sessions fire by their end, then by their first row") {
  const std::vector<Event> events = {Row{3, "z"}, Row{2, "late end"}, Row{3, "y"}, Row{7, "late end"}};
  CHECK(run(joined_sessions(5s, 60s), events).rows ==
        Rows{"+I[z, 1, 1, 3, 8, 7.999]", "+I[y, 1, 1, 3, 8, 7.999]", "+I[late end, 2, 2, 2, 12, 11.999]"});
}

TEST_CASE("a session that swallows one that came before it takes that one's place in the order") {
  const std::vector<Event> events = {Row{9, "a"}, Row{3, "b"}, Row{1, "a"},
                                     Row{9, "b"}, Row{5, "a"}, Row{6, "b"}};
  CHECK(run(joined_sessions(5s, 60s), events).rows ==
        Rows{"+I[a, 3, 3, 1, 14, 13.999]", "+I[b, 3, 3, 3, 14, 13.999]"});
}

TEST_CASE("a key has a new session after its last one fired") {
  CHECK(run(joined_sessions(2s, 0s), {Row{1}, Row{10}, Row{20}}).rows ==
        Rows{"+I[a, 1, 1, 1, 3, 2.999]", "+I[a, 1, 1, 10, 12, 11.999]", "+I[a, 1, 1, 20, 22, 21.999]"});
}

TEST_CASE("saving keeps one entry per open session") {
  const plan::Plan plan = joined_sessions(5s, 60s);
  Recorder recorder(Show::kRows);
  const auto dataflow = *build_dataflow(plan, {}, recorder);
  Snapshot snapshot;
  for (const double second : {1.0, 20.0, 6.0, 11.0, 15.0}) {
    const Row row{second};
    REQUIRE(dataflow->push(0, dataflow->prepare(0, batch_of(std::span(&row, 1), 1))->batch).has_value());
    dataflow->save(snapshot);
  }
  CHECK(snapshot.entries.size() == 3);  // the joined session, its operator's progress, the scan's watermark
}

}  // namespace
}  // namespace leat::exec::test
