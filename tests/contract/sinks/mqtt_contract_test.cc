// What the mqtt sink promises beyond what every sink does.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/contract/sinks/mqtt_harness.h"

using namespace leat;
using namespace leat::contract;
using namespace leat::sinks;

namespace {

/// A shipment of one block: pairs of key and payload.
Shipment keyed_shipment(std::uint64_t number,
                        const std::vector<std::pair<std::string, std::string>>& records) {
  BlockBuilder builder;
  for (const auto& [key, payload] : records) builder.add(key, payload);
  Shipment shipment = make_shipment(number, {});
  shipment.blocks.push_back(builder.seal());
  return shipment;
}

std::string numbered(int number) {
  return "n" + std::to_string(number);
}

/// Payloads n1 to n<last>, a block each.
Shipment many(std::uint64_t number, int last) {
  Payloads payloads;
  for (int i = 1; i <= last; ++i) payloads.push_back(numbered(i));
  return make_shipment(number, payloads);
}

}  // namespace

TEST_CASE("mqtt: each row goes to the topic that its columns make") {
  MqttHarness harness;
  auto sink = harness.build_with({{"topic", "contract/{site}/{machine}"}});
  CHECK(delivered(sink->deliver(keyed_shipment(
      1, {{R"({"site":"north","machine":7})", "a"}, {R"({"site":"north/hall 2","machine":8})", "b"}}))));
  const auto seen = harness.seen();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].topic == "contract/north/7");
  CHECK(seen[1].topic == "contract/north/hall 2/8");
}

TEST_CASE("mqtt: a row whose topic cannot be made is refused, and every other one arrives") {
  MqttHarness harness;
  auto sink = harness.build_with({{"topic", "contract/{site}"}});
  const Delivery outcome = sink->deliver(keyed_shipment(1, {{R"({"site":"a"})", "1"},
                                                            {R"({"site":null})", "2"},
                                                            {R"({"site":"b#"})", "3"},
                                                            {R"({"site":"c"})", "4"}}));
  const auto* rejected = std::get_if<Rejected>(&outcome);
  REQUIRE(rejected != nullptr);
  CHECK(rejected->records == std::vector<std::uint32_t>{1, 2});
  CHECK(rejected->reason.find("NULL") != std::string::npos);
  CHECK(harness.arrived() == Payloads{"1", "4"});
}

TEST_CASE("mqtt: quality of service and retained are as asked for") {
  for (const char* qos : {"0", "1", "2"}) {
    MqttHarness harness;
    auto sink = harness.build_with({{"qos", qos}, {"retained", "true"}});
    REQUIRE(delivered(sink->deliver(make_shipment(1, {"x"}))));
    REQUIRE(eventually([&] { return harness.seen().size() == 1; }));  // QoS 0 is not waited for.
    CHECK(harness.seen()[0].qos == std::stoi(qos));
    test::MosquittoServer& broker = harness.broker();
    CHECK(broker.log().find("q" + std::string(qos) + ", r1") != std::string::npos);
  }
}

TEST_CASE("mqtt: with version 3.1.1 a shipment arrives, too") {
  MqttHarness harness;
  auto sink = harness.build_with({{"protocol-version", "3.1.1"}});
  CHECK(delivered(sink->deliver(make_shipment(1, {"old"}))));
  const auto seen = harness.seen();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].payload == "old");
  CHECK(seen[0].record.empty());
}

TEST_CASE("mqtt: a shipment that is larger than what may be in flight arrives whole and in order") {
  MqttHarness harness;
  auto sink = harness.build_with({{"max-inflight", "7"}});
  CHECK(delivered(sink->deliver(many(1, 500))));
  const Payloads arrived = harness.arrived();
  REQUIRE(arrived.size() == 500);
  for (int i = 0; i < 500; ++i) CHECK(arrived[static_cast<std::size_t>(i)] == numbered(i + 1));
}

TEST_CASE("mqtt: a broker that is killed in mid-shipment gets the rest, and the order holds") {
  MqttHarness harness;
  auto sink = harness.build_with({{"max-inflight", "5"}, {"publish.timeout", "1 s"}});
  REQUIRE(delivered(sink->deliver(make_shipment(1, {"before"}))));
  harness.broker().freeze();
  const Shipment shipment = many(2, 50);
  CHECK(retried(sink->deliver(shipment)));
  harness.broker().thaw();
  CHECK(delivered(deliver_until_settled(*sink, shipment)));
  Payloads expected{"before"};
  for (int i = 1; i <= 50; ++i) expected.push_back(numbered(i));
  CHECK(harness.arrived() == expected);
}

TEST_CASE("mqtt: birth is published at each connect, and the will when the sink goes") {
  MqttHarness harness;
  auto sink = harness.build_with({{"birth.topic", "contract/life"}, {"will.topic", "contract/life"}});
  const auto last_word = [&] {
    const auto seen = harness.seen();
    return seen.empty() ? std::string() : seen.back().payload;
  };
  CHECK(eventually([&] { return last_word() == "online"; }));
  sink.reset();
  CHECK(eventually([&] { return last_word() == "offline"; }));
}

TEST_CASE("mqtt: birth and will have the time of the connect") {
  MqttHarness harness;
  auto sink = harness.build_with({{"birth.topic", "contract/life"},
                                  {"birth.payload", R"({"on":{timestamp},"at":{timestamp}})"},
                                  {"will.topic", "contract/life"},
                                  {"will.payload", "gone {timestamp}"}});
  CHECK(eventually([&] { return harness.seen().size() == 1; }));
  sink.reset();
  CHECK(eventually([&] { return harness.seen().size() == 2; }));
  const auto seen = harness.seen();
  const std::string at = seen[0].payload.substr(6, 13);
  CHECK(seen[0].payload == R"({"on":)" + at + R"(,"at":)" + at + "}");
  CHECK(seen[1].payload.substr(0, 5) == "gone ");
  CHECK(seen[1].payload.substr(5) >= at);
}

TEST_CASE("mqtt: the same record has the same name whenever it is sent") {
  MqttHarness harness;
  const Shipment shipment = make_shipment(3, {"x", "y"});
  REQUIRE(delivered(harness.build()->deliver(shipment)));
  REQUIRE(delivered(harness.build()->deliver(shipment)));
  const auto seen = harness.seen();
  REQUIRE(seen.size() == 4);
  CHECK(seen[0].record == seen[2].record);
  CHECK(seen[1].record == seen[3].record);
  CHECK(seen[0].record != seen[1].record);
}

TEST_CASE("mqtt: a delivery that waits for an absent broker ends soon when it is interrupted") {
  MqttHarness harness;
  auto sink = harness.build();
  REQUIRE(delivered(sink->deliver(make_shipment(1, {"before"}))));
  harness.broker().freeze();
  Delivery outcome;
  const auto took = time_to_interrupt(
      *sink, make_shipment(2, {"x"}), [] { return true; }, outcome);
  harness.broker().thaw();
  CHECK(retried(outcome));
  CHECK(took < std::chrono::seconds(5));
}
