#include "daemon/testing/test_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "daemon/config/time_zone.h"
#include "daemon/loop/clock.h"
#include "daemon/loop/loop.h"
#include "daemon/runtime/catalog.h"
#include "daemon/runtime/pipeline_file.h"
#include "daemon/store/store.h"
#include "daemon/testing/diff.h"
#include "daemon/testing/outcome.h"
#include "daemon/testing/redirect.h"
#include "pipelines/plan/planner.h"

namespace leat::testing {
namespace {

namespace fs = std::filesystem;

/// Blank lines and a missing last line feed mean nothing.
Result<std::vector<std::string>> lines_of(const fs::path& path) {
  LEAT_ASSIGN(const std::string text, runtime::read_file(path.string()));
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

Result<plan::Plan> plan_of(const TestFolder& test) {
  LEAT_ASSIGN(const std::string text, runtime::read_file(test.pipeline.string()));
  plan::PlanOutcome outcome = plan::plan_pipeline({.file = test.pipeline.string(),
                                                   .text = text,
                                                   .overrides = test.settings,
                                                   .allow_select = false,
                                                   .host_time_zone = config::host_time_zone()},
                                                  runtime::catalog());
  std::string messages;
  for (const plan::Message& message : outcome.messages)
    if (message.severity == plan::Severity::kError) messages += message.rendered;
  if (!messages.empty()) return fail(ErrorCode::kInvalid, std::move(messages));
  LEAT_TRY(redirect(outcome.plan, test));
  return std::move(outcome.plan);
}

class Run {
 public:
  Run(const TestFolder& test, const plan::Plan& plan)
      : test_(test), plan_(plan), outcome_(plan, test, runtime::time_zone_of(plan)) {}

  Status run() {
    std::vector<std::string> notes;
    LEAT_ASSIGN(store_, store::Store::open({}, notes));
    LEAT_ASSIGN(const auto loop, loop::Loop::create());
    const loop::SystemClock clock;
    const runtime::PipelineContext context{.loop = loop.get(),
                                           .clock = &clock,
                                           .store = store_.get(),
                                           .results = &outcome_,
                                           .gateway_id = "test",
                                           .replay = test_.replay};
    LEAT_ASSIGN(const auto pipeline,
                runtime::Pipeline::create(PipelineName{"test"}, test_.pipeline.string(), plan_, context,
                                          {.ended = [&loop = *loop] { loop.stop(); }}));
    LEAT_TRY(pipeline->start());
    loop->run();
    const runtime::PipelineStatus status = pipeline->status_now();
    if (status.state == runtime::PipelineState::kFailed) return fail(ErrorCode::kInvalid, status.error);
    return read_dead_letters();
  }

  void close() { store_->close(); }
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] const std::vector<std::string>& dead_letters() const { return dead_letters_; }

 private:
  /// In the order in which they came.
  Status read_dead_letters() {
    constexpr std::size_t kMost = 10'000;
    LEAT_ASSIGN(
        const auto letters,
        store_->dead_letters(
            {}, {.order = store::DeadLetterPage::Order::kOldestFirst, .letters = kMost, .payload_bytes = 0}));
    for (const store::DeadLetterRow& row : letters)
      dead_letters_.push_back(fmt::format("{}: {}", row.letter.origin, row.letter.reason));
    return {};
  }

  const TestFolder& test_;
  const plan::Plan& plan_;
  Outcome outcome_;
  std::unique_ptr<store::Store> store_;
  std::vector<std::string> dead_letters_;
};

// ---- Comparing -------------------------------------------------------------------------------------------

Status compare_table(const TestFolder& test, const std::string& table, std::vector<std::string> found,
                     Verdict& verdict) {
  const auto expected = test.expected.find(table);
  if (expected == test.expected.end()) return {};
  LEAT_ASSIGN(std::vector<std::string> lines, lines_of(expected->second.path));
  if (test.unordered.contains(table)) {
    std::ranges::sort(lines);
    std::ranges::sort(found);
  }
  if (const std::string difference = diff(lines, found); !difference.empty())
    verdict.detail += fmt::format("{} (- expected, + found)\n{}", expected->second.path.string(), difference);
  return {};
}

Status compare(const TestFolder& test, const Run& run, Verdict& verdict) {
  if (test.expected.empty() && !test.expected_dead_letters)
    verdict.detail +=
        fmt::format("{}: nothing is expected, so nothing is tested: --update writes what comes out\n",
                    (test.folder / "expected").string());
  for (const std::string& table : run.outcome().tables())
    LEAT_TRY(compare_table(test, table, run.outcome().lines_of(table), verdict));
  std::vector<std::string> letters;
  if (test.expected_dead_letters) {
    LEAT_ASSIGN(letters, lines_of(*test.expected_dead_letters));
  }
  if (const std::string difference = diff(letters, run.dead_letters()); !difference.empty())
    verdict.detail += fmt::format("dead letters (- expected, + found)\n{}", difference);
  verdict.passed = verdict.detail.empty();
  return {};
}

// ---- Writing ---------------------------------------------------------------------------------------------

Status write_lines(const fs::path& path, const std::vector<std::string>& lines) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  for (const std::string& line : lines) stream << line << '\n';
  stream.close();
  if (stream) return {};
  return fail(ErrorCode::kIo, path.string() + ": it cannot be written");
}

Status write_expected(const TestFolder& test, const Run& run) {
  for (const std::string& table : run.outcome().tables()) {
    const auto known = test.expected.find(table);
    const fs::path path =
        known == test.expected.end() ? test.folder / "expected" / (table + ".txt") : known->second.path;
    LEAT_TRY(write_lines(path, run.outcome().lines_of(table)));
  }
  if (run.dead_letters().empty() && !test.expected_dead_letters) return {};
  return write_lines(test.expected_dead_letters.value_or(test.folder / "expected" / "dead-letters.txt"),
                     run.dead_letters());
}

}  // namespace

Result<Verdict> run_test(const fs::path& folder, Expectations expectations) {
  LEAT_ASSIGN(const TestFolder test, read_test(folder));
  LEAT_ASSIGN(const plan::Plan plan, plan_of(test));
  Run run(test, plan);
  Verdict verdict;
  if (const Status ran = run.run(); !ran) {
    verdict.detail = ran.error().message + "\n";
  } else if (expectations == Expectations::kWrite) {
    LEAT_TRY(write_expected(test, run));
    verdict.passed = true;
  } else {
    LEAT_TRY(compare(test, run, verdict));
  }
  run.close();
  return verdict;
}

}  // namespace leat::testing
