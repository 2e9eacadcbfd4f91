// What the mqtt sink promises beyond what every sink does.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>

#include "tests/contract/sinks/mqtt_harness.h"
#include "tests/contract/sinks/scripted_broker.h"

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

using Publication = ScriptedBroker::Publication;

std::unique_ptr<Sink> sink_of(const std::string& url, OptionMap options = {}) {
  options.emplace("url", url);
  options.emplace("topic", "up");
  options.emplace("reconnect.min-delay", "1 ms");
  options.emplace("reconnect.max-delay", "1 ms");
  return build_sink("mqtt", options);
}

const OptionMap kLife{{"birth.topic", "life"}, {"will.topic", "life"}};

OptionMap with_life(OptionMap more) {
  more.insert(kLife.begin(), kLife.end());
  return more;
}

ScriptedBroker::Script hang_up_on(const std::string& word) {
  return [word](const Publication& seen) {
    return seen.payload.find(word) == std::string::npos ? ScriptedBroker::kTake : ScriptedBroker::kHangUp;
  };
}

std::size_t times_sent(const ScriptedBroker& broker, std::string_view payload) {
  const auto all = broker.publications();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const Publication& each) { return each.payload == payload; }));
}

/// Whether the shipment is only ever to be tried again, however often its first record, `first`, is sent.
bool stays_untaken(Sink& sink, Shipment shipment, const ScriptedBroker& broker, std::string_view first) {
  constexpr std::size_t kTwiceAsOftenAsNeeded = 20;
  while (times_sent(broker, first) < kTwiceAsOftenAsNeeded) {
    if (!retried(sink.deliver(shipment))) return false;
    ++shipment.attempt;
  }
  return true;
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

TEST_CASE("mqtt: what is just as large as the broker takes arrives, a byte more is refused") {
  test::MosquittoServer broker({.extra_lines = {"max_packet_size 400"}});
  REQUIRE(broker.start());
  auto sink = build_sink("mqtt", {{"url", broker.url()}, {"topic", "up"}, {"reconnect.min-delay", "50 ms"}});
  // MQTT 5, section 3.3: fixed header, topic, identifier, and two properties, each with the lengths before
  // it.
  const std::string record = test_context().store.value + ":pumps:upstream:1000:0";
  const std::size_t properties = 1 + 2 + 11 + 2 + record.size() + 1 + 2 + 12 + 2 + 3;
  const std::size_t others = (1 + 2) + (2 + 2) + 2 + 1 + properties;
  std::uint64_t number = 1000;
  const auto sent = [&](std::size_t packet) {
    return shown(deliver_until_settled(*sink, make_shipment(number++, {std::string(packet - others, 'x')})));
  };
  for (std::size_t bytes = 396; bytes <= 400; ++bytes) CHECK(sent(bytes) == "delivered");
  CHECK(sent(401) == "rejected: a packet of 401 bytes, and the broker takes 400 at most");
  CHECK(broker.times_logged("Received PUBLISH") == 5);
}

TEST_CASE("mqtt: a stop with records in flight says goodbye, or leaves it to the broker") {
  for (const bool takes_life : {true, false}) {
    ScriptedBroker broker([&](const Publication& seen) {
      return seen.payload == "online" || (takes_life && seen.topic == "life") ? ScriptedBroker::kTake
                                                                              : ScriptedBroker::kSayNothing;
    });
    auto sink = sink_of(broker.url(), kLife);
    Delivery outcome;
    time_to_interrupt(
        *sink, make_shipment(1, {"x"}), [&] { return times_sent(broker, "x") == 1; }, outcome);
    CHECK(retried(outcome));
    sink.reset();
    CHECK(eventually([&] { return broker.ends().size() == 1; }));
    CHECK(broker.ends() == std::vector<int>{takes_life ? 0 : ScriptedBroker::kWithoutGoodbye});
    CHECK(times_sent(broker, "offline") == 1);
    CHECK(broker.connects() == 1);
  }
}

TEST_CASE("mqtt: a connection that is given up leaves its will, as another may not come about") {
  for (const char* version : {"5", "3.1.1"}) {
    ScriptedBroker broker([](const Publication& seen) {
      return seen.topic == "life" ? ScriptedBroker::kTake : ScriptedBroker::kSayNothing;
    });
    auto sink =
        sink_of(broker.url(), with_life({{"publish.timeout", "100 ms"}, {"protocol-version", version}}));
    CHECK(retried(sink->deliver(make_shipment(1, {"x"}))));
    CHECK(eventually([&] { return broker.connects() == 2 && !broker.ends().empty(); }));
    CHECK(broker.ends() == std::vector<int>{ScriptedBroker::kWithoutGoodbye});
  }
}

TEST_CASE("mqtt: a broker that has answered keeps its connection, whatever it said") {
  constexpr int kNotAuthorized = 0x87;
  ScriptedBroker broker([](const Publication&) { return kNotAuthorized; });
  auto sink = sink_of(broker.url());
  for (int i = 0; i < 3; ++i) CHECK(paused(sink->deliver(make_shipment(1, {"x", "y"}))));
  CHECK(broker.connects() == 1);
}

TEST_CASE("mqtt: a record that the broker hangs up on is refused, were it the first of all") {
  for (const char* version : {"5", "3.1.1"}) {
    ScriptedBroker broker(hang_up_on("bad"));
    auto sink = sink_of(broker.url(), {{"protocol-version", version}});
    const Delivery outcome = deliver_until_settled(*sink, make_shipment(1, {"bad", "good"}));
    const auto* rejected = std::get_if<Rejected>(&outcome);
    REQUIRE(rejected != nullptr);
    CHECK(rejected->records == std::vector<std::uint32_t>{0});
    CHECK(rejected->reason.find("and with nothing else") != std::string::npos);
    CHECK(rejected->reason.find("discarded") == std::string::npos);
    CHECK(broker.taken().back() == "good");
    // Nobody has to listen to what proves it.
    for (const Publication& each : broker.publications())
      CHECK(each.topic == (each.payload.empty() ? "leat/probe" : "up"));
  }
}

TEST_CASE("mqtt: records that the broker hangs up on one behind the other are refused each") {
  ScriptedBroker broker(hang_up_on("bad"));
  auto sink = sink_of(broker.url(), kLife);
  const Delivery outcome = deliver_until_settled(*sink, make_shipment(1, {"a", "bad1", "bad2", "b"}));
  const auto* rejected = std::get_if<Rejected>(&outcome);
  REQUIRE(rejected != nullptr);
  CHECK(rejected->records == std::vector<std::uint32_t>{1, 2});
  CHECK(broker.taken().back() == "b");
  CHECK(times_sent(broker, "bad1") == 10);
  CHECK(times_sent(broker, "bad2") == 5);
}

TEST_CASE("mqtt: a broker that takes none at all buries none, whatever it took before, and takes its birth") {
  std::atomic<bool> in_trouble{false};
  ScriptedBroker broker([&](const Publication& seen) {
    return in_trouble && seen.topic == "up" ? ScriptedBroker::kHangUp : ScriptedBroker::kTake;
  });
  auto sink = sink_of(broker.url(), kLife);
  REQUIRE(delivered(sink->deliver(make_shipment(1, {"before"}))));
  in_trouble = true;
  const Shipment shipment = make_shipment(2, {"x", "y"});
  CHECK(stays_untaken(*sink, shipment, broker, "x"));
  in_trouble = false;
  CHECK(delivered(deliver_until_settled(*sink, shipment)));
  auto taken = broker.taken();
  std::erase(taken, "online");
  taken.erase(std::unique(taken.begin(), taken.end()), taken.end());  // What proves it is a repeat.
  CHECK(taken == Payloads{"before", "x", "y"});
}

TEST_CASE("mqtt: a broker that never took a record and hangs up on each message buries none") {
  ScriptedBroker broker([](const Publication&) { return ScriptedBroker::kHangUp; });
  auto sink = sink_of(broker.url());
  CHECK(stays_untaken(*sink, make_shipment(1, {"x", "y"}), broker, "x"));
}

TEST_CASE("mqtt: a broker that answers with its own trouble buries none, and its words are told") {
  constexpr int kUnspecified = 0x80;
  constexpr int kImplementation = 0x83;
  constexpr int kQuota = 0x97;
  for (const int code : {kUnspecified, kImplementation, kQuota}) {
    std::atomic<int> answer{ScriptedBroker::kTake};
    ScriptedBroker broker([&](const Publication&) { return answer.load(); });
    auto sink = sink_of(broker.url());
    REQUIRE(delivered(sink->deliver(make_shipment(1, {"before"}))));
    answer = code;
    const Shipment shipment = make_shipment(2, {"x", "y"});
    CHECK(stays_untaken(*sink, shipment, broker, "x"));
    CHECK(shown(sink->deliver(shipment)).find(code == kQuota ? "uota" : "error") != std::string::npos);
    answer = ScriptedBroker::kTake;
    CHECK(delivered(deliver_until_settled(*sink, shipment)));
    CHECK(broker.connects() == 1);
  }
}

TEST_CASE("mqtt: a record with which alone the broker fails is refused with its words") {
  constexpr int kImplementation = 0x83;
  ScriptedBroker broker([](const Publication& seen) {
    return seen.payload == "bad" ? kImplementation : ScriptedBroker::kTake;
  });
  auto sink = sink_of(broker.url());
  const std::string outcome = shown(deliver_until_settled(*sink, make_shipment(1, {"a", "bad", "b"})));
  CHECK(outcome.find("rejected: the broker has failed each time") == 0);
  CHECK(outcome.find("Implementation specific error") != std::string::npos);
}

TEST_CASE("mqtt: a lost connection is told in the client's words, and so is one that another client takes") {
  ScriptedBroker broker(hang_up_on("bad"));
  auto sink = sink_of(broker.url(), {{"client-id", "mine"}});
  const Shipment shipment = make_shipment(1, {"bad"});
  CHECK(shown(sink->deliver(shipment)).find("connection lost, next try in") != std::string::npos);
  CHECK(eventually([&] {
    return shown(sink->deliver(shipment)).find("if another client connects as 'mine'") != std::string::npos;
  }));
}

TEST_CASE("mqtt: a birth that is not taken is trouble, refused or not acknowledged") {
  std::string state;
  test::MosquittoServer small({.extra_lines = {"max_packet_size 400"}});
  REQUIRE(small.start());
  auto large = sink_of(small.url(), {{"birth.topic", "life"}, {"birth.payload", std::string(500, 'x')}});
  CHECK(eventually([&] { return !large->check(state); }));
  CHECK(large->check(state).error().message.find("the birth was not taken: a packet of") == 0);

  ScriptedBroker silent([](const Publication& seen) {
    return seen.topic == "life" ? ScriptedBroker::kSayNothing : ScriptedBroker::kTake;
  });
  auto waiting = sink_of(silent.url(), {{"birth.topic", "life"}, {"publish.timeout", "100 ms"}});
  CHECK(eventually([&] { return !waiting->check(state); }));
  CHECK(waiting->check(state).error().message.find("does not acknowledge it") != std::string::npos);
  CHECK(delivered(waiting->deliver(make_shipment(1, {"x"}))));
  CHECK_FALSE(waiting->check(state));
}

TEST_CASE("mqtt: a birth that waits for its acknowledgement ends no trouble") {
  std::atomic<int> answer{ScriptedBroker::kHangUp};
  ScriptedBroker broker([&](const Publication&) { return answer.load(); });
  auto sink = sink_of(broker.url(), {{"birth.topic", "life"}});
  std::string state;
  REQUIRE(eventually([&] { return !sink->check(state); }));
  answer = ScriptedBroker::kSayNothing;
  const auto before = broker.publications().size();
  REQUIRE(eventually([&] { return broker.publications().size() > before; }));
  for (int i = 0; i < 100; ++i) REQUIRE_FALSE(sink->check(state));
}
