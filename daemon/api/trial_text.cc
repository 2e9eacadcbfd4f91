#include "daemon/api/trial_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/api/sql_errors.h"
#include "pipelines/base/nearest.h"
#include "pipelines/sql/parser.h"

namespace leat::api {
namespace {

bool declares(const sql::Statement& statement) {
  using Kind = sql::StatementKind;
  if (const auto* table = sql::as<sql::CreateTable>(statement)) return !table->as;
  const Kind kind = statement.kind;
  return kind == Kind::kCreateView || kind == Kind::kDrop || kind == Kind::kSet || kind == Kind::kReset;
}

/// As if the text began behind its first `lines` lines. Places before that stay: they are not the reader's.
void move_up(plan::Message& message, std::size_t lines) {
  if (lines == 0 || message.line <= lines) return;
  const auto place = [&](std::size_t line) { return fmt::format("{}:{}:", kSqlFile, line); };
  const std::string before = place(message.line);
  message.line -= lines;
  if (message.rendered.starts_with(before)) message.rendered.replace(0, before.size(), place(message.line));
}

}  // namespace

std::string declarations_of(std::string_view text) {
  const sql::SourceText source("", text);
  sql::Diagnostics diagnostics;
  const sql::Script script = sql::parse_script(source, diagnostics);
  std::string declarations;
  for (const sql::StatementPtr& statement : script.statements)
    if (declares(*statement)) declarations.append(source.at(statement->span)).append(";\n");
  return declarations;
}

bool declares_view(std::string_view text, std::string_view name) {
  const sql::SourceText source("", text);
  sql::Diagnostics diagnostics;
  const sql::Script script = sql::parse_script(source, diagnostics);
  return std::ranges::any_of(script.statements, [&](const sql::StatementPtr& statement) {
    const auto* view = sql::as<sql::CreateView>(*statement);
    return view != nullptr && view->name.table_key() == name;
  });
}

bool TrialPlan::ok() const {
  return std::ranges::none_of(messages, [](const auto& m) { return m.severity == plan::Severity::kError; });
}

TrialPlan plan_trial(const std::string& declarations, const std::string& sql) {
  plan::PlanOutcome outcome =
      plan_text(declarations + sql, BareSelect::kTaken, {{"leat.memory.max", runtime::kTrialMemory}});
  TrialPlan trial{.plan = std::move(outcome.plan), .messages = {}};
  const auto lines = static_cast<std::size_t>(std::ranges::count(declarations, '\n'));
  for (plan::Message& message : outcome.messages) {
    // Warnings about the pipeline are no news to who tries a query.
    if (message.severity == plan::Severity::kWarning && message.line <= lines) continue;
    move_up(message, lines);
    trial.messages.push_back(std::move(message));
  }
  return trial;
}

Result<std::size_t> shown_sink(const plan::Plan& plan, const std::string& table) {
  std::vector<std::string> known;
  for (std::size_t sink = plan.sinks.size(); sink-- > 0;) {
    known.push_back(plan.sinks[sink]->table);
    const bool late = plan.late_rows && plan.late_rows->sink == sink;
    if (table.empty() ? !late : plan.sinks[sink]->table == table) return sink;
  }
  if (table.empty()) return fail(ErrorCode::kInvalid, "there is nothing to try: a SELECT is expected");
  return fail(ErrorCode::kInvalid,
              fmt::format("the text writes no table '{}'{}", table, did_you_mean(table, known)));
}

}  // namespace leat::api
