// The route table: every resource of the API, one row each; one file per resource.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/api/server.h"

namespace leat::api {

struct Request {
  std::vector<std::string> parts;  ///< What the path's groups matched: {"line3"} of /pipelines/line3.
  std::multimap<std::string, std::string> query;
  nlohmann::json body = nlohmann::json::object();  ///< Of a POST; always an object.
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::string allow = {};  ///< The methods that the path takes, with 405.
};

enum class Method : std::uint8_t {
  kGet,   ///< And HEAD: looks, never changes anything.
  kPost,  ///< Changes something; takes a JSON object.
};

struct Route {
  std::string pattern;  ///< Regular expression over the whole path.
  std::string doc;
  std::function<Response(const ApiContext&, const Request&)> answer;
  /// Of the query, and for a POST members of the body; any other one is refused.
  std::vector<std::string> parameters = {};
  Method method = Method::kGet;
};

std::span<const Route> routes();
/// The route's answer, or 400 when query or body have a parameter that the route does not know.
Response answer(const Route& route, const ApiContext& context, const Request& request);

/// An error as RFC 9457 has it.
Response problem(int status, const std::string& title, const std::string& detail);

/// What the metrics are made of: snapshots of one moment.
struct MetricsSource {
  std::string gateway_id;
  std::vector<runtime::PipelineStatus> pipelines;
  std::vector<store::OutboxStatus> outbox;
  std::optional<store::DeadLetterStatus> dead_letters;  ///< None: the store cannot be read now.
  loop::ClockStatus clock = {};
  loop::Stalls stalls = {};
};
/// Prometheus' text.
std::string metrics_text(const MetricsSource& source);

// One per resource.
Response health(const ApiContext& context, const Request& request);
Response readiness(const ApiContext& context, const Request& request);
Response metrics(const ApiContext& context, const Request& request);
Response list_pipelines(const ApiContext& context, const Request& request);
Response show_pipeline(const ApiContext& context, const Request& request);
Response pause_pipeline(const ApiContext& context, const Request& request);
Response resume_pipeline(const ApiContext& context, const Request& request);
Response restart_pipeline(const ApiContext& context, const Request& request);
Response show_outbox(const ApiContext& context, const Request& request);
Response show_sink(const ApiContext& context, const Request& request);
Response pause_sink(const ApiContext& context, const Request& request);
Response resume_sink(const ApiContext& context, const Request& request);
Response resend_shipment(const ApiContext& context, const Request& request);
Response skip_shipment(const ApiContext& context, const Request& request);
Response list_dead_letters(const ApiContext& context, const Request& request);
Response list_tables(const ApiContext& context, const Request& request);
Response load_table(const ApiContext& context, const Request& request);
Response drop_table(const ApiContext& context, const Request& request);
Response migrate_table(const ApiContext& context, const Request& request);
Response show_dead_letter(const ApiContext& context, const Request& request);
Response replay_dead_letters(const ApiContext& context, const Request& request);
Response purge_dead_letters(const ApiContext& context, const Request& request);

}  // namespace leat::api
