#include "daemon/api/routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "daemon/api/dead_letter_request.h"
#include "pipelines/base/nearest.h"

namespace leat::api {

std::span<const Route> routes() {
  static const std::array kRoutes{
      Route{"/healthz", "200 while the process answers.", health},
      Route{"/readyz", "200 when everything runs; 503 names what does not.", readiness},
      Route{"/metrics", "Counters and gauges in Prometheus' text format.", metrics},
      Route{"/api/v1/pipelines", "All pipelines with their state.", list_pipelines},
      Route{"/api/v1/pipelines/([^/]+)", "One pipeline: state, watermark, counters per operator, last error.",
            show_pipeline},
      Route{"/api/v1/pipelines/([^/]+)/pause",
            "Takes nothing in any more and commits; what was made is delivered. Kept over restarts.",
            pause_pipeline,
            {},
            Method::kPost},
      Route{"/api/v1/pipelines/([^/]+)/resume",
            "Ends a pause: it goes on where it was.",
            resume_pipeline,
            {},
            Method::kPost},
      Route{"/api/v1/pipelines/([^/]+)/restart",
            "Stops it, or takes one that has failed, and starts it from its last commit.",
            restart_pipeline,
            {},
            Method::kPost},
      Route{"/api/v1/outbox", "What waits for each sink.", show_outbox},
      Route{"/api/v1/outbox/([^/]+)/([^/]+)", "What waits for one sink, and how its delivery stands.",
            show_sink},
      Route{"/api/v1/outbox/([^/]+)/([^/]+)/pause",
            "Delivers nothing more to a sink; kept over restarts.",
            pause_sink,
            {},
            Method::kPost},
      Route{"/api/v1/outbox/([^/]+)/([^/]+)/resume",
            "Ends a pause, or the hold of a sink whose place was taken; tries at once.",
            resume_sink,
            {},
            Method::kPost},
      Route{"/api/v1/outbox/([^/]+)/([^/]+)/resend",
            "Decides that an undecided shipment has not arrived: it is sent again.",
            resend_shipment,
            {},
            Method::kPost},
      Route{"/api/v1/outbox/([^/]+)/([^/]+)/skip",
            "Decides that an undecided shipment has arrived: it is settled without being sent.",
            skip_shipment,
            {},
            Method::kPost},
      Route{"/api/v1/dead-letters", "What could not be used, newest first; payloads cut to 1 KiB.",
            list_dead_letters, dead_letter_words({"limit"})},
      Route{"/api/v1/dead-letters/([0-9]+)", "One dead letter, with all bytes that are kept.",
            show_dead_letter},
      Route{"/api/v1/dead-letters/replay",
            "Puts dead letters of sources back into their pipelines as fresh messages, the oldest first, at "
            "most 1,000 at once; the answer says where to go on.",
            replay_dead_letters, dead_letter_words({"ids", "all"}), Method::kPost},
      Route{"/api/v1/dead-letters/purge", "Throws dead letters away.", purge_dead_letters,
            dead_letter_words({"ids", "all"}), Method::kPost},
      Route{"/api/v1/tables", "The local tables: declarations, rows, users.", list_tables},
      Route{"/api/v1/tables/([^/]+)/rows",
            "Load rows, text in a format (csv, json): columns names what the fields of CSV are.",
            load_table,
            {"format", "columns", "rows"},
            Method::kPost},
      Route{"/api/v1/tables/([^/]+)/drop",
            "Delete a table that no running pipeline uses.",
            drop_table,
            {},
            Method::kPost},
      Route{"/api/v1/tables/([^/]+)/migrate",
            "Rebuild a table as the pipeline declares it that was refused.",
            migrate_table,
            {},
            Method::kPost},
  };
  return kRoutes;
}

namespace {

Response refuse_parameter(const std::string& name, const std::vector<std::string>& known) {
  const std::string takes =
      known.empty() ? "this resource takes none" : fmt::format("known here: {}", fmt::join(known, ", "));
  return problem(400, "unknown parameter",
                 fmt::format("there is no parameter '{}'{}; {}", name, did_you_mean(name, known), takes));
}

}  // namespace

Response answer(const Route& route, const ApiContext& context, const Request& request) {
  const std::vector<std::string> none;
  const auto& in_query = route.method == Method::kGet ? route.parameters : none;
  const auto& in_body = route.method == Method::kPost ? route.parameters : none;
  const auto knows = [](const std::vector<std::string>& known, const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end();
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
