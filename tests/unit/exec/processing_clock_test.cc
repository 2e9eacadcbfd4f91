// Row n comes in at second n of the gateway's clock; what its ts says means nothing here.
#include <doctest/doctest.h>

#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;

plan::Plan counted(Micros size) {
  return pipeline({aggregate(clock(scan({.local_time = true, .has_watermark = false})), tumble(size),
                             {call(count_rows())})});
}

TEST_CASE("a window over processing time holds the rows that came in during it") {
  const std::vector<Event> events = {Row{500}, Row{3}, Row{77}, Row{1}, Row{2}};
  CHECK(run(counted(2s), events).rows ==
        Rows{"+I[a, 1, 0, 2, 1.999]", "+I[a, 2, 2, 4, 3.999]", "+I[a, 2, 4, 6, 5.999]"});
}

TEST_CASE("without rows a tick closes the window, but not while rows wait") {
  const ScriptOptions options{.restore = false, .finish = false};
  CHECK(run(counted(2s), {Row{1}, Tick{.at = 1.9}}, options).rows.empty());
  CHECK(run(counted(2s), {Row{1}, Tick{.at = 5, .drained = false}}, options).rows.empty());
  CHECK(run(counted(2s), {Row{1}, Tick{.at = 2}}, options).rows == Rows{"+I[a, 1, 0, 2, 1.999]"});
}

TEST_CASE("the clock never goes back: a row behind a tick belongs to the tick's time") {
  const ScriptOptions options{.restore = false};
  const Outcome outcome = run(counted(2s), {Row{1}, Tick{.at = 9}, Row{2}}, options);
  CHECK(outcome.rows == Rows{"+I[a, 1, 0, 2, 1.999]", "+I[a, 1, 8, 10, 9.999]"});
  CHECK(outcome.late.empty());
}

TEST_CASE("a restart with a clock that is set back does not go behind a tick that closed a window") {
  const Outcome outcome = run(counted(2s), {Row{1}, Tick{.at = 9}, Row{2}});
  CHECK(outcome.rows == Rows{"+I[a, 1, 0, 2, 1.999]", "+I[a, 1, 8, 10, 9.999]"});
  CHECK(outcome.late.empty());
}

TEST_CASE("behind a restart with an unset clock time goes on from where it was, and windows close") {
  const ScriptOptions options{
      .dataflow = {.clock_plausible_from = 1'000 * kMicrosPerSecond}, .restore = false, .finish = false};
  // The clock showed second 2000; now rows come in at seconds 1 to 3 of 1970.
  const std::vector<Event> events = {Tick{.at = 2000}, Row{1}, Row{1}, Row{1}, Tick{.at = 7}};
  CHECK(run(counted(2s), events, options).rows ==
        Rows{"+I[a, 2, 2000, 2002, 2001.999]", "+I[a, 1, 2002, 2004, 2003.999]"});
}

TEST_CASE("rows that waited longer than others do not push a clock that is set") {
  const ScriptOptions options{.restore = false, .finish = false};
  const std::vector<Event> events = {Tick{.at = 2000}, Row{1}, Row{1}, Row{1}, Tick{.at = 2002}};
  CHECK(run(counted(2s), events, options).rows == Rows{"+I[a, 3, 2000, 2002, 2001.999]"});
}

}  // namespace
}  // namespace leat::exec::test
