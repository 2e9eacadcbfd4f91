// Questions about SQL texts: whether they are right, what their plan is, what the local tables hold.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>

#include "daemon/api/gate.h"
#include "daemon/api/json_text.h"
#include "daemon/api/members.h"
#include "daemon/api/sql_errors.h"
#include "daemon/store/query.h"
#include "pipelines/functions/base64.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t kMostRows = 10'000;
constexpr std::int64_t kUsualRows = 1'000;

std::string plan_in_words(const plan::PlanOutcome& outcome) {
  std::string text;
  for (const std::string& answer : outcome.explained) text += answer + "\n";
  return outcome.plan.sinks.empty() ? text : text + plan::explain(outcome.plan);
}

template <class Nodes>
ordered_json tables_json(const Nodes& nodes) {
  ordered_json list = ordered_json::array();
  for (const auto& node : nodes) list.push_back({{"table", node->table}, {"connector", node->connector}});
  return list;
}

ordered_json number_json(double value) {
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

ordered_json cell_json(const store::QueryCell& cell) {
  if (const auto* number = std::get_if<std::int64_t>(&cell)) return *number;
  if (const auto* real = std::get_if<double>(&cell)) return number_json(*real);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* blob = std::get_if<store::QueryBytes>(&cell)) return functions::to_base64(blob->bytes);
  return nullptr;
}

ordered_json answer_json(const store::QueryAnswer& answer) {
  ordered_json columns = ordered_json::array();
  for (const auto& column : answer.columns) columns.push_back({{"name", column.name}, {"type", column.type}});
  ordered_json rows = ordered_json::array();
  for (const auto& row : answer.rows) {
    ordered_json& cells = rows.emplace_back(ordered_json::array());
    for (const store::QueryCell& cell : row) cells.push_back(cell_json(cell));
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}, {"truncated", answer.truncated}};
}

/// On one line: thousands of cells would be as many lines.
Response compact(const ordered_json& body) {
  return {200, body.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n", "application/json"};
}

Response refused_query(const std::string& sql, const store::QueryError& refused) {
  switch (refused.error.code) {
    case ErrorCode::kNotFound:
      return problem(404, "no such table", refused.error.message);
    case ErrorCode::kInvalid:
    case ErrorCode::kCancelled:
    case ErrorCode::kExhausted:
      return sql_problem(sql, refused.offset, refused.error.message);
    default:
      return problem(503, "the store cannot be read", refused.error.message);
  }
}

/// " ('readings' is a table of pipeline 'mill' …)", where a pipeline has one that is not kept; else nothing.
std::string about_table(const ApiContext& context, const std::string& folded) {
  if (folded.empty()) return {};
  const auto plans = context.host->plans();
  const auto is_this = [&](const std::string& name) {
    return std::ranges::equal(name, folded,
                              [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
  };
  const auto passes = [](const std::string& table, const PipelineName& pipeline) {
    return fmt::format(
        "; '{0}' is a table of pipeline '{1}' whose rows are not kept: 'leat tail {0}' shows them as "
        "they come, and INSERT INTO a table with 'connector' = 'sqlite' keeps them",
        table, pipeline.value);
  };
  for (const runtime::PlannedPipeline& each : plans.value_or(std::vector<runtime::PlannedPipeline>())) {
    for (const auto& scan : each.plan.scans)
      if (is_this(scan->table)) return passes(scan->table, each.name);
    for (const auto& sink : each.plan.sinks)
      if (is_this(sink->table)) return passes(sink->table, each.name);
  }
  return {};
}

Response too_many_queries(const ApiContext& context) {
  return busy(fmt::format("{} queries are being answered, which is all that are at once",
                          context.gates->queries.most()));
}

}  // namespace

Response validate(const ApiContext&, const Request& request) {
  const auto sql = required_text(request, "sql");
  if (!sql) return wrong_member(sql.error());
  const plan::PlanOutcome outcome = plan_text(*sql, BareSelect::kRefused);
  ordered_json body{{"valid", outcome.ok()},
                    {"errors", messages_json(outcome.messages, plan::Severity::kError)},
                    {"warnings", messages_json(outcome.messages, plan::Severity::kWarning)},
                    {"text", rendered(outcome.messages)},
                    {"pipeline", nullptr}};
  if (outcome.ok())
    body["pipeline"] = {{"sources", tables_json(outcome.plan.scans)},
                        {"sinks", tables_json(outcome.plan.sinks)}};
  return json_response(body);
}

Response explain(const ApiContext&, const Request& request) {
  const auto sql = required_text(request, "sql");
  if (!sql) return wrong_member(sql.error());
  const plan::PlanOutcome outcome = plan_text(*sql, BareSelect::kTaken);
  return outcome.ok() ? json_response({{"plan", plan_in_words(outcome)}}) : sql_problem(outcome.messages);
}

Response show_plan(const ApiContext& context, const Request& request) {
  const auto plan = context.host->plan_of({request.parts.at(0)});
  if (plan) return json_response({{"plan", plan::explain(*plan)}});
  return problem(status_of(plan.error().code), "there is no plan", plan.error().message);
}

Response query(const ApiContext& context, const Request& request) {
  const auto sql = required_text(request, "sql");
  if (!sql) return wrong_member(sql.error());
  const auto limit = number_member(request, "limit", {1, kMostRows, kUsualRows});
  if (!limit) return wrong_member(limit.error());
  const Gate::Pass pass = context.gates->queries.enter();
  if (!pass) return too_many_queries(context);
  const std::int64_t begin = context.clock->monotonic();
  const auto answer = context.store->tables().query(*sql, {.rows = static_cast<std::size_t>(*limit)});
  if (!answer) {
    store::QueryError refused = answer.error();
    refused.error.message += about_table(context, refused.table);
    return refused_query(*sql, refused);
  }
  ordered_json body = answer_json(*answer);
  body["elapsed_micros"] = context.clock->monotonic() - begin;
  return compact(body);
}

Response table_rows(const ApiContext& context, const Request& request) {
  const auto limit = number_member(request, "limit", {1, kMostRows, 100});
  if (!limit) return wrong_member(limit.error());
  const auto order = text_member(request, "order");
  if (!order || (!order->empty() && *order != "newest" && *order != "oldest"))
    return problem(400, "wrong parameter", "'order' is newest or oldest");
  const Gate::Pass pass = context.gates->queries.enter();
  if (!pass) return too_many_queries(context);
  const auto from = *order == "oldest" ? store::PageOrder::kOldest : store::PageOrder::kNewest;
  const auto page =
      context.store->tables().page(request.parts.at(0), from, {.rows = static_cast<std::size_t>(*limit)});
  return page ? compact(answer_json(*page)) : refused_query("", page.error());
}

}  // namespace leat::api
