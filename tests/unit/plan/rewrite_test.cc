// Push-down, sharing, fingerprints.
#include <doctest/doctest.h>

#include "tests/unit/plan/plan_fixture.h"

namespace leat::plan::testing {
namespace {

std::string decoded(const ScanNode& scan) {
  std::string names;
  for (const std::size_t i : scan.physical_wanted) names += scan.physical.fields[i].name + " ";
  return names;
}
std::string filter_of(const Plan& plan) {
  return plan.scans[0]->filter ? to_string(*plan.scans[0]->filter) : "";
}
std::string window_state(const std::string& text) {
  return find_node(planned(text), NodeKind::kWindowAggregate)->fingerprint;
}
const std::string kWindow =
    " FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end, "
    "device";

TEST_CASE("the decoder decodes what somebody reads, and the rowtime") {
  CHECK(decoded(*planned("SELECT device FROM readings").scans[0]) == "device ts ");
  CHECK(decoded(*planned("SELECT COUNT(*)" + kWindow).scans[0]) == "device ts ");
  CHECK(decoded(*planned("SELECT d FROM (SELECT device AS d, humidity * 2 AS h FROM readings)").scans[0]) ==
        "device ts ");
  CHECK(decoded(*planned("SELECT humidity FROM readings WHERE note = 'x'").scans[0]) == "humidity note ts ");
}

TEST_CASE("an aggregate that nobody reads is not computed") {
  const Plan plan = planned("SELECT a FROM (SELECT window_start, AVG(temperature) AS a, MAX(humidity) AS m" +
                            kWindow + ")");
  const auto* aggregate = find<WindowAggregateNode>(plan, NodeKind::kWindowAggregate);
  CHECK(aggregate->calls.size() == 1);
  CHECK(aggregate->properties.empty());
  CHECK(decoded(*plan.scans[0]) == "device temperature ts ");
}

TEST_CASE("two INSERTs on one table share its scan") {
  const Plan plan = planned(
      "INSERT INTO alerts SELECT device, temperature FROM readings; INSERT INTO alerts SELECT note, 1 FROM "
      "readings");
  CHECK(plan.scans.size() == 1);
  CHECK(find_node(Plan{.sinks = {plan.sinks[0]}}, NodeKind::kScan) ==
        find_node(Plan{.sinks = {plan.sinks[1]}}, NodeKind::kScan));
  CHECK(explain(plan).find("see #1") != std::string::npos);
}

TEST_CASE("a table that only an unused view or EXPLAIN reads is not read") {
  CHECK(planned("CREATE VIEW v AS SELECT * FROM readings; EXPLAIN SELECT * FROM readings; SELECT 1")
            .scans.empty());
}

TEST_CASE("a shared scan filters only what all its readers refuse") {
  const auto two = [](const std::string& a, const std::string& b) {
    return planned("INSERT INTO alerts SELECT device, 1 FROM readings" + a +
                   "; INSERT INTO alerts SELECT device, 2 FROM readings" + b);
  };
  CHECK(filter_of(two(" WHERE humidity > 1", "")) == "");
  CHECK(filter_of(two(" WHERE humidity > 1", " WHERE humidity > 2")) == "");
  CHECK(filter_of(two(" WHERE humidity > 1 AND note = 'x'", " WHERE humidity > 1")) == "(humidity > 1)");
}

TEST_CASE("a condition that may fail never leaves its guard") {
  const Plan plan = planned(
      "INSERT INTO alerts SELECT device, 1 FROM readings WHERE humidity <> 0 AND 10 / humidity > 1;"
      "INSERT INTO alerts SELECT device, 2 FROM readings WHERE 10 / humidity > 1");
  CHECK(filter_of(plan) == "");
}

TEST_CASE("a filter goes below projections and unions into the scan") {
  CHECK(filter_of(planned("SELECT * FROM (SELECT humidity + 1 AS h FROM readings) WHERE h > 3")) ==
        "((humidity + 1) > 3)");
  CHECK(filter_of(planned("SELECT * FROM (SELECT humidity AS h FROM readings UNION ALL SELECT humidity FROM "
                          "readings) WHERE h > 3")) == "(humidity > 3)");
}

TEST_CASE("projections merge when nothing is computed twice") {
  const Plan once = planned("SELECT h * 2 FROM (SELECT humidity + 1 AS h FROM readings)");
  CHECK(to_string(*find<ProjectNode>(once, NodeKind::kProject)->exprs[0]) == "((humidity + 1) * 2)");
  const Plan twice = planned("SELECT h * h FROM (SELECT humidity + 1 AS h FROM readings)");
  CHECK(to_string(*find<ProjectNode>(twice, NodeKind::kProject)->exprs[0]) == "(h * h)");
}

TEST_CASE("a fingerprint survives names, views, sink options and other readers") {
  const std::string state =
      window_state("INSERT INTO results SELECT device, window_start, AVG(temperature)" + kWindow);
  CHECK(state.size() == 32);
  CHECK(window_state("SET 'pipeline.name' = 'x'; SELECT device AS d, AVG(temperature) AS a, window_start" +
                     kWindow) == state);
  CHECK(window_state(
            "SELECT AVG(t) FROM TUMBLE((SELECT device AS x, temperature AS t, ts AS at_time FROM readings), "
            "DESCRIPTOR(at_time), INTERVAL '1' MINUTE) GROUP BY window_start, window_end, x") == state);
  CHECK(window_state("SELECT AVG(temperature)" + kWindow +
                     "; INSERT INTO alerts SELECT note, humidity FROM readings") == state);
}

TEST_CASE("a fingerprint changes with the window, the key, the aggregates and the rows") {
  const std::string state = window_state("SELECT AVG(temperature)" + kWindow);
  CHECK(window_state("SELECT MAX(temperature)" + kWindow) != state);
  CHECK(window_state("SELECT AVG(humidity)" + kWindow) != state);
  CHECK(window_state("SELECT AVG(temperature)" + kWindow + ", note") != state);
  const auto with_size = [](const std::string& size, const std::string& where) {
    return window_state("SELECT AVG(temperature) FROM TUMBLE((SELECT * FROM readings" + where +
                        "), DESCRIPTOR(ts), " + size + ") GROUP BY window_start, window_end, device");
  };
  CHECK(with_size("INTERVAL '60' SECOND", "") == state);
  CHECK(with_size("INTERVAL '61' SECOND", "") != state);
  CHECK(with_size("INTERVAL '60' SECOND", " WHERE humidity > 1") != state);
}

TEST_CASE("a detector's fingerprint is that of its method and what its state is made of, not of its alerts") {
  const auto with = [](const std::string& options) {
    const std::string text = "SELECT ML_DETECT_ANOMALIES(temperature, ts, JSON_OBJECT(" + options +
                             ")) OVER (PARTITION BY device ORDER BY ts) FROM readings";
    return find_node(planned(text), NodeKind::kOver)->fingerprint;
  };
  CHECK(with("'method' VALUE 'novelty'") ==
        with("'history' VALUE 2048, 'cooldown' VALUE 5, 'threshold' VALUE 2"));
  CHECK(with("'method' VALUE 'zscore'") == with("'method' VALUE 'zscore', 'minTrainingSize' VALUE 10"));
  CHECK(with("'method' VALUE 'zscore'") != with("'method' VALUE 'ewma'"));
  CHECK(with("'method' VALUE 'zscore'") != with("'method' VALUE 'zscore', 'enableStl' VALUE TRUE"));
  CHECK(with("'method' VALUE 'novelty'") != with("'history' VALUE 4096"));
}

TEST_CASE("a filter has one fingerprint whether the scan or a filter node applies it") {
  const std::string query =
      "INSERT INTO results SELECT device, window_start, AVG(temperature) FROM TUMBLE((SELECT * FROM "
      "readings WHERE humidity > 1), DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end, "
      "device";
  CHECK(window_state(query) == window_state(query + "; INSERT INTO alerts SELECT device, 1 FROM readings"));
}

TEST_CASE("equal nodes of one plan are told apart") {
  const std::string insert =
      "INSERT INTO results SELECT device, window_start, AVG(temperature)" + kWindow + ";";
  const Plan plan = planned(insert + insert);
  const std::string first =
      find_node(Plan{.sinks = {plan.sinks[0]}}, NodeKind::kWindowAggregate)->fingerprint;
  CHECK(find_node(Plan{.sinks = {plan.sinks[1]}}, NodeKind::kWindowAggregate)->fingerprint == first + "#2");
}

}  // namespace
}  // namespace leat::plan::testing
