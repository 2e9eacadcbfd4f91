#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {
namespace {

constexpr std::string_view kEverything = R"(
CREATE TEMPORARY TABLE IF NOT EXISTS cat.db.readings (
  device STRING NOT NULL COMMENT 'who',
  ms BIGINT,
  topic STRING METADATA VIRTUAL,
  received TIMESTAMP_LTZ(3) METADATA FROM 'receive-time',
  ts AS TO_TIMESTAMP_LTZ(ms, 3) COMMENT 'when',
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND,
  CONSTRAINT pk PRIMARY KEY (device, ms) NOT ENFORCED
) COMMENT 'all of it'
DISTRIBUTED BY HASH(device) INTO 4 BUCKETS
PARTITIONED BY (device)
WITH ('connector' = 'mqtt', 'topic' = 'a/b')
LIKE base (INCLUDING ALL EXCLUDING CONSTRAINTS OVERWRITING OPTIONS))";

}  // namespace

TEST_CASE("CREATE TABLE keeps its name and flags") {
  const Parsed parsed(kEverything);
  const auto& table = parsed.only<CreateTable>();
  CHECK(table.temporary);
  CHECK(table.if_exists == IfExists::kSkip);
  CHECK(table.name.to_string() == "cat.db.readings");
  CHECK(table.comment->text == "all of it");
  CHECK(table.partitioned_by.front().text == "device");
  CHECK(table.distribution->buckets == 4);
}

TEST_CASE("columns are physical, metadata or computed") {
  const Parsed parsed(kEverything);
  const auto& columns = parsed.only<CreateTable>().columns;
  REQUIRE(columns.size() == 5);
  CHECK(columns[0].kind == ColumnDefinition::Kind::kPhysical);
  CHECK(columns[0].comment->text == "who");
  CHECK(tree(*columns[0].type) == "STRING NOT NULL");
  CHECK(columns[2].kind == ColumnDefinition::Kind::kMetadata);
  CHECK(columns[2].is_virtual);
  CHECK(columns[3].metadata_key->text == "receive-time");
  CHECK_FALSE(columns[3].is_virtual);
  CHECK(columns[4].kind == ColumnDefinition::Kind::kComputed);
  CHECK(tree(*columns[4].computed) == "TO_TIMESTAMP_LTZ(ms, 3)");
}

TEST_CASE("the watermark and the key are parts of the table") {
  const Parsed parsed(kEverything);
  const auto& table = parsed.only<CreateTable>();
  REQUIRE(table.watermarks.size() == 1);
  CHECK(table.watermarks[0].column.to_string() == "ts");
  CHECK(tree(*table.watermarks[0].value) == "(ts - INTERVAL '5' SECOND)");
  REQUIRE(table.primary_keys.size() == 1);
  CHECK(table.primary_keys[0].constraint->text == "pk");
  CHECK(table.primary_keys[0].columns.size() == 2);
}

TEST_CASE("options carry a span for the key and one for the value") {
  const Parsed parsed(kEverything);
  const auto& options = parsed.only<CreateTable>().options;
  REQUIRE(options.size() == 2);
  CHECK(options[1].key.text == "topic");
  CHECK(parsed.source.at(options[1].key.span) == "'topic'");
  CHECK(parsed.source.at(options[1].value.span) == "'a/b'");
}

TEST_CASE("LIKE lists what it copies") {
  const Parsed parsed(kEverything);
  const auto& like = parsed.only<CreateTable>().like.value();
  CHECK(like.table.to_string() == "base");
  REQUIRE(like.options.size() == 3);
  CHECK(like.options[1].merge == LikeOption::Merge::kExcluding);
  CHECK(like.options[1].feature == LikeOption::Feature::kConstraints);
  CHECK(first_error("CREATE TABLE t LIKE b (OVERWRITING ALL)") ==
        "ALL can be included or excluded, not overwritten");
}

TEST_CASE("a key may stand behind its column") {
  const Parsed parsed("CREATE TABLE t (id INT PRIMARY KEY NOT ENFORCED COMMENT 'x', b INT)");
  const auto& keys = parsed.only<CreateTable>().primary_keys;
  REQUIRE(keys.size() == 1);
  CHECK(keys[0].columns[0].text == "id");
}

TEST_CASE("a key that would be enforced is refused") {
  CHECK(first_error("CREATE TABLE t (a INT, PRIMARY KEY (a))") ==
        "expected NOT ENFORCED after PRIMARY KEY: keys are never checked, found ')'");
}

TEST_CASE("a table may be made of a query") {
  const Parsed parsed("CREATE TABLE t WITH ('a' = 'b') AS SELECT 1 AS x");
  const auto& table = parsed.only<CreateTable>();
  REQUIRE(table.as != nullptr);
  CHECK(table.as->match == Insert::Match::kName);
  CHECK(table.as->table.to_string() == "t");
}

TEST_CASE("a view has columns, a comment and a query") {
  const Parsed parsed("CREATE TEMPORARY VIEW IF NOT EXISTS v (a, b) COMMENT 'c' AS SELECT 1, 2");
  const auto& view = parsed.only<CreateView>();
  CHECK(view.temporary);
  CHECK(view.columns.size() == 2);
  CHECK(view.comment->text == "c");
  CHECK(parsed.source.at(view.query_span) == "SELECT 1, 2");
}

}  // namespace leat::sql
