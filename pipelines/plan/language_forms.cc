#include "pipelines/plan/language_forms.h"

#include <algorithm>

namespace leat::plan {
namespace {

std::vector<LanguageForm> expression_forms() {
  return {
      {{"CAST"},
       "CAST(value AS type)",
       "The value as another type. A text that is none fails its row, which goes to the dead letters.",
       "SELECT CAST(device AS INT) FROM readings"},
      {{"TRY_CAST"},
       "TRY_CAST(value AS type)",
       "The same, but NULL where CAST fails.",
       "SELECT TRY_CAST(device AS INT) FROM readings"},
      {{"CASE"},
       "CASE WHEN condition THEN value … [ELSE value] END, or CASE value WHEN value THEN …",
       "The value of the first branch whose condition holds; NULL without ELSE. Only that branch is "
       "computed.",
       "SELECT CASE WHEN temperature > 80 THEN 'hot' ELSE 'fine' END FROM readings"},
      {{"BETWEEN"},
       "value [NOT] BETWEEN [SYMMETRIC] low AND high",
       "True if low <= value and value <= high.",
       "SELECT * FROM readings WHERE temperature BETWEEN 10 AND 20"},
      {{"EXISTS"},
       "[NOT] EXISTS (query)",
       "True if the query has a row. A condition of WHERE.",
       "SELECT device FROM readings AS r WHERE EXISTS (SELECT * FROM versions AS v WHERE v.device = "
       "r.device)"},
      {{"INTERVAL"},
       "INTERVAL 'n' unit, INTERVAL 'd hh:mm:ss' DAY TO SECOND, INTERVAL 'y-m' YEAR TO MONTH",
       "A length of time. Units: SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, also in the plural.",
       "SELECT ts + INTERVAL '5' SECOND FROM readings"},
  };
}

std::vector<LanguageForm> window_forms() {
  return {
      {{"TUMBLE"},
       "TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset]) in FROM, or GROUP BY TUMBLE(ts, size)",
       "Windows side by side: each row is in one.",
       "SELECT device, window_start, COUNT(*) FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' "
       "MINUTE) GROUP BY device, window_start, window_end"},
      {{"HOP"},
       "HOP(TABLE t, DESCRIPTOR(ts), slide, size [, offset]) in FROM, or GROUP BY HOP(ts, slide, size)",
       "Windows that overlap: a new one of length size begins every slide.",
       "SELECT window_start, AVG(temperature) FROM HOP(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND, "
       "INTERVAL '1' MINUTE) GROUP BY window_start, window_end"},
      {{"CUMULATE"},
       "CUMULATE(TABLE t, DESCRIPTOR(ts), step, size [, offset])",
       "Windows of length size that give a result every step until they end.",
       "SELECT window_start, window_end, COUNT(*) FROM CUMULATE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' "
       "HOUR, INTERVAL '1' DAY) GROUP BY window_start, window_end"},
      {{"SESSION"},
       "SESSION(TABLE t [PARTITION BY k, …], DESCRIPTOR(ts), gap) in FROM, or GROUP BY SESSION(ts, gap)",
       "Windows that end when no row has come for gap.",
       "SELECT device, window_start, window_end FROM SESSION(TABLE readings PARTITION BY device, "
       "DESCRIPTOR(ts), "
       "INTERVAL '30' SECOND) GROUP BY device, window_start, window_end"},
      {{"TUMBLE_START", "TUMBLE_END", "TUMBLE_ROWTIME", "TUMBLE_PROCTIME", "HOP_START", "HOP_END",
        "HOP_ROWTIME", "HOP_PROCTIME", "SESSION_START", "SESSION_END", "SESSION_ROWTIME", "SESSION_PROCTIME"},
       "TUMBLE_START(ts, size), with the arguments of the window in GROUP BY",
       "Start, end or time attribute of the window of GROUP BY TUMBLE, HOP or SESSION.",
       "SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE), COUNT(*) FROM readings GROUP BY TUMBLE(ts, INTERVAL "
       "'1' MINUTE)"},
      {{"GROUPING SETS", "ROLLUP", "CUBE", "GROUPING", "GROUPING_ID", "GROUP_ID"},
       "GROUP BY GROUPING SETS ((a, b), (a), ()), ROLLUP (a, b) or CUBE (a, b)",
       "Several groupings at once; GROUPING(a) is 1 where a is not in the row's set.",
       "SELECT device, COUNT(*), GROUPING(device) FROM readings GROUP BY ROLLUP (device)"},
      {{"ABSENCE"},
       "ABSENCE(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts), timeout => INTERVAL '…')",
       "One row when a key that was seen has been silent for so long, one when it is back.",
       "SELECT * FROM ABSENCE(input => TABLE readings PARTITION BY device, on_time => DESCRIPTOR(ts), "
       "timeout => INTERVAL '30' SECOND)"},
      {{"GAP_FILL"},
       "GAP_FILL(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts), step => INTERVAL '…' [, fill => "
       "'locf' | 'linear'] [, max_gap => INTERVAL '…'])",
       "The rows and, in gaps up to max_gap (100 steps), one row every step: with the last values, or on the "
       "straight line to the next ones. The column filled tells which.",
       "SELECT * FROM GAP_FILL(input => TABLE readings PARTITION BY device, on_time => DESCRIPTOR(ts), step "
       "=> "
       "INTERVAL '1' SECOND, fill => 'linear')"},
      {{"SPARKPLUG"},
       "SPARKPLUG(input => TABLE t [, rebirth_interval => INTERVAL '…'])",
       "The metrics of Sparkplug B, from rows of the format sparkplug: names and datatypes from births, what "
       "deaths make stale, and when an edge node is to be asked for a rebirth. The column event tells which.",
       "SELECT group_id, node_id, device_id, metric, ts, double_value FROM SPARKPLUG(input => TABLE metrics) "
       "WHERE event = 'VALUE'"},
      {{"TO_CHANGELOG"},
       "TO_CHANGELOG(input => TABLE t [, op => DESCRIPTOR(op)] [, op_mapping => MAP['INSERT', 'i', …]])",
       "The changes of the rows as rows that only come: the column op, by default INSERT, UPDATE_BEFORE, "
       "UPDATE_AFTER or DELETE, then the columns of t. Changes that a mapping does not name are left out.",
       "SELECT * FROM TO_CHANGELOG(input => TABLE (SELECT device, COUNT(*) AS n FROM readings GROUP BY "
       "device), op_mapping => MAP['INSERT, UPDATE_AFTER', 'put', 'DELETE', 'gone'])"},
      {{"FROM_CHANGELOG"},
       "FROM_CHANGELOG(input => TABLE t [, op => DESCRIPTOR(op)] [, op_mapping => MAP['i', 'INSERT', …]] "
       "[, error_handling => 'FAIL' | 'SKIP'])",
       "Rows whose column op says what they do to the table, as that table. A row whose op is none goes to "
       "the dead letters, or is left out.",
       "SELECT COUNT(*) FROM FROM_CHANGELOG(input => TABLE readings, op => DESCRIPTOR(device), "
       "op_mapping => MAP['+', 'INSERT', '-', 'DELETE'], error_handling => 'SKIP')"},
  };
}

std::vector<LanguageForm> over_forms() {
  const std::string over = "OVER (PARTITION BY device ORDER BY ts)";
  const std::string batch = "SET 'execution.runtime-mode' = 'batch'; SELECT device, ";
  const std::string ranked =
      " OVER (PARTITION BY device ORDER BY x DESC) FROM (VALUES ('a', 20.5), ('a', 21.5)) AS r (device, x)";
  return {
      {{"OVER", "WINDOW"},
       "aggregate OVER ([PARTITION BY k] ORDER BY ts [ROWS n | RANGE interval] PRECEDING)",
       "For each row an aggregate of the rows up to it; WINDOW w AS (…) gives the window a name.",
       "SELECT device, AVG(temperature) OVER (PARTITION BY device ORDER BY ts RANGE BETWEEN INTERVAL '10' "
       "MINUTE PRECEDING AND CURRENT ROW) FROM readings"},
      {{"LAG"},
       "LAG(value [, offset [, default]]) OVER (PARTITION BY k ORDER BY ts)",
       "The value so many rows before, 1 by default; where there is none, the default or NULL.",
       "SELECT temperature - LAG(temperature, 1) " + over + " FROM readings"},
      {{"LEAD"},
       "LEAD(value [, offset [, default]]) [IGNORE NULLS] OVER (PARTITION BY k ORDER BY …)",
       "The value so many rows behind, 1 by default; in batch mode. IGNORE NULLS, of LAG, too, passes over "
       "NULLs.",
       batch + "LEAD(x, 1, 0.0)" + ranked},
      {{"CUME_DIST", "PERCENT_RANK", "NTILE"},
       "CUME_DIST(), PERCENT_RANK() or NTILE(groups) OVER (PARTITION BY k ORDER BY …)",
       "The row's place in its partition as a share, or as one of so many groups of the same size; in batch "
       "mode.",
       batch + "CUME_DIST()" + ranked},
      {{"FOLLOWING", "PRECEDING", "CURRENT ROW"},
       "aggregate OVER (… {ROWS | RANGE} BETWEEN edge AND edge)",
       "Edges of a frame: UNBOUNDED PRECEDING, n PRECEDING, CURRENT ROW; in batch mode n FOLLOWING, "
       "UNBOUNDED FOLLOWING, and any ORDER BY, too.",
       "SET 'execution.runtime-mode' = 'batch'; SELECT device, AVG(x) OVER (PARTITION BY device ORDER BY n "
       "ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING) FROM (VALUES ('a', 1, 20.5), ('a', 2, 21.5)) AS r (device, "
       "n, x)"},
      {{"ROW_NUMBER", "RANK", "DENSE_RANK"},
       "ROW_NUMBER() OVER (PARTITION BY k ORDER BY …)",
       "Numbers rows; a condition on the number makes a Top-N or a deduplication of it. RANK and "
       "DENSE_RANK give rows that are equal in the order the same number.",
       "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY device ORDER BY temperature DESC) AS n FROM "
       "readings) WHERE n <= 3"},
      {{"QUALIFY"},
       "SELECT … FROM … QUALIFY condition",
       "Keeps the rows whose OVER values fulfil the condition.",
       "SELECT device, temperature, ROW_NUMBER() OVER (PARTITION BY device ORDER BY temperature DESC) AS n "
       "FROM readings QUALIFY n <= 3"},
  };
}

std::vector<LanguageForm> series_forms() {
  const std::string over =
      " OVER (PARTITION BY device ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM "
      "readings";
  return {
      {{"ML_DETECT_ANOMALIES"},
       "ML_DETECT_ANOMALIES(value, ts [, JSON_OBJECT('option' VALUE x, …)]) OVER (PARTITION BY k ORDER BY "
       "ts)",
       "Whether a number, or a ROW of numbers, is odd for its key: a ROW of timestamp, actual_value, "
       "forecast_value, lower_bound, upper_bound, is_anomaly, rmse, aic, anomaly_score and method.",
       "SELECT device, ML_DETECT_ANOMALIES(temperature, ts, JSON_OBJECT('method' VALUE 'auto'))" + over},
      {{"ML_DETECT_ANOMALIES_ROBUST"},
       "ML_DETECT_ANOMALIES_ROBUST(value, ts [, JSON_OBJECT('window' VALUE n, 'threshold' VALUE z)]) OVER "
       "(…)",
       "The same by the deviation from the median of the last rows.",
       "SELECT device, ML_DETECT_ANOMALIES_ROBUST(temperature, ts, JSON_OBJECT('window' VALUE 100))" + over},
      {{"ML_FORECAST"},
       "ML_FORECAST(value, ts [, JSON_OBJECT('horizon' VALUE n)]) OVER (PARTITION BY k ORDER BY ts)",
       "The next n values of a key: an ARRAY of ROWs of timestamp, forecast_value, lower_bound, upper_bound, "
       "rmse "
       "and aic.",
       "SELECT device, ML_FORECAST(temperature, ts, JSON_OBJECT('horizon' VALUE 12))" + over},
      {{"DEADBAND"},
       "DEADBAND(value, band [, ts, INTERVAL '…']) OVER (PARTITION BY k ORDER BY ts)",
       "TRUE for the rows that are worth sending: the first one, those more than the band away from the last "
       "one that was, where values go or come back, and where the interval has passed without one.",
       "SELECT device, DEADBAND(temperature, 0.5, ts, INTERVAL '10' MINUTE)" + over},
      {{"SWINGING_DOOR"},
       "SWINGING_DOOR(value, ts, deviation [, INTERVAL '…']) OVER (PARTITION BY k ORDER BY ts)",
       "The points that straight lines between them tell all values by, to within the deviation: a ROW of "
       "timestamp and value where the row shows that a line ends, else NULL.",
       "SELECT device, SWINGING_DOOR(temperature, ts, 0.5)" + over},
  };
}

std::vector<LanguageForm> table_forms() {
  return {
      {{"JOIN", "LEFT", "RIGHT", "FULL", "CROSS", "USING"},
       "a [LEFT | RIGHT | FULL] JOIN b ON condition, or USING (column, …)",
       "A condition on both times (BETWEEN … AND …) makes an interval join, which forgets what time has "
       "passed.",
       "SELECT r.device, v.site FROM readings AS r JOIN versions AS v ON r.device = v.device AND r.ts "
       "BETWEEN v.since - INTERVAL '1' HOUR AND v.since + INTERVAL '1' HOUR"},
      {{"FOR SYSTEM_TIME AS OF", "FOR", "SYSTEM_TIME"},
       "a JOIN b FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k",
       "Temporal join: the version of b that was valid at the row's time. b has a PRIMARY KEY and a "
       "watermark.",
       "SELECT r.device, v.site FROM readings AS r LEFT JOIN versions FOR SYSTEM_TIME AS OF r.ts AS v ON "
       "r.device = v.device"},
      {{"UNNEST"},
       "CROSS JOIN UNNEST(array) [WITH ORDINALITY] AS t (element [, place])",
       "A row for each element of an ARRAY, MAP or MULTISET.",
       "SELECT device, sample FROM readings CROSS JOIN UNNEST(samples) AS s (sample)"},
      {{"MATCH_RECOGNIZE", "PATTERN", "DEFINE", "MEASURES", "WITHIN"},
       "t MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES … AFTER MATCH SKIP … PATTERN (…) DEFINE …)",
       "Sequences of rows that fit a pattern of conditions. Without AFTER MATCH the search goes on at a "
       "match's second row.",
       "SELECT * FROM readings MATCH_RECOGNIZE (PARTITION BY device ORDER BY ts MEASURES "
       "LAST(HOT.temperature) AS "
       "peak AFTER MATCH SKIP PAST LAST ROW PATTERN (HOT{2,} COOL) DEFINE HOT AS HOT.temperature > 80, COOL "
       "AS COOL.temperature < 60)"},
      {{"WITH"},
       "WITH name AS (query), … SELECT …",
       "Names a query for the SELECT behind it.",
       "WITH hot AS (SELECT * FROM readings WHERE temperature > 80) SELECT device FROM hot"},
  };
}

std::vector<LanguageForm> make_forms() {
  std::vector<LanguageForm> all = expression_forms();
  for (auto&& part : {window_forms(), over_forms(), series_forms(), table_forms()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

std::span<const LanguageForm> all_language_forms() {
  static const std::vector<LanguageForm> forms = make_forms();
  return forms;
}

const LanguageForm* find_language_form(std::string_view name) {
  const auto has_name = [&](const LanguageForm& form) { return std::ranges::count(form.names, name) > 0; };
  const auto forms = all_language_forms();
  const auto found = std::ranges::find_if(forms, has_name);
  return found == forms.end() ? nullptr : &*found;
}

}  // namespace leat::plan
