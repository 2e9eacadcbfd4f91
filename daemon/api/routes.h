// The route table: every resource of the API, one row each; one file per resource.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/api/role.h"
#include "daemon/api/server.h"

namespace leat::api {

struct Request {
  std::vector<std::string> parts;  ///< What the path's places hold: {"line3"} for /pipelines/{pipeline}.
  std::multimap<std::string, std::string> query;
  nlohmann::json body = nlohmann::json::object();  ///< Of a POST or PUT; always an object.
  Role role =
      Role::kAnyone;  ///< What the caller may; a route of kAnyone tells strangers as little as it can.
  /// Who asks: "token:NAME", "certificate:NAME", "socket:USER", "loopback", "anyone".
  std::string caller = {};
  std::string accept_encoding = {};
  std::string if_none_match = {};
};

/// A body that comes in pieces, as server-sent events do: called on the answer's thread until it gives
/// nothing. A call waits at most a second for more and may then give an empty piece, so that it is noticed
/// when the reader has gone; then the function is destroyed and must let go of all it holds.
using Pieces = std::function<std::optional<std::string>()>;

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::string allow = {};  ///< The methods that the path takes, with 405.
  Pieces pieces = {};      ///< Set: the body, in place of `body`.
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< More of them, such as Retry-After.
};

enum class Method : std::uint8_t {
  kGet,     ///< And HEAD: looks, never changes anything.
  kPost,    ///< Takes a JSON object.
  kPut,     ///< Takes a JSON object; the same one twice is once.
  kDelete,  ///< Takes no body; its parameters are in the query.
};
std::string_view to_string(Method method);

struct Parameter {
  enum class Type : std::uint8_t { kText, kNumber, kFlag, kIds, kTexts, kTextMap };
  enum class Need : std::uint8_t { kOptional, kRequired };
  std::string name;
  std::string doc;
  Type type = Type::kText;
  Need need = Need::kOptional;
};

using Answer = std::function<Response(const ApiContext&, const Request&)>;

struct Route {
  Method method = Method::kGet;
  Role role = Role::kAdmin;
  /// "/api/v1/pipelines/{pipeline}": a place in braces takes one segment, "{id:number}" digits only.
  std::string path;
  std::string doc;
  Answer answer;
  /// Members of the body of a POST or PUT, else of the query; any other one is refused.
  std::vector<Parameter> parameters = {};
  std::size_t max_body = 64 << 10;            ///< Bytes; the server's own bound is 1 MiB.
  std::string produces = "application/json";  ///< The type of an answer that is no problem.
};

/// The regular expression of a path, with one group for each place.
std::string pattern_of(const std::string& path);

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
  const Counters* api = nullptr;
  std::string refused_configuration = {};  ///< Why it is refused that a reload found; "": it is not.
  std::vector<store::StreamStatus> streams = {};
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
Response deploy_pipeline(const ApiContext& context, const Request& request);
Response remove_pipeline(const ApiContext& context, const Request& request);
Response rename_pipeline(const ApiContext& context, const Request& request);
Response list_streams(const ApiContext& context, const Request& request);
Response show_stream(const ApiContext& context, const Request& request);
Response show_outbox(const ApiContext& context, const Request& request);
Response show_sink(const ApiContext& context, const Request& request);
Response pause_sink(const ApiContext& context, const Request& request);
Response resume_sink(const ApiContext& context, const Request& request);
Response resend_shipment(const ApiContext& context, const Request& request);
Response skip_shipment(const ApiContext& context, const Request& request);
Response purge_outbox(const ApiContext& context, const Request& request);
Response list_dead_letters(const ApiContext& context, const Request& request);
Response list_tables(const ApiContext& context, const Request& request);
Response load_table(const ApiContext& context, const Request& request);
Response drop_table(const ApiContext& context, const Request& request);
Response migrate_table(const ApiContext& context, const Request& request);
Response show_table(const ApiContext& context, const Request& request);
Response table_rows(const ApiContext& context, const Request& request);
Response validate(const ApiContext& context, const Request& request);
Response explain(const ApiContext& context, const Request& request);
Response show_plan(const ApiContext& context, const Request& request);
Response query(const ApiContext& context, const Request& request);
Response trial(const ApiContext& context, const Request& request);
Response tail(const ApiContext& context, const Request& request);
Response show_status(const ApiContext& context, const Request& request);
Response backup(const ApiContext& context, const Request& request);
Response reload(const ApiContext& context, const Request& request);
Response logs(const ApiContext& context, const Request& request);
Response show_log_level(const ApiContext& context, const Request& request);
Response set_log_level(const ApiContext& context, const Request& request);
Response show_openapi(const ApiContext& context, const Request& request);
Response show_dead_letter(const ApiContext& context, const Request& request);
Response replay_dead_letters(const ApiContext& context, const Request& request);
Response purge_dead_letters(const ApiContext& context, const Request& request);

}  // namespace leat::api
