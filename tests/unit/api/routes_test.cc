#include "daemon/api/routes.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "daemon/api/dead_letter_request.h"
#include "daemon/api/json_text.h"
#include "daemon/loop/clock.h"

using namespace leat;
using namespace leat::api;

namespace {

const Route& route(const std::string& path) {
  for (const Route& each : routes())
    if (std::regex_match(path, std::regex(pattern_of(each.path)))) return each;
  FAIL("no route for ", path);
  return routes()[0];
}

const loop::SimulatedClock kClock(1'764'000'000 * kMicrosPerSecond);
const ApiContext kContext{.clock = &kClock};

/// Of a request that is refused before it looks at anything: the context has but a clock.
Response refused(const std::string& path, std::multimap<std::string, std::string> query) {
  return answer(route(path), kContext, {.parts = {}, .query = std::move(query)});
}

/// As a POST's body.
Response refused_body(const std::string& path, nlohmann::json body) {
  return answer(route(path), kContext, {.parts = {}, .query = {}, .body = std::move(body)});
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
        "there is no parameter 'limt' (did you mean 'limit'?); known here: pipeline, origin, since, until, "
        "after, "
        "before, limit");
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
  CHECK(refused("/api/v1/dead-letters", {{"since", "yesterday"}}).status == 400);
}

TEST_CASE("who replays or purges must say which letters are meant") {
  for (const char* path : {"/api/v1/dead-letters/replay", "/api/v1/dead-letters/purge"}) {
    CHECK(detail(refused_body(path, nlohmann::json::object())).find("which dead letters are meant") !=
          std::string::npos);
    CHECK(refused_body(path, {{"all", false}}).status == 400);
    CHECK(refused_body(path, {{"ids", {1, "two"}}}).status == 400);
    CHECK(refused_body(path, {{"ids", nlohmann::json::array()}}).status == 400);
    CHECK(refused_body(path, {{"pipeline", {"a"}}}).status == 400);
  }
}

TEST_CASE("a moment is a time in UTC, or how long ago") {
  const std::int64_t now = kClock.wall();
  constexpr std::int64_t kNine = 1'763'802'000 * kMicrosPerSecond;  // 2025-11-22, nine o'clock
  for (const char* text : {"2025-11-22T09:00:00Z", "2025-11-22 09:00:00", "2025-11-22T09:00:00.000Z"})
    CHECK(read_moment(text, now) == kNine);
  CHECK(read_moment("2 h", now) == now - 2 * kMicrosPerHour);
  CHECK_FALSE(read_moment("tomorrow", now));
  CHECK_FALSE(read_moment("", now));
}

TEST_CASE("times have the same digits whatever they are, and some moments are none") {
  constexpr std::int64_t kNine = 1'763'802'000 * kMicrosPerSecond;
  CHECK(time_json(kNine) == "2025-11-22T09:00:00.000000Z");
  CHECK(time_json(kNine + 120'000) == "2025-11-22T09:00:00.120000Z");
  CHECK(time_json(kNine + 1) == "2025-11-22T09:00:00.000001Z");
  CHECK(time_json(0).is_null());
  CHECK(time_json(kMaxWatermark).is_null());
}

TEST_CASE("without parameters the route answers") {
  CHECK(answer(route("/healthz"), {}, {}).status == 200);
}

TEST_CASE("no two routes take the same path and method, and each is documented") {
  std::set<std::pair<std::string, Method>> seen;
  for (const Route& each : routes()) {
    CHECK(seen.insert({each.path, each.method}).second);
    CHECK(each.doc.size() > 10);
  }
}

TEST_CASE("a problem's text may hold any bytes") {
  CHECK(nlohmann::json::accept(problem(500, "bad", "\xFF\"").body));
}

TEST_CASE("a place in a path takes one segment, a number digits only") {
  const std::regex pattern(pattern_of("/a/{name}/b/{id:number}"));
  CHECK(std::regex_match("/a/x.y-z/b/12", pattern));
  for (const char* other : {"/a/x/y/b/12", "/a//b/12", "/a/x/b/1x", "/a/x/b/"})
    CHECK_FALSE(std::regex_match(other, pattern));
}

TEST_CASE("what changes something asks for an admin, questions in a body do not") {
  const std::set<std::string> questions{"/api/v1/validate", "/api/v1/explain", "/api/v1/query",
                                        "/api/v1/trial"};
  for (const Route& each : routes())
    if (each.method != Method::kGet) {
      CAPTURE(each.path);
      CHECK(each.role == (questions.contains(each.path) ? Role::kRead : Role::kAdmin));
    }
}

TEST_CASE("a copy of the store is for an admin") {
  CHECK(route("/api/v1/backup").role == Role::kAdmin);
}
