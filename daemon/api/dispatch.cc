#include "daemon/api/dispatch.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "daemon/log/log.h"

namespace leat::api {
namespace {

using nlohmann::json;

std::optional<Method> method_of(const std::string& name) {
  if (name == "HEAD") return Method::kGet;
  for (const Method each : {Method::kGet, Method::kPost, Method::kPut, Method::kDelete})
    if (name == to_string(each)) return each;
  return std::nullopt;
}

bool has_body(Method method) {
  return method == Method::kPost || method == Method::kPut;
}

Response too_large(std::size_t size, std::size_t most) {
  return problem(413, "too large", fmt::format("the body has {} bytes, {} are allowed", size, most));
}

/// Strangers are counted, not listed: they must not fill the log.
void audit(const Incoming& incoming, const std::string& who, const Route& route, int status) {
  if (route.role != Role::kAdmin) return;
  log::always(log::Level::kInfo, "asked of the API as an admin",
              {{"who", who},
               {"from", incoming.peer.way == Peer::Way::kSocket ? "socket" : incoming.peer.address},
               {"method", std::string(to_string(route.method))},
               {"path", incoming.path},
               {"status", std::to_string(status)}});
}

std::optional<Response> refuse_type(const Incoming& incoming) {
  const std::string type = incoming.content_type.substr(0, incoming.content_type.find(';'));
  if (type == "application/json") return std::nullopt;
  return problem(415, "not JSON",
                 fmt::format("the Content-Type is '{}', expected 'application/json'", incoming.content_type));
}

constexpr int kMostLevels = 32;

/// Printing and destroying a JSON value takes stack for each level of it.
bool is_nested_too_deep(std::string_view body) {
  int level = 0;
  bool in_text = false;
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (in_text && body[at] == '\\')
      ++at;
    else if (body[at] == '"')
      in_text = !in_text;
    else if (!in_text && (body[at] == '[' || body[at] == '{') && ++level > kMostLevels)
      return true;
    else if (!in_text && (body[at] == ']' || body[at] == '}'))
      --level;
  }
  return false;
}

std::optional<Response> read_body(const Incoming& incoming, std::size_t most, Request& request) {
  if (auto refused = refuse_type(incoming)) return refused;
  if (incoming.body.size() > most) return too_large(incoming.body.size(), most);
  if (incoming.body.empty()) return std::nullopt;
  if (is_nested_too_deep(incoming.body))
    return problem(400, "nested too deep", fmt::format("a body has at most {} levels", kMostLevels));
  request.body = json::parse(incoming.body, nullptr, /*allow_exceptions=*/false);
  if (!request.body.is_object())
    return problem(400, "not a JSON object", "the body must be one JSON object, or empty");
  return std::nullopt;
}

/// Of these a HEAD is told the type alone: the answer would be a copy of the store, or would last.
bool is_costly(const Route& route) {
  return route.produces == "application/vnd.sqlite3" || route.produces == "text/event-stream";
}

}  // namespace

Dispatcher::Dispatcher(std::span<const Route> routes, Access& access) : access_(access) {
  for (const Route& route : routes)
    routes_.push_back({&route, std::make_unique<const re2::RE2>(pattern_of(route.path), RE2::Latin1)});
}

Dispatcher::~Dispatcher() = default;

/// Finds the route of this path and method, and its groups; or how to refuse.
std::optional<Response> Dispatcher::find_route(const Incoming& incoming, std::optional<Method> method,
                                               const Route*& route, Request& request) const {
  std::string allowed;
  for (const Compiled& each : routes_) {
    // The whole, and what the places hold.
    std::vector<re2::StringPiece> groups(1 +
                                         static_cast<std::size_t>(each.pattern->NumberOfCapturingGroups()));
    if (!each.pattern->Match(incoming.path, 0, incoming.path.size(), RE2::ANCHOR_BOTH, groups.data(),
                             static_cast<int>(groups.size())))
      continue;
    if (each.route->method == method) {
      route = each.route;
      request.parts.assign(groups.begin() + 1, groups.end());
      return std::nullopt;
    }
    allowed += allowed.empty() ? "" : ", ";
    allowed += each.route->method == Method::kGet ? "GET, HEAD" : to_string(each.route->method);
  }
  if (allowed.empty()) return problem(404, "not found", fmt::format("there is nothing at {}", incoming.path));
  Response refused = problem(405, "method not allowed",
                             fmt::format("{} takes {}, not {}", incoming.path, allowed, incoming.method));
  refused.allow = allowed;
  return refused;
}

std::variant<Dispatcher::Admitted, Response> Dispatcher::admit(const Incoming& incoming) const {
  if (auto refused = access_.refuse_stranger(incoming)) return *refused;
  auto caller = access_.identify(incoming);
  if (auto* refused = std::get_if<Response>(&caller)) return *refused;
  const Caller& known = std::get<Caller>(caller);
  Admitted admitted{.request = {.query = incoming.query,
                                .role = known.role,
                                .caller = known.name,
                                .accept_encoding = incoming.accept_encoding,
                                .if_none_match = incoming.if_none_match}};
  if (auto refused = find_route(incoming, method_of(incoming.method), admitted.route, admitted.request))
    return *refused;
  auto refused = access_.refuse_role(known, admitted.route->role);
  if (!refused) return admitted;
  if (known.role != Role::kAnyone) audit(incoming, known.name, *admitted.route, refused->status);
  return *refused;
}

std::optional<Response> Dispatcher::refuse_early(const Incoming& incoming,
                                                 std::optional<std::size_t> size) const {
  auto admitted = admit(incoming);
  if (auto* refused = std::get_if<Response>(&admitted)) return *refused;
  const Route& route = *std::get<Admitted>(admitted).route;
  if (!has_body(route.method)) return std::nullopt;
  if (size && *size > route.max_body) return too_large(*size, route.max_body);
  return refuse_type(incoming);
}

Response Dispatcher::dispatch(const ApiContext& context, const Incoming& incoming) const {
  auto admitted = admit(incoming);
  if (auto* refused = std::get_if<Response>(&admitted)) return *refused;
  auto& [route, request] = std::get<Admitted>(admitted);
  if (incoming.method == "HEAD" && is_costly(*route))
    return {.status = 200, .body = {}, .content_type = route->produces};
  std::optional<Response> refused;
  if (has_body(route->method)) refused = read_body(incoming, route->max_body, request);
  Response response = refused ? *refused : answer(*route, context, request);
  audit(incoming, request.caller, *route, response.status);
  return response;
}

}  // namespace leat::api
