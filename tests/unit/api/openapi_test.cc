#include "daemon/api/openapi.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <regex>
#include <set>

using namespace leat;
using namespace leat::api;
using nlohmann::ordered_json;

namespace {

ordered_json document() {
  return openapi(routes(), "1.2.3");
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// The path as the document has it: without the kinds of its places.
std::string documented(const std::string& path) {
  return std::regex_replace(path, std::regex(":number"), "");
}

void for_each_operation(const std::function<void(const std::string&, const ordered_json&)>& visit) {
  const ordered_json whole = document();
  for (const auto& [path, item] : whole.at("paths").items())
    for (const auto& [method, operation] : item.items()) visit(path, operation);
}

}  // namespace

TEST_CASE("every route is in the document, and nothing else") {
  const ordered_json whole = document();
  std::size_t operations = 0;
  for (const auto& [path, item] : whole.at("paths").items()) operations += item.size();
  CHECK(operations == routes().size());
  for (const Route& route : routes()) {
    CAPTURE(route.path);
    const ordered_json& operation =
        whole.at("paths").at(documented(route.path)).at(lower(std::string(to_string(route.method))));
    CHECK(operation.at("summary") == route.doc);
    CHECK(operation.at("responses").at("200").at("content").contains(route.produces));
    CHECK(operation.at("security").empty() == (route.role == Role::kAnyone));
  }
}

TEST_CASE("the document has what OpenAPI 3.1 asks for") {
  const ordered_json whole = document();
  CHECK(whole.at("openapi") == "3.1.0");
  CHECK(whole.at("info").at("title") == "Leat");
  CHECK(whole.at("info").at("version") == "1.2.3");
  std::set<std::string> ids;
  for_each_operation([&](const std::string& path, const ordered_json& operation) {
    CAPTURE(path);
    CHECK(ids.insert(operation.at("operationId")).second);
    for (const ordered_json& security : operation.at("security"))
      for (const auto& [scheme, roles] : security.items())
        CHECK(whole.at("components").at("securitySchemes").contains(scheme));
    for (const auto& [status, response] : operation.at("responses").items())
      CHECK((response.contains("$ref") || response.contains("description")));
  });
}

TEST_CASE("each place of a path is a parameter of it, once and required") {
  for_each_operation([](const std::string& path, const ordered_json& operation) {
    CAPTURE(path);
    std::multiset<std::string> places;
    for (const ordered_json& parameter : operation.at("parameters")) {
      CHECK(parameter.at("schema").contains("type"));
      if (parameter.at("in") != "path") continue;
      CHECK(parameter.at("required") == true);
      places.insert(parameter.at("name").get<std::string>());
    }
    std::multiset<std::string> wanted;
    const std::regex place(R"(\{([^}]+)\})");
    for (auto it = std::sregex_iterator(path.begin(), path.end(), place); it != std::sregex_iterator(); ++it)
      wanted.insert((*it)[1]);
    CHECK(places == wanted);
  });
}

TEST_CASE("references lead somewhere") {
  const ordered_json whole = document();
  const std::function<void(const ordered_json&)> follow = [&](const ordered_json& node) {
    if (node.is_object() && node.contains("$ref")) {
      const std::string reference = node.at("$ref");
      CHECK(reference.starts_with("#/"));
      CHECK(whole.contains(ordered_json::json_pointer(reference.substr(1))));
    }
    if (node.is_structured())
      for (const ordered_json& child : node) follow(child);
  };
  follow(whole);
}

TEST_CASE("a body names its members, what is needed, and how large it may be") {
  const ordered_json body = document().at("paths").at("/api/v1/trial").at("post").at("requestBody");
  const ordered_json& schema = body.at("content").at("application/json").at("schema");
  CHECK(body.at("required") == true);
  CHECK(schema.at("required") == ordered_json::array({"sql"}));
  CHECK(schema.at("additionalProperties") == false);
  CHECK(schema.at("properties").at("input").at("additionalProperties").at("type") == "string");
  CHECK(body.at("description").get<std::string>().find("65536 bytes") != std::string::npos);
}

TEST_CASE("the page for people has a line for each route") {
  const std::string page = routes_page(routes());
  for (const Route& route : routes())
    CHECK(page.find("`" + std::string(to_string(route.method)) + " " + documented(route.path) + "`") !=
          std::string::npos);
}
