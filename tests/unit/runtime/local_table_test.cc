// 'connector' = 'sqlite' in running pipelines: as a sink, as a source and in look-ups.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/runtime/pipeline_fixture.h"

using namespace leat;
using namespace leat::runtime;

namespace {

using Lines = std::vector<std::string>;

const std::string kNumbers = R"(
  CREATE TABLE numbers (n BIGINT, proctime AS PROCTIME()) WITH ('connector' = 'datagen', 'number-of-rows' = '1000',
    'rows-per-second' = '10000000', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '1000');
)";
const std::string kSums = R"(
  CREATE TABLE sums (d BIGINT, n BIGINT, total BIGINT, PRIMARY KEY (d) NOT ENFORCED) WITH ('connector' = 'sqlite');
)";
const std::string kSumUp =
    kNumbers + kSums + "INSERT INTO sums SELECT MOD(n, 3), COUNT(*), SUM(n) FROM numbers GROUP BY MOD(n, 3);";
const Lines kTotals = {"+I[0, 333, 166833]", "+I[1, 334, 167167]", "+I[2, 333, 166500]"};

struct Tables : PipelineWorld {
  /// A pipeline of its own, to its end.
  PipelineStatus run_alone(const std::string& text) {
    const PipelineContext context{
        .loop = loop.get(), .clock = &clock, .store = store.get(), .results = &rows};
    auto made = Pipeline::create(PipelineName{"alone " + std::to_string(++runs)}, "test.sql", planned(text),
                                 context, {.ended = [this] { loop->stop(); }});
    REQUIRE_MESSAGE(made, made.error().message);
    REQUIRE((*made)->start());
    loop->run();
    return (*made)->status_now();
  }
  /// The rows of a query, sorted.
  Lines rows_of(const std::string& text) {
    rows.lines.clear();
    const PipelineStatus end = run_alone(text);
    CHECK_MESSAGE(end.state == PipelineState::kFinished, end.error);
    CHECK(accounting_violations(end) == Lines{});
    std::ranges::sort(rows.lines);
    return rows.lines;
  }
  /// Runs to the end.
  PipelineStatus fill(const std::string& text) {
    const PipelineStatus end = run_alone(text);
    CHECK_MESSAGE(end.state == PipelineState::kFinished, end.error);
    CHECK(accounting_violations(end) == Lines{});
    return end;
  }
  std::string refusal(const std::string& text) {
    const PipelineContext context{
        .loop = loop.get(), .clock = &clock, .store = store.get(), .results = &rows};
    const auto made = Pipeline::create(PipelineName{"refused"}, "test.sql", planned(text), context, {});
    return made ? "not refused" : made.error().message;
  }

  int runs = 0;
};

}  // namespace

TEST_CASE_FIXTURE(Tables, "a table with a PRIMARY KEY holds the last row of each key of an updating query") {
  const PipelineStatus end = fill(kSumUp);
  CHECK(end.sinks[0].local_table);
  CHECK(end.sinks[0].written == end.sinks[0].counters.emitted);
  CHECK(end.sinks[0].written >= 3);
  CHECK(rows_of(kSums + "SELECT * FROM sums;") == kTotals);
}

TEST_CASE_FIXTURE(Tables, "a pipeline that is killed behind any commit fills its table as one that is not") {
  std::uint64_t crashes = 0;
  PipelineStatus end;
  while (end.state != PipelineState::kFinished && crashes < 2'000) {
    const auto kill = [&] {
      ++crashes;
      crash();
    };
    end = run(kSumUp, {.committed = kill}, true);
  }
  CHECK(crashes > 1);
  CHECK(end.sinks[0].written == end.sinks[0].counters.emitted);
  CHECK(rows_of(kSums + "SELECT * FROM sums;") == kTotals);
}

TEST_CASE_FIXTURE(Tables, "rows that a query takes back leave the table") {
  fill(kNumbers + R"(
    CREATE TABLE big (d BIGINT, total BIGINT, PRIMARY KEY (d) NOT ENFORCED) WITH ('connector' = 'sqlite');
    INSERT INTO big SELECT MOD(n, 10), SUM(500 - n) FROM numbers GROUP BY MOD(n, 10) HAVING SUM(500 - n) > 200;)");
  CHECK(rows_of("CREATE TABLE big (d BIGINT, total BIGINT) WITH ('connector' = 'sqlite');"
                "SELECT * FROM big;") == Lines{"+I[1, 400]", "+I[2, 300]"});
}

TEST_CASE_FIXTURE(Tables, "a table without a PRIMARY KEY keeps all rows, and values of every type") {
  const std::string table = R"(
    CREATE TABLE kinds (b BOOLEAN, i TINYINT, l BIGINT, f FLOAT, d DOUBLE, p DECIMAL(10, 2), q DECIMAL(38, 10),
      w DECIMAL(18, 0), s STRING, x BYTES, `day` DATE, t TIME(3), ts TIMESTAMP(3), tz TIMESTAMP_LTZ(6),
      a ARRAY<INT>, m MAP<STRING, INT>, r ROW<u INT, v STRING>) WITH ('connector' = 'sqlite');)";
  const std::string row = R"(SELECT TRUE, CAST(-5 AS TINYINT), 9007199254740993, CAST(0.1 AS FLOAT), 1e300,
      CAST(-12345678.91 AS DECIMAL(10, 2)), CAST('1234567890123456789012345678.0123456789' AS DECIMAL(38, 10)),
      CAST(999999999999999999 AS DECIMAL(18, 0)), 'it''s "ü"', x'00ff', DATE '2026-01-31',
      CAST(TIME '12:34:56' AS TIME(3)), TIMESTAMP '2026-01-31 12:34:56.789',
      CAST(TO_TIMESTAMP_LTZ(1700000000123, 3) AS TIMESTAMP_LTZ(6)), ARRAY[1, 2], MAP['k', 7], ROW(1, 'z'))";
  rows_of(row + ";");
  const Lines expected = rows.lines;
  fill(table + "INSERT INTO kinds " + row + ";");
  CHECK(rows_of(table + "SELECT * FROM kinds;") == expected);
  fill(table + "INSERT INTO kinds (l) VALUES (1);");
  CHECK(rows_of(table + "SELECT l, s IS NULL, a IS NULL FROM kinds WHERE b IS NULL;") ==
        Lines{"+I[1, true, true]"});
}

TEST_CASE_FIXTURE(Tables, "a row without its key, or with a NaN that must be a number, is a dead letter") {
  const std::string table =
      "CREATE TABLE t (k INT, d DOUBLE NOT NULL, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = "
      "'sqlite');";
  const PipelineStatus end = fill(table + "INSERT INTO t VALUES (1, 1.5), (2, CAST('NaN' AS DOUBLE));");
  CHECK(end.sinks[0].counters.dead == 1);
  CHECK(end.sinks[0].written == 1);
  CHECK(rows_of(table + "SELECT * FROM t;") == Lines{"+I[1, 1.5]"});
}

TEST_CASE_FIXTURE(Tables, "only so many rows stay as the table allows") {
  const std::string table =
      "CREATE TABLE last (n BIGINT) WITH ('connector' = 'sqlite', 'retention.rows' = '3');";
  fill(kNumbers + table + "INSERT INTO last SELECT n FROM numbers;");
  CHECK(rows_of(table + "SELECT * FROM last;") == Lines{"+I[1000]", "+I[998]", "+I[999]"});
}

TEST_CASE_FIXTURE(Tables, "rows older than the table allows go with the next commit") {
  const std::string table = R"(
    CREATE TABLE recent (n BIGINT, ts TIMESTAMP(3)) WITH ('connector' = 'sqlite', 'retention.age' = '1 d',
      'retention.time-column' = 'ts');)";
  fill(table +
       "INSERT INTO recent VALUES (1, TIMESTAMP '2026-01-01 00:00:00'), (2, TIMESTAMP '2999-01-01 "
       "00:00:00');");
  CHECK(rows_of(table + "SELECT n FROM recent;") == Lines{"+I[2]"});
}

TEST_CASE_FIXTURE(Tables, "a column that may be NULL is added to a table that is there") {
  const std::string more = R"(
    CREATE TABLE sums (d BIGINT, n BIGINT, total BIGINT, note STRING, PRIMARY KEY (d) NOT ENFORCED)
    WITH ('connector' = 'sqlite');)";
  fill(kSumUp);
  fill(more + "INSERT INTO sums VALUES (1, 0, 0, 'new');");
  CHECK(rows_of(more + "SELECT d, note FROM sums;") == Lines{"+I[0, null]", "+I[1, new]", "+I[2, null]"});
  CHECK(rows_of(kSums + "SELECT d FROM sums;") == Lines{"+I[0]", "+I[1]", "+I[2]"});
}

TEST_CASE_FIXTURE(Tables, "another change is refused with what differs and what helps, and can be made") {
  fill(kSumUp);
  const std::string wider = R"(
    CREATE TABLE sums (d BIGINT, n STRING, PRIMARY KEY (d) NOT ENFORCED) WITH ('connector' = 'sqlite');)";
  const std::string insert = "INSERT INTO sums VALUES (7, 'seven');";
  const std::string refused = refusal(wider + insert);
  CHECK(refused.find("column 'n' is BIGINT there, but is declared STRING") != std::string::npos);
  CHECK(refused.find("'leat table migrate sums'") != std::string::npos);
  CHECK(refused.find("'leat table drop sums'") != std::string::npos);
  REQUIRE(store->tables().migrate("sums"));
  fill(wider + insert);
  CHECK(rows_of(wider + "SELECT * FROM sums;") ==
        Lines{"+I[0, 333]", "+I[1, 334]", "+I[2, 333]", "+I[7, seven]"});
  CHECK(refusal(kSumUp).find("column 'n' is STRING there") != std::string::npos);
  REQUIRE(store->tables().drop("sums"));
  fill(kSumUp);
  CHECK(rows_of(kSums + "SELECT * FROM sums;") == kTotals);
}

TEST_CASE_FIXTURE(Tables, "a migration to a wider type keeps each value, as the same key") {
  struct Wider {
    std::string from;
    std::string value;
    std::string to;
  };
  const std::vector<Wider> all = {{"TINYINT", "-7", "BIGINT"},
                                  {"BOOLEAN", "TRUE", "INT"},
                                  {"DECIMAL(9, 0)", "-123456789", "INT"},
                                  {"SMALLINT", "-32768", "FLOAT"},
                                  {"INT", "2147483647", "DOUBLE"},
                                  {"FLOAT", "0.1", "DOUBLE"},
                                  {"DECIMAL(15, 5)", "-1234567890.12345", "DOUBLE"},
                                  {"INT", "-42", "DECIMAL(12, 2)"},
                                  {"BIGINT", "-9223372036854775807", "DECIMAL(25, 3)"},
                                  {"BOOLEAN", "FALSE", "DECIMAL(20, 1)"},
                                  {"DECIMAL(10, 2)", "-0.05", "DECIMAL(12, 2)"},
                                  {"DECIMAL(10, 2)", "-0.05", "DECIMAL(20, 4)"},
                                  {"DECIMAL(15, 1)", "99999999999999.9", "DECIMAL(38, 10)"},
                                  {"DECIMAL(18, 0)", "999999999999999999", "DECIMAL(19, 0)"},
                                  {"DECIMAL(20, 2)", "-12.3", "DECIMAL(30, 5)"},
                                  {"DECIMAL(20, 0)", "12", "DECIMAL(30, 1)"},
                                  {"VARCHAR(10)", "'it''s'", "VARCHAR(20)"},
                                  {"CHAR(3)", "'abc'", "VARCHAR(3)"},
                                  {"CHAR(3)", "'abc'", "STRING"},
                                  {"INT", "-2147483648", "VARCHAR(11)"},
                                  {"BOOLEAN", "TRUE", "STRING"},
                                  {"DECIMAL(10, 2)", "-0.05", "STRING"},
                                  {"DECIMAL(20, 3)", "1.5", "VARCHAR(23)"},
                                  {"DATE", "DATE '2026-01-31'", "STRING"},
                                  {"TIMESTAMP(3)", "TIMESTAMP '2026-01-31 12:34:56.789'", "VARCHAR(23)"},
                                  {"DATE", "DATE '2026-01-31'", "TIMESTAMP(3)"},
                                  {"DATE", "DATE '2026-01-31'", "TIMESTAMP(0)"},
                                  {"TIME(0)", "TIME '12:34:56'", "TIME(3)"},
                                  {"TIMESTAMP(0)", "TIMESTAMP '2026-01-31 12:34:56'", "TIMESTAMP(3)"},
                                  {"TIMESTAMP(3)", "TIMESTAMP '2026-01-31 12:34:56.789'", "TIMESTAMP(6)"},
                                  {"VARBINARY(4)", "x'00ff'", "VARBINARY(5)"},
                                  {"BINARY(2)", "x'00ff'", "BYTES"}};
  for (const Wider& one : all) {
    CAPTURE(one.from);
    CAPTURE(one.to);
    const auto table = [](const std::string& type) {
      return "CREATE TABLE t (k " + type + ", v " + type +
             ", PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'sqlite');";
    };
    const std::string value = "CAST(" + one.value + " AS " + one.from + ")";
    const std::string same = "CAST(" + value + " AS " + one.to + ")";
    fill(table(one.from) + "INSERT INTO t SELECT " + value + ", CAST(NULL AS " + one.from + ");");
    const std::string upsert = table(one.to) + "INSERT INTO t SELECT " + same + ", " + same + ";";
    CHECK(refusal(upsert).find("'leat table migrate t'") != std::string::npos);
    const Status migrated = store->tables().migrate("t");
    REQUIRE_MESSAGE(migrated, migrated.error().message);
    CHECK(rows_of(table(one.to) + "SELECT k = " + same + ", v IS NULL FROM t;") == Lines{"+I[true, true]"});
    fill(upsert);
    CHECK(rows_of(table(one.to) + "SELECT k = v FROM t;") == Lines{"+I[true]"});
    REQUIRE(store->tables().drop("t"));
  }
}

TEST_CASE_FIXTURE(Tables, "a migration that could change a value is refused") {
  const std::vector<std::pair<std::string, std::string>> all = {{"BIGINT", "INT"},
                                                                {"BIGINT", "DOUBLE"},
                                                                {"INT", "FLOAT"},
                                                                {"INT", "DECIMAL(10, 1)"},
                                                                {"DECIMAL(10, 0)", "INT"},
                                                                {"DECIMAL(12, 2)", "DECIMAL(12, 3)"},
                                                                {"DECIMAL(16, 2)", "DOUBLE"},
                                                                {"DECIMAL(5, 2)", "FLOAT"},
                                                                {"DOUBLE", "STRING"},
                                                                {"DOUBLE", "FLOAT"},
                                                                {"VARCHAR(20)", "VARCHAR(10)"},
                                                                {"STRING", "VARCHAR(10)"},
                                                                {"VARCHAR(3)", "CHAR(3)"},
                                                                {"CHAR(3)", "CHAR(4)"},
                                                                {"INT", "VARCHAR(10)"},
                                                                {"STRING", "INT"},
                                                                {"TIMESTAMP(3)", "TIMESTAMP(0)"},
                                                                {"TIMESTAMP(3)", "DATE"},
                                                                {"TIMESTAMP(3)", "TIMESTAMP_LTZ(3)"},
                                                                {"TIMESTAMP(3)", "VARCHAR(22)"},
                                                                {"BYTES", "STRING"},
                                                                {"ARRAY<INT>", "STRING"}};
  for (const auto& [from, to] : all) {
    CAPTURE(from);
    CAPTURE(to);
    const auto table = [](const std::string& type) {
      return "CREATE TABLE t (v " + type + ") WITH ('connector' = 'sqlite');";
    };
    fill(table(from) + "INSERT INTO t SELECT CAST(NULL AS " + from + ");");
    refusal(table(to) + "INSERT INTO t SELECT CAST(NULL AS " + to + ");");
    const Status migrated = store->tables().migrate("t");
    REQUIRE(!migrated);
    CHECK(migrated.error().message.find("column 'v' cannot become " + to + " from " + from) !=
          std::string::npos);
    REQUIRE(store->tables().drop("t"));
  }
}

TEST_CASE_FIXTURE(Tables, "a look-up finds the rows of a table by its key and by other columns") {
  fill(kSumUp);
  const std::string query = kNumbers + kSums + R"(
    SELECT b.n, s.total FROM numbers AS b JOIN sums FOR SYSTEM_TIME AS OF b.proctime AS s ON s.d = b.n;
    SELECT b.n, s.d FROM numbers AS b
      JOIN sums FOR SYSTEM_TIME AS OF b.proctime AS s ON s.n = b.n AND s.total > 166500;)";
  CHECK(rows_of(query) == Lines{"+I[1, 167167]", "+I[2, 166500]", "+I[333, 0]", "+I[334, 1]"});
  const auto tables = store->tables().list();
  REQUIRE(tables);
  REQUIRE(tables->size() == 1);
  CHECK((*tables)[0].indexes == Lines{"n"});
  CHECK((*tables)[0].rows == 3);
}

TEST_CASE_FIXTURE(Tables, "a look-up sees what a commit has written, whatever it has kept") {
  const std::string text = R"(
    CREATE TABLE many (n BIGINT, proctime AS PROCTIME()) WITH ('connector' = 'datagen', 'number-of-rows' = '5000',
      'rows-per-second' = '10000000', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '5000');
    CREATE TABLE seen (k BIGINT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'sqlite');
    INSERT INTO seen SELECT n - n + 1, n FROM many;
    SELECT b.n, s.n FROM many AS b LEFT JOIN seen FOR SYSTEM_TIME AS OF b.proctime AS s ON s.k = b.n - b.n + 1;)";
  // In lock step each batch is committed before the next, which therefore meets its last row.
  run(text, {}, true);
  REQUIRE(rows.lines.size() == 5000);
  CHECK(rows.lines.front() == "+I[1, null]");
  CHECK(rows.lines.back() != "+I[5000, null]");
  for (std::size_t i = 1; i < rows.lines.size(); ++i) {
    const std::string before =
        ", " + std::to_string(i) + "]";  // A batch's first row meets the row before it.
    const bool same = rows.lines[i].substr(rows.lines[i].find(',')) ==
                      rows.lines[i - 1].substr(rows.lines[i - 1].find(','));
    CHECK_MESSAGE((same || rows.lines[i].ends_with(before)), rows.lines[i]);
  }
}
