#include "daemon/api/dispatch.h"

#include <fmt/format.h>

#include "daemon/config/config.h"

namespace leat::api {
namespace {

using nlohmann::json;

std::optional<Method> method_of(const std::string& name) {
  if (name == "HEAD") return Method::kGet;
  for (const Method each : {Method::kGet, Method::kPost, Method::kPut, Method::kDelete})
    if (name == to_string(each)) return each;
  return std::nullopt;
}

/// "localhost:8463", "[::1]:8463" → without the port and the brackets.
std::string name_in(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.rfind(':'));
}

std::optional<Response> refuse_stranger(const Incoming& incoming, Method method) {
  if (!incoming.host.empty() && !config::is_loopback(name_in(incoming.host)))
    return problem(
        403, "not our name",
        fmt::format("the Host '{}' is no loopback address: ask for 127.0.0.1 or localhost", incoming.host));
  if (!incoming.origin.empty() && incoming.origin != "http://" + incoming.host)
    return problem(403, "another page's request",
                   fmt::format("a page of '{}' may not use this API", incoming.origin));
  const std::string& site = incoming.fetch_site;
  if (method != Method::kGet && !site.empty() && site != "same-origin" && site != "none")
    return problem(403, "another page's request", "a page from elsewhere may not change anything here");
  return std::nullopt;
}

std::optional<Response> read_body(const Incoming& incoming, std::size_t most, Request& request) {
  const std::string type = incoming.content_type.substr(0, incoming.content_type.find(';'));
  if (type != "application/json")
    return problem(
        415, "not JSON",
        fmt::format("the Content-Type is '{}', expected 'application/json'", incoming.content_type));
  if (incoming.body.size() > most)
    return problem(413, "too large",
                   fmt::format("the body has {} bytes, {} are allowed", incoming.body.size(), most));
  if (incoming.body.empty()) return std::nullopt;
  request.body = json::parse(incoming.body, nullptr, /*allow_exceptions=*/false);
  if (!request.body.is_object())
    return problem(400, "not a JSON object", "the body must be one JSON object, or empty");
  return std::nullopt;
}

}  // namespace

Dispatcher::Dispatcher(std::span<const Route> routes) {
  for (const Route& route : routes) routes_.push_back({&route, std::regex(pattern_of(route.path))});
}

/// Finds the route of this path and method, and its groups; or how to refuse.
std::optional<Response> Dispatcher::find_route(const Incoming& incoming, std::optional<Method> method,
                                               const Route*& route, Request& request) const {
  std::string allowed;
  for (const Compiled& each : routes_) {
    std::smatch groups;
    if (!std::regex_match(incoming.path, groups, each.pattern)) continue;
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

Response Dispatcher::dispatch(const ApiContext& context, const Incoming& incoming) const {
  const std::optional<Method> method = method_of(incoming.method);
  if (auto refused = refuse_stranger(incoming, method.value_or(Method::kPost))) return *refused;
  const Route* route = nullptr;
  Request request;
  if (auto refused = find_route(incoming, method, route, request)) return *refused;
  request.query = incoming.query;
  request.accept_encoding = incoming.accept_encoding;
  request.if_none_match = incoming.if_none_match;
  if (method == Method::kPost || method == Method::kPut)
    if (auto refused = read_body(incoming, route->max_body, request)) return *refused;
  return answer(*route, context, request);
}

}  // namespace leat::api
