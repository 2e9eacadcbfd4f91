// State as a damaged store would give it: each operator writes its own, the input changes it, and the
// operator reads it back. That must give an error or a working operator, which then takes rows and its end.
#include <map>
#include <memory>

#include "pipelines/column/column_builder.h"
#include "pipelines/exec/dataflow.h"
#include "pipelines/plan/planner.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/world.h"

namespace {

using namespace leat;

constexpr std::int64_t kBegin = 1'767'600'000'000'000;  // 2026-01-05 08:00:00

// One per kind of operator with state.
constexpr const char* kQueries[] = {
    "SELECT device, window_start, COUNT(*), SUM(v), AVG(v), MIN(v) FROM TABLE(TUMBLE(TABLE readings, "
    "DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY device, window_start, window_end",
    "SELECT device, window_end, COUNT(DISTINCT v) FROM TABLE(HOP(TABLE readings, DESCRIPTOR(ts), INTERVAL "
    "'2' "
    "SECOND, INTERVAL '10' SECOND)) GROUP BY device, window_start, window_end",
    "SELECT device, window_end, MAX(v) FROM TABLE(SESSION(TABLE readings PARTITION BY device, "
    "DESCRIPTOR(ts), "
    "INTERVAL '3' SECOND)) GROUP BY device, window_start, window_end",
    "SELECT device, COUNT(*), SUM(v), MAX(v), COUNT(DISTINCT v) FROM readings GROUP BY device",
    "SELECT device, v, SUM(v) OVER (PARTITION BY device ORDER BY ts ROWS BETWEEN 3 PRECEDING AND CURRENT "
    "ROW) FROM "
    "readings",
    "SELECT device, v, AVG(v) OVER (PARTITION BY device ORDER BY ts RANGE BETWEEN INTERVAL '5' SECOND "
    "PRECEDING AND "
    "CURRENT ROW) FROM readings",
    "SELECT device, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY device ORDER BY v DESC) AS n FROM "
    "readings) "
    "WHERE n <= 2",
    "SELECT device, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY device ORDER BY ts DESC) AS n FROM "
    "readings) "
    "WHERE n = 1",
    "SELECT r.device, r.v, s.site FROM readings r JOIN sites s ON r.device = s.device",
    "SELECT r.device, r.v, s.site FROM readings r LEFT JOIN sites s ON r.device = s.device AND s.ts BETWEEN "
    "r.ts - "
    "INTERVAL '5' SECOND AND r.ts + INTERVAL '5' SECOND",
    "SELECT * FROM readings MATCH_RECOGNIZE (PARTITION BY device ORDER BY ts MEASURES FIRST(A.v) AS a, "
    "LAST(B.v) AS "
    "b, COUNT(A.v) AS n AFTER MATCH SKIP PAST LAST ROW PATTERN (A{2,} B) DEFINE A AS A.v > 1, B AS B.v <= 1)",
    "SELECT DISTINCT device, v FROM readings",
    "SELECT device FROM readings INTERSECT SELECT device FROM sites",
    "SET 'table.exec.emit.early-fire.enabled' = 'true'; SET 'table.exec.emit.early-fire.delay' = '3 s'; "
    "SET 'table.exec.emit.late-fire.enabled' = 'true'; SET 'table.exec.emit.late-fire.delay' = '2 s'; "
    "SET 'table.exec.emit.allow-lateness' = '5 s'; SELECT device, COUNT(DISTINCT v), MIN(v) FROM readings "
    "GROUP BY device, HOP(ts, INTERVAL '4' SECOND, INTERVAL '10' SECOND)",
    "SELECT event, metric, device_id, alias, datatype FROM SPARKPLUG(input => TABLE (SELECT "
    "CONCAT('spBv1.0/g/', CASE v WHEN 0 THEN 'NBIRTH/n' WHEN 1 THEN 'DBIRTH/n/d' WHEN 2 THEN 'DDATA/n/d' "
    "ELSE 'NDATA/n' END) AS topic, CAST(v AS INT) AS seq, v AS bd_seq, 0 AS metric_index, "
    "CASE WHEN v < 2 THEN device END AS metric, v AS alias, CAST('Int32' AS STRING) AS datatype, "
    "CAST(ts AS TIMESTAMP_LTZ(3)) AS ts FROM readings))",
};

struct Entry {
  std::string node, key, value;
};

/// What an operator has written.
class Saved final : public exec::StateChanges {
 public:
  void put(std::string_view node, std::string_view key, std::string_view value) override {
    entries[{std::string(node), std::string(key)}] = value;
  }
  void erase(std::string_view node, std::string_view key) override {
    entries.erase({std::string(node), std::string(key)});
  }
  std::map<std::pair<std::string, std::string>, std::string> entries;
};

struct Case {
  plan::Plan plan;
  std::vector<Entry> state;
};

Batch rows(std::size_t count, std::int64_t from_second) {
  ColumnBuilder ts(Type::timestamp(3));
  ColumnBuilder device(Type::string());
  ColumnBuilder value(Type::big_int());
  Batch batch;
  batch.size = count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t at = kBegin + (from_second + static_cast<std::int64_t>(i)) * kMicrosPerSecond;
    ts.append(at);
    device.append_string(i % 3 == 0 ? "pump" : "fan");
    value.append(static_cast<std::int64_t>(i % 4));
    batch.intake_times.push_back(at);
  }
  batch.columns = {ts.finish(), device.finish(), value.finish()};
  return batch;
}

Status push(exec::Dataflow& dataflow, const plan::Plan& plan, std::size_t count, std::int64_t from_second) {
  for (std::size_t scan = 0; scan < plan.scans.size(); ++scan) {
    Batch batch = rows(count, from_second);
    std::vector<ColumnPtr> wanted;
    for (const std::size_t column : plan.scans[scan]->physical_wanted)
      wanted.push_back(batch.columns[column]);
    batch.columns = wanted;
    LEAT_ASSIGN(exec::Prepared prepared, dataflow.prepare(scan, std::move(batch)));
    LEAT_TRY(dataflow.push(scan, std::move(prepared.batch)));
  }
  return {};
}

Case make_case(const char* query) {
  const std::string text = fuzz::tables() + query + ";";
  auto planned = plan::plan_pipeline(
      {.file = "fuzz.sql", .text = text, .overrides = {}, .allow_select = true}, fuzz::catalog());
  for (const plan::Message& message : planned.messages) std::fputs(message.rendered.c_str(), stderr);
  fuzz::expect(planned.ok(), "the query can be planned");
  Case made{std::move(planned.plan), {}};
  fuzz::Nowhere nowhere;
  auto dataflow = exec::build_dataflow(made.plan, {}, nowhere);
  fuzz::expect(dataflow && (*dataflow)->start(kBegin) && push(**dataflow, made.plan, 12, 0),
               "the query runs");
  Saved saved;
  (*dataflow)->save(saved);
  for (const auto& [place, value] : saved.entries) made.state.push_back({place.first, place.second, value});
  fuzz::expect(!made.state.empty(), "the query has state");
  return made;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> made = [] {
    std::vector<Case> all;
    for (const char* query : kQueries) all.push_back(make_case(query));
    return all;
  }();
  return made;
}

/// Changes one entry: bytes of its value or its key, its length, or all of it.
void damage(Entry& entry, fuzz::Choices& choices) {
  const std::uint8_t how = choices.byte();
  std::string& bytes = how % 8 == 7 ? entry.key : entry.value;
  const std::size_t at = bytes.empty() ? 0 : choices.number() % bytes.size();
  switch (how % 4) {
    case 0:
      if (!bytes.empty()) bytes[at] = static_cast<char>(choices.byte());
      return;
    case 1:
      bytes.resize(at);
      return;
    case 2:
      bytes.insert(at, choices.rest().substr(0, 1 + choices.byte() % 16));
      return;
    default:
      bytes = choices.rest();
      choices = fuzz::Choices({});
      return;
  }
}

Status restore(exec::Dataflow& dataflow, const std::vector<Entry>& state) {
  for (const Entry& entry : state)
    if (const Status loaded = dataflow.load(entry.node, entry.key, entry.value);
        !loaded && loaded.error().code != ErrorCode::kNotFound)
      return loaded;
  return dataflow.loaded();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Choices choices(fuzz::text_of(data, size));
  const Case& chosen = cases()[choices.byte() % cases().size()];
  std::vector<Entry> state = chosen.state;
  while (!choices.empty()) damage(state[choices.byte() % state.size()], choices);
  fuzz::Nowhere nowhere;
  auto dataflow = exec::build_dataflow(chosen.plan, {.memory_max = 64 << 20}, nowhere);
  if (!dataflow || !restore(**dataflow, state) || !(*dataflow)->start(kBegin)) return 0;
  if (!push(**dataflow, chosen.plan, 6, 8)) return 0;
  Saved saved;
  (*dataflow)->save(saved);
  for (std::size_t scan = 0; scan < chosen.plan.scans.size(); ++scan)
    if (!(*dataflow)->finish(scan, kBegin)) return 0;
  return 0;
}
