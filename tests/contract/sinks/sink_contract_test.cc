// What every sink promises, whatever it delivers to.
#include <doctest/doctest.h>

#include <type_traits>

#include "tests/contract/sinks/harness.h"
#include "tests/contract/sinks/http_harness.h"
#include "tests/contract/sinks/kafka_harness.h"
#include "tests/contract/sinks/local_harnesses.h"
#include "tests/contract/sinks/mqtt_harness.h"

using namespace leat;
using namespace leat::contract;
using namespace leat::sinks;

namespace {

const Payloads kThree{R"({"n":1})", R"({"n":2})", R"({"n":3})"};

/// The state that a success leaves.
std::string settled(const Delivery& outcome) {
  REQUIRE(delivered(outcome));
  return std::get<Delivered>(outcome).sink_state;
}

}  // namespace

#define EVERY_SINK HttpHarness, KafkaHarness, MqttHarness, FilesystemHarness, PrintHarness, BlackholeHarness
#define EVERY_REMOTE_SINK HttpHarness, KafkaHarness, MqttHarness, FilesystemHarness

TEST_CASE_TEMPLATE("a shipment arrives whole and in order", Harness, EVERY_SINK) {
  Harness harness;
  auto sink = harness.build();
  CHECK(delivered(sink->deliver(make_shipment(1, kThree))));
  if constexpr (!std::is_same_v<Harness, BlackholeHarness>) CHECK(harness.arrived() == kThree);
}

TEST_CASE_TEMPLATE("shipments arrive one behind the other", Harness, EVERY_SINK) {
  Harness harness;
  auto sink = harness.build();
  const std::string state = settled(sink->deliver(make_shipment(1, {"a", "b"})));
  CHECK(delivered(sink->deliver(make_shipment(2, {"c"}, state))));
  if constexpr (!std::is_same_v<Harness, BlackholeHarness>)
    CHECK(harness.arrived() == Payloads{"a", "b", "c"});
}

TEST_CASE_TEMPLATE("a shipment without records is delivered and leaves nothing", Harness, EVERY_SINK) {
  Harness harness;
  CHECK(delivered(harness.build()->deliver(make_shipment(1, {}))));
  CHECK(harness.arrived().empty());
}

TEST_CASE_TEMPLATE("a corrupt block holds the sink up and delivers nothing", Harness, HttpHarness,
                   KafkaHarness, MqttHarness, FilesystemHarness, PrintHarness) {
  Harness harness;
  Shipment shipment = make_shipment(1, kThree);
  shipment.blocks[1].resize(4);
  CHECK_FALSE(delivered(harness.build()->deliver(shipment)));
  CHECK(harness.arrived().empty());
}

TEST_CASE_TEMPLATE("after an interruption every delivery is to be tried again", Harness, EVERY_SINK) {
  Harness harness;
  auto sink = harness.build();
  sink->interrupt();
  sink->interrupt();
  CHECK(retried(sink->deliver(make_shipment(1, kThree))));
  CHECK(harness.arrived().empty());
}

TEST_CASE_TEMPLATE("a sink is built while nobody is there, and then says that it is to be tried again",
                   Harness, EVERY_REMOTE_SINK) {
  Harness harness;
  CHECK(retried(harness.build_for_nobody()->deliver(make_shipment(1, kThree))));
}

TEST_CASE_TEMPLATE("what a human must mend pauses the sink", Harness, EVERY_REMOTE_SINK) {
  Harness harness;
  if constexpr (std::is_same_v<Harness, KafkaHarness>)
    if (!harness.real()) return;  // The mock creates every topic that it is asked for.
  auto sink = harness.build_unwelcome();
  Shipment shipment = make_shipment(2, kThree);
  if constexpr (std::is_same_v<Harness, FilesystemHarness>) shipment.sink_state = harness.unwelcome_state;
  const sinks::Delivery outcome = deliver_until_paused(*sink, shipment);
  CAPTURE(shown(outcome));
  CHECK(paused(outcome));
}

TEST_CASE_TEMPLATE("an outage between shipments loses nothing and doubles nothing", Harness,
                   EVERY_REMOTE_SINK) {
  Harness harness;
  auto sink = harness.build();
  const std::string state = settled(sink->deliver(make_shipment(1, {"before"})));
  harness.go_away();
  const Shipment shipment = make_shipment(2, {"x", "y", "z"}, state);
  const sinks::Delivery outcome = sink->deliver(shipment);
  CHECK((retried(outcome) || paused(outcome)));  // A folder that is in the way needs somebody to act.
  harness.come_back();
  CHECK(delivered(deliver_until_settled(*sink, shipment)));
  CHECK(harness.arrived() == Payloads{"before", "x", "y", "z"});
}

TEST_CASE_TEMPLATE("a shipment that was sent before a crash arrives once though it is sent again", Harness,
                   EVERY_REMOTE_SINK) {
  Harness harness;
  const std::string state = settled(harness.build()->deliver(make_shipment(1, {"before"})));
  const Shipment shipment = make_shipment(2, {"x", "y"}, state);
  CHECK(delivered(harness.build()->deliver(shipment)));
  Shipment again = shipment;
  again.attempt = 2;
  CHECK(delivered(harness.build()->deliver(again)));
  CHECK(harness.arrived() == Payloads{"before", "x", "y"});
}
