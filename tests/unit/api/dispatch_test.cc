#include "daemon/api/dispatch.h"

#include <doctest/doctest.h>

#include <vector>

using namespace leat;
using namespace leat::api;

namespace {

Incoming get(const std::string& path) {
  Incoming incoming;
  incoming.method = "GET";
  incoming.path = path;
  incoming.host = "127.0.0.1:8463";
  incoming.peer.address = "127.0.0.1";
  return incoming;
}

Incoming post(const std::string& body = "{}") {
  Incoming incoming = get("/things/7/paint");
  incoming.method = "POST";
  incoming.content_type = "application/json";
  incoming.body = body;
  return incoming;
}

Response looked(const ApiContext&, const Request&) {
  return {200, "looked"};
}
Response painted(const ApiContext&, const Request& request) {
  return {200, request.parts.at(0) + " is " + request.body.value("colour", "grey")};
}

const std::vector<Route>& test_routes() {
  static const std::vector<Route> routes{
      {Method::kGet, Role::kAnyone, "/healthz", "", looked},
      {Method::kGet, Role::kRead, "/things", "", looked},
      {Method::kPost, Role::kAdmin, "/things/{thing}/paint", "", painted, {{"colour", "What colour."}}},
  };
  return routes;
}

/// As somebody of this role is answered; an admin is somebody on loopback.
Response answered(Incoming incoming, Role role, std::span<const Route> served = test_routes()) {
  static const loop::SimulatedClock clock;
  config::Config config;
  config.api_tls_client_role = to_string(role);
  Counters counters;
  Access access(config, nullptr, clock, counters);
  incoming.peer.to_loopback = role == Role::kAdmin;
  incoming.peer.asked = "127.0.0.1";
  if (role == Role::kRead) incoming.peer.certificate = "alice";
  const Dispatcher dispatcher(served, access);
  return dispatcher.dispatch({}, incoming);
}

Response dispatched(const Incoming& incoming) {
  return answered(incoming, Role::kAdmin);
}

int status(const Incoming& incoming) {
  return dispatched(incoming).status;
}

}  // namespace

TEST_CASE("a request without a browser's headers is answered") {
  CHECK(status(get("/healthz")) == 200);
  CHECK(status(post()) == 200);
}

TEST_CASE("the Host must be this machine, by address or as localhost") {
  for (const char* host :
       {"127.0.0.1:8463", "127.0.0.1", "localhost:8463", "[::1]:8463", "127.9.9.9:1", ""}) {
    Incoming incoming = get("/healthz");
    incoming.host = host;
    CHECK(status(incoming) == 200);
  }
  for (const char* host : {"evil.example:8463", "127.0.0.1.evil.example", "127.evil.example:8463",
                           "localhost.evil.example", "192.168.0.1:8463", "[::2]:8463", "[", ":8463"}) {
    Incoming incoming = get("/healthz");
    incoming.host = host;
    CHECK(status(incoming) == 403);
  }
}

TEST_CASE("another page's request is refused, whatever its method") {
  for (const std::string origin :
       {"http://evil.example", "null", "https://127.0.0.1:8463", "http://127.0.0.1:8080"}) {
    for (Incoming incoming : {get("/healthz"), post()}) {
      incoming.origin = origin;
      CHECK(status(incoming) == 403);
    }
  }
}

TEST_CASE("our own page's request is answered") {
  Incoming incoming = post();
  incoming.origin = "http://127.0.0.1:8463";
  incoming.fetch_site = "same-origin";
  CHECK(status(incoming) == 200);
}

TEST_CASE("a page from elsewhere may link here, but change nothing") {
  for (const std::string site : {"cross-site", "same-site"}) {
    Incoming link = get("/healthz");
    link.fetch_site = site;
    CHECK(status(link) == 200);
    Incoming form = post();
    form.fetch_site = site;
    CHECK(status(form) == 403);
  }
}

TEST_CASE("a page from elsewhere gets no data") {
  Incoming image = get("/things");
  image.fetch_site = "cross-site";
  CHECK(status(image) == 403);
  image.fetch_site = "same-origin";
  CHECK(status(image) == 200);
}

TEST_CASE("a name that only begins like an address is somebody else's") {
  for (const char* host : {"[::1].example", "[::1]example:80", "127.0.0.1:80@example"}) {
    Incoming incoming = get("/things");
    incoming.host = host;
    CHECK(status(incoming) == 403);
  }
}

TEST_CASE("a body that is nested deep is refused before it is read") {
  const std::string deep = "{\"colour\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  CHECK(status(post(deep)) != 200);
  CHECK(status(post("{\"colour\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}")) == 200);
}

TEST_CASE("a method that a path does not take is answered with those it takes") {
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    Incoming incoming = get("/healthz");
    incoming.method = method;
    const Response response = dispatched(incoming);
    CHECK(response.status == 405);
    CHECK(response.allow == "GET, HEAD");
  }
}

TEST_CASE("a path that is not there is not found, whatever the method") {
  for (const std::string method : {"GET", "POST", "DELETE"}) {
    Incoming incoming = get("/api/v1/nothing");
    incoming.method = method;
    CHECK(status(incoming) == 404);
  }
}

TEST_CASE("a path that takes POST only is not read") {
  CHECK(dispatched(get("/things/7/paint")).allow == "POST");
}

TEST_CASE("a POST hands its path's names and its object to the route") {
  CHECK(dispatched(post(R"({"colour": "blue"})")).body == "7 is blue");
  CHECK(dispatched(post("")).body == "7 is grey");
}

TEST_CASE("a POST must be a JSON object, said to be one, of a bounded size") {
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}) {
    Incoming form = post();
    form.content_type = type;
    CHECK(status(form) == 415);
  }
  for (const char* body : {"{", "[]", "null", "{} {}", "\xFF"}) CHECK(status(post(body)) == 400);
  CHECK(status(post("{\"colour\": \"" + std::string(1 << 16, 'x') + "\"}")) == 413);
  CHECK(status(post(std::string(60'000, '['))) == 400);
}

TEST_CASE("a member that a route does not know is refused with the known ones") {
  const Response response = dispatched(post(R"({"color": "blue"})"));
  CHECK(response.status == 400);
  CHECK(response.body.find("there is no parameter 'color' (did you mean 'colour'?); known here: colour") !=
        std::string::npos);
}

TEST_CASE("a POST takes its parameters from the body, not from the query") {
  Incoming incoming = post();
  incoming.query = {{"colour", "blue"}};
  CHECK(status(incoming) == 400);
}

TEST_CASE("HEAD is answered as GET is") {
  Incoming incoming = get("/healthz");
  incoming.method = "HEAD";
  CHECK(status(incoming) == 200);
}

TEST_CASE("HEAD makes no copy of the store, and begins no stream of rows") {
  for (const std::string path : {"/api/v1/backup", "/api/v1/tail/readings"}) {
    CAPTURE(path);
    Incoming incoming = get(path);
    incoming.method = "HEAD";
    const Response response = answered(incoming, Role::kAdmin, routes());
    CHECK(response.status == 200);
    CHECK(response.body.empty());
    CHECK_FALSE(response.pieces);
  }
}

TEST_CASE("a route serves those whose role is enough for it") {
  CHECK(answered(get("/healthz"), Role::kAnyone).status == 200);
  CHECK(answered(get("/things"), Role::kAnyone).status == 401);
  CHECK(answered(get("/things"), Role::kRead).status == 200);
  CHECK(answered(post(), Role::kRead).status == 403);
  CHECK(answered(post(), Role::kAnyone).status == 401);
  CHECK(answered(post(), Role::kAdmin).status == 200);
}

TEST_CASE("what may not be asked is refused before its body is read") {
  static const loop::SimulatedClock clock;
  const config::Config config;
  Counters counters;
  Access access(config, nullptr, clock, counters);
  const Dispatcher dispatcher(test_routes(), access);
  const auto early = [&](const Incoming& incoming, std::optional<std::size_t> size) {
    const auto refused = dispatcher.refuse_early(incoming, size);
    return refused ? refused->status : 200;
  };
  CHECK(early(post(), 100) == 200);
  CHECK(early(post(), std::nullopt) == 200);
  CHECK(early(post(), 1 << 20) == 413);
  Incoming stranger = post();
  stranger.peer.to_loopback = false;
  CHECK(early(stranger, 100) == 401);
  Incoming form = post();
  form.content_type = "text/plain";
  CHECK(early(form, 100) == 415);
  CHECK(early(get("/nothing"), 100) == 404);
}
