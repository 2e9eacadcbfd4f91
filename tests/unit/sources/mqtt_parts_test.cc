// The parts of the mqtt source that need no broker: patterns, options, what counts as sent again.
#include <doctest/doctest.h>

#include "sources/clients/backoff.h"
#include "sources/mqtt/delivery.h"
#include "sources/mqtt/mqtt_options.h"
#include "sources/mqtt/redelivery.h"
#include "sources/mqtt/topic_pattern.h"

namespace leat::sources {
namespace {

std::vector<std::string_view> parts_of(std::string_view pattern, std::string_view topic) {
  std::vector<std::string_view> parts;
  const auto parsed = TopicPattern::parse(pattern);
  REQUIRE(parsed.has_value());
  if (!parsed->match(topic, parts)) return {"no match"};
  return parts;
}

TEST_CASE("a topic pattern gives the named levels in their order") {
  using Parts = std::vector<std::string_view>;
  CHECK(parts_of("site/{site}/+/{machine}", "site/lyon/hall/m7") == Parts{"lyon", "m7"});
  CHECK(parts_of("{a}/#", "x/y/z") == Parts{"x"});
  CHECK(parts_of("{a}/#", "x") == Parts{"x"});
  CHECK(parts_of("{a}//{b}", "x//") == Parts{"x", ""});
}

TEST_CASE("a topic of another form does not match") {
  for (const char* topic : {"site/lyon/hall", "site/lyon/hall/m7/x", "Site/lyon/hall/m7", ""})
    CHECK(parts_of("site/{site}/+/{machine}", topic).front() == "no match");
}

TEST_CASE("a wrong topic pattern is refused") {
  for (const char* pattern : {"", "a{b}", "{a}/{a}", "#/a", "{a+}"})
    CHECK_MESSAGE(!TopicPattern::parse(pattern).has_value(), pattern);
}

TEST_CASE("attributes of a delivery read back") {
  std::string bytes;
  encode_delivery({.topic = "a/b", .payload = "p", .qos = 2, .retained = true, .packet_id = 40'000}, 0,
                  bytes);
  const MqttDelivery delivery = decode_delivery(bytes);
  CHECK(delivery.topic == "a/b");
  CHECK(delivery.qos == 2);
  CHECK(delivery.retained);
  CHECK(!delivery.duplicate);
  CHECK(delivery.packet_id == 40'000);
  CHECK(delivery.whole_bytes == 0);
  encode_delivery({.topic = "a/b", .payload = "p", .qos = 1, .packet_id = 7}, 20'000'000, bytes);
  CHECK(decode_delivery(bytes).whole_bytes == 20'000'000);
  CHECK(decode_delivery(bytes).topic == "a/b");
}

TEST_CASE("a fingerprint tells topic, payload, QoS and packet apart") {
  const std::uint64_t one = fingerprint_of("a", "bc", 1, 7);
  CHECK(one == fingerprint_of("a", "bc", 1, 7));
  CHECK(one != fingerprint_of("ab", "c", 1, 7));
  CHECK(one != fingerprint_of("a", "bc", 2, 7));
  CHECK(one != fingerprint_of("a", "bc", 1, 8));
}

using Mark = Redelivery::Mark;

TEST_CASE("what was stored is absorbed once after a reconnect to a kept session") {
  Redelivery redelivery(10);
  redelivery.stored(1);
  redelivery.stored(1);
  redelivery.stored(2);
  redelivery.session_kept();
  CHECK(redelivery.absorbs(1, Mark::kRepeated));
  CHECK(redelivery.absorbs(1, Mark::kRepeated));
  CHECK(!redelivery.absorbs(1, Mark::kRepeated));
  CHECK(redelivery.absorbs(2, Mark::kHidden));
}

TEST_CASE("nothing is absorbed while connected, without the duplicate flag, or in a new session") {
  Redelivery redelivery(10);
  redelivery.stored(1);
  CHECK(!redelivery.absorbs(1, Mark::kRepeated));
  redelivery.session_kept();
  CHECK(!redelivery.absorbs(1, Mark::kNew));
  redelivery.session_lost();
  CHECK(!redelivery.absorbs(1, Mark::kRepeated));
}

TEST_CASE("ten times the receive maximum is remembered, and no more") {
  Redelivery redelivery(2);
  for (std::uint64_t i = 1; i <= 21; ++i) redelivery.stored(i);
  redelivery.session_kept();
  CHECK(!redelivery.absorbs(1, Mark::kRepeated));
  CHECK(redelivery.absorbs(2, Mark::kRepeated));
  CHECK(redelivery.absorbs(21, Mark::kRepeated));
}

TEST_CASE("QoS 2 is compared for the first deliveries only, as many as can be in flight") {
  Redelivery redelivery(2);
  for (const std::uint64_t fingerprint : {1, 2, 3}) redelivery.stored(fingerprint);
  redelivery.session_kept();
  CHECK(redelivery.absorbs(1, Mark::kHidden));
  CHECK(redelivery.absorbs(2, Mark::kHidden));
  CHECK(!redelivery.absorbs(3, Mark::kHidden));
}

std::vector<OptionError> errors_of(OptionMap map) {
  map.try_emplace("url", "mqtt://broker");
  map.try_emplace("topic", "a/b");
  std::vector<OptionError> errors;
  read_mqtt_options(map, {}, errors);
  return errors;
}

TEST_CASE("good mqtt options have no errors") {
  CHECK(errors_of({}).empty());
  CHECK(errors_of({{"topic", "$share/g/a/+/#;b"}, {"qos", "2"}, {"topic.pattern", "a/{x}"}}).empty());
  CHECK(errors_of({{"url", "mqtts://b:8883"}, {"tls.ca-file", "/ca.pem"}, {"tls.verify", "false"}}).empty());
}

TEST_CASE("each wrong mqtt option is one error at its key") {
  const std::pair<OptionMap, std::string> wrong[] = {
      {{{"url", "http://x"}}, "url"},
      {{{"url", "mqtt://"}}, "url"},
      {{{"topic", "a/#/b"}}, "topic"},
      {{{"topic", "a+"}}, "topic"},
      {{{"topic", "$share/g"}}, "topic"},
      {{{"qos", "3"}}, "qos"},
      {{{"qos", "2"}, {"protocol-version", "3.1.1"}}, "qos"},
      {{{"protocol-version", "4"}}, "protocol-version"},
      {{{"tls.ca-file", "x"}}, "tls.ca-file"},
      {{{"url", "mqtts://b"}, {"tls.key-file", "x"}}, "tls.key-file"},
      {{{"topic.pattern", "{qos}/x"}}, "topic.pattern"},
      {{{"max-packet-size", "16 mb"}}, "max-packet-size"},
      {{{"reconnect.min-delay", "2 min"}}, "reconnect.max-delay"},
      {{{"journal", "off"}}, "journal"},
      {{{"quos", "1"}}, "quos"},
  };
  for (const auto& [map, key] : wrong) {
    const auto errors = errors_of(map);
    CAPTURE(key);
    REQUIRE(errors.size() == 1);
    CHECK(errors.front().key == key);
  }
}

TEST_CASE("the default client id is made from store, pipeline and table") {
  const SourceContext context{.store = {"0123456789abcdef0123"}, .pipeline = {"p"}, .table = {"t"}};
  CHECK(client_options_of({}, context).client_id == "leat-0123456789ab-p-t");
  CHECK(client_options_of({.client_id = "mine"}, context).client_id == "mine");
}

TEST_CASE("the port of a URL is the written one, or that of the scheme") {
  CHECK(url_port("tcp://host") == 1883);
  CHECK(url_port("ssl://host:1234") == 1234);
  CHECK(url_port("wss://host/path") == 443);
  CHECK(url_port("tcp://[::1]:99") == 99);
  CHECK(url_port("tcp://[::1]") == 1883);
}

TEST_CASE("the back-off doubles up to its maximum, with jitter, and begins anew after a reset") {
  Backoff backoff(Micros(100), Micros(1000), 1);
  for (const int step : {100, 200, 400, 800, 1000, 1000}) {
    const Micros delay = backoff.next();
    CHECK(delay <= Micros(step));
    CHECK(delay >= Micros(step / 2));
  }
  backoff.reset();
  CHECK(backoff.next() <= Micros(100));
}

}  // namespace
}  // namespace leat::sources
