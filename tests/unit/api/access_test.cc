#include "daemon/api/access.h"

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.h"

using namespace leat;
using namespace leat::api;

namespace {

struct Gate {
  test::TemporaryFolder folder;
  config::Config config;
  loop::SimulatedClock clock{1'764'000'000 * kMicrosPerSecond};
  Counters counters;
  TokenBook book{folder.path(), clock};
  std::optional<Access> made;

  Gate() { config.data_dir = folder.path(); }
  Access& access() {
    if (!made) made.emplace(config, &book, clock, counters);
    return *made;
  }
  std::string token(Role role) {
    const auto text = TokenFile(folder.path()).create({.name = std::string(to_string(role)), .role = role});
    REQUIRE(text);
    clock.advance(Micros(kMicrosPerSecond));
    return text->reveal();
  }
  Caller caller(const Incoming& incoming) { return std::get<Caller>(access().identify(incoming)); }
  int refused(const Incoming& incoming) {
    const auto found = access().identify(incoming);
    return std::holds_alternative<Caller>(found) ? 200 : std::get<Response>(found).status;
  }
};

Incoming over(Peer::Way way, bool to_loopback = true) {
  Incoming incoming;
  incoming.method = "GET";
  incoming.peer = {.way = way,
                   .address = to_loopback ? "127.0.0.1" : "192.0.2.7",
                   .asked = to_loopback ? "127.0.0.1" : "192.0.2.1",
                   .to_loopback = to_loopback};
  return incoming;
}

Incoming with_token(Incoming incoming, const std::string& token) {
  incoming.authorization = "Bearer " + token;
  return incoming;
}

constexpr auto kHttp = Peer::Way::kHttp;

}  // namespace

TEST_CASE("loopback is an admin until there is a token, the socket always is") {
  Gate gate;
  CHECK(gate.caller(over(kHttp)).role == Role::kAdmin);
  Incoming local = over(Peer::Way::kSocket);
  local.peer.address = "alice";
  CHECK(gate.caller(local).name == "socket:alice");
  gate.token(Role::kRead);
  CHECK(gate.caller(over(kHttp)).role == Role::kAnyone);
  CHECK(gate.caller(local).role == Role::kAdmin);
}

TEST_CASE("from other machines nobody is known without a token, whether there is one or not") {
  Gate gate;
  CHECK(gate.caller(over(kHttp, false)).role == Role::kAnyone);
  CHECK(gate.caller(over(Peer::Way::kHttps, false)).role == Role::kAnyone);
}

TEST_CASE("a token says who asks and what they may") {
  Gate gate;
  const std::string read = gate.token(Role::kRead);
  const std::string admin = gate.token(Role::kAdmin);
  CHECK(gate.caller(with_token(over(kHttp, false), read)).role == Role::kRead);
  CHECK(gate.caller(with_token(over(kHttp), admin)).name == "token:admin");
  Incoming shouted = over(kHttp);
  shouted.authorization = "BEARER " + admin;
  CHECK(gate.caller(shouted).role == Role::kAdmin);
}

TEST_CASE("a wrong token is refused, also where none is asked for") {
  Gate gate;
  CHECK(gate.refused(with_token(over(kHttp), "leat_0")) == 401);
  Incoming basic = over(kHttp);
  basic.authorization = "Basic YTpi";
  CHECK(gate.refused(basic) == 401);
  basic.authorization = "Bearer";
  CHECK(gate.refused(basic) == 401);
}

TEST_CASE("who tries many wrong tokens is told to wait, and nobody else; a right one is taken all the same") {
  Gate gate;
  const std::string read = gate.token(Role::kRead);
  const Incoming wrong = with_token(over(kHttp, false), "leat_0");
  for (int i = 0; i < 10; ++i) CHECK(gate.refused(wrong) == 401);
  CHECK(gate.refused(wrong) == 429);
  CHECK(gate.refused(with_token(over(kHttp), "leat_0")) == 401);
  CHECK(gate.refused(with_token(over(kHttp, false), read)) == 200);
  gate.clock.advance(Micros(6 * kMicrosPerSecond));
  CHECK(gate.refused(wrong) == 401);
  CHECK(gate.counters.turned[static_cast<std::size_t>(Turned::kToken)] == 12);
  CHECK(gate.counters.turned[static_cast<std::size_t>(Turned::kRate)] == 1);
}

TEST_CASE("a certificate has the role of all of them, those that are named are admins") {
  Gate gate;
  gate.config.api_tls_admins = {"alice"};
  Incoming incoming = over(Peer::Way::kHttps, false);
  incoming.peer.certificate = "bob";
  CHECK(gate.caller(incoming).role == Role::kRead);
  incoming.peer.certificate = "alice";
  CHECK(gate.caller(incoming).role == Role::kAdmin);
  CHECK(gate.caller(incoming).name == "certificate:alice");
}

TEST_CASE("a role that is too small is refused, a missing one asks for a token") {
  Gate gate;
  CHECK_FALSE(gate.access().refuse_role({"x", Role::kAdmin}, Role::kAdmin));
  CHECK_FALSE(gate.access().refuse_role({"anyone", Role::kAnyone}, Role::kAnyone));
  CHECK(gate.access().refuse_role({"x", Role::kRead}, Role::kAdmin)->status == 403);
  const auto asked = gate.access().refuse_role({"anyone", Role::kAnyone}, Role::kRead);
  REQUIRE(asked);
  CHECK(asked->status == 401);
  CHECK(asked->headers.at(0).first == "WWW-Authenticate");
}

TEST_CASE("other machines have a rate, this one only when it is configured") {
  Gate gate;
  for (int i = 0; i < 1000; ++i) REQUIRE_FALSE(gate.access().refuse_rate(over(kHttp).peer));
  int taken = 0;
  while (!gate.access().refuse_rate(over(kHttp, false).peer)) ++taken;
  CHECK(taken == 400);
  gate.clock.advance(Micros(kMicrosPerSecond));
  CHECK_FALSE(gate.access().refuse_rate(over(kHttp, false).peer));

  Gate bound;
  bound.config.api_requests_per_second = 5;
  for (int i = 0; i < 10; ++i) CHECK_FALSE(bound.access().refuse_rate(over(kHttp).peer));
  const auto refused = bound.access().refuse_rate(over(kHttp).peer);
  REQUIRE(refused);
  CHECK(refused->status == 429);
  CHECK(refused->headers.at(0) == std::pair<std::string, std::string>("Retry-After", "1"));
  CHECK_FALSE(bound.access().refuse_rate(over(Peer::Way::kSocket).peer));
}

TEST_CASE("neighbours of an IPv6 network are one peer, IPv4 addresses are not") {
  CHECK(rate_key("2001:db8:1:2::7") == rate_key("2001:db8:1:2:ffff::1"));
  CHECK(rate_key("2001:db8:1:2::7") != rate_key("2001:db8:1:3::7"));
  CHECK(rate_key("192.0.2.1") != rate_key("192.0.2.2"));
}

TEST_CASE("the gateway is asked by its own names") {
  Gate gate;
  gate.config.api_names = {"Gateway.example"};
  const auto status = [&](Incoming incoming, const std::string& host) {
    incoming.host = host;
    const auto refused = gate.access().refuse_stranger(incoming);
    return refused ? refused->status : 200;
  };
  CHECK(status(over(kHttp), "gateway.EXAMPLE:8463") == 200);
  CHECK(status(over(kHttp), "other.example") == 403);
  CHECK(status(over(kHttp), "192.0.2.1:8463") == 403);
  CHECK(status(over(kHttp, false), "192.0.2.1:8463") == 200);
  CHECK(status(over(kHttp, false), "192.0.2.2:8463") == 403);
  CHECK(status(over(Peer::Way::kSocket), "whatever") == 200);
}

TEST_CASE("over TLS our own pages are those of https") {
  Gate gate;
  Incoming incoming = over(Peer::Way::kHttps);
  incoming.host = "localhost:8463";
  incoming.origin = "https://localhost:8463";
  CHECK_FALSE(gate.access().refuse_stranger(incoming));
  incoming.origin = "http://localhost:8463";
  CHECK(gate.access().refuse_stranger(incoming)->status == 403);
}

TEST_CASE("the API is opened to other machines only when it asks who they are") {
  Gate gate;
  CHECK(check_exposure(gate.config));
  gate.config.api_listen = "0.0.0.0:8463";
  gate.config.api_listen_place = "leat.toml:2:1";
  const Status refused = check_exposure(gate.config);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find(
            "leat.toml:2:1: api.listen: '0.0.0.0:8463' is open to other machines, and there "
            "is no token: anyone there could steer this gateway; make a token") == 0);
  gate.config.api_tls_client_ca = "/ca.pem";
  CHECK(check_exposure(gate.config));
  gate.config.api_tls_client_ca.clear();
  gate.token(Role::kRead);
  CHECK(check_exposure(gate.config));
  gate.folder.write("tokens", "damaged");
  CHECK(check_exposure(gate.config).error().message.find("is no line of a file of tokens") !=
        std::string::npos);
}
