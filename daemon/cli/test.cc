// leat test: the pipeline tests that users write.
#include <fmt/format.h>

#include <filesystem>

#include "daemon/cli/exit_code.h"
#include "daemon/cli/verbs.h"
#include "daemon/log/log.h"
#include "daemon/testing/test_folder.h"
#include "daemon/testing/test_run.h"

namespace leat::cli {
namespace {

std::string indented(const std::string& text) {
  std::string out;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += "    " + text.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return out;
}

/// True if it passed.
bool run_one(const std::filesystem::path& folder, testing::Expectations expectations) {
  const auto verdict = testing::run_test(folder, expectations);
  const bool passed = verdict && verdict->passed;
  const bool wrote = passed && expectations == testing::Expectations::kWrite;
  fmt::print("{} {}\n", wrote ? "wrote " : passed ? "ok    " : "FAILED", folder.string());
  if (!verdict) fmt::print("{}", indented(verdict.error().message));
  if (verdict && !passed) fmt::print("{}", indented(verdict->detail));
  return passed;
}

}  // namespace

int test(const TestOptions& options) {
  log::configure({.form = log::detect_form(), .level = log::Level::kError});
  const auto expectations = options.expected == TestOptions::Expected::kWritten
                                ? testing::Expectations::kWrite
                                : testing::Expectations::kCompare;
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (const std::string& folder : options.folders) {
    const auto tests = testing::find_tests(folder);
    if (!tests) {
      fmt::print(stderr, "leat test: {}\n", tests.error().message);
      return kUsage;
    }
    for (const std::filesystem::path& test : *tests) ++(run_one(test, expectations) ? passed : failed);
  }
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? kOk : kFailed;
}

}  // namespace leat::cli
