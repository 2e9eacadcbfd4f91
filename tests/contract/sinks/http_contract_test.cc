// What the http sink promises beyond the suite for all.
#include <doctest/doctest.h>

#include "tests/contract/sinks/harness.h"
#include "tests/contract/sinks/http_harness.h"
#include "tests/contract/sinks/silent_server.h"

using namespace leat;
using namespace leat::contract;
using namespace leat::sinks;

namespace {

const std::string kKey = "0123456789abcdef0123456789abcdef:pumps:upstream:7";
const Payloads kTwo{R"({"n":1})", R"({"n":2})"};

}  // namespace

TEST_CASE("a request carries method, path, query, type and identity") {
  HttpHarness http;
  auto sink = http.build_with({{"method", "PUT"}, {"body", "json-array"}, {"header.X-Site", "north"}});
  REQUIRE(delivered(sink->deliver(make_shipment(7, kTwo))));
  const SeenRequest seen = http.requests().at(0);
  CHECK(seen.method == "PUT");
  CHECK(seen.path == "/in?site=1");
  CHECK(seen.text == R"([{"n":1},{"n":2}])");
  CHECK(seen.header("Content-Type") == "application/json");
  CHECK(seen.header("Idempotency-Key") == kKey);
  CHECK(seen.header("Leat-Gateway") == "gw1");
  CHECK(seen.header("Leat-Attempt").empty());
  CHECK(seen.header("X-Site") == "north");
}

TEST_CASE("each way of authentication sends its header") {
  HttpHarness http;
  REQUIRE(delivered(http.build_with({{"user", "u"}, {"password", "p"}})->deliver(make_shipment(1, kTwo))));
  REQUIRE(delivered(http.build_with({{"token", "t0k"}})->deliver(make_shipment(2, kTwo))));
  REQUIRE(delivered(http.build_with({{"header.authorization", "Own x"}})->deliver(make_shipment(3, kTwo))));
  CHECK(http.requests().at(0).header("Authorization") == "Basic dTpw");
  CHECK(http.requests().at(1).header("Authorization") == "Bearer t0k");
  CHECK(http.requests().at(2).header("authorization") == "Own x");
}

TEST_CASE(
    "every retry has the same key and the same bytes, compressed or not, and says which attempt it is") {
  for (const char* compression : {"none", "gzip"}) {
    HttpHarness http;
    http.script("503,reset,429,500");
    auto sink = http.build_with({{"compression", compression}});
    REQUIRE(delivered(deliver_until_settled(*sink, make_shipment(7, kTwo))));
    const auto seen = http.requests();
    REQUIRE(seen.size() == 5);
    for (const SeenRequest& request : seen) CHECK(request.body == seen[0].body);
    for (const SeenRequest& request : seen) CHECK(request.header("Idempotency-Key") == kKey);
    CHECK(seen[4].header("Leat-Attempt") == "5");
    CHECK(http.arrived() == kTwo);
  }
}

TEST_CASE("a response that breaks off is no success, and the receiver still takes the shipment once") {
  HttpHarness http;
  http.script("cut");
  auto sink = http.build();
  CHECK(retried(sink->deliver(make_shipment(7, kTwo))));
  CHECK(delivered(deliver_until_settled(*sink, make_shipment(7, kTwo))));
  CHECK(http.arrived() == kTwo);
  CHECK(http.requests().size() == 2);
}

TEST_CASE("Retry-After is handed on") {
  HttpHarness http;
  http.script("429;retry-after=7");
  const Delivery outcome = http.build()->deliver(make_shipment(7, kTwo));
  REQUIRE(retried(outcome));
  CHECK(std::get<Retry>(outcome).after == Micros(7 * kMicrosPerSecond));
}

TEST_CASE("a request that is refused for ever is rejected as a whole, its slices have keys of their own") {
  HttpHarness http;
  http.script("422");
  auto sink = http.build();
  const Delivery outcome = sink->deliver(make_shipment(7, kTwo));
  REQUIRE(std::holds_alternative<Rejected>(outcome));
  CHECK(std::get<Rejected>(outcome).records.empty());
  Shipment slice = make_shipment(7, {kTwo[1]});
  slice.part = Shipment::Part{1, 1};
  CHECK(delivered(sink->deliver(slice)));
  CHECK(http.requests().at(1).header("Idempotency-Key") == kKey + ":1+1");
}

TEST_CASE("one request per record: the refused ones are named, the others are delivered") {
  HttpHarness http;
  http.script("200,422,200,400");
  const Delivery outcome =
      http.build_with({{"body", "single"}})->deliver(make_shipment(7, {"a", "b", "c", "d"}));
  REQUIRE(std::holds_alternative<Rejected>(outcome));
  CHECK(std::get<Rejected>(outcome).records == std::vector<std::uint32_t>{1, 3});
  CHECK(http.arrived() == Payloads{"a", "c"});
  CHECK(http.requests().at(2).header("Idempotency-Key") == kKey + ":2");
}

TEST_CASE("one request per record: a retry goes on where the last attempt stopped") {
  HttpHarness http;
  http.script("200,422,503");
  auto sink = http.build_with({{"body", "single"}});
  CHECK(retried(sink->deliver(make_shipment(7, {"a", "b", "c"}))));
  const Delivery outcome = sink->deliver(make_shipment(7, {"a", "b", "c"}));
  REQUIRE(std::holds_alternative<Rejected>(outcome));
  CHECK(std::get<Rejected>(outcome).records == std::vector<std::uint32_t>{1});
  CHECK(http.requests().size() == 4);
  CHECK(http.arrived() == Payloads{"a", "c"});
}

TEST_CASE("a server that drips its response does not hold the sink longer than the request's time-out") {
  HttpHarness http;
  http.script("drip");
  const auto before = std::chrono::steady_clock::now();
  const Delivery outcome = http.build_with({{"request.timeout", "300 ms"}})->deliver(make_shipment(7, kTwo));
  CHECK(retried(outcome));
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
}

TEST_CASE("a request that is cut off while it is sent is to be tried again") {
  const SilentServer silent;
  auto sink =
      build_sink("http", {{"url", "http://" + silent.address() + "/"}, {"request.timeout", "300 ms"}});
  CHECK(retried(sink->deliver(make_shipment(7, {std::string(64 << 20, 'x')}))));
}

TEST_CASE("the request's time-out ends connecting, too") {
  SilentServer silent;
  silent.fill();
  auto sink =
      build_sink("http", {{"url", "http://" + silent.address() + "/"}, {"request.timeout", "300 ms"}});
  const auto before = std::chrono::steady_clock::now();
  CHECK(retried(sink->deliver(make_shipment(7, kTwo))));
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
}

TEST_CASE("a delivery to a server that is silent ends soon when it is interrupted") {
  HttpHarness http;
  http.script("hang");
  auto sink = http.build();
  Delivery outcome;
  const auto took = time_to_interrupt(
      *sink, make_shipment(7, kTwo), [&] { return http.requests().size() == 1; }, outcome);
  CHECK(retried(outcome));
  CHECK(took < std::chrono::seconds(5));
}

TEST_CASE("a connection that the server closed between two shipments is made anew") {
  HttpHarness http;
  auto sink = http.build();
  REQUIRE(delivered(sink->deliver(make_shipment(1, {"a"}))));
  http.go_away();
  http.come_back();
  CHECK(delivered(deliver_until_settled(*sink, make_shipment(2, {"b"}))));
  CHECK(http.arrived() == Payloads{"a", "b"});
}

TEST_CASE("a redirect pauses the sink and is not followed") {
  HttpHarness http;
  http.script("307;location=" + http.url("/elsewhere"));
  CHECK(paused(http.build()->deliver(make_shipment(7, kTwo))));
  CHECK(http.requests().size() == 1);
  CHECK(http.arrived().empty());
}

TEST_CASE("an answer that is no HTTP is no success, and the receiver still takes the shipment once") {
  for (const char* answer : {"garbage", "nonsense"}) {
    HttpHarness http;
    http.script(answer);
    auto sink = http.build();
    CHECK(retried(sink->deliver(make_shipment(7, kTwo))));
    CHECK(delivered(deliver_until_settled(*sink, make_shipment(7, kTwo))));
    CHECK(http.arrived() == kTwo);
  }
}

TEST_CASE("a connection that is half open costs one attempt within the time-out") {
  HttpHarness http;
  http.script("mute");
  auto sink = http.build_with({{"request.timeout", "500 ms"}});
  REQUIRE(delivered(sink->deliver(make_shipment(1, {"a"}))));
  CHECK(retried(sink->deliver(make_shipment(2, {"b"}))));
  CHECK(delivered(deliver_until_settled(*sink, make_shipment(2, {"b"}))));
  CHECK(http.arrived() == Payloads{"a", "b"});
}

TEST_CASE("\"100 Continue\" is no answer yet") {
  HttpHarness http;
  http.script("continue,continue;delay=0.1");
  auto sink = http.build();
  CHECK(delivered(sink->deliver(make_shipment(1, {"a"}))));
  CHECK(delivered(sink->deliver(make_shipment(2, {"b"}))));
  CHECK(http.arrived() == Payloads{"a", "b"});
}

TEST_CASE("a request that is too large is refused for its size") {
  HttpHarness http({"--max-body", "10"});
  const Delivery outcome = http.build()->deliver(make_shipment(7, kTwo));
  REQUIRE(std::holds_alternative<Rejected>(outcome));
  CHECK(std::get<Rejected>(outcome).cause == Rejected::Cause::kSize);
}
