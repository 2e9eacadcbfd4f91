// What the kafka sink promises beyond the suite for all.
#include <doctest/doctest.h>

#include "tests/contract/sinks/harness.h"
#include "tests/contract/sinks/kafka_harness.h"
#include "tests/contract/sinks/silent_server.h"

using namespace leat;
using namespace leat::contract;
using namespace leat::sinks;

TEST_CASE("a message carries key, gateway and shipment") {
  KafkaHarness kafka;
  BlockBuilder builder;
  builder.add("device-1", "payload");
  Shipment shipment = make_shipment(7, {});
  shipment.blocks = {builder.seal()};
  REQUIRE(delivered(kafka.build()->deliver(shipment)));
  const SeenMessage seen = kafka.messages().at(0);
  CHECK(seen.key == "device-1");
  CHECK(seen.payload == "payload");
  CHECK(seen.gateway == "gw1");
  CHECK(seen.shipment == "0123456789abcdef0123456789abcdef:pumps:upstream:7");
}

TEST_CASE("ten thousand records arrive once each and in order") {
  KafkaHarness kafka;
  Payloads payloads;
  for (int i = 0; i < 10'000; ++i) payloads.push_back("record " + std::to_string(i));
  REQUIRE(delivered(kafka.build()->deliver(make_shipment(1, payloads))));
  const auto seen = kafka.messages();
  REQUIRE(seen.size() == payloads.size());
  for (std::size_t i = 0; i < seen.size(); ++i) REQUIRE(seen[i].payload == payloads[i]);
}

TEST_CASE("a queue smaller than the shipment delivers it all the same") {
  KafkaHarness kafka;
  auto sink = kafka.build_with({{"properties.queue.buffering.max.messages", "10"}});
  Payloads payloads;
  for (int i = 0; i < 500; ++i) payloads.push_back("record " + std::to_string(i));
  REQUIRE(delivered(deliver_until_settled(*sink, make_shipment(1, payloads))));
  CHECK(kafka.arrived() == payloads);
}

TEST_CASE("at least once, a record that is too large is rejected alone, the others arrive") {
  KafkaHarness kafka;
  const std::string large(2'000'000, 'x');
  auto sink = kafka.build_with({{"sink.delivery-guarantee", "at-least-once"}});
  const Delivery outcome = sink->deliver(make_shipment(1, {"a", large, "b"}));
  REQUIRE(std::holds_alternative<Rejected>(outcome));
  CHECK(std::get<Rejected>(outcome).records == std::vector<std::uint32_t>{1});
  CHECK(kafka.arrived() == Payloads{"a", "b"});
}

TEST_CASE("without a guarantee records arrive as well") {
  KafkaHarness kafka;
  auto sink = kafka.build_with({{"sink.delivery-guarantee", "none"}});
  CHECK(delivered(sink->deliver(make_shipment(1, {"a"}))));
  CHECK(kafka.arrived() == Payloads{"a"});
}

TEST_CASE("a delivery to a broker that is silent ends soon when it is interrupted") {
  const SilentServer silent;
  KafkaHarness kafka;
  auto sink = kafka.build_with(
      {{"properties.bootstrap.servers", silent.address()}, {"properties.message.timeout.ms", "300000"}});
  Delivery outcome;
  const auto took = time_to_interrupt(
      *sink, make_shipment(1, {"a"}), [&] { return silent.somebody_is_there(); }, outcome);
  CHECK(retried(outcome));
  CHECK(took < std::chrono::seconds(5));
}
