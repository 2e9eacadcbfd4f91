#include "daemon/api/routes.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

using namespace leat;
using namespace leat::api;

namespace {

const Route& route(const std::string& path) {
  for (const Route& each : routes())
    if (std::regex_match(path, std::regex(each.pattern))) return each;
  FAIL("no route for ", path);
  return routes()[0];
}

/// Of a request that is refused before it looks at anything: the context is empty.
Response refused(const std::string& path, std::multimap<std::string, std::string> query) {
  return answer(route(path), {}, {.parts = {}, .query = std::move(query)});
}

std::string detail(const Response& response) {
  return nlohmann::json::parse(response.body).at("detail");
}

}  // namespace

TEST_CASE("a parameter that a resource does not know is refused with the known ones") {
  const Response response = refused("/api/v1/dead-letters", {{"limt", "5"}});
  CHECK(response.status == 400);
  CHECK(response.content_type == "application/problem+json");
  CHECK(detail(response) ==
        "there is no parameter 'limt' (did you mean 'limit'?); known here: limit, before");
}

TEST_CASE("a known parameter beside an unknown one does not save it") {
  CHECK(detail(refused("/api/v1/dead-letters", {{"limit", "5"}, {"page", "2"}})).find("'page'") !=
        std::string::npos);
}

TEST_CASE("a resource without parameters says so") {
  CHECK(detail(refused("/healthz", {{"verbose", "1"}})) ==
        "there is no parameter 'verbose'; this resource takes none");
}

TEST_CASE("a known parameter with a wrong value is refused") {
  for (const char* limit : {"0", "-1", "1001", "ten", "5x", ""})
    CHECK(refused("/api/v1/dead-letters", {{"limit", limit}}).status == 400);
  CHECK(refused("/api/v1/dead-letters", {{"before", "yesterday"}}).status == 400);
}

TEST_CASE("without parameters the route answers") {
  CHECK(answer(route("/healthz"), {}, {}).status == 200);
}

TEST_CASE("no two routes take the same path, and each is documented") {
  std::set<std::string> patterns;
  for (const Route& each : routes()) {
    CHECK(patterns.insert(each.pattern).second);
    CHECK(each.doc.size() > 10);
  }
}

TEST_CASE("a problem's text may hold any bytes") {
  CHECK(nlohmann::json::accept(problem(500, "bad", "\xFF\"").body));
}
