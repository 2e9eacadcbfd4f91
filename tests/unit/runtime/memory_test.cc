// Every operator tells how much memory its state takes, and 'leat.memory.max' goes by that: so it must be
// right. This program counts what is allocated, and compares.
#include <doctest/doctest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "daemon/runtime/catalog.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/exec/dataflow.h"
#include "pipelines/plan/planner.h"

namespace {

std::atomic<std::int64_t> live_bytes{0};

/// What the allocator gives costs its own head, too.
constexpr std::int64_t kHead = 8;

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  live_bytes += static_cast<std::int64_t>(malloc_usable_size(memory)) + kHead;
  return memory;
}

void uncount(void* memory) {
  if (memory == nullptr) return;
  live_bytes -= static_cast<std::int64_t>(malloc_usable_size(memory)) + kHead;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(std::malloc(size));
}
void* operator new[](std::size_t size) {
  return counted(std::malloc(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(std::aligned_alloc(
      static_cast<std::size_t>(alignment),
      (size + static_cast<std::size_t>(alignment) - 1) & ~(static_cast<std::size_t>(alignment) - 1)));
}
void operator delete(void* memory) noexcept {
  uncount(memory);
}
void operator delete[](void* memory) noexcept {
  uncount(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  uncount(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  uncount(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  uncount(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  uncount(memory);
}

namespace leat::runtime {
namespace {

/// Takes no part in the memory that is measured.
class Nowhere final : public exec::Environment {
 public:
  Status output(std::size_t, const Batch&) override { return {}; }
  void dead(std::string_view, const Schema&, const Batch&, std::size_t, std::string_view) override {}
  void late(std::string_view, const Schema&, const Batch&, std::span<const std::uint32_t>) override {}
};

class NoStore final : public exec::StateChanges {
 public:
  void put(std::string_view, std::string_view, std::string_view) override {}
  void erase(std::string_view, std::string_view) override {}
};

const std::string kTables = R"(
  CREATE TABLE a (k STRING, ts TIMESTAMP(3), v DOUBLE, n BIGINT, proc AS PROCTIME(), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
  CREATE TABLE b (k STRING, ts TIMESTAMP(3), v DOUBLE, n BIGINT, WATERMARK FOR ts AS ts, PRIMARY KEY (k) NOT ENFORCED)
  WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
)";

/// Rows of one second each into every scan: device names of 20 bytes, `keys` of them.
class Measured {
 public:
  explicit Measured(const std::string& query) {
    auto outcome = plan::plan_pipeline(
        {.file = "memory.sql", .text = kTables + query, .overrides = {}, .allow_select = true}, catalog());
    for (const plan::Message& message : outcome.messages) INFO(message.rendered);
    REQUIRE(outcome.ok());
    plan_ = std::move(outcome.plan);
    dataflow_ = *exec::build_dataflow(plan_, {}, nowhere_);
    REQUIRE(dataflow_->loaded());
    before_ = live_bytes;
    told_before_ = told();
  }

  void push(std::size_t rows, std::size_t keys) {
    constexpr std::size_t kBatch = 1'000;
    for (std::size_t begin = 0; begin < rows; begin += kBatch) {
      for (std::size_t scan = 0; scan < plan_.scans.size(); ++scan)
        push_batch(scan, begin, begin + kBatch, keys);
      NoStore nothing;
      dataflow_->save(nothing);
    }
  }
  [[nodiscard]] double taken() const { return static_cast<double>(live_bytes - before_); }
  [[nodiscard]] double said() const { return static_cast<double>(told() - told_before_); }

 private:
  [[nodiscard]] std::size_t told() const {
    std::size_t bytes = 0;
    for (const auto& info : dataflow_->operators()) bytes += info.memory_bytes;
    return bytes;
  }

  void push_batch(std::size_t scan, std::size_t begin, std::size_t end, std::size_t keys) {
    const plan::ScanNode& node = *plan_.scans[scan];
    Batch batch;
    batch.size = end - begin;
    for (const std::size_t index : node.physical_wanted) {
      const Type::Field& field = node.physical.fields[index];
      ColumnBuilder builder(field.type);
      for (std::size_t row = begin; row < end; ++row) append(builder, field.name, row, keys);
      batch.columns.push_back(builder.finish());
    }
    for (std::size_t row = begin; row < end; ++row)
      batch.intake_times.push_back(static_cast<std::int64_t>(row) * kMicrosPerMilli);
    auto prepared = dataflow_->prepare(scan, std::move(batch));
    REQUIRE(prepared);
    REQUIRE(dataflow_->push(scan, std::move(prepared->batch)));
  }

  static void append(ColumnBuilder& builder, const std::string& name, std::size_t row, std::size_t keys) {
    const std::size_t key = row * 7919 % keys;
    if (name == "k") builder.append_string("device-number-" + std::to_string(100'000 + key));
    if (name == "ts") builder.append<std::int64_t>(static_cast<std::int64_t>(row) * kMicrosPerMilli);
    if (name == "v") builder.append<double>(static_cast<double>(row * 31 % 1'000));
    if (name == "n") builder.append<std::int64_t>(static_cast<std::int64_t>(row));
  }

  Nowhere nowhere_;
  plan::Plan plan_;
  std::unique_ptr<exec::Dataflow> dataflow_;
  std::int64_t before_ = 0;
  std::size_t told_before_ = 0;
};

/// What an operator that keeps next to nothing takes all the same: room for the batch that it works on.
constexpr double kScratch = 16 * 1024;

struct Case {
  std::string name;
  std::string query;
  std::size_t keys = 20'000;
};

const std::string kWindows =
    "FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY k, window_start, window_end;";

const std::vector<Case> kCases = {
    {"tumbling window", "SELECT k, COUNT(*), AVG(v) " + kWindows},
    {"tumbling window with sets", "SELECT k, COUNT(DISTINCT n), LISTAGG(k) " + kWindows, 2'000},
    {"hopping window",
     "SELECT k, SUM(v) FROM TABLE(HOP(TABLE a, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '2' HOUR)) GROUP "
     "BY k, "
     "window_start, window_end;"},
    {"session",
     "SELECT k, COUNT(*) FROM TABLE(SESSION(TABLE a PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1' HOUR)) "
     "GROUP BY k, "
     "window_start, window_end;"},
    {"group", "SELECT k, COUNT(*), SUM(v), MAX(n) FROM a GROUP BY k;"},
    {"group with values kept", "SELECT k, COUNT(DISTINCT n), ARRAY_AGG(v) FROM a GROUP BY k;", 2'000},
    {"over rows",
     "SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) FROM a;",
     2'000},
    {"over range",
     "SELECT k, AVG(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND "
     "CURRENT ROW) FROM "
     "a;",
     2'000},
    {"over in processing time",
     "SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY proc ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) FROM a;",
     2'000},
    {"over by detectors",
     "SELECT k, ML_DETECT_ANOMALIES(v, ts, JSON_OBJECT('history' VALUE 256)) OVER w AS a, "
     "ML_DETECT_ANOMALIES_ROBUST(v, ts) OVER w AS b FROM a WINDOW w AS (PARTITION BY k ORDER BY ts);",
     200},
    {"top-N",
     "SELECT k, v FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) AS r FROM a) WHERE r "
     "<= 3;"},
    {"deduplication, last row",
     "SELECT k, v FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS r FROM a) WHERE "
     "r = 1;"},
    {"deduplication, first row",
     "SELECT k, v FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS r FROM a) WHERE r = "
     "1;"},
    {"window top-N",
     "SELECT k, v FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY v) "
     "AS r FROM "
     "TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' HOUR))) WHERE r <= 2;"},
    {"join", "SELECT a.k, b.v FROM a JOIN b ON a.n = b.n;"},
    {"interval join",
     "SELECT a.k, b.v FROM a JOIN b ON a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '1' HOUR AND b.ts;"},
    {"temporal join", "SELECT a.k, b.v FROM a JOIN b FOR SYSTEM_TIME AS OF a.ts ON a.k = b.k;"},
    {"window join",
     "SELECT l.k, r.v FROM (SELECT * FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts), INTERVAL '1' HOUR))) l JOIN "
     "(SELECT * "
     "FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '1' HOUR))) r ON l.k = r.k AND l.window_start = "
     "r.window_start AND l.window_end = r.window_end;"},
    {"distinct", "SELECT DISTINCT k, n FROM a;"},
    {"except", "SELECT k, n FROM a EXCEPT SELECT k, n + 1 FROM b;"},
    {"sort", "SELECT k, v FROM a ORDER BY ts;"},
    {"pattern",
     "SELECT * FROM a MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES A.n AS first_n, LAST(B.n) AS "
     "last_n AFTER "
     "MATCH SKIP PAST LAST ROW PATTERN (A B+ C) WITHIN INTERVAL '1' HOUR DEFINE B AS B.v >= 0, C AS C.v < "
     "0);",
     2'000},
    {"watermark per partition",
     "SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE p, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY k, "
     "window_start, "
     "window_end;"},
};

const std::string kPartitioned = R"(
  CREATE TABLE p (k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'mqtt',
  'url' = 'tcp://127.0.0.1:1', 'topic' = 'x', 'format' = 'json', 'scan.watermark.partition-by' = 'k',
  'scan.watermark.idle-timeout' = '1 h');
)";

}  // namespace

TEST_CASE("what operators say of their memory is what they take, to a fifth") {
  for (const Case& each : kCases) {
    CAPTURE(each.name);
    const bool partitioned = each.query.find("TABLE p") != std::string::npos;
    Measured measured((partitioned ? kPartitioned : "") + each.query);
    measured.push(20'000, each.keys);
    const double most = measured.taken() / 5 + kScratch;
    CAPTURE(measured.said());
    CAPTURE(measured.taken());
    CHECK(measured.said() > measured.taken() - most);
    CHECK(measured.said() < measured.taken() + most);
  }
}

}  // namespace leat::runtime
