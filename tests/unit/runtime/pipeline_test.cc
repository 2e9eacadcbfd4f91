#include "daemon/runtime/pipeline.h"

#include <doctest/doctest.h>

#include "tests/unit/runtime/pipeline_fixture.h"

using namespace leat;
using namespace leat::runtime;

namespace {

/// Ten thousand rows that are the same in every run; a window per 1,000 of them.
const std::string kReadings = R"(
  CREATE TABLE readings (
    n BIGINT, device INT, ts AS TO_TIMESTAMP_LTZ(n * 100, 3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
  ) WITH ('connector' = 'datagen', 'number-of-rows' = '10000', 'rows-per-second' = '10000000',
          'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '10000',
          'fields.device.min' = '1', 'fields.device.max' = '5', 'seed' = '7');
)";
const std::string kWindows = R"(
  SELECT device, window_start, COUNT(*), SUM(n)
  FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '100' SECOND))
  WHERE device <> 3
  GROUP BY device, window_start, window_end;
)";

}  // namespace

TEST_CASE("the equations of the accounting hold between any two batches") {
  PipelineWorld world;
  std::uint64_t batches = 0;
  std::vector<std::string> violations;
  const auto check = [&] {
    ++batches;
    for (auto& text : accounting_violations(world.pipeline->status_now())) violations.push_back(text);
  };
  const PipelineStatus end = world.run(kReadings + kWindows, {.batch_done = check});
  CHECK(end.state == PipelineState::kFinished);
  CHECK(batches > 2);
  CHECK(violations == std::vector<std::string>());
  CHECK(end.sources[0].counters.rows == 10'000);
}

TEST_CASE("a pipeline that crashes behind any commit gives the rows of one that does not") {
  PipelineWorld whole;
  whole.run(kReadings + kWindows);
  REQUIRE(whole.rows.lines.size() == 41);  // Ten windows of four devices, and the last row's.

  PipelineWorld cut;
  std::uint64_t crashes = 0;
  PipelineStatus end;
  while (end.state != PipelineState::kFinished && crashes < 1'000) {
    const auto crash = [&] {
      ++crashes;
      cut.crash();
    };
    end = cut.run(kReadings + kWindows, {.committed = crash}, true);
  }
  CHECK(crashes > 1);
  CHECK(cut.rows.lines == whole.rows.lines);
  CHECK(end.sources[0].counters.rows == 10'000);
  CHECK(accounting_violations(end).empty());
}

TEST_CASE("merged bounded inputs may be cut between any two rows") {
  const std::string merged = R"(
    CREATE TABLE a (n BIGINT, ts AS TO_TIMESTAMP_LTZ(n * 100, 3), WATERMARK FOR ts AS ts)
    WITH ('connector' = 'datagen', 'number-of-rows' = '300', 'rows-per-second' = '10000000',
          'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '300');
    CREATE TABLE b (n BIGINT, ts AS TO_TIMESTAMP_LTZ(n * 170 + 50, 3), WATERMARK FOR ts AS ts)
    WITH ('connector' = 'datagen', 'number-of-rows' = '300', 'rows-per-second' = '10000000',
          'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '300');
    CREATE VIEW either AS SELECT n, ts FROM a UNION ALL SELECT n, ts FROM b;
    SELECT window_start, COUNT(*), SUM(n) FROM TABLE(TUMBLE(TABLE either, DESCRIPTOR(ts), INTERVAL '5' SECOND))
    GROUP BY window_start, window_end;)";
  PipelineWorld whole;
  whole.run(merged);
  PipelineWorld cut;
  std::uint64_t crashes = 0;
  PipelineStatus end;
  while (end.state != PipelineState::kFinished && crashes < 2'000) {
    const auto crash = [&] {
      ++crashes;
      cut.crash();
    };
    end = cut.run(merged, {.committed = crash}, true);
  }
  CHECK(crashes > 100);
  CHECK(cut.rows.lines == whole.rows.lines);
  CHECK(end.sources[0].counters.rows == 300);
  CHECK(end.sources[1].counters.rows == 300);
  CHECK(accounting_violations(end) == std::vector<std::string>());
}

TEST_CASE("several INSERTs on one table share one source and one decode") {
  PipelineWorld world;
  const PipelineStatus end = world.run(kReadings + R"(
    CREATE TABLE a (n BIGINT) WITH ('connector' = 'blackhole');
    CREATE TABLE b (device INT) WITH ('connector' = 'blackhole');
    EXECUTE STATEMENT SET BEGIN
      INSERT INTO a SELECT n FROM readings WHERE n <= 4000;
      INSERT INTO b SELECT device FROM readings;
    END;)");
  REQUIRE(end.sources.size() == 1);
  CHECK(end.sources[0].counters.rows == 10'000);
  CHECK(end.sinks[0].counters.rows == 4'000);
  CHECK(end.sinks[1].counters.rows == 10'000);
  CHECK(accounting_violations(end) == std::vector<std::string>());
}

TEST_CASE("a source is read no further than the limits behind it want") {
  const std::string other = R"(
    CREATE TABLE other (n BIGINT, ts AS TO_TIMESTAMP_LTZ(n * 100, 3), WATERMARK FOR ts AS ts)
    WITH ('connector' = 'datagen', 'number-of-rows' = '10000', 'rows-per-second' = '10000000',
          'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '10000');)";
  for (const bool lock_step : {false, true}) {
    PipelineWorld world;
    const PipelineStatus end = world.run(kReadings + other + R"(
      SELECT n FROM (SELECT n FROM readings LIMIT 5) UNION ALL SELECT n FROM (SELECT n FROM other LIMIT 3);
      SELECT COUNT(*) FROM (SELECT n FROM readings LIMIT 7);)",
                                         {}, lock_step);
    CHECK(end.state == PipelineState::kFinished);
    CHECK(world.rows.lines.size() == 5 + 3 + 13);  // The count comes, and changes six times.
    CHECK(end.sources[0].counters.rows >= 7);
    CHECK(end.sources[0].counters.rows < 10'000);
    CHECK(end.sources[1].counters.rows < 10'000);
    CHECK(accounting_violations(end) == std::vector<std::string>());
  }
}

TEST_CASE("a source that one query wants whole is read whole, limits or not") {
  PipelineWorld world;
  const PipelineStatus end = world.run(kReadings + R"(
    SELECT n FROM readings LIMIT 5;
    SELECT n FROM readings WHERE n > 9990;)");
  CHECK(world.rows.lines.size() == 15);
  CHECK(end.sources[0].counters.rows == 10'000);
}

TEST_CASE("two INSERTs into one table share its outbox") {
  PipelineWorld world;
  const PipelineStatus end = world.run(kReadings + R"(
    CREATE TABLE a (n BIGINT) WITH ('connector' = 'blackhole');
    EXECUTE STATEMENT SET BEGIN
      INSERT INTO a SELECT n FROM readings WHERE n <= 10;
      INSERT INTO a SELECT n FROM readings WHERE n > 9990;
    END;)");
  REQUIRE(end.sinks.size() == 1);
  CHECK(end.sinks[0].counters.rows == 20);
}

TEST_CASE("a changed query starts without the former state, and an unchanged one keeps it") {
  PipelineWorld world;
  const auto crash = [&] {
    // The first rows may all be of the device that the filter refuses: then there is nothing to keep yet.
    if (world.pipeline->status_now().sources[0].counters.rows >= 1'000) world.crash();
  };
  world.run(kReadings + kWindows, {.committed = crash}, true);
  const auto before = world.store->load(PipelineName{"test"});
  REQUIRE(before);
  CHECK_FALSE(before->state.empty());
  std::string changed = kWindows;
  changed.replace(changed.find("SUM(n)"), 6, "MAX(n)");
  const PipelineStatus end = world.run(kReadings + changed);
  CHECK(end.state == PipelineState::kFinished);
  CHECK(accounting_violations(end) == std::vector<std::string>());
}

TEST_CASE("a pipeline whose sink has another name now adds up") {
  PipelineWorld world;
  const std::string into =
      "CREATE TABLE a (n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO a SELECT n FROM readings;";
  const auto crash = [&] {
    if (world.pipeline->status_now().sources[0].counters.rows >= 1'000) world.crash();
  };
  world.run(kReadings + into, {.committed = crash}, true);
  std::string renamed = into;
  renamed.replace(renamed.find("TABLE a"), 7, "TABLE b").replace(renamed.find("INTO a"), 6, "INTO b");
  const PipelineStatus end = world.run(kReadings + renamed);
  CHECK(end.state == PipelineState::kFinished);
  CHECK(accounting_violations(end) == std::vector<std::string>());
}
