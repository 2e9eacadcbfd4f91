#include "daemon/api/routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "daemon/api/dashboard.h"
#include "daemon/api/dead_letter_request.h"
#include "pipelines/base/nearest.h"
#include "sources/listen/answer.h"

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

/// A question that is too large for a query: a POST that changes nothing.
Route ask(std::string path, std::string doc, Answer answer, std::vector<Parameter> parameters) {
  return {Method::kPost,  Role::kRead,       std::move(path),
          std::move(doc), std::move(answer), std::move(parameters)};
}

/// The same route with an answer of another type than JSON.
Route produces(std::string type, Route route) {
  route.produces = std::move(type);
  return route;
}

/// Asked by whoever watches over the daemon, or has no token yet.
Route look_without_token(std::string path, std::string doc, Answer answer) {
  return {Method::kGet, Role::kAnyone, std::move(path), std::move(doc), std::move(answer)};
}

/// Puts something in its place; a text may take as much as the server does.
Route put_text(std::string path, std::string doc, Answer answer, std::vector<Parameter> parameters) {
  return {Method::kPut,      Role::kAdmin,          std::move(path), std::move(doc),
          std::move(answer), std::move(parameters), 1 << 20};
}

Route take_away(std::string path, std::string doc, Answer answer, std::vector<Parameter> parameters) {
  return {Method::kDelete, Role::kAdmin,      std::move(path),
          std::move(doc),  std::move(answer), std::move(parameters)};
}

std::vector<Route> make_routes() {
  using Need = Parameter::Need;
  const std::string events = "text/event-stream";
  const Parameter sql{"sql", "The text.", Type::kText, Need::kRequired};
  const Parameter ids{"ids", "The letters' ids.", Type::kIds};
  const Parameter all{"all", "true: all of them; then nothing else has to be said.", Type::kFlag};
  return {
      produces("text/html; charset=utf-8", look_without_token("/", "The dashboard.", dashboard_page)),
      look_without_token("/assets/{file}", "What the dashboard is made of.", dashboard_asset),

      look_without_token("/healthz", "200 while the process answers.", health),
      look_without_token("/readyz", "200 when everything runs; 503 names what does not.", readiness),
      produces("text/plain; version=0.0.4; charset=utf-8",
               look("/metrics", "Counters and gauges in Prometheus' text format.", metrics)),

      look("/api/v1/status", "The daemon: version, memory, disk, and what the caller may.", show_status),
      look("/api/v1/logs", "The last lines of the log, the oldest first.", logs,
           {{"lines", "At most so many, 1 to 1000; 200 if not given.", Type::kNumber},
            {"level", "Of this level and above: debug, info, warn, error."}}),
      look("/api/v1/log-level", "From which level on lines are written.", show_log_level),
      {Method::kPut,
       Role::kAdmin,
       "/api/v1/log-level",
       "Sets it, until the daemon ends.",
       set_log_level,
       {{"level", "debug, info, warn or error.", Type::kText, Need::kRequired}}},
      produces("application/vnd.sqlite3",
               {Method::kGet, Role::kAdmin, "/api/v1/backup",
                "A consistent copy of the store, as 'leat store backup' makes it.", backup}),
      change(
          "/api/v1/reload",
          "Reads the configuration and the pipeline folder anew, as SIGHUP does: new and changed files take "
          "over, pipelines whose files are gone end; what is refused changes nothing and is named.",
          reload,
          {{"cold",
            "accept, if not given: operators may start without state; refuse: such files are not "
            "taken."},
           {"dry_run", "true: says what would happen, and does nothing.", Type::kFlag}}),
      look("/api/v1/openapi.json", "This API's description: OpenAPI 3.1.", show_openapi),

      ask("/api/v1/validate", "Says all that is wrong with a pipeline's text, as 'leat check' does.",
          validate, {sql}),
      ask("/api/v1/explain", "The plan of a text, as 'leat explain' prints it.", explain, {sql}),
      ask("/api/v1/query", "A SELECT over the local tables, in SQLite's SQL; for 2 seconds at most.", query,
          {sql, {"limit", "At most so many rows, 1 to 10000; 1000 if not given.", Type::kNumber}}),
      produces(events,
               ask("/api/v1/trial",
                   "Runs a query for a while on pasted rows or on those that come, and keeps nothing of it. "
                   "Events: schema, rows, note, end.",
                   trial,
                   {sql,
                    {"pipeline", "A pipeline whose tables and views the text may use."},
                    {"input", "Rows of tables, by name: lines in the table's format.", Type::kTextMap},
                    {"table", "Of several that the text writes, the one whose rows are wanted."},
                    {"seconds", "At most so long, 1 to 60; 10 if not given.", Type::kNumber},
                    {"rows", "At most so many rows, 1 to 10000; 1000 if not given.", Type::kNumber}})),
      produces(events, look("/api/v1/tail/{table}",
                            "The rows of a table or view of a running pipeline as they come, at most some "
                            "hundreds a second. Events: schema, rows, skipped, end.",
                            tail, {{"pipeline", "Whose table; needed where several have one of the name."}})),

      look("/api/v1/pipelines", "All pipelines with their state.", list_pipelines),
      look("/api/v1/pipelines/{pipeline}",
           "One pipeline: state, watermark, counters per operator, last error.", show_pipeline),
      look("/api/v1/pipelines/{pipeline}/plan", "Its plan, as 'leat explain' prints it.", show_plan),
      change("/api/v1/pipelines/{pipeline}/pause",
             "Takes nothing in any more and commits; what was made is delivered. Kept over restarts.",
             pause_pipeline),
      change("/api/v1/pipelines/{pipeline}/resume", "Ends a pause: it goes on where it was.",
             resume_pipeline),
      change("/api/v1/pipelines/{pipeline}/restart",
             "Stops it, or takes one that has failed, and starts it from its last commit; with the text that "
             "its file has now.",
             restart_pipeline),
      put_text("/api/v1/pipelines/{pipeline}",
               "Deploys a text: plans and builds it, and puts it in the place of the version that runs, with "
               "that one's state, positions and outboxes. The same text again changes nothing.",
               deploy_pipeline,
               {{"sql", "The pipeline's text.", Type::kText, Parameter::Need::kRequired},
                {"cold", "accept: operators may start without state; refuse, if not given: 409 names them."},
                {"dry_run", "true: says what would happen, and does nothing.", Type::kFlag}}),
      take_away(
          "/api/v1/pipelines/{pipeline}",
          "Removes a deployed pipeline and ends its sessions at brokers. What is not purged is kept, for "
          "a later pipeline of that name.",
          remove_pipeline,
          {{"purge", "What is thrown away, too: journal, state, outbox, tables (a list with commas), all."}}),
      change("/api/v1/pipelines/{pipeline}/rename",
             "Gives a deployed pipeline another name, with all that it has; or what is kept of one.",
             rename_pipeline, {{"to", "The new name.", Type::kText, Parameter::Need::kRequired}}),

      look("/api/v1/streams", "The streams between pipelines, and what waits in each.", list_streams),
      look("/api/v1/streams/{stream}", "One stream: its columns, who writes and reads it, its rows.",
           show_stream),

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
      change("/api/v1/outbox/{pipeline}/{sink}/purge",
             "Throws away what waits for a sink; a shipment that may have arrived stays. Counted as dropped.",
             purge_outbox,
             {{"all", "true: everything that waits.", Type::kFlag, Parameter::Need::kRequired}}),

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
      look("/api/v1/tables/{table}", "One local table.", show_table),
      look("/api/v1/tables/{table}/rows", "Rows of a local table.", table_rows,
           {{"limit", "At most so many, 1 to 10000; 100 if not given.", Type::kNumber},
            {"order", "newest (as rows were first put in; if not given) or oldest."}}),
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
  listen::Answer answer = listen::problem(status, title, detail);
  return {answer.status, std::move(answer.body), std::move(answer.content_type)};
}

}  // namespace leat::api
