// What users see: whole messages, with the line and the caret.
#include <doctest/doctest.h>

#include "tests/unit/plan/plan_fixture.h"

namespace leat::plan::testing {
namespace {

bool says(std::string_view text, std::string_view error) {
  const std::string errors = errors_of(text);
  INFO(errors);
  const bool found = errors.find(error) != std::string::npos;
  CHECK(found);
  return found;
}

TEST_CASE("all errors of a file come together, each under its text") {
  const PlanOutcome outcome = plan_text(R"(CREATE TABLE r (device STRING, temperature DOUBLE, ts TIMESTAMP(6),
  WATERMARK FOR ts AS ts) WITH ('connector' = 'stream', 'urrl' = 'x', 'qos' = 'two', 'format' = 'json');
CREATE TABLE o (d STRING) WITH ('connector' = 'out');
SET 'leat.memory.mx' = '1 MB';
INSERT INTO o SELECT devise FROM r WHERE temperature;
INSERT INTO oo SELECT device FROM r;
)");
  CHECK(rendered(outcome) == R"(fleet.sql:1:14: error: option 'url' (string) is required: Where.
  CREATE TABLE r (device STRING, temperature DOUBLE, ts TIMESTAMP(6),
               ^
fleet.sql:2:17: error: a rowtime must be TIMESTAMP(3) or TIMESTAMP_LTZ(3), but 'ts' is TIMESTAMP(6)
    WATERMARK FOR ts AS ts) WITH ('connector' = 'stream', 'urrl' = 'x', 'qos' = 'two', 'format' = 'json');
                  ^~
  hint: add a computed column and put the watermark on it: rowtime AS CAST(ts AS TIMESTAMP(3))
fleet.sql:2:57: error: unknown option 'urrl' (did you mean 'url'?)
    WATERMARK FOR ts AS ts) WITH ('connector' = 'stream', 'urrl' = 'x', 'qos' = 'two', 'format' = 'json');
                                                          ^~~~~~
fleet.sql:2:79: error: option 'qos': expected a whole number from 0 to 4294967295, found 'two'
    WATERMARK FOR ts AS ts) WITH ('connector' = 'stream', 'urrl' = 'x', 'qos' = 'two', 'format' = 'json');
                                                                                ^~~~~
fleet.sql:4:5: error: unknown setting 'leat.memory.mx' (did you mean 'leat.memory.max'?)
  SET 'leat.memory.mx' = '1 MB';
      ^~~~~~~~~~~~~~~~
fleet.sql:5:22: error: unknown column 'devise' (did you mean 'device'?)
  INSERT INTO o SELECT devise FROM r WHERE temperature;
                       ^~~~~~
fleet.sql:5:42: error: WHERE must be BOOLEAN, but this is DOUBLE
  INSERT INTO o SELECT devise FROM r WHERE temperature;
                                           ^~~~~~~~~~~
fleet.sql:6:13: error: unknown table 'oo' (did you mean 'o'?)
  INSERT INTO oo SELECT device FROM r;
              ^~
)");
}

/// Views over views, each made of the one before: `view` with % in place of its name.
std::string nested(const std::string& view, int levels, const std::string& last) {
  const auto named = [](std::string text, int level) {
    for (std::size_t at = 0; (at = text.find('%', at)) != std::string::npos;)
      text.replace(at, 1, "v" + std::to_string(level));
    return text;
  };
  std::string text =
      "CREATE TABLE v0 (x INT, s STRING) WITH ('connector' = 'stream', 'url' = 'u', 'format' = 'json');";
  for (int level = 0; level < levels; ++level)
    text += "CREATE VIEW v" + std::to_string(level + 1) + " AS " + named(view, level) + ";";
  return text + named(last, levels);
}

TEST_CASE("views that multiply what they read are refused, not made") {
  says(nested("SELECT a.*, b.* FROM % AS a JOIN % AS b ON TRUE", 30, "SELECT COUNT(*) FROM %"),
       "columns, and more than 4096 are too many for one query");
  says(nested("SELECT *, * FROM %", 30, "SELECT COUNT(*) FROM %"), "are too many for one query");
  says(nested("SELECT ROW(x, x) AS x FROM %", 30, "SELECT x FROM %"),
       "more than 262144 columns and fields of ROWs in all");
  says(nested("SELECT MAP[x, x] AS x FROM %", 30, "SELECT x FROM %"), "in all");
}

TEST_CASE("conditions are not moved where they grow without a bound") {
  const auto plans = [](const std::string& text) { return errors_of(text).empty(); };
  CHECK(plans(nested("SELECT x, s || s AS s FROM %", 30, "SELECT x FROM % WHERE s = 'a'")));
  CHECK(plans(nested("SELECT x + x AS x, s FROM % WHERE x > 1", 30, "SELECT * FROM %")));
  CHECK(plans(
      nested("SELECT CASE WHEN x > 1 THEN x ELSE x + 1 END AS x FROM %", 30, "SELECT x FROM % WHERE x > 1")));
  CHECK(plans(
      nested("SELECT x FROM % WHERE x > 1 UNION ALL SELECT x FROM % WHERE x < 9", 20, "SELECT x FROM %")));
}

TEST_CASE("a constant that is long stays a call") {
  CHECK(errors_of("SELECT REPEAT('x', 60000000), REPEAT('y', 60000000)").empty());
}

TEST_CASE("an option's error points at its key, or at its value") {
  const std::string table =
      "CREATE TABLE t (a INT) WITH ('connector' = 'stream', 'url' = 'u', 'format' = 'json', ";
  says(table + "'qoss' = '1'); SELECT 1", "unknown option 'qoss' (did you mean 'qos'?)");
  says(table + "'json.strct' = 'x'); SELECT 1", "'json.strict'");
  CHECK(plan_text(table + "'qos' = 'x'); SELECT 1").messages.at(0).column == table.size() + 9);
  says("CREATE TABLE t (a INT) WITH ('connector' = 'strem'); SELECT 1",
       "unknown connector 'strem' (did you mean 'stream'?)");
  says("CREATE TABLE t (a INT); SELECT 1", "table 't' has no 'connector'");
  says("CREATE TABLE t (a INT) WITH ('connector' = 'stream', 'url' = 'u'); SELECT 1",
       "table 't' needs 'format'");
  says(
      "CREATE TABLE t (a INT) WITH ('connector' = 'file', 'path' = 'p', 'format' = 'lines'); SELECT * FROM t",
      "the format 'lines' cannot be read");
}

TEST_CASE("options of the role that is not played are let pass, those of the one that is are checked") {
  const std::string table =
      "CREATE TABLE t (a INT) WITH ('connector' = 'file', 'path' = 'p', 'format' = 'json', "
      "'sink.buffer.max-bytes' = 'x'); ";
  CHECK(errors_of(table + "SELECT a FROM t") == "");
  says(table + "INSERT INTO t SELECT 1", "sink.buffer.max-bytes");
}

TEST_CASE("delivery options that cannot be, or cannot be together, are refused with the way out") {
  const auto refused = [](const std::string& options, std::string_view error) {
    says("CREATE TABLE t (a INT) WITH ('connector' = 'out', " + options + "); INSERT INTO t SELECT 1", error);
  };
  refused("'sink.buffer.max-bytes' = '63 kb'", "expected 64 kb or more");
  refused("'sink.buffer.max-age' = '0'", "everything would be dropped");
  refused("'sink.delivery.order' = 'newest-first', 'sink.buffer.on-full' = 'drop-newest'",
          "use 'drop-oldest' or 'block'");
  refused("'sink.delivery.order' = 'lifo'", "expected one of 'oldest-first', 'newest-first'");
  refused("'sink.rate-limit.rows-per-second' = '0'", "nothing would ever be delivered");
  refused("'sink.rate-limit.bytes-per-second' = '0'", "nothing would ever be delivered");
  refused("'sink.schedule' = '22-6'", "expected a form such as '22:00-06:00'");
  refused("'sink.schedule' = '22:00-06:00', 'sink.schedule.time-zone' = 'Europe/Atlantis'",
          "'Europe/Atlantis': expected the name of a time zone");
  refused("'sink.schedule.time-zone' = 'UTC'", "needs 'sink.schedule'");
  refused("'sink.retry.initial-backoff' = '2 min'", "is longer than 'sink.retry.max-backoff' (1 min)");
}

TEST_CASE("the least buffer, an order, rates and a schedule are taken") {
  CHECK(errors_of("CREATE TABLE t (a INT) WITH ('connector' = 'out', 'sink.buffer.max-bytes' = '64 kb', "
                  "'sink.delivery.order' = 'newest-first', 'sink.buffer.on-full' = 'drop-oldest', "
                  "'sink.rate-limit.bytes-per-second' = '10 kb', 'sink.rate-limit.rows-per-second' = '5', "
                  "'sink.schedule' = 'Mon-Fri 22:00-06:00; Sat,Sun 00:00-24:00', "
                  "'sink.schedule.time-zone' = 'Europe/Berlin'); INSERT INTO t SELECT 1") == "");
}

TEST_CASE("names that are not there get the nearest that is") {
  says("SELECT temprature FROM readings", "[8] unknown column 'temprature' (did you mean 'temperature'?)");
  says("SELECT r.temprature FROM readings AS r",
       "unknown column 'temprature' in 'r' (did you mean 'temperature'?)");
  says("SELECT * FROM reading", "unknown table or view 'reading' (did you mean 'readings'?)");
  says("SELECT x.* FROM readings", "unknown table 'x'");
  says("INSERT INTO alert SELECT 1", "unknown table 'alert' (did you mean 'alerts'?)");
  says("INSERT INTO alerts (devce) SELECT 1", "unknown column 'devce' in 'alerts' (did you mean 'device'?)");
  says("SELECT Temperature FROM readings", "(did you mean 'temperature'?)");
  says("SELECT COUNTT(device) FROM readings", "unknown function 'COUNTT' (did you mean 'COUNT'?)");
  says("SELECT * FROM TUMBEL(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND)",
       "unknown table function 'TUMBEL' (did you mean 'TUMBLE'?)");
}

TEST_CASE("windows say what is wrong with their arguments") {
  const std::string from = "SELECT * FROM ";
  says(from + "TUMBLE(TABLE readings, DESCRIPTOR(tss), INTERVAL '1' SECOND)",
       "unknown column 'tss' (did you mean 'ts'?)");
  says(from + "TUMBLE(TABLE readings, DESCRIPTOR(device), INTERVAL '1' SECOND)",
       "'device' is STRING and no time attribute");
  says(from + "TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' MONTH)", "expected a constant INTERVAL");
  says(from + "TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '-1' SECOND)",
       "the offset must be smaller than the window");
  says(from + "HOP(TABLE readings, DESCRIPTOR(ts), INTERVAL '7' SECOND, INTERVAL '1' MINUTE)",
       "the size 1 min must be a multiple of the slide 7 s");
  says(from + "TUMBLE(TABLE readings, DESCRIPTOR(ts))", "TUMBLE has other arguments");
  says(from + "TUMBLE(DATA => TABLE readings, TIMECOL => DESCRIPTOR(ts), SIZ => INTERVAL '1' SECOND)",
       "unknown argument 'SIZ' (did you mean 'SIZE'?)");
  says(from + "TUMBLE(TABLE readings PARTITION BY device, DESCRIPTOR(ts), INTERVAL '1' SECOND)",
       "only SESSION has PARTITION BY");
}

TEST_CASE("groups say which column is missing") {
  const std::string from = " FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND) GROUP BY ";
  says("SELECT device" + from + "window_start, window_end",
       "column 'device' is neither in GROUP BY nor inside an aggregate");
  says("SELECT COUNT(*)" + from + "window_start, window_end, 1", "GROUP BY takes no positions");
  says("SELECT device AS d, COUNT(*)" + from + "window_start, window_end, d", "unknown column 'd'");
  says("SELECT *" + from + "window_start, window_end", "'*' cannot be used with GROUP BY");
  says("SELECT SUM(MAX(humidity))" + from + "window_start, window_end",
       "the aggregate MAX is not allowed in an aggregate");
  says("SELECT device FROM readings WHERE COUNT(*) > 1", "the aggregate COUNT is not allowed in WHERE");
}

TEST_CASE("INSERT names both columns and both types") {
  says("INSERT INTO alerts SELECT device FROM readings", "the query has 1 columns, but 'alerts' takes 2");
  says("INSERT INTO alerts SELECT device, note FROM readings",
       "column 2 of the query ('note', STRING) does not go into 'temperature' of 'alerts', which is DOUBLE");
  says("CREATE TABLE k (a INT, b INT NOT NULL) WITH ('connector' = 'out'); INSERT INTO k (a) SELECT 1",
       "column 'b' is NOT NULL and gets no value");
  says("INSERT INTO readings SELECT 1", "'readings' cannot be written: the connector 'stream' only reads");
  says("SELECT * FROM alerts", "'alerts' cannot be read: the connector 'out' only writes");
  says("CREATE VIEW v AS SELECT 1 AS x; INSERT INTO v SELECT 1", "'v' is a view");
}

TEST_CASE("settings of early and late results that change nothing are told") {
  const auto warns = [](const std::string& text, const std::string& warning) {
    const std::vector<std::string> warnings = plan_query(text).plan.warnings;
    CAPTURE(warning);
    CHECK(std::ranges::any_of(
        warnings, [&](const std::string& told) { return told.find(warning) != std::string::npos; }));
  };
  const std::string early =
      "SET 'table.exec.emit.early-fire.enabled' = 'true'; SET 'table.exec.emit.early-fire.delay' = '5 s'; ";
  warns(early + "SELECT * FROM readings",
        "'table.exec.emit.early-fire.enabled' has no effect here: no query groups by TUMBLE");
  warns("SET 'table.exec.emit.early-fire.delay' = '5 s'; SELECT 1",
        "'table.exec.emit.early-fire.delay' has no effect without 'table.exec.emit.early-fire.enabled'");
  warns("SET 'table.exec.emit.allow-lateness' = '5 s'; SELECT 1",
        "'table.exec.emit.allow-lateness' has no effect without 'table.exec.emit.late-fire.enabled'");
  warns(early + "SET 'execution.runtime-mode' = 'batch'; SELECT 1", "has no effect in batch mode");
}

TEST_CASE("expressions say what they got") {
  says("SELECT 1 / 0", "division by zero");
  says("SELECT CASE 1 / 0 WHEN 1 THEN 2 END", "division by zero");
  says("SELECT CASE WHEN 1 / 0 = 1 THEN 2 END", "division by zero");
  says("SELECT COALESCE(1 / 0, 1), NULLIF(1, 1 / 0)", "division by zero");
  says("SELECT humidity FROM readings WHERE 1 / 0 > 1 AND humidity > 1", "division by zero");
  says(
      "SELECT IF(device = 'a', 1, SUM(1 / 0)) FROM readings GROUP BY device, TUMBLE(ts, INTERVAL '1' MINUTE)",
      "division by zero");
  says("SELECT humidity FROM readings WHERE humidity", "WHERE must be BOOLEAN, but this is INT");
  says("SELECT device.x FROM readings", "no field 'x': this is STRING, not a ROW");
  says("SELECT DATE '2020-13-01'", "'2020-13-01' is no DATE");
  says("SELECT INTERVAL '1:99' HOUR TO MINUTE", "'1:99' is no INTERVAL of HOUR TO MINUTE");
  says("SELECT CAST(1 AS DECIMAL(50, 2))", "the precision of DECIMAL goes from 1 to 38, not 50");
  says("SELECT humidity FROM readings UNION ALL SELECT device FROM readings",
       "column 1 ('humidity') of UNION ALL");
}

TEST_CASE("what later versions bind is refused by name, with the nearest form") {
  says("SELECT device FROM readings ORDER BY device", "a stream can only be ordered by its time");
  says("SELECT SUM(humidity) OVER (ORDER BY device ROWS 1 PRECEDING) FROM readings",
       "over a stream a frame in an order that is not the time's is BETWEEN UNBOUNDED PRECEDING");
}

TEST_CASE("settings are checked by key and by value, and overrides without a place") {
  says("SET 'leat.memory.mx' = '1 MB'; SELECT 1",
       "unknown setting 'leat.memory.mx' (did you mean 'leat.memory.max'?)");
  says("SET 'execution.runtime-mode' = 'stream'; SELECT 1",
       "setting 'execution.runtime-mode': expected one of 'streaming'");
  says("SET 'table.local-time-zone' = 'Mars/Base'; SELECT 1", "expected the name of a time zone");
  says("SET 'execution.runtime-mode' = 'batch'; SELECT * FROM readings", "'readings' has no end");
  CHECK(planned("SET 'pipeline.name' = 'a'; SET 'pipeline.name' = 'b'; SELECT 1")
            .settings.at("pipeline.name") == "b");
  CHECK(planned("SET 'pipeline.name' = 'a'; RESET; SELECT 1").settings.empty());
  const PlanOutcome outcome = plan_pipeline(
      {.file = "f", .text = "SELECT 1", .overrides = {{"x", "1"}}, .allow_select = true}, catalog());
  CHECK(rendered(outcome) == "--set x=1: error: unknown setting 'x'\n");
}

TEST_CASE("a delay of early results that cannot be read is one error, wherever it is set") {
  const std::string delay = "table.exec.emit.early-fire.delay";
  const std::string text = tables() +
                           "SET 'table.exec.emit.early-fire.enabled' = 'true';"
                           "SELECT COUNT(*) FROM readings GROUP BY TUMBLE(ts, INTERVAL '5' SECOND);";
  const PlanOutcome outcome = plan_pipeline(
      {.file = "f", .text = text, .overrides = {{delay, "soon"}}, .allow_select = true}, catalog());
  const std::string shown = rendered(outcome);
  CHECK(shown.find("setting '" + delay + "'") != std::string::npos);
  CHECK(shown.find("needs") == std::string::npos);
  CHECK(shown.find("no effect") == std::string::npos);
  const std::string in_file = rendered(plan_text("SET '" + delay + "' = 'soon';" + text));
  CHECK(in_file.find("needs") == std::string::npos);
}

namespace {

PlanOutcome plan_on_host_in(std::string zone, OptionMap overrides = {}) {
  return plan_pipeline({.file = "f",
                        .text = "SET 'table.local-time-zone' = 'default'; SELECT 1",
                        .overrides = std::move(overrides),
                        .allow_select = true,
                        .host_time_zone = std::move(zone)},
                       catalog());
}

}  // namespace

TEST_CASE("the default time zone is the host's, by its name, for everybody") {
  CHECK(plan_on_host_in("Asia/Tokyo").plan.settings.at("table.local-time-zone") == "Asia/Tokyo");
  CHECK(planned("SET 'table.local-time-zone' = 'default'; SELECT 1").settings.at("table.local-time-zone") ==
        "UTC");
  CHECK(plan_on_host_in("Asia/Tokyo", {{"table.local-time-zone", "Europe/Berlin"}})
            .plan.settings.at("table.local-time-zone") == "Europe/Berlin");
  const PlanOutcome outcome = plan_pipeline(
      {.file = "f",
       .text = "SET 'table.local-time-zone' = 'default'; SELECT CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING)",
       .overrides = {},
       .allow_select = true,
       .host_time_zone = "Asia/Tokyo"},
      catalog());
  CHECK(explain(outcome.plan).find("1970-01-01 09:00:00") != std::string::npos);
}

TEST_CASE("a host whose time zone nobody knows has to be told one") {
  for (const std::string zone : {"Mars/Base", "default", ""})
    CHECK(rendered(plan_on_host_in(zone))
              .find("f: error: setting 'table.local-time-zone': the host's time zone '" + zone +
                    "' is not known") != std::string::npos);
  CHECK(plan_on_host_in("Mars/Base", {{"table.local-time-zone", "UTC"}}).ok());
}

TEST_CASE("the words of a setting are the same in any letters") {
  const Plan plan =
      planned("SET 'leat.on-row-error' = 'FAIL'; SET 'restart-strategy.type' = 'None'; SELECT 1");
  CHECK(plan.settings.at("leat.on-row-error") == "fail");
  CHECK(plan.settings.at("restart-strategy.type") == "none");
  CHECK(planned("SET 'pipeline.name' = 'Pump'; SELECT 1").settings.at("pipeline.name") == "Pump");
}

TEST_CASE("settings of restarts have bounds") {
  says("SET 'restart-strategy.exponential-delay.jitter-factor' = '1.5'; SELECT 1",
       "expected a number from 0 to 1");
  says("SET 'restart-strategy.exponential-delay.jitter-factor' = '-0.1'; SELECT 1",
       "expected a number from 0 to 1");
  says("SET 'restart-strategy.exponential-delay.backoff-multiplier' = '0.5'; SELECT 1",
       "expected a number of 1 or more");
  says("SET 'restart-strategy.failure-rate.max-failures-per-interval' = '0'; SELECT 1",
       "expected a number above 0");
}

TEST_CASE("a cluster's settings are accepted with a warning") {
  const PlanOutcome outcome = plan_query("SET 'parallelism.default' = '4'; SELECT 1");
  CHECK(outcome.ok());
  REQUIRE(outcome.plan.warnings.size() == 1);
  CHECK(outcome.plan.warnings[0].starts_with("the setting 'parallelism.default' has no effect in Leat"));
}

TEST_CASE("a bare SELECT and an empty file are no pipelines") {
  CHECK_FALSE(plan_pipeline({.file = "f", .text = "SELECT 1", .overrides = {}}, catalog()).ok());
  CHECK_FALSE(plan_text("SET 'pipeline.name' = 'x';").ok());
}

}  // namespace
}  // namespace leat::plan::testing
