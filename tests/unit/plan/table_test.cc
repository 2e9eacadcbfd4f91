// CREATE TABLE: types, computed columns, metadata, keys, watermarks, LIKE.
#include <doctest/doctest.h>

#include "tests/unit/plan/plan_fixture.h"

namespace leat::plan::testing {
namespace {

const std::string kWith = " WITH ('connector' = 'stream', 'url' = 'u', 'format' = 'json'";

/// The scan of `SELECT * FROM t`, where t has these columns.
std::shared_ptr<const ScanNode> scan_of(const std::string& columns, const std::string& options = "") {
  return planned("CREATE TABLE t (" + columns + ")" + kWith + options + "); SELECT * FROM t").scans.at(0);
}
std::string errors_in(const std::string& columns, const std::string& options = "") {
  return errors_of("CREATE TABLE t (" + columns + ")" + kWith + options + "); SELECT 1");
}

TEST_CASE("types keep Flink's names, defaults and nullability") {
  const auto scan = scan_of(
      "a DECIMAL, b CHAR, c VARCHAR(7) NOT NULL, d TIMESTAMP, e TIMESTAMP_LTZ(3), f TIME, g ROW<x INT, y "
      "ARRAY<STRING>>, "
      "h MAP<STRING, DOUBLE>, i BYTES, j BIGINT");
  std::string types;
  for (const Type::Field& field : scan->physical.fields) types += field.type.to_string() + "; ";
  CHECK(types ==
        "DECIMAL(10, 0); CHAR(1); VARCHAR(7) NOT NULL; TIMESTAMP(6); TIMESTAMP_LTZ(3); TIME(0); "
        "ROW<`x` INT, `y` ARRAY<STRING>>; MAP<STRING, DOUBLE>; BYTES; BIGINT; ");
}

TEST_CASE("precisions beyond microseconds are cut with a warning") {
  const PlanOutcome outcome = plan_text("CREATE TABLE t (a TIMESTAMP(9))" + kWith + "); SELECT * FROM t");
  CHECK(outcome.ok());
  CHECK(outcome.plan.warnings.at(0).starts_with("TIMESTAMP(9) is kept in microseconds"));
}

TEST_CASE("computed columns may use each other in any order, but not in a circle") {
  const auto scan = scan_of("c AS b + 1, b AS a * 2, a INT");
  CHECK(scan->physical.size() == 1);
  CHECK(to_string(*scan->rows[0]) == "((a * 2) + 1)");
  CHECK(errors_in("a INT, b AS c, c AS b + a") == "[24] the computed column 'b' depends on itself");
  CHECK(errors_in("a INT, b AS d + 1").find("unknown column 'd'") != std::string::npos);
}

TEST_CASE("metadata is the connector's and is cast to the declared type") {
  const auto scan = scan_of("a INT, topic STRING METADATA VIRTUAL, q BIGINT METADATA FROM 'qos'");
  REQUIRE(scan->metadata.size() == 2);
  CHECK(scan->metadata[1].key == "qos");
  CHECK(to_string(*scan->rows[2]) == "CAST(qos AS BIGINT)");
  CHECK(errors_in("a INT, t STRING METADATA FROM 'topik'")
            .find("has no metadata 'topik' (did you mean 'topic'?)") != std::string::npos);
}

TEST_CASE("INSERT writes writable metadata and refuses what cannot be written") {
  const std::string table =
      "CREATE TABLE o (a INT, headers STRING METADATA, b AS a + 1, sent TIMESTAMP_LTZ(3) METADATA ";
  const Plan plan = planned(table + "VIRTUAL) WITH ('connector' = 'out'); INSERT INTO o SELECT 1, 'x'");
  REQUIRE(plan.sinks[0]->metadata.size() == 1);
  CHECK(plan.sinks[0]->metadata[0] == std::pair<std::size_t, std::string>(1, "headers"));
  CHECK(errors_of(table + ") WITH ('connector' = 'out'); INSERT INTO o SELECT 1, 'x', NULL")
            .find("the metadata 'sent' cannot be written by INSERT") != std::string::npos);
}

TEST_CASE("a table with other options by a hint is another one to read and to write") {
  const std::string insert = "INSERT INTO o /*+ OPTIONS('target' = 'b') */ SELECT temperature FROM readings";
  const Plan plan = planned("CREATE TABLE o (v DOUBLE) WITH ('connector' = 'out');" + insert +
                            "; INSERT INTO o SELECT temperature FROM readings /*+ OPTIONS('url' = 'y') */");
  CHECK(plan.sinks[0]->options.at("target") == "b");
  CHECK(plan.sinks[0]->table == "o");
  CHECK(plan.sinks[1]->table == "o$2");
  CHECK(plan.scans[1]->table == "readings$2");
}

TEST_CASE("a primary key makes its columns NOT NULL, and a NULL there is a row error") {
  const Plan plan = planned(
      "CREATE TABLE k (id STRING, v DOUBLE, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'out');"
      "INSERT INTO k SELECT device, temperature FROM readings");
  CHECK(plan.sinks[0]->primary_key == std::vector<std::size_t>{0});
  CHECK_FALSE(plan.sinks[0]->schema.fields[0].type.nullable());
  CHECK(to_string(*find<ProjectNode>(plan, NodeKind::kProject)->exprs[0]) == "NOT_NULL(device)");
}

TEST_CASE("a watermark takes its options and wants a time-out for its partitions") {
  const std::string columns = "d STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts";
  const auto scan = scan_of(columns,
                            ", 'scan.watermark.idle-timeout' = '3 s', 'scan.watermark.partition-by' = 'd', "
                            "'scan.watermark.max-ahead' = '1 h'");
  REQUIRE(scan->watermark);
  CHECK(scan->watermark->idle_timeout == Micros(3 * kMicrosPerSecond));
  CHECK(scan->watermark->partition_by == std::size_t{0});
  CHECK(scan->watermark->max_ahead == Micros(kMicrosPerHour));
  CHECK(errors_in(columns, ", 'scan.watermark.partition-by' = 'd'")
            .find("needs 'scan.watermark.idle-timeout'") != std::string::npos);
  CHECK(planned("SET 'table.exec.source.idle-timeout' = '7 s'; SELECT * FROM readings")
            .scans[0]
            ->watermark->idle_timeout == Micros(7 * kMicrosPerSecond));
}

TEST_CASE("a watermark's options want a watermark") {
  CHECK(errors_in("a INT", ", 'scan.watermark.idle-timeout' = '3 s'")
            .find("has no meaning without a watermark") != std::string::npos);
}

TEST_CASE("a watermark wants a column of its own type, top level") {
  CHECK(errors_in("ts STRING, WATERMARK FOR ts AS ts").find("'ts' is STRING") != std::string::npos);
  CHECK(
      errors_in("ts TIMESTAMP(3), WATERMARK FOR tz AS ts").find("unknown column 'tz' (did you mean 'ts'?)") !=
      std::string::npos);
  CHECK(errors_in("ts TIMESTAMP(3), n INT, WATERMARK FOR ts AS n")
            .find("the watermark must be of the type of 'ts', TIMESTAMP(3), but it is INT") !=
        std::string::npos);
}

TEST_CASE("LIKE takes columns, watermark and options; its own options win") {
  const Plan plan =
      planned("CREATE TABLE other (extra INT) WITH ('url' = 'tcp://y') LIKE readings; SELECT * FROM other");
  CHECK(plan.scans[0]->options.at("url") == "tcp://y");
  CHECK(plan.scans[0]->options.at("connector") == "stream");
  CHECK(plan.scans[0]->watermark.has_value());
  CHECK(plan.sinks[0]->schema.fields.back().name == "extra");
  CHECK(errors_of("CREATE TABLE o (x INT) WITH ('url' = 'y') LIKE readings (INCLUDING OPTIONS); SELECT 1")
            .find("option 'url' is already set by 'readings'") != std::string::npos);
  CHECK(errors_of(
            "CREATE TABLE o (x INT) WITH ('connector' = 'out') LIKE readings (EXCLUDING OPTIONS EXCLUDING "
            "WATERMARKS); INSERT INTO o SELECT *, 1 FROM readings") == "");
}

const std::string kFile = " WITH ('connector' = 'file', 'path' = 'p', 'format' = 'json')";

TEST_CASE("columns of PARTITIONED BY are not in the records: they come beside, as metadata does") {
  const Plan plan =
      planned("CREATE TABLE f (made DATE, a INT, site STRING, b INT) PARTITIONED BY (site, made)" + kFile +
              "; SELECT * FROM f");
  const ScanNode& scan = *plan.scans.at(0);
  CHECK(scan.physical.size() == 2);
  REQUIRE(scan.partitions.size() == 2);
  CHECK(scan.partitions.fields[0].name == "site");
  REQUIRE(scan.metadata.size() == 2);
  CHECK(scan.metadata[1].key == "made");
  CHECK(scan.metadata[1].type == Type::date());
  CHECK(plan.sinks[0]->schema.fields[2].name == "site");
  CHECK(to_string(*scan.rows[0]) == "made");
}

TEST_CASE("a sink knows which of its columns are folders, in their order") {
  const Plan plan =
      planned("CREATE TABLE f (device STRING, n INT, temperature DOUBLE) PARTITIONED BY (n, device)" + kFile +
              "; INSERT INTO f (device, temperature, n) SELECT device, temperature, 1 FROM readings");
  CHECK(plan.sinks.at(0)->partitions == std::vector<std::size_t>{1, 0});
}

TEST_CASE("a column that is not read is none of the metadata, but still one of the folders") {
  const Plan plan =
      planned("CREATE TABLE f (a INT, site STRING) PARTITIONED BY (site)" + kFile + "; SELECT a FROM f");
  CHECK(plan.scans.at(0)->metadata.empty());
  CHECK(plan.scans.at(0)->partitions.size() == 1);
}

TEST_CASE("what cannot be PARTITIONED BY is said with the column") {
  const auto errors = [](const std::string& columns, const std::string& by, const std::string& with = kFile) {
    return errors_of("CREATE TABLE f (" + columns + ") PARTITIONED BY (" + by + ")" + with + "; SELECT 1");
  };
  CHECK(errors("a INT, b INT", "c").find("unknown column 'c'") != std::string::npos);
  CHECK(errors("a INT, b INT", "a, b").find("is partitioned by all of its columns") != std::string::npos);
  CHECK(errors("a INT, b INT", "a, a").find("column 'a' is named twice") != std::string::npos);
  CHECK(errors("a INT, b AS a + 1", "b").find("'b' must be a physical column") != std::string::npos);
  CHECK(errors("a INT, b ARRAY<INT>", "b").find("do not make names of folders") != std::string::npos);
  CHECK(errors("a INT, b INT", "a", kWith + ")").find("the connector 'stream' has no partitions") !=
        std::string::npos);
}

TEST_CASE("LIKE takes PARTITIONED BY") {
  const std::string base = "CREATE TABLE f (a INT, b INT) PARTITIONED BY (b)" + kFile + "; ";
  CHECK(planned(base + "CREATE TABLE g (c INT) LIKE f; SELECT * FROM g").scans.at(0)->partitions.size() == 1);
  CHECK(planned(base + "CREATE TABLE g (c INT) LIKE f (EXCLUDING PARTITIONS); SELECT * FROM g")
            .scans.at(0)
            ->partitions.size() == 0);
  CHECK(errors_of(base + "CREATE TABLE g (c INT) PARTITIONED BY (c) LIKE f; SELECT 1")
            .find("'f' is already PARTITIONED BY") != std::string::npos);
}

TEST_CASE("a name is free again after DROP") {
  CHECK(errors_of("CREATE TABLE alerts (a INT) WITH ('connector' = 'out'); SELECT 1") ==
        "[14] 'alerts' is declared twice");
  CHECK(errors_of("DROP TABLE alerts; CREATE TABLE alerts (a INT) WITH ('connector' = 'out'); SELECT 1") ==
        "");
  CHECK(errors_of("DROP TABLE IF EXISTS nothing; CREATE TABLE IF NOT EXISTS alerts (b INT); SELECT 1") == "");
}

}  // namespace
}  // namespace leat::plan::testing
