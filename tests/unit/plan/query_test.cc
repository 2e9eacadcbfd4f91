// What queries become: the plans of EXPLAIN, names, types and time attributes.
#include <doctest/doctest.h>

#include "pipelines/plan/group_aggregate_node.h"
#include "pipelines/plan/join_node.h"
#include "tests/unit/plan/plan_fixture.h"

namespace leat::plan::testing {
namespace {

std::string windowed(const std::string& items, const std::string& rest = "") {
  return "SELECT " + items +
         " FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, "
         "window_end" +
         rest;
}
std::string names_of(const Plan& plan) {
  std::string names;
  for (const Type::Field& field : plan.sinks[0]->schema.fields) names += field.name + " ";
  return names;
}

TEST_CASE("STATE_TTL says how long each side of a join, or the groups of a table, are kept") {
  const std::string sides = "readings AS a JOIN readings AS b ON a.device = b.device";
  const Plan plan = planned("SELECT /*+ STATE_TTL('a' = '1 d', 'b' = '3d') */ a.device FROM " + sides +
                            "; SELECT /*+ STATE_TTL('b' = '3d') */ a.device FROM " + sides);
  const auto join_of = [&](std::size_t sink) {
    return find<JoinNode>(Plan{.sinks = {plan.sinks[sink]}}, NodeKind::kJoin);
  };
  CHECK(join_of(0)->state_ttl == std::array<Micros, 2>{std::chrono::hours(24), std::chrono::hours(72)});
  CHECK(join_of(1)->state_ttl == std::array<Micros, 2>{Micros(0), std::chrono::hours(72)});
  CHECK(join_of(1)->line().find(" ttl=none/3 d") != std::string::npos);
  const Plan groups =
      planned("SELECT /*+ STATE_TTL('readings' = '2 h') */ device, COUNT(*) FROM readings GROUP BY device");
  CHECK(find<GroupAggregateNode>(groups, NodeKind::kGroupAggregate)->state_ttl == std::chrono::hours(2));
}

TEST_CASE("a filter and a choice of columns cost no operator behind the scan") {
  CHECK(explained("INSERT INTO alerts SELECT device, temperature FROM readings WHERE temperature > 80") == R"(
Sink alerts (out) [device STRING, temperature DOUBLE]
└─ Scan readings (stream) decode(device STRING, temperature DOUBLE, ts TIMESTAMP(3)) watermark(ts AS (ts - INTERVAL '5 s')) filter((temperature > 80.0)) [device STRING, temperature DOUBLE] state=1d8fdfac
)");
}

TEST_CASE("CREATE TABLE AS has the declared columns, then the query's, and fills them by name") {
  const std::string as = " WITH ('connector' = 'out') AS SELECT device, temperature FROM readings";
  CHECK(explained("CREATE TABLE t" + as).find("Sink t (out) [device STRING, temperature DOUBLE]") !=
        std::string::npos);
  CHECK(explained("CREATE TABLE t (temperature, device)" + as)
            .find("Sink t (out) [temperature DOUBLE, device STRING]") != std::string::npos);
  CHECK(explained("CREATE TABLE t (note STRING, device VARCHAR(9), twice AS temperature * 2)" + as)
            .find("Sink t (out) [note STRING, device VARCHAR(9), temperature DOUBLE]") != std::string::npos);
}

TEST_CASE("a window table function is folded into the aggregate behind it") {
  CHECK(explained("INSERT INTO results " + windowed("device, window_start, AVG(temperature)", ", device")) ==
        R"(
Sink results (out) [device STRING, starts TIMESTAMP(3), average DOUBLE]
└─ Project device, window_start AS starts, AVG(temperature) AS average [device STRING, starts TIMESTAMP(3) NOT NULL, average DOUBLE]
   └─ WindowAggregate TUMBLE(ts, 1 min) keys(device) compute(AVG(temperature)) [device STRING, AVG(temperature) DOUBLE, window_start TIMESTAMP(3) NOT NULL] state=6c59e56f
      └─ Scan readings (stream) decode(device STRING, temperature DOUBLE, ts TIMESTAMP(3)) watermark(ts AS (ts - INTERVAL '5 s')) [device STRING, temperature DOUBLE, ts TIMESTAMP(3) *ROWTIME*] state=1d8fdfac
)");
}

TEST_CASE("EXPLAIN shows what each operator is called in metrics and dead letters") {
  const std::string text =
      explain(planned("INSERT INTO results " + windowed("device, window_start, 1.5", ", device") +
                      "; INSERT INTO results " + windowed("device, window_end, 2.5", ", device")));
  for (const char* const name :
       {"'sink results'", "'window aggregate 1'", "'window aggregate 2'", "'scan readings'"})
    CHECK_MESSAGE(text.find(name) != std::string::npos, name << " is not in " << text);
}

TEST_CASE("a cascade groups the windows that its input carries") {
  const Plan plan = planned("SELECT window_start, SUM(n) FROM (" +
                            windowed("window_start, window_end, device, COUNT(*) AS n", ", device") +
                            ") GROUP BY window_start, window_end");
  const auto* outer = find<WindowAggregateNode>(plan, NodeKind::kWindowAggregate);
  REQUIRE(outer->attached);
  CHECK(outer->inputs[0]->schema.fields[outer->attached->first].name == "window_start");
  CHECK(outer->inputs[0]->kind == NodeKind::kWindowAggregate);
  CHECK_FALSE(static_cast<const WindowAggregateNode&>(*outer->inputs[0]).attached);
}

TEST_CASE("window_time is a rowtime for another window, and ts no longer is") {
  const std::string inner =
      "(SELECT window_time AS t, n FROM (" + windowed("window_time, COUNT(*) AS n", ", window_time") + "))";
  const Plan plan = planned("SELECT window_end, SUM(n) FROM TUMBLE(" + inner +
                            ", DESCRIPTOR(t), INTERVAL '5' MINUTE) GROUP BY window_start, window_end");
  CHECK(find<WindowAggregateNode>(plan, NodeKind::kWindowAggregate)->window.size ==
        Micros(5 * kMicrosPerMinute));
  CHECK(errors_of("SELECT * FROM TUMBLE((SELECT * FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' "
                  "MINUTE)), DESCRIPTOR(ts), INTERVAL '5' MINUTE)")
            .find("'ts' is TIMESTAMP(3) and no time attribute") != std::string::npos);
}

TEST_CASE("a condition on the window keeps the aggregate apart from the assignment") {
  const Plan plan = planned(
      "SELECT window_end, COUNT(*) FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' MINUTE) "
      "WHERE window_start > TIMESTAMP '2026-01-01 00:00:00' AND device = 'a' GROUP BY window_start, "
      "window_end");
  CHECK(find<WindowAggregateNode>(plan, NodeKind::kWindowAggregate)->attached.has_value());
  REQUIRE(plan.scans[0]->filter);
  CHECK(to_string(*plan.scans[0]->filter) == "(device = 'a')");
}

TEST_CASE("a condition never moves below a session, whose rows make it") {
  const Plan plan = planned(
      "SELECT window_end, COUNT(*) FROM SESSION(TABLE readings PARTITION BY device, DESCRIPTOR(ts), INTERVAL "
      "'5' "
      "SECOND) WHERE temperature > 3 GROUP BY window_start, window_end, device");
  CHECK_FALSE(plan.scans[0]->filter);
  CHECK(find_node(plan, NodeKind::kWindowAssign) != nullptr);
}

TEST_CASE("a session is folded when its partition is the aggregate's key") {
  const std::string from =
      " FROM SESSION(TABLE readings PARTITION BY device, DESCRIPTOR(ts), INTERVAL '5' SECOND) ";
  const Plan same = planned("SELECT COUNT(*)" + from + "GROUP BY window_start, window_end, device");
  CHECK(find_node(same, NodeKind::kWindowAssign) == nullptr);
  const Plan other = planned("SELECT COUNT(*)" + from + "GROUP BY window_start, window_end, note");
  CHECK(find_node(other, NodeKind::kWindowAssign) != nullptr);
}

TEST_CASE("named arguments, HOP, CUMULATE and offsets give the window that they say") {
  const Plan plan = planned(
      "SELECT COUNT(*) FROM TABLE(CUMULATE(DATA => TABLE readings, TIMECOL => DESCRIPTOR(ts), STEP => "
      "INTERVAL '5' "
      "SECOND, SIZE => INTERVAL '1' MINUTE, `OFFSET` => INTERVAL '2' SECOND)) GROUP BY window_start, "
      "window_end");
  const WindowSpec& window = find<WindowAggregateNode>(plan, NodeKind::kWindowAggregate)->window;
  CHECK(window.kind == WindowKind::kCumulate);
  CHECK(window.step == Micros(5 * kMicrosPerSecond));
  CHECK(window.size == Micros(kMicrosPerMinute));
  CHECK(window.offset == Micros(2 * kMicrosPerSecond));
}

TEST_CASE("GROUP BY TUMBLE is the same aggregate as the table function") {
  const Plan plan = planned(
      "SELECT device, TUMBLE_START(ts, INTERVAL '1' MINUTE) AS s, AVG(temperature) FROM readings "
      "GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), device");
  const Plan other = planned(windowed("device, window_start, AVG(temperature)", ", device"));
  CHECK(find_node(plan, NodeKind::kWindowAggregate)->fingerprint ==
        find_node(other, NodeKind::kWindowAggregate)->fingerprint);
}

TEST_CASE("EXPLAIN shows when a window gives early and late results") {
  const std::string early =
      "SET 'table.exec.emit.early-fire.enabled' = 'true'; SET 'table.exec.emit.early-fire.delay' = '5 s'; ";
  const std::string late =
      "SET 'table.exec.emit.late-fire.enabled' = 'true'; SET 'table.exec.emit.late-fire.delay' = '0 s'; "
      "SET 'table.exec.emit.allow-lateness' = '1 h'; ";
  const std::string query = "SELECT COUNT(*) FROM readings GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)";
  const auto shows = [&](const std::string& settings, const std::string& text) {
    CHECK(explained(settings + query).find("compute(COUNT(*))" + text + " ") != std::string::npos);
  };
  shows("", "");
  shows(early, " emit(early every 5 s)");
  shows(late, " emit(late with each row for 1 h)");
  shows(early + late, " emit(early every 5 s, late with each row for 1 h)");
}

TEST_CASE("the start of a window names its row as well as its end") {
  const auto keeps_all_rows = [](const std::string& key) {
    return explained(
               "SET 'table.exec.emit.early-fire.enabled' = 'true';"
               "SET 'table.exec.emit.early-fire.delay' = '5 s';"
               "CREATE TABLE kept (device STRING, s TIMESTAMP(3), e TIMESTAMP(3), n BIGINT, PRIMARY KEY (" +
               key +
               ") NOT ENFORCED) WITH ('connector' = 'kept');"
               "INSERT INTO kept SELECT device, TUMBLE_START(ts, INTERVAL '1' MINUTE),"
               "  TUMBLE_END(ts, INTERVAL '1' MINUTE), COUNT(*)"
               "  FROM readings GROUP BY device, TUMBLE(ts, INTERVAL '1' MINUTE)")
               .find("UpsertMaterialize") != std::string::npos;
  };
  CHECK_FALSE(keeps_all_rows("device, s"));
  CHECK_FALSE(keeps_all_rows("device, e"));
  CHECK(keeps_all_rows("device"));
}

TEST_CASE("keys may be expressions, aggregates may stand in expressions, equal ones are computed once") {
  const Plan plan = planned(windowed("humidity + 1, MAX(temperature) - MIN(temperature), MAX(temperature)",
                                     ", humidity + 1 HAVING MAX(temperature) > 3"));
  const auto* aggregate = find<WindowAggregateNode>(plan, NodeKind::kWindowAggregate);
  CHECK(aggregate->keys.size() == 1);
  CHECK(aggregate->calls.size() == 2);
  CHECK(aggregate->inputs[0]->kind == NodeKind::kProject);
}

TEST_CASE("FILTER and DISTINCT belong to one call each") {
  const Plan plan = planned(
      windowed("COUNT(DISTINCT device), COUNT(device), COUNT(device) FILTER (WHERE temperature > 1)"));
  const auto* aggregate = find<WindowAggregateNode>(plan, NodeKind::kWindowAggregate);
  REQUIRE(aggregate->calls.size() == 3);
  CHECK(aggregate->calls[0].name == "COUNT(DISTINCT device)");
  CHECK(aggregate->calls[2].name == "COUNT(device) FILTER (WHERE (temperature > 1.0))");
  CHECK(aggregate->calls[2].filter.has_value());
}

TEST_CASE("columns without a name are EXPR$i, repeated names get a number") {
  CHECK(names_of(planned("SELECT device, temperature + 1, device, r.device AS d FROM readings AS r")) ==
        "device EXPR$1 device0 d ");
  CHECK(names_of(planned("SELECT r.* FROM readings AS r (a, b, c, d, e)")) == "a b c d e ");
}

TEST_CASE("views and WITH are inlined, keep the time attribute and share their nodes") {
  const Plan plan = planned(
      "CREATE VIEW hot (dev, t, at_time) AS SELECT device, temperature, ts FROM readings WHERE temperature > "
      "80;"
      "INSERT INTO results WITH w AS (SELECT * FROM TUMBLE(TABLE hot, DESCRIPTOR(at_time), INTERVAL '1' "
      "MINUTE)) "
      "SELECT dev, window_start, MAX(t) FROM w GROUP BY window_start, window_end, dev;"
      "INSERT INTO alerts SELECT dev, t FROM hot;");
  CHECK(plan.scans.size() == 1);
  REQUIRE(plan.scans[0]->filter);
  CHECK(find_node(plan, NodeKind::kFilter) == nullptr);
}

TEST_CASE("UNION ALL brings types together and keeps a common rowtime") {
  const Plan plan = planned(
      "SELECT COUNT(*) FROM TUMBLE((SELECT ts, humidity AS x FROM readings UNION ALL SELECT ts, temperature "
      "FROM "
      "readings), DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end");
  CHECK(find_node(plan, NodeKind::kUnionAll)->time_attributes[0] == TimeAttribute::kRowTime);
  const Plan types = planned("SELECT humidity FROM readings UNION ALL SELECT temperature FROM readings");
  CHECK(types.sinks[0]->schema.fields[0].type == Type::float64());
}

TEST_CASE("VALUES and SELECT without FROM need no table") {
  CHECK(explained("SELECT * FROM (VALUES (1, 'a'), (2, 'bc')) AS t (n, s)")
            .find("Values (1, 'a'), (2, 'bc')") != std::string::npos);
  CHECK(planned("SELECT 1 + 2 AS three").sinks[0]->schema.fields[0].name == "three");
  CHECK(planned("SELECT 1").scans.empty());
}

TEST_CASE("INSERT matches by position or by its list, and casts only what is safe") {
  const Plan plan = planned("INSERT INTO alerts (temperature) SELECT humidity FROM readings");
  const auto* project = find<ProjectNode>(plan, NodeKind::kProject);
  CHECK(to_string(*project->exprs[0]) == "NULL");
  CHECK(to_string(*project->exprs[1]) == "CAST(humidity AS DOUBLE)");
}

TEST_CASE("EXPLAIN answers with the plan of its statement and runs nothing") {
  const PlanOutcome outcome =
      plan_query("EXPLAIN PLAN FOR INSERT INTO alerts SELECT device, 1 FROM readings");
  REQUIRE(outcome.explained.size() == 1);
  INFO(outcome.explained[0]);
  CHECK(outcome.plan.sinks.empty());
  CHECK(outcome.explained[0].find("Project device, 1.0 AS temperature ") != std::string::npos);
}

TEST_CASE("expressions are typed and folded by Flink's rules") {
  CHECK(type_of("AVG(humidity) FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' MINUTE) "
                "GROUP BY window_start, window_end; SELECT 1") == "INT");
  CHECK(type_of("1.0 / 8.0") == "DECIMAL(8, 6) NOT NULL");
  CHECK(type_of("CASE WHEN humidity > 1 THEN humidity ELSE temperature END") == "DOUBLE");
  CHECK(type_of("COALESCE(humidity, 0)") == "INT NOT NULL");
  CHECK(bound("1 + 2 * 3") == "7");
  CHECK(bound("humidity BETWEEN 1 AND 2 + 3") == "((humidity >= 1) AND (humidity <= 5))");
  CHECK(bound("CASE humidity WHEN 1 THEN 'x' END") == "CASE WHEN (humidity = 1) THEN 'x' ELSE NULL END");
  CHECK(bound("NULLIF(humidity, 0)") == "CASE WHEN (humidity = 0) THEN NULL ELSE humidity END");
  CHECK(bound("device IN ('a', note)") == "(device IN ('a', note))");
  CHECK(bound("x'0aff'") == "x'0aff'");
  CHECK(bound("device IS NULL OR FALSE") == "(device IS NULL)");
  CHECK(bound("CASE WHEN FALSE THEN 1 ELSE humidity END + 0") == "(humidity + 0)");
  CHECK(bound("INTERVAL '1 02:03:04.5' DAY TO SECOND") == "INTERVAL '93784500 ms'");
  CHECK(bound("TIMESTAMP '2020-01-01 00:00:00.123'") == "TIMESTAMP '2020-01-01 00:00:00.123'");
}

}  // namespace
}  // namespace leat::plan::testing
