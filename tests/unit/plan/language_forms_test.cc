#include <doctest/doctest.h>

#include "pipelines/plan/language_forms.h"
#include "tests/unit/plan/plan_fixture.h"

namespace leat::plan::testing {
namespace {

TEST_CASE("every example of a form of the language is planned") {
  const std::string tables =
      "CREATE TABLE readings (device STRING, temperature DOUBLE, ts TIMESTAMP(3), seen AS PROCTIME(), "
      "samples "
      "ARRAY<INT>, WATERMARK FOR ts AS ts) WITH ('connector' = 'stream', 'url' = 'x', 'format' = 'json');"
      "CREATE TABLE versions (device STRING, site STRING, since TIMESTAMP(3), PRIMARY KEY (device) NOT "
      "ENFORCED, "
      "WATERMARK FOR since AS since) WITH ('connector' = 'stream', 'url' = 'x', 'format' = 'json');"
      "CREATE TABLE metrics (topic STRING, seq INT, bd_seq BIGINT, metric_index INT, metric STRING, alias "
      "BIGINT, datatype STRING, ts TIMESTAMP_LTZ(3), double_value DOUBLE) WITH ('connector' = 'stream', "
      "'url' = 'x', 'format' = 'json');\n";
  for (const LanguageForm& form : all_language_forms()) {
    const PlanOutcome outcome = plan_text(tables + form.example + ";");
    INFO(form.example, "\n", rendered(outcome));
    CHECK(outcome.ok());
  }
}

TEST_CASE("a form is found by each of its names") {
  REQUIRE(find_language_form("ROLLUP") != nullptr);
  CHECK(find_language_form("ROLLUP")->names[0] == "GROUPING SETS");
  CHECK(find_language_form("rollup") == nullptr);
}

}  // namespace
}  // namespace leat::plan::testing
