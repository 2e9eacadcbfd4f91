#include "daemon/testing/test_folder.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "pipelines/base/nearest.h"
#include "pipelines/base/time.h"
#include "pipelines/formats/read_scalar.h"

namespace leat::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDeadLetters = "dead-letters";

bool has_test(const fs::path& folder) {
  std::error_code error;
  return fs::is_directory(folder / "input", error) || fs::is_directory(folder / "expected", error) ||
         fs::is_regular_file(folder / "test.toml", error);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

Error wrong(const fs::path& file, std::string_view what) {
  return {ErrorCode::kInvalid, fmt::format("{}: {}", file.string(), what)};
}

// ---- test.toml -------------------------------------------------------------------------------------------

Result<std::string> text_of(const fs::path& file, const toml::key& key, const toml::node& node) {
  if (const auto text = node.value<std::string>(); text && node.is_string()) return *text;
  return tl::unexpected(wrong(file, fmt::format("'{}' takes a text in quotes", key.str())));
}

Status read_end(TestFolder& test, const fs::path& file, const std::string& text) {
  if (text != "flush" && text != "open")
    return tl::unexpected(
        wrong(file, fmt::format("end: expected \"flush\" or \"open\", found \"{}\"", text)));
  test.replay.end = text == "open" ? runtime::Replay::End::kOpen : runtime::Replay::End::kFlush;
  return {};
}

/// `2026-01-01T00:10:00Z`, as text or as TOML's own.
Status read_until(TestFolder& test, const fs::path& file, const toml::node& node) {
  std::string text;
  if (node.is_string()) text = *node.value<std::string>();
  if (const auto* moment = node.as_date_time()) {
    const toml::date_time& at = moment->get();
    text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", at.date.year, at.date.month, at.date.day,
                       at.time.hour, at.time.minute, at.time.second);
    if (at.offset && at.offset->minutes != 0) text.clear();
  }
  const auto micros = formats::read_timestamp(
      text, formats::timestamp_syntax(formats::TimestampStandard::kIso, formats::Zone::kUtc), 6);
  if (!micros)
    return tl::unexpected(wrong(file, "until: expected a moment in UTC, such as \"2026-01-01T00:10:00Z\""));
  test.replay.until = *micros;
  return {};
}

Status read_unordered(TestFolder& test, const fs::path& file, const toml::node& node) {
  const toml::array* tables = node.as_array();
  if (tables == nullptr) return tl::unexpected(wrong(file, "unordered: expected a list of tables"));
  for (const toml::node& table : *tables) {
    if (!table.is_string()) return tl::unexpected(wrong(file, "unordered: expected the names of tables"));
    test.unordered.insert(*table.value<std::string>());
  }
  return {};
}

Status read_set(TestFolder& test, const fs::path& file, const toml::node& node) {
  const toml::table* settings = node.as_table();
  if (settings == nullptr) return tl::unexpected(wrong(file, "set: expected a table [set]"));
  for (const auto& [key, value] : *settings) {
    LEAT_ASSIGN(std::string text, text_of(file, key, value));
    test.settings[std::string(key.str())] = std::move(text);
  }
  return {};
}

Status read_key(TestFolder& test, const fs::path& file, const toml::key& key, const toml::node& node) {
  const std::string_view name = key.str();
  if (name == "until") return read_until(test, file, node);
  if (name == "unordered") return read_unordered(test, file, node);
  if (name == "set") return read_set(test, file, node);
  const std::vector<std::string> known = {"pipeline", "until", "end", "unordered", "set"};
  if (name != "pipeline" && name != "end")
    return tl::unexpected(wrong(file, fmt::format("unknown key '{}'{}", name, did_you_mean(name, known))));
  LEAT_ASSIGN(const std::string text, text_of(file, key, node));
  if (name == "end") return read_end(test, file, text);
  test.pipeline = test.folder / text;
  return {};
}

Status read_settings(TestFolder& test) {
  const fs::path file = test.folder / "test.toml";
  std::error_code error;
  if (!fs::exists(file, error)) return {};
  try {
    const toml::table table = toml::parse_file(file.string());
    for (const auto& [key, node] : table) LEAT_TRY(read_key(test, file, key, node));
  } catch (const toml::parse_error& bad) {
    return tl::unexpected(
        wrong(file, fmt::format("line {}: {}", bad.source().begin.line, bad.description())));
  }
  return {};
}

// ---- Files -----------------------------------------------------------------------------------------------

std::optional<RowFile> form_of(const fs::path& path) {
  if (path.extension() == ".jsonl" || path.extension() == ".json") return RowFile::kJson;
  if (path.extension() == ".csv") return RowFile::kCsv;
  if (path.extension() == ".txt") return RowFile::kChangelog;
  return std::nullopt;
}

Status add_rows(std::map<std::string, Rows>& files, const fs::path& path, std::string_view forms) {
  const auto form = form_of(path);
  if (!form) return tl::unexpected(wrong(path, fmt::format("expected TABLE{}", forms)));
  if (!files.emplace(path.stem().string(), Rows{path, *form}).second)
    return tl::unexpected(wrong(path, fmt::format("there is another file for '{}'", path.stem().string())));
  return {};
}

Status find_rows(TestFolder& test) {
  for (const fs::path& path : entries_of(test.folder / "input")) {
    if (form_of(path) == RowFile::kChangelog)
      return tl::unexpected(wrong(path, "input is TABLE.jsonl or TABLE.csv"));
    LEAT_TRY(add_rows(test.inputs, path, ".jsonl or TABLE.csv"));
  }
  for (const fs::path& path : entries_of(test.folder / "expected")) {
    if (path.stem() == kDeadLetters)
      test.expected_dead_letters = path;
    else
      LEAT_TRY(add_rows(test.expected, path, ".txt (changelog lines), .jsonl or .csv (the rows at the end)"));
  }
  return {};
}

/// The one SQL file of the folder, unless test.toml has named another.
Status find_pipeline(TestFolder& test) {
  std::error_code error;
  if (!test.pipeline.empty()) {
    if (fs::is_regular_file(test.pipeline, error)) return {};
    return tl::unexpected(
        wrong(test.folder / "test.toml", fmt::format("there is no file {}", test.pipeline.string())));
  }
  for (const fs::path& path : entries_of(test.folder)) {
    if (path.extension() != ".sql") continue;
    if (!test.pipeline.empty())
      return tl::unexpected(wrong(test.folder,
                                  "there are several *.sql files; test.toml can name one with "
                                  "pipeline = \"…\""));
    test.pipeline = path;
  }
  if (!test.pipeline.empty()) return {};
  return tl::unexpected(
      wrong(test.folder, "there is no *.sql file; test.toml can name one with pipeline = \"…\""));
}

}  // namespace

Result<std::vector<fs::path>> find_tests(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return tl::unexpected(wrong(folder, "there is no such folder"));
  if (has_test(folder)) return std::vector<fs::path>{folder};
  std::vector<fs::path> found;
  for (auto entry = fs::recursive_directory_iterator(folder, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (!entry->is_directory() || !has_test(entry->path())) continue;
    found.push_back(entry->path());
    entry.disable_recursion_pending();
  }
  std::ranges::sort(found);
  if (found.empty())
    return fail(ErrorCode::kNotFound,
                fmt::format("{}: there is no test at or below it: a test folder has a folder 'input' or "
                            "'expected', or a file test.toml",
                            folder.string()));
  return found;
}

Result<TestFolder> read_test(const fs::path& folder) {
  TestFolder test{.folder = folder};
  LEAT_TRY(read_settings(test));
  LEAT_TRY(find_pipeline(test));
  LEAT_TRY(find_rows(test));
  return test;
}

}  // namespace leat::testing
