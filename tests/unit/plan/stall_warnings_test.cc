#include <doctest/doctest.h>

#include "tests/unit/plan/plan_fixture.h"

namespace leat::plan::testing {
namespace {

std::string table(const std::string& name, const std::string& options = "") {
  return "CREATE TABLE " + name +
         " (k STRING, v INT, ts TIMESTAMP(3), seen AS PROCTIME(), PRIMARY KEY (k) NOT ENFORCED, WATERMARK "
         "FOR ts "
         "AS ts) WITH ('connector' = 'stream', 'url' = 'x', 'format' = 'json'" +
         options + ");\n";
}
const std::string kIdle = ", 'scan.watermark.idle-timeout' = '30 s'";
const std::string kWindows =
    "SELECT COUNT(*) FROM TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY "
    "window_start, window_end;";
const std::string kTemporal = "SELECT a.v, b.v FROM a JOIN b FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k;";

std::vector<std::string> warnings_of(const std::string& text) {
  const PlanOutcome outcome = plan_text(text);
  INFO(rendered(outcome));
  REQUIRE(outcome.ok());
  return outcome.plan.warnings;
}

TEST_CASE("a window over a table that may fall silent is no error, but said") {
  CHECK(warnings_of(table("a") + kWindows) ==
        std::vector<std::string>{"while 'a' is silent, its last results wait for its next row"});
  CHECK(warnings_of(table("a", kIdle) + kWindows).empty());
  CHECK(warnings_of("SET 'table.exec.source.idle-timeout' = '1 min';" + table("a") + kWindows).empty());
}

TEST_CASE("a join waits for each of its sides that has no idle time-out") {
  const std::string waits = "' is silent, the join that waits for it gives out nothing";
  CHECK(warnings_of(table("a") + table("b") + kTemporal) ==
        std::vector<std::string>{"while 'a" + waits, "while 'b" + waits});
  CHECK(warnings_of(table("a", kIdle) + table("b") + kTemporal) ==
        std::vector<std::string>{"while 'b" + waits});
}

TEST_CASE("what waits for no watermark is not warned of") {
  CHECK(warnings_of(table("a") + "SELECT k FROM a WHERE v > 1;").empty());
  CHECK(warnings_of(table("a") + "SELECT k, COUNT(*) FROM a GROUP BY k;").empty());
  CHECK(warnings_of(table("a") +
                    "SELECT COUNT(*) FROM TUMBLE(TABLE a, DESCRIPTOR(seen), INTERVAL '1' MINUTE) GROUP "
                    "BY window_start, window_end;")
            .empty());
}

}  // namespace
}  // namespace leat::plan::testing
