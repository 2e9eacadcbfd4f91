// Short records of a wide table: a few bytes each, and hundreds of cells.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "tests/support/temporary_folder.h"
#include "tests/unit/runtime/pipeline_fixture.h"

using namespace leat;
using namespace leat::runtime;

namespace {

constexpr std::size_t kColumns = 300;
constexpr std::size_t kRecords = 30'000;  // Of one chunk of a file.

std::string table(const std::string& path) {
  std::string columns;
  for (std::size_t i = 0; i < kColumns; ++i) columns += fmt::format("{}c{} BIGINT", i > 0 ? ", " : "", i);
  return fmt::format(
      "CREATE TABLE wide ({}) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json');\n",
      columns, path);
}

std::string query() {
  std::string sums = "SELECT COUNT(*), SUM(c7)";
  for (std::size_t i = 0; i < kColumns; ++i) sums += fmt::format(", COUNT(c{})", i);
  return sums + " FROM wide;";
}

/// Every hundredth has a value, every thousandth is none.
std::string records() {
  std::string text;
  for (std::size_t i = 0; i < kRecords; ++i)
    text += i % 100 == 7 ? fmt::format("{{\"c7\":{}}}\n", i) : i % 1000 == 9 ? "{]\n" : "{}\n";
  return text;
}

}  // namespace

TEST_CASE("a message of many short records of a wide table is several batches") {
  const test::TemporaryFolder folder;
  folder.write("in.jsonl", records());
  const std::string text = table(folder.file("in.jsonl")) + query();

  PipelineWorld world;
  std::uint64_t rows = 0;
  std::uint64_t most = 0;
  std::vector<std::string> violations;
  const auto look = [&] {
    const PipelineStatus now = world.pipeline->status_now();
    most = std::max(most, now.sources[0].counters.rows - std::exchange(rows, now.sources[0].counters.rows));
    for (auto& line : accounting_violations(now)) violations.push_back(line);
  };
  const PipelineStatus end = world.run(text, {.batch_done = look});
  CHECK(end.state == PipelineState::kFinished);
  CHECK(end.sources[0].counters.dead == kRecords / 1000);
  CHECK(end.sources[0].counters.rows == kRecords - kRecords / 1000);
  CHECK(most > 0);
  CHECK(most * kColumns < 8'000'000);
  CHECK(violations == std::vector<std::string>());

  PipelineWorld cut;
  std::uint64_t crashes = 0;
  PipelineStatus last;
  while (last.state != PipelineState::kFinished && crashes < 1'000) {
    const auto crash = [&] {
      ++crashes;
      cut.crash();
    };
    last = cut.run(text, {.committed = crash}, true);
  }
  CHECK(crashes > 1);
  CHECK(cut.rows.lines.back() == world.rows.lines.back());
  CHECK(last.sources[0].counters.dead == kRecords / 1000);
  CHECK(last.sources[0].counters.rows == kRecords - kRecords / 1000);
  CHECK(accounting_violations(last) == std::vector<std::string>());
}

TEST_CASE("records that go over several lines are not cut where a batch is") {
  constexpr std::size_t kRows = 1'200;
  constexpr std::size_t kTexts = 70;
  std::string columns = "c0 STRING";
  for (std::size_t i = 1; i < kTexts; ++i) columns += fmt::format(", c{} STRING", i);
  std::string row = "\"a\nb\nc\nd\"" + std::string(kTexts - 1, ',') + "\n";
  std::string text;
  for (std::size_t i = 0; i < kRows; ++i) text += row;
  const test::TemporaryFolder folder;
  folder.write("in.csv", text);
  PipelineWorld world;
  const PipelineStatus end = world.run(fmt::format(
      "CREATE TABLE wide ({}) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv');\n"
      "SELECT DISTINCT wide.* FROM wide;",
      columns, folder.file("in.csv")));
  CHECK(end.state == PipelineState::kFinished);
  CHECK(end.sources[0].counters.dead == 0);
  CHECK(end.sources[0].counters.rows == kRows);
  CHECK(world.rows.lines.size() == 1);
}
