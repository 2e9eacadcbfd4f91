// What is wrong with an SQL text, as the API tells it: each error with its place, and the whole text with a
// caret under it, as the command line prints it.
#pragma once

#include <string>
#include <vector>

#include "daemon/api/routes.h"
#include "pipelines/plan/planner.h"

namespace leat::api {

/// The name of a text that came in a request, in messages.
inline constexpr const char* kSqlFile = "sql";

/// Plans a text as `leat check` and `leat explain` do. Touches no file and no network.
enum class BareSelect : std::uint8_t { kRefused, kTaken };
plan::PlanOutcome plan_text(const std::string& sql, BareSelect bare_select, const OptionMap& overrides = {});

/// [{"message", "line", "column", "length"}], of one severity.
nlohmann::ordered_json messages_json(const std::vector<plan::Message>& messages, plan::Severity severity);
/// All of them, as rendered.
std::string rendered(const std::vector<plan::Message>& messages);
/// 422 with "errors" and "text".
Response sql_problem(const std::vector<plan::Message>& messages);
/// The same of one error at a byte of the text; none: the error is not about a place.
Response sql_problem(const std::string& sql, std::optional<std::size_t> offset, const std::string& message);

}  // namespace leat::api
