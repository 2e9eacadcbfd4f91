// A pipeline test as a folder:
//
//   *.sql                      the pipeline, unless test.toml names another file
//   input/TABLE.jsonl | .csv   the rows of each table that is read, in the order of their arrival; metadata
//                              columns are given like all others (CSV: behind them)
//   expected/TABLE.txt         the rows of each table that is written, as changelog lines: "+I[a, 1]"
//   expected/TABLE.jsonl|.csv  or the rows that stand at the end, updates applied
//   expected/dead-letters.txt  "origin: reason" of each dead letter; without it there must be none
//   test.toml                  all of it optional:
//     pipeline = "../machines.sql"           the pipeline file, relative to the folder
//     until = "2026-01-01T00:10:00Z"         time goes on to this moment behind the last row
//     end = "flush" | "open"                 open: as if live, what is not due stays unsaid
//     unordered = ["alerts"]                 tables whose rows are compared in any order
//     [set]                                  settings that win over the file's
//     "table.local-time-zone" = "UTC"
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/runtime/pipeline.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace leat::testing {

/// How a file of rows is written.
enum class RowFile : std::uint8_t { kChangelog, kJson, kCsv };

struct Rows {
  std::filesystem::path path;
  RowFile form = RowFile::kJson;
};

struct TestFolder {
  std::filesystem::path folder;
  std::filesystem::path pipeline;
  OptionMap settings;
  runtime::Replay replay;
  std::set<std::string> unordered;
  std::map<std::string, Rows> inputs;    ///< By table.
  std::map<std::string, Rows> expected;  ///< By table; "dead-letters" is none.
  std::optional<std::filesystem::path> expected_dead_letters;
};

/// All test folders at or below `folder`, in the order of their paths. Errors: not found (there is none).
Result<std::vector<std::filesystem::path>> find_tests(const std::filesystem::path& folder);
/// Errors: invalid, with the file and what is wrong.
Result<TestFolder> read_test(const std::filesystem::path& folder);

}  // namespace leat::testing
