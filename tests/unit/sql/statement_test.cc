#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {

TEST_CASE("statements end at semicolons, the last one may go without") {
  const Parsed parsed(";; SET 'a' = 'b'; -- a comment; with a semicolon\nSELECT 1 /* ; */ ; ;SELECT ';'");
  CHECK_FALSE(parsed.diagnostics.has_errors());
  CHECK(parsed.script.statements.size() == 3);
  CHECK(parsed.source.at(parsed.script.statements[1]->span) == "SELECT 1");
}

TEST_CASE("an empty text has no statements") {
  CHECK(Parsed("").script.statements.empty());
  CHECK(Parsed("-- nothing").script.statements.empty());
  CHECK(errors(" \n\t;").empty());
}

TEST_CASE("INSERT keeps its columns and its query") {
  const Parsed parsed("INSERT INTO result_t (a, b) SELECT x, y FROM t");
  const auto& insert = parsed.only<Insert>();
  CHECK(insert.table.to_string() == "result_t");
  CHECK(insert.columns.size() == 2);
  CHECK(insert.query != nullptr);
}

TEST_CASE("INSERT takes VALUES, partitions and conflicts") {
  const Parsed parsed(
      "INSERT OVERWRITE t PARTITION (p = 'x') VALUES (1, 'a'), (2, 'b') ON CONFLICT DO NOTHING");
  const auto& insert = parsed.only<Insert>();
  CHECK(insert.mode == Insert::Mode::kOverwrite);
  CHECK(insert.partition.size() == 1);
  CHECK(insert.on_conflict == Insert::OnConflict::kNothing);
  const auto* values = as<Values>(*insert.query->body);
  REQUIRE(values != nullptr);
  REQUIRE(values->rows.size() == 2);
  CHECK(values->rows[1].values.size() == 2);
}

TEST_CASE("a query in parentheses is no list of columns") {
  CHECK(parses("INSERT INTO t (SELECT 1)"));
  CHECK(parses("INSERT INTO t ((SELECT 1) UNION ALL (SELECT 2))"));
}

TEST_CASE("a statement set holds its INSERTs") {
  const Parsed parsed("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;");
  CHECK(parsed.only<StatementSet>().inserts.size() == 2);
  const Parsed older("BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;");
  CHECK(older.only<StatementSet>().inserts.size() == 2);
}

TEST_CASE("a table is found without Flink's default catalog and database in front of it") {
  CHECK(Parsed("INSERT INTO default_catalog.default_database.t SELECT 1").only<Insert>().table.table_key() ==
        "t");
  CHECK(Parsed("INSERT INTO default_database.t SELECT 1").only<Insert>().table.table_key() == "t");
  CHECK(Parsed("INSERT INTO other.t SELECT 1").only<Insert>().table.table_key() == "other.t");
}

TEST_CASE("EXECUTE may stand before an INSERT or a query") {
  CHECK(Parsed("EXECUTE INSERT INTO t SELECT 1").only<Insert>().query != nullptr);
  CHECK(Parsed("EXECUTE SELECT 1").query().body != nullptr);
}

TEST_CASE("SET and RESET take a key, a pair or nothing") {
  const Parsed pair("SET 'pipeline.name' = 'x';");
  CHECK(pair.only<SetStatement>().option->value.text == "x");
  CHECK_FALSE(Parsed("SET").only<SetStatement>().option.has_value());
  CHECK(Parsed("RESET 'a'").only<ResetStatement>().key->text == "a");
  CHECK_FALSE(Parsed("RESET;").only<ResetStatement>().key.has_value());
  CHECK(first_error("SET pipeline.name = 'x'") == "expected a key in quotes, found 'pipeline'");
}

TEST_CASE("EXPLAIN holds what it explains") {
  CHECK(as<SelectStatement>(*Parsed("EXPLAIN SELECT 1").only<Explain>().statement) != nullptr);
  CHECK(as<Insert>(*Parsed("EXPLAIN PLAN FOR INSERT INTO t SELECT 1").only<Explain>().statement) != nullptr);
  const Parsed details("EXPLAIN ESTIMATED_COST, CHANGELOG_MODE SELECT 1");
  CHECK(details.only<Explain>().details.size() == 2);
  const Parsed set("EXPLAIN STATEMENT SET BEGIN INSERT INTO t SELECT 1; END");
  CHECK(as<StatementSet>(*set.only<Explain>().statement) != nullptr);
}

TEST_CASE("DROP names a table or a view") {
  const Parsed parsed("DROP TEMPORARY VIEW IF EXISTS v");
  const auto& drop = parsed.only<Drop>();
  CHECK(drop.object == Drop::Object::kView);
  CHECK(drop.temporary);
  CHECK(drop.if_exists == IfExists::kSkip);
}

TEST_CASE("what only a cluster runs is refused by name") {
  CHECK(first_error("CREATE CATALOG c WITH ('type' = 'x')") == "Leat does not run CREATE CATALOG");
  CHECK(first_error("CREATE TEMPORARY SYSTEM FUNCTION f AS 'x'") == "Leat does not run CREATE FUNCTION");
  CHECK(first_error("CREATE MODEL m WITH ()") == "Leat does not run CREATE MODEL");
  CHECK(first_error("ALTER TABLE t ADD c INT") == "Leat does not run ALTER TABLE");
  CHECK(first_error("SHOW TABLES") == "Leat does not run SHOW TABLES");
  CHECK(first_error("USE db") == "Leat does not run USE db");
  CHECK(first_error("DROP DATABASE d") == "Leat does not run DROP DATABASE");
}

}  // namespace leat::sql
