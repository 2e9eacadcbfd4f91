// leat_sql_scripts PATH…: runs SQL test scripts (README.md) and prints what differs. Ends with "N passed, N
// failed".
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/log/log.h"
#include "tests/sql/run_case.h"
#include "tests/sql/script.h"

namespace {

using namespace leat;
using namespace leat::sql_test;
namespace fs = std::filesystem;

std::vector<fs::path> scripts_below(const fs::path& path) {
  if (fs::is_regular_file(path)) return {fs::absolute(path)};
  std::vector<fs::path> scripts;
  for (const auto& file : fs::recursive_directory_iterator(path))
    if (file.path().extension() == ".test") scripts.push_back(fs::absolute(file.path()));
  std::sort(scripts.begin(), scripts.end());
  return scripts;
}

/// A folder of its own for the files of one case; gone afterwards.
class CaseFolder {
 public:
  explicit CaseFolder(const Case& test) : home_(fs::current_path()) {
    std::string name = (fs::temp_directory_path() / "leat-sql-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    for (const auto& [file, content] : test.files) {
      fs::create_directories((folder_ / file).parent_path());
      std::ofstream(folder_ / file, std::ios::binary) << content;
    }
    fs::current_path(folder_);
  }
  ~CaseFolder() {
    fs::current_path(home_);
    fs::remove_all(folder_);
  }
  CaseFolder(const CaseFolder&) = delete;
  CaseFolder& operator=(const CaseFolder&) = delete;

 private:
  fs::path home_;
  fs::path folder_;
};

std::string difference(const std::vector<std::string>& want, const std::vector<std::string>& got) {
  std::string text;
  std::size_t row = 0;
  while (row < want.size() && row < got.size() && want[row] == got[row]) ++row;
  for (std::size_t i = row; i < want.size(); ++i) text += "      - " + want[i] + "\n";
  for (std::size_t i = row; i < got.size(); ++i) text += "      + " + got[i] + "\n";
  return text.empty() ? text : fmt::format("      from row {} on (- expected, + got):\n{}", row + 1, text);
}

std::string check_error(const Case& test, const Outcome& outcome) {
  if (outcome.error.empty()) return "      it was not refused\n";
  std::string text;
  for (const std::string& line : test.errors)
    if (line.starts_with("not: ") && outcome.error.find(line.substr(5)) != std::string::npos)
      text += "      this is said, but should not be: " + line.substr(5) + "\n";
  for (const std::string& wanted : test.errors)
    if (!wanted.starts_with("not: ") && outcome.error.find(wanted) == std::string::npos)
      text += fmt::format("      no such text: {}\n", wanted);
  return text.empty() ? text : text + "      the messages are:\n" + outcome.error;
}

std::string check_case(const Case& test, Mode mode) {
  const CaseFolder folder(test);
  Outcome outcome = run_case(test, mode);
  if (!test.errors.empty()) return check_error(test, outcome);
  if (!outcome.error.empty()) return "      " + outcome.error + "\n";
  std::vector<std::string> want = test.rows;
  if (test.order == Order::kUnordered) {
    std::sort(want.begin(), want.end());
    std::sort(outcome.rows.begin(), outcome.rows.end());
  }
  std::string text = difference(want, outcome.rows);
  const std::string dead = difference(test.dead.value_or(std::vector<std::string>()), outcome.dead);
  if (!dead.empty()) text += "      dead letters\n" + dead;
  if (mode == Mode::kCut && outcome.restarts == 0 && !test.files.empty()) text += "      it was never cut\n";
  return text;
}

struct Tally {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
};

void run_script(const fs::path& path, Tally& tally) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  const auto cases = parse_script(text.str());
  if (!cases || cases->empty()) {
    fmt::print("FAIL {}: {}\n", path.string(), cases ? "no case in it" : cases.error().message);
    ++tally.failed;
    return;
  }
  for (const Case& test : *cases) {
    bool good = true;
    for (const Mode mode : {Mode::kWhole, Mode::kOneRow, Mode::kCut}) {
      const std::string problem = check_case(test, mode);
      if (problem.empty()) continue;
      good = false;
      fmt::print("FAIL {}:{}: {} ({})\n{}", path.string(), test.line, test.title, to_string(mode), problem);
    }
    ++(good ? tally.passed : tally.failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  log::configure({.form = log::Form::kText, .level = log::Level::kError});
  Tally tally;
  for (int i = 1; i < argc; ++i)
    for (const fs::path& script : scripts_below(argv[i])) run_script(script, tally);
  fmt::print("{} passed, {} failed\n", tally.passed, tally.failed);
  return tally.failed == 0 && tally.passed > 0 ? 0 : 1;
}
