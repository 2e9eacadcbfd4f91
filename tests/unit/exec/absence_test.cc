#include <doctest/doctest.h>

#include "pipelines/plan/absence_node.h"
#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using Rows = std::vector<std::string>;

plan::Plan watched(const ScanOptions& options = {}) {
  auto node = std::make_shared<plan::AbsenceNode>();
  node->inputs = {scan(options)};
  node->keys = {kKey};
  node->time_column = kTs;
  node->timeout = 30s;
  plan::derive_absence_schema(*node);
  node->fingerprint = "absence";
  return pipeline({node});
}

// Ticks are not part of the state.
const ScriptOptions kLive = {.restore = false, .finish = false};

TEST_CASE("where all is quiet, the clock says who is absent") {
  const std::vector<Event> events = {Row{100, "a"}, Row{110, "b"}, Tick{.at = 20}, Tick{.at = 22}};
  CHECK(run(watched(), events, kLive).rows == Rows{"+I[a, ABSENT, 100, 130]"});
}

TEST_CASE("a key that the clock gave up is back with its next row") {
  const std::vector<Event> events = {Row{100, "a"}, Tick{.at = 40}, Row{145, "a"}, Row{150, "a"}};
  CHECK(run(watched(), events, kLive).rows == Rows{"+I[a, ABSENT, 100, 130]", "+I[a, BACK, 100, 145]"});
}

TEST_CASE("the clock counts only while no row waits in front of the pipeline") {
  const std::vector<Event> events = {Row{100, "a"}, Tick{.at = 50, .drained = false}};
  CHECK(run(watched(), events, kLive).rows.empty());
}

TEST_CASE("before the first watermark nobody is absent") {
  CHECK(run(watched(), {Tick{.at = 100}, Tick{.at = 200}}, kLive).rows.empty());
}

TEST_CASE("an idle source raises the watermark, and that is enough") {
  const std::vector<Event> events = {Tick{0}, Row{100, "a"}, Tick{5}, Tick{36}};
  const Outcome outcome = run(watched({.idle_timeout = 5s}), events, kLive);
  CHECK(outcome.rows == Rows{"+I[a, ABSENT, 100, 130]"});
}

TEST_CASE("a silence is seen however the watermark lags") {
  const std::vector<Event> events = {Row{0, "a"}, Row{100, "a"}, Row{10, "a"}, Row{300, "b"}};
  const Outcome outcome = run(watched({.delay = 150s}), events, {.finish = false});
  CHECK(outcome.rows == Rows{"+I[a, ABSENT, 10, 40]", "+I[a, BACK, 10, 100]", "+I[a, ABSENT, 100, 130]"});
  CHECK(outcome.counters("absence 1").applied == 4);
}

}  // namespace
}  // namespace leat::exec::test
