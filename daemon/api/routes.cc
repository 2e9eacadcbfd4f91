#include "daemon/api/routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "daemon/api/dashboard.h"
#include "daemon/api/dead_letter_request.h"
#include "pipelines/base/nearest.h"

namespace leat::api {

namespace {

using Type = Parameter::Type;

Route look(std::string path, std::string doc, Answer answer, std::vector<Parameter> parameters = {}) {
  return {Method::kGet,   Role::kRead,       std::move(path),
          std::move(doc), std::move(answer), std::move(parameters)};
}

Route change(std::string path, std::string doc, Answer answer, std::vector<Parameter> parameters = {}) {
  return {Method::kPost,  Role::kAdmin,      std::move(path),
          std::move(doc), std::move(answer), std::move(parameters)};
}

/// Asked by whoever watches over the daemon, or has no token yet.
Route look_without_token(std::string path, std::string doc, Answer answer) {
  return {Method::kGet, Role::kAnyone, std::move(path), std::move(doc), std::move(answer)};
}

std::vector<Route> make_routes() {
  const Parameter ids{"ids", "The letters' ids.", Type::kIds};
  const Parameter all{"all", "true: all of them; then nothing else has to be said.", Type::kFlag};
  return {
      look_without_token("/", "The dashboard.", dashboard_page),
      look_without_token("/assets/{file}", "What the dashboard is made of.", dashboard_asset),

      look_without_token("/healthz", "200 while the process answers.", health),
      look_without_token("/readyz", "200 when everything runs; 503 names what does not.", readiness),
      look("/metrics", "Counters and gauges in Prometheus' text format.", metrics),

      look("/api/v1/pipelines", "All pipelines with their state.", list_pipelines),
      look("/api/v1/pipelines/{pipeline}",
           "One pipeline: state, watermark, counters per operator, last error.", show_pipeline),
      change("/api/v1/pipelines/{pipeline}/pause",
             "Takes nothing in any more and commits; what was made is delivered. Kept over restarts.",
             pause_pipeline),
      change("/api/v1/pipelines/{pipeline}/resume", "Ends a pause: it goes on where it was.",
             resume_pipeline),
      change("/api/v1/pipelines/{pipeline}/restart",
             "Stops it, or takes one that has failed, and starts it from its last commit.", restart_pipeline),

      look("/api/v1/outbox", "What waits for each sink.", show_outbox),
      look("/api/v1/outbox/{pipeline}/{sink}", "What waits for one sink, and how its delivery stands.",
           show_sink),
      change("/api/v1/outbox/{pipeline}/{sink}/pause", "Delivers nothing more to a sink; kept over restarts.",
             pause_sink),
      change("/api/v1/outbox/{pipeline}/{sink}/resume",
             "Ends a pause, or the hold of a sink whose place was taken; tries at once.", resume_sink),
      change("/api/v1/outbox/{pipeline}/{sink}/resend",
             "Decides that an undecided shipment has not arrived: it is sent again.", resend_shipment),
      change("/api/v1/outbox/{pipeline}/{sink}/skip",
             "Decides that an undecided shipment has arrived: it is settled without being sent.",
             skip_shipment),

      look("/api/v1/dead-letters", "What could not be used, newest first; payloads cut to 1 KiB.",
           list_dead_letters,
           dead_letter_words({{"limit", "At most so many, 1 to 1000; 100 if not given.", Type::kNumber}})),
      look("/api/v1/dead-letters/{id:number}", "One dead letter, with all bytes that are kept.",
           show_dead_letter),
      change("/api/v1/dead-letters/replay",
             "Puts dead letters of sources back into their pipelines as fresh messages, the oldest first, at "
             "most 1,000 at once; the answer says where to go on.",
             replay_dead_letters, dead_letter_words({ids, all})),
      change("/api/v1/dead-letters/purge", "Throws dead letters away.", purge_dead_letters,
             dead_letter_words({ids, all})),

      look("/api/v1/tables", "The local tables: declarations, rows, users.", list_tables),
      change("/api/v1/tables/{table}/rows", "Load rows, text in a format.", load_table,
             {{"format", "csv or json.", Type::kText},
              {"columns", "The columns that the fields of CSV are for, in their order.", Type::kTexts},
              {"rows", "The text.", Type::kText}}),
      change("/api/v1/tables/{table}/drop", "Delete a table that no running pipeline uses.", drop_table),
      change("/api/v1/tables/{table}/migrate",
             "Rebuild a table as the pipeline declares it that was refused.", migrate_table),
  };
}

Response refuse_parameter(const std::string& name, const std::vector<std::string>& known) {
  const std::string takes =
      known.empty() ? "this resource takes none" : fmt::format("known here: {}", fmt::join(known, ", "));
  return problem(400, "unknown parameter",
                 fmt::format("there is no parameter '{}'{}; {}", name, did_you_mean(name, known), takes));
}

std::vector<std::string> names_of(const std::vector<Parameter>& parameters) {
  std::vector<std::string> names;
  for (const Parameter& each : parameters) names.push_back(each.name);
  return names;
}

}  // namespace

std::span<const Route> routes() {
  static const std::vector<Route> kRoutes = make_routes();
  return kRoutes;
}

std::string_view to_string(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kDelete:
      break;
  }
  return "DELETE";
}

std::string pattern_of(const std::string& path) {
  static const std::regex kNumber(R"(\{[a-z_]+:number\})");
  static const std::regex kSegment(R"(\{[a-z_]+\})");
  return std::regex_replace(std::regex_replace(path, kNumber, "([0-9]+)"), kSegment, "([^/]+)");
}

Response answer(const Route& route, const ApiContext& context, const Request& request) {
  const std::vector<std::string> none;
  const std::vector<std::string> known = names_of(route.parameters);
  const bool has_body = route.method == Method::kPost || route.method == Method::kPut;
  const auto& in_query = has_body ? none : known;
  const auto& in_body = has_body ? known : none;
  const auto knows = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const auto& [name, value] : request.query)
    if (!knows(in_query, name)) return refuse_parameter(name, in_query);
  for (const auto& [name, value] : request.body.items())
    if (!knows(in_body, name)) return refuse_parameter(name, in_body);
  return route.answer(context, request);
}

Response problem(int status, const std::string& title, const std::string& detail) {
  const nlohmann::json body{
      {"type", "about:blank"}, {"status", status}, {"title", title}, {"detail", detail}};
  return {status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
          "application/problem+json"};
}

}  // namespace leat::api
