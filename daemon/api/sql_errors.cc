#include "daemon/api/sql_errors.h"

#include "daemon/api/json_text.h"
#include "daemon/config/time_zone.h"
#include "daemon/runtime/catalog.h"
#include "pipelines/sql/diagnostic.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;

/// The name or number that begins at a byte, else one character.
std::uint32_t end_of_word(std::string_view sql, std::size_t begin) {
  const auto in_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c >= 0x80; };
  std::size_t end = begin;
  while (end < sql.size() && in_word(static_cast<unsigned char>(sql[end]))) ++end;
  return static_cast<std::uint32_t>(std::max(end, std::min(begin + 1, sql.size())));
}

}  // namespace

plan::PlanOutcome plan_text(const std::string& sql, BareSelect bare_select, const OptionMap& overrides) {
  return plan::plan_pipeline({.file = kSqlFile,
                              .text = sql,
                              .overrides = overrides,
                              .allow_select = bare_select == BareSelect::kTaken,
                              .host_time_zone = config::host_time_zone()},
                             runtime::catalog());
}

ordered_json messages_json(const std::vector<plan::Message>& messages, plan::Severity severity) {
  ordered_json list = ordered_json::array();
  for (const plan::Message& message : messages)
    if (message.severity == severity)
      list.push_back({{"message", message.text},
                      {"line", message.line},
                      {"column", message.column},
                      {"length", message.length}});
  return list;
}

std::string rendered(const std::vector<plan::Message>& messages) {
  std::string text;
  for (const plan::Message& message : messages) text += message.rendered;
  return text;
}

Response sql_problem(const std::vector<plan::Message>& messages) {
  const ordered_json errors = messages_json(messages, plan::Severity::kError);
  const ordered_json body{{"type", "about:blank"},
                          {"status", 422},
                          {"title", "the SQL is wrong"},
                          {"detail", errors.empty() ? "" : errors[0]["message"].get<std::string>()},
                          {"errors", errors},
                          {"text", rendered(messages)}};
  Response response = json_response(body, 422);
  response.content_type = "application/problem+json";
  return response;
}

Response sql_problem(const std::string& sql, std::optional<std::size_t> offset, const std::string& message) {
  plan::Message error{.text = message, .rendered = std::string(kSqlFile) + ": error: " + message + "\n"};
  if (offset && *offset <= sql.size()) {
    const sql::SourceText source(kSqlFile, sql);
    const sql::SourceSpan span{static_cast<std::uint32_t>(*offset), end_of_word(sql, *offset)};
    const sql::SourcePosition place = source.position(span.begin);
    error.line = place.line;
    error.column = place.column;
    error.length = sql::count_characters(source.at(span));
    error.rendered = sql::render(sql::Diagnostic{.span = span, .message = message, .hint = {}}, source);
  }
  return sql_problem({error});
}

}  // namespace leat::api
