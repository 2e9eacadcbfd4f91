#include "daemon/api/openapi.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "daemon/api/json_text.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;

/// A place of a path: "{id:number}".
struct Place {
  std::string name;
  bool number = false;
};

struct PathText {
  std::string path;  ///< "/dead-letters/{id}"
  std::vector<Place> places;
};

PathText read_path(const std::string& pattern) {
  PathText read;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t open = std::min(pattern.find('{', at), pattern.size());
    read.path += pattern.substr(at, open - at);
    if (open == pattern.size()) break;
    const std::size_t close = pattern.find('}', open);
    const std::string place = pattern.substr(open + 1, close - open - 1);
    const std::size_t colon = place.find(':');
    read.places.push_back({place.substr(0, colon), colon != std::string::npos});
    read.path += "{" + read.places.back().name + "}";
    at = close + 1;
  }
  return read;
}

/// "get /api/v1/pipelines/{pipeline}/plan" → "get_pipelines_pipeline_plan"
std::string operation_id(const Route& route) {
  std::string id(to_string(route.method));
  std::ranges::transform(id, id.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string path = read_path(route.path).path;
  constexpr std::string_view kRoot = "/api/v1";
  if (path.starts_with(kRoot)) path.erase(0, kRoot.size());
  bool gap = true;
  for (const char c : path) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (letter && gap) id += '_';
    if (letter) id += c;
    gap = !letter;
  }
  return id;
}

/// What groups the routes: a resource of several, else the daemon itself or what is asked of it.
std::string tag_of(const std::string& path) {
  constexpr std::string_view kRoot = "/api/v1/";
  constexpr std::array<std::string_view, 4> kResources = {"pipelines", "outbox", "dead-letters", "tables"};
  constexpr std::array<std::string_view, 5> kQuestions = {"validate", "explain", "query", "trial", "tail"};
  if (!path.starts_with(kRoot)) return "daemon";
  const std::string rest = path.substr(kRoot.size());
  const std::string first = rest.substr(0, rest.find('/'));
  if (std::ranges::find(kResources, first) != kResources.end()) return first;
  return std::ranges::find(kQuestions, first) != kQuestions.end() ? "questions" : "daemon";
}

ordered_json schema_of(Parameter::Type type) {
  switch (type) {
    case Parameter::Type::kText:
      return {{"type", "string"}};
    case Parameter::Type::kNumber:
      return {{"type", "integer"}};
    case Parameter::Type::kFlag:
      return {{"type", "boolean"}};
    case Parameter::Type::kIds:
      return {{"type", "array"}, {"items", {{"type", "integer"}}}};
    case Parameter::Type::kTexts:
      return {{"type", "array"}, {"items", {{"type", "string"}}}};
    case Parameter::Type::kTextMap:
      break;
  }
  return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
}

bool has_body(const Route& route) {
  return route.method == Method::kPost || route.method == Method::kPut;
}

ordered_json parameters_of(const Route& route) {
  ordered_json list = ordered_json::array();
  for (const Place& place : read_path(route.path).places)
    list.push_back({{"name", place.name},
                    {"in", "path"},
                    {"required", true},
                    {"schema", {{"type", place.number ? "integer" : "string"}}}});
  for (const Parameter& each : route.parameters)
    if (!has_body(route))
      list.push_back({{"name", each.name},
                      {"in", "query"},
                      {"description", each.doc},
                      {"required", each.need == Parameter::Need::kRequired},
                      {"schema", schema_of(each.type)}});
  return list;
}

ordered_json body_of(const Route& route) {
  ordered_json properties = ordered_json::object();
  ordered_json required = ordered_json::array();
  for (const Parameter& each : route.parameters) {
    properties[each.name] = schema_of(each.type);
    properties[each.name]["description"] = each.doc;
    if (each.need == Parameter::Need::kRequired) required.push_back(each.name);
  }
  const bool needed = !required.empty();
  ordered_json schema{
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (needed) schema["required"] = std::move(required);
  return {{"required", needed},
          {"description", fmt::format("At most {} bytes.", route.max_body)},
          {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
}

ordered_json responses_of(const Route& route) {
  const bool json = route.produces == "application/json";
  const ordered_json content{{route.produces, {{"schema", {{"type", json ? "object" : "string"}}}}}};
  const ordered_json problem{{"$ref", "#/components/responses/Problem"}};
  ordered_json responses{{"200", {{"description", "It is done, or here it is."}, {"content", content}}}};
  if (route.method == Method::kPut)
    responses["201"] = {{"description", "It was not there before."}, {"content", content}};
  if (route.role == Role::kAnyone && json)
    responses["503"] = {{"description", "Not now: the members say why."}, {"content", content}};
  responses["4XX"] = problem;
  responses["5XX"] = problem;
  return responses;
}

ordered_json security_of(Role role) {
  if (role == Role::kAnyone) return ordered_json::array();
  const char* name = role == Role::kAdmin ? "admin" : "read";
  return ordered_json::array({{{"token", ordered_json::array({name})}}});
}

ordered_json operation_of(const Route& route) {
  ordered_json operation{{"operationId", operation_id(route)},
                         {"summary", route.doc},
                         {"tags", ordered_json::array({tag_of(route.path)})},
                         {"security", security_of(route.role)},
                         {"parameters", parameters_of(route)}};
  if (has_body(route)) operation["requestBody"] = body_of(route);
  operation["responses"] = responses_of(route);
  return operation;
}

ordered_json components() {
  const auto member = [](const char* type, const char* doc) {
    return ordered_json{{"type", type}, {"description", doc}};
  };
  const ordered_json place{{"type", "object"},
                           {"properties",
                            {{"message", member("string", "One sentence.")},
                             {"line", member("integer", "From 1.")},
                             {"column", member("integer", "From 1, in characters.")},
                             {"length", member("integer", "In characters; 0: between two.")}}}};
  const ordered_json problem{
      {"type", "object"},
      {"required", {"type", "status", "title", "detail"}},
      {"properties",
       {{"type", member("string", "about:blank")},
        {"status", member("integer", "As in the status line.")},
        {"title", member("string", "What kind of thing is wrong.")},
        {"detail", member("string", "What exactly, and what to do.")},
        {"errors", {{"type", "array"}, {"items", place}, {"description", "Of SQL, with status 422."}}},
        {"text", member("string", "All of these with a caret under the text.")}}}};
  return {{"schemas", {{"Problem", problem}}},
          {"responses",
           {{"Problem",
             {{"description", "Why not (RFC 9457)."},
              {"content",
               {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}}}}},
          {"securitySchemes",
           {{"token",
             {{"type", "http"},
              {"scheme", "bearer"},
              {"description",
               "A token of 'leat token', where the daemon asks for one. It has a role: read looks "
               "and asks, admin also changes."}}}}}};
}

}  // namespace

ordered_json openapi(std::span<const Route> routes, const std::string& version) {
  ordered_json paths = ordered_json::object();
  for (const Route& route : routes) {
    std::string method(to_string(route.method));
    std::ranges::transform(method, method.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    paths[read_path(route.path).path][method] = operation_of(route);
  }
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Leat"},
            {"version", version},
            {"description", "The REST API of a Leat daemon. Errors are problem details (RFC 9457)."}}},
          {"servers", ordered_json::array({{{"url", "/"}}})},
          {"paths", std::move(paths)},
          {"components", components()}};
}

Response show_openapi(const ApiContext& context, const Request&) {
  return json_response(openapi(routes(), context.version));
}

std::string routes_page(std::span<const Route> routes) {
  std::string page =
      "# Routes of the REST API\n\n"
      "Made from the program: `leat describe routes --markdown`. What the bodies and answers are: [the REST "
      "API](api.md).\n";
  std::string group;
  for (const Route& route : routes) {
    if (const std::string tag = tag_of(route.path); tag != group) {
      group = tag;
      page += fmt::format("\n## {}\n\n| route | role | |\n|---|---|---|\n", group);
    }
    std::string members;
    for (const Parameter& each : route.parameters)
      members += fmt::format("<br>`{}`{}: {}", each.name,
                             each.need == Parameter::Need::kRequired ? " (needed)" : "", each.doc);
    const char* role = route.role == Role::kAdmin ? "admin" : route.role == Role::kRead ? "read" : "anyone";
    page += fmt::format("| `{} {}` | {} | {}{} |\n", to_string(route.method), read_path(route.path).path,
                        role, route.doc, members);
  }
  return page;
}

}  // namespace leat::api
