// Short records of a wide table: a few bytes each, and hundreds of cells.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/support/temporary_folder.h"
#include "tests/unit/runtime/pipeline_fixture.h"

using namespace leat;
using namespace leat::runtime;

namespace {

constexpr std::size_t kMostCells = 5'000'000;

struct WideWorld : PipelineWorld {
  /// Reads all of a file of so many columns, which is one chunk.
  PipelineStatus read(const std::string& format, std::size_t columns, const std::string& text) {
    REQUIRE(text.size() < 128 * 1024);
    folder.write("in", text);
    std::string list = "c0 STRING";
    for (std::size_t i = 1; i < columns; ++i) list += fmt::format(", c{} STRING", i);
    return run(fmt::format(
        "CREATE TABLE wide ({}) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = '{}');\n"
        "SELECT * FROM wide;",
        list, folder.file("in"), format));
  }
  /// Rows that came out in a piece, at most.
  [[nodiscard]] std::size_t cells(std::size_t columns) const { return rows.largest_batch * columns; }

  test::TemporaryFolder folder;
};

}  // namespace

TEST_CASE_FIXTURE(WideWorld, "many short records of a wide table come in pieces") {
  constexpr std::size_t kColumns = 300;
  constexpr std::size_t kRecords = 30'000;
  std::string text;
  for (std::size_t i = 0; i < kRecords; ++i)
    text += i % 100 == 7 ? fmt::format("{{\"c7\":{}}}\n", i) : i % 1000 == 9 ? "{]\n" : "{}\n";
  const PipelineStatus end = read("json", kColumns, text);
  CHECK(end.state == PipelineState::kFinished);
  CHECK(end.sources[0].counters.dead == kRecords / 1000);
  CHECK(end.sources[0].counters.rows == kRecords - kRecords / 1000);
  CHECK(rows.lines.size() == kRecords - kRecords / 1000);
  CHECK(rows.lines.at(7).find(", 7, ") != std::string::npos);
  CHECK(rows.lines.back().find(", 29") == std::string::npos);
  CHECK(cells(kColumns) > kMostCells / 2);
  CHECK(cells(kColumns) < kMostCells);
  CHECK(accounting_violations(end) == std::vector<std::string>());
}

TEST_CASE_FIXTURE(WideWorld, "a long record before many short ones makes no piece larger") {
  constexpr std::size_t kColumns = 300;
  std::string text = "{" + std::string(60'000, ' ') + "}\n";
  for (std::size_t i = 0; i < 20'000; ++i) text += "{}\n";
  const PipelineStatus end = read("json", kColumns, text);
  CHECK(end.sources[0].counters.rows == 20'001);
  CHECK(cells(kColumns) < kMostCells);
}

TEST_CASE_FIXTURE(WideWorld, "records that go over several lines are not cut where a piece is") {
  constexpr std::size_t kColumns = 70;
  const auto record = [](std::size_t letters, std::size_t lines) {
    return '"' + std::string(letters, 'x') + std::string(lines, '\n') + '"' + std::string(kColumns - 1, ',') +
           "\n";
  };
  std::string text = record(50'000, 900);  // Longer than the bytes that are looked at first.
  for (std::size_t i = 0; i < 75; ++i) text += record(2, 900);
  const PipelineStatus end = read("csv", kColumns, text);
  CHECK(end.state == PipelineState::kFinished);
  CHECK(end.sources[0].counters.dead == 0);
  CHECK(end.sources[0].counters.rows == 76);
  CHECK(rows.lines.size() == 76);
  CHECK(rows.largest_batch == 76);  // Lines, but not rows: one piece, decoded part by part.
}
