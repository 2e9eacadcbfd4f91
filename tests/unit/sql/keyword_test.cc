#include "pipelines/sql/token.h"
#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {

TEST_CASE("words are reserved in any case of letters") {
  CHECK(word_use("timestamp") == WordUse::kReserved);
  CHECK(word_use("Value") == WordUse::kReserved);
  CHECK(word_use("from") == WordUse::kClause);
  CHECK(word_use("YEAR") == WordUse::kCallable);
  CHECK(word_use("temperature") == WordUse::kFree);
}

TEST_CASE("words that are names in Flink are names here") {
  CHECK(parses(
      "CREATE TABLE t (key STRING, name STRING, type INT, state INT, `first` INT, data BYTES, source INT)"));
  CHECK(parses("SELECT FIRST_VALUE(a) AS first, LAST_VALUE(a) AS last FROM t"));
}

TEST_CASE("a reserved word as a name gets the advice to quote it") {
  CHECK(errors("SELECT value FROM t") ==
        "x.sql:1:8: error: expected an expression, found 'value', which is a reserved word\n"
        "  SELECT value FROM t\n"
        "         ^~~~~\n"
        "  hint: to use it as a name, write it in backticks: `value`\n");
  CHECK(parses("SELECT `value`, `timestamp` FROM t"));
}

TEST_CASE("names may hold letters of any script") {
  CHECK(tree("größe + 温度") == "(größe + 温度)");
}

}  // namespace leat::sql
