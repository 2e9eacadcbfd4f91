#include <fmt/format.h>

#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {
namespace {

std::string type(std::string_view text) {
  const Parsed parsed(fmt::format("CREATE TABLE t (c {})", text));
  if (parsed.diagnostics.has_errors()) return render(parsed.diagnostics, parsed.source);
  return tree(parsed.only<CreateTable>().columns.front().type.value());
}

}  // namespace

TEST_CASE("synonyms of types are one type") {
  CHECK(type("INTEGER") == "INT");
  CHECK(type("DEC(5)") == "DECIMAL 5");
  CHECK(type("NUMERIC(5, 2)") == "DECIMAL 5 2");
  CHECK(type("DOUBLE PRECISION") == "DOUBLE");
  CHECK(type("CHARACTER VARYING(20)") == "VARCHAR 20");
  CHECK(type("BINARY VARYING(20)") == "VARBINARY 20");
  CHECK(type("TIMESTAMP(3) WITH LOCAL TIME ZONE") == "TIMESTAMP_LTZ 3");
  CHECK(type("TIMESTAMP_LTZ(3)") == "TIMESTAMP_LTZ 3");
  CHECK(type("TIMESTAMP(3) WITHOUT TIME ZONE") == "TIMESTAMP 3");
}

TEST_CASE("nested types nest") {
  CHECK(type("ARRAY<ARRAY<INT NOT NULL>>") == "ARRAY<ARRAY<INT NOT NULL>>");
  CHECK(type("INT ARRAY ARRAY") == "ARRAY<ARRAY<INT>>");
  CHECK(type("MAP<STRING, ROW<a INT, b ARRAY<STRING>>>") == "MAP<STRING, ROW<a INT, b ARRAY<STRING>>>");
  CHECK(type("ROW<a INT 'first', `b c` STRING NOT NULL> NOT NULL") ==
        "ROW<a INT 'first', b c STRING NOT NULL> NOT NULL");
  CHECK(type("ROW(INT, STRING)") == "ROW<f0 INT, f1 STRING>");
  CHECK(type("MULTISET<STRING>") == "MULTISET<STRING>");
}

TEST_CASE("intervals are types") {
  CHECK(type("INTERVAL YEAR TO MONTH") == "INTERVAL YEAR TO MONTH");
  CHECK(type("INTERVAL DAY(2) TO SECOND(3)") == "INTERVAL DAY TO SECOND");
}

TEST_CASE("types that are not there are named, with the nearest one") {
  CHECK(first_error("CREATE TABLE t (c STRIGN)") == "'STRIGN' is no type (did you mean 'STRING'?)");
  CHECK(first_error("CREATE TABLE t (c TIMESTAMP(3) WITH TIME ZONE)") ==
        "a time that carries its own zone is not a type of Flink SQL");
  CHECK(first_error("CREATE TABLE t (c ARRAY)") == "expected '<' and the type of the elements, found ')'");
}

}  // namespace leat::sql
