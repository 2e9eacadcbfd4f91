// The parts of the mqtt source that need no broker: patterns, options, what counts as sent again.
#include <doctest/doctest.h>

#include <iterator>
#include <map>

#include "sources/clients/backoff.h"
#include "sources/clients/connect_diagnosis.h"
#include "sources/mqtt/delivery.h"
#include "sources/mqtt/delivery_log.h"
#include "sources/mqtt/mqtt_options.h"
#include "sources/mqtt/redelivery.h"
#include "sources/mqtt/subscribed_filters.h"
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

TEST_CASE("filters of a former text are unwanted until the broker has taken them back") {
  using Taken = SubscribedFilters::Taken;
  const std::string before = *SubscribedFilters(7, {"site/#", "hall/#"}).take_changed(Taken::kNotYet);
  SubscribedFilters filters(7, {"site/#", "roof/#"});
  REQUIRE(filters.restore(before));
  CHECK(filters.unwanted() == std::vector<std::string>{"hall/#"});
  const std::string meanwhile = *filters.take_changed(Taken::kNotYet);
  SubscribedFilters after_a_crash(7, {"roof/#"});
  REQUIRE(after_a_crash.restore(meanwhile));
  CHECK(after_a_crash.unwanted() == std::vector<std::string>{"site/#", "hall/#"});
  const std::string then = *filters.take_changed(Taken::kBack);
  CHECK_FALSE(filters.take_changed(Taken::kBack));
  SubscribedFilters next(7, {"site/#", "roof/#"});
  REQUIRE(next.restore(then));
  CHECK(next.unwanted().empty());
  CHECK_FALSE(next.take_changed(Taken::kNotYet));
}

TEST_CASE("filters of another session are of no interest, damaged ones are told") {
  using Taken = SubscribedFilters::Taken;
  const std::string before = *SubscribedFilters(7, {"site/#"}).take_changed(Taken::kNotYet);
  SubscribedFilters other(8, {"hall/#"});
  REQUIRE(other.restore(before));
  CHECK(other.unwanted().empty());
  for (std::size_t size = 0; size < before.size(); ++size)
    CHECK(other.restore(before.substr(0, size)).error().code == ErrorCode::kCorrupt);
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
  encode_delivery({.topic = "a/b", .qos = 2, .retained = true, .packet_id = 40'000}, bytes);
  const MqttDelivery delivery = decode_delivery(bytes);
  CHECK(delivery.topic == "a/b");
  CHECK(delivery.qos == 2);
  CHECK(delivery.retained);
  CHECK(!delivery.duplicate);
  CHECK(delivery.packet_id == 40'000);
  CHECK(delivery.whole_bytes == 0);
  CHECK(!delivery.opens_session);
  encode_delivery(
      {.topic = "a/b", .qos = 1, .opens_session = true, .packet_id = 7, .whole_bytes = 20'000'000}, bytes);
  CHECK(decode_delivery(bytes).whole_bytes == 20'000'000);
  CHECK(decode_delivery(bytes).opens_session);
  CHECK(decode_delivery(bytes).topic == "a/b");
}

TEST_CASE("a fingerprint tells topic, payload and QoS apart") {
  const std::uint64_t one = fingerprint_of("a", "bc", 1);
  CHECK(one == fingerprint_of("a", "bc", 1));
  CHECK(one != fingerprint_of("ab", "c", 1));
  CHECK(one != fingerprint_of("a", "bc", 2));
}

using Mark = Redelivery::Mark;

/// Stores deliveries `begin` … `end` - 1, all alike, under packet identifiers in turn, as mosquitto gives
/// them.
void store_alike(Redelivery& redelivery, std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t i = begin; i < end; ++i)
    redelivery.stored({static_cast<std::uint16_t>(i % 65'535 + 1), 1});
}

std::uint64_t absorbed_of(Redelivery& redelivery, std::uint64_t begin, std::uint64_t end) {
  std::uint64_t absorbed = 0;
  for (std::uint64_t i = begin; i < end; ++i)
    if (redelivery.absorbs({static_cast<std::uint16_t>(i % 65'535 + 1), 1}, Mark::kRepeated)) ++absorbed;
  return absorbed;
}

TEST_CASE("what was stored is absorbed once after each reconnect to a kept session") {
  Redelivery redelivery(10);
  redelivery.stored({1, 1});
  redelivery.stored({2, 1});
  redelivery.stored({3, 2});
  for (int reconnect = 0; reconnect < 2; ++reconnect) {
    redelivery.session_kept();
    CHECK(redelivery.absorbs({1, 1}, Mark::kRepeated));
    CHECK(redelivery.absorbs({3, 2}, Mark::kRepeated));
    CHECK(!redelivery.absorbs({3, 2}, Mark::kRepeated));
  }
}

TEST_CASE("behind the first repeated delivery that is not known nothing is taken for known") {
  Redelivery redelivery(10);
  for (std::uint16_t packet = 1; packet <= 4; ++packet) redelivery.stored({packet, packet});
  redelivery.session_kept();
  CHECK(redelivery.absorbs({2, 2}, Mark::kRepeated));
  CHECK(!redelivery.absorbs({9, 9}, Mark::kRepeated));
  CHECK(!redelivery.absorbs({3, 3}, Mark::kRepeated));
  redelivery.session_kept();
  CHECK(redelivery.absorbs({3, 3}, Mark::kRepeated));
  CHECK(!redelivery.absorbs({1, 1}, Mark::kRepeated));  // Against the order in which they were stored.
}

TEST_CASE("another packet, another content, and what came after the reconnect are no repetitions") {
  const auto absorbs = [](DeliveryIdentity delivery) {
    Redelivery redelivery(10);
    redelivery.stored({1, 1});
    redelivery.session_kept();
    redelivery.stored({3, 3});
    return redelivery.absorbs(delivery, Mark::kRepeated);
  };
  CHECK(absorbs({1, 1}));
  CHECK(!absorbs({2, 1}));
  CHECK(!absorbs({1, 2}));
  CHECK(!absorbs({3, 3}));
}

TEST_CASE("nothing is absorbed while connected, without the duplicate flag, or in a new session") {
  Redelivery redelivery(10);
  redelivery.stored({1, 1});
  CHECK(!redelivery.absorbs({1, 1}, Mark::kRepeated));
  redelivery.session_kept();
  CHECK(!redelivery.absorbs({1, 1}, Mark::kNew));
  redelivery.session_lost();
  CHECK(!redelivery.absorbs({1, 1}, Mark::kRepeated));
  redelivery.session_kept();  // The new one: its packet identifiers have nothing to do with the old ones.
  CHECK(!redelivery.absorbs({1, 1}, Mark::kRepeated));
}

TEST_CASE(
    "far more than the receive maximum may come again, up to three quarters of the packet identifiers") {
  Redelivery redelivery(1'000);
  store_alike(redelivery, 0, 200'000);
  redelivery.session_kept();
  CHECK(absorbed_of(redelivery, 200'000 - Redelivery::kWindow, 200'000) == Redelivery::kWindow);
  redelivery.session_kept();
  CHECK(absorbed_of(redelivery, 200'000 - Redelivery::kWindow - 1, 200'000) == Redelivery::kWindow);
}

TEST_CASE("what was lost on its way is new, although marked as a duplicate and like all others") {
  Redelivery redelivery(1'000);
  store_alike(redelivery, 0, 200'000);
  redelivery.session_kept();
  CHECK(absorbed_of(redelivery, 199'000, 200'000 + 16'000) == 1'000);
}

TEST_CASE("QoS 2 is compared for the first deliveries only, as many as can be in flight") {
  Redelivery redelivery(2);
  for (std::uint16_t packet = 1; packet <= Redelivery::kInTurn; ++packet) redelivery.stored({packet, 7});
  redelivery.session_kept();
  CHECK(!redelivery.absorbs({90, 7}, Mark::kRepeated));  // QoS 1 counts apart.
  CHECK(redelivery.absorbs({1, 7}, Mark::kHidden));
  CHECK(redelivery.absorbs({2, 7}, Mark::kHidden));
  CHECK(!redelivery.absorbs({3, 7}, Mark::kHidden));
}

TEST_CASE("an unmarked delivery of a broker that uses identifiers again and again is new") {
  Redelivery redelivery(10);
  for (int round = 0; round < 40; ++round) redelivery.stored({static_cast<std::uint16_t>(round % 3 + 1), 7});
  redelivery.session_kept();
  CHECK(!redelivery.absorbs({1, 7}, Mark::kHidden));
}

TEST_CASE("an unmarked delivery unlike all others is recognised whatever the identifiers") {
  Redelivery redelivery(10);
  redelivery.stored({1, 7});
  redelivery.session_kept();
  CHECK(redelivery.absorbs({1, 7}, Mark::kHidden));
  redelivery.stored({2, 8});
  redelivery.stored({3, 8});
  redelivery.session_kept();
  CHECK(!redelivery.absorbs({2, 8}, Mark::kHidden));
}

TEST_CASE("identifiers are in turn over their end, too") {
  Redelivery redelivery(10);
  for (std::uint32_t i = 65'530; i < 65'550; ++i)
    redelivery.stored({static_cast<std::uint16_t>(i > 65'535 ? i - 65'535 : i), 7});
  redelivery.session_kept();
  CHECK(redelivery.absorbs({65'530, 7}, Mark::kHidden));
}

using Deliveries = std::vector<DeliveryIdentity>;

DeliveryIdentity nth_delivery(std::uint64_t n) {
  return {static_cast<std::uint16_t>(n % 65'535 + 1), n * 7};
}

Deliveries deliveries_between(std::uint64_t begin, std::uint64_t end) {
  Deliveries deliveries;
  for (std::uint64_t n = begin; n < end; ++n) deliveries.push_back(nth_delivery(n));
  return deliveries;
}

constexpr std::uint64_t kSession = 5;

/// What a store does: takes the entries of each commit, and gives all of them and the position back.
struct DeliveryStore {
  std::map<std::string, std::string> entries;
  std::string position;
  std::size_t writes = 0;

  void commit(DeliveryLog& log, DeliveryLog::Session session = DeliveryLog::Session::kKept) {
    log.save([&](std::string_view key, std::string_view value) {
      entries[std::string(key)] = value;
      ++writes;
    });
    position = log.position(session);
  }
  [[nodiscard]] Deliveries load(std::uint64_t session = kSession) const {
    DeliveryHistory history;
    for (const auto& [key, value] : entries) REQUIRE(history.load(value).has_value());
    return history.up_to(position, session).value();
  }
};

TEST_CASE("committed deliveries come back in their order, across restarts, each written once") {
  DeliveryStore store;
  for (std::uint64_t n = 0; n < 1'000;) {
    DeliveryLog log = DeliveryLog::from(store.position, kSession);
    for (int i = 0; i < 37 && n < 1'000; ++i, ++n) log.add(nth_delivery(n));
    store.commit(log);
    CHECK(store.load() == deliveries_between(0, n));
  }
  CHECK(store.writes == 1'000 / DeliveryLog::kPageDeliveries);
  CHECK(store.position.size() < 32 + 10 * DeliveryLog::kPageDeliveries);
}

TEST_CASE("messages that differ are recognised under all packet identifiers") {
  Redelivery redelivery(1'000);
  constexpr std::uint64_t kAll = 65'535;
  for (std::uint64_t n = 0; n < 200'000; ++n) redelivery.stored(nth_delivery(n));
  redelivery.session_kept();
  std::uint64_t absorbed = 0;
  for (std::uint64_t n = 200'000 - kAll; n < 200'000; ++n)
    absorbed += redelivery.absorbs(nth_delivery(n), Mark::kRepeated) ? 1 : 0;
  CHECK(absorbed == kAll);
  CHECK(!redelivery.absorbs(nth_delivery(200'000), Mark::kRepeated));
}

TEST_CASE("as many deliveries come back as are remembered, in room that does not grow") {
  DeliveryStore store;
  DeliveryLog log = DeliveryLog::from({}, kSession);
  for (std::uint64_t n = 0; n < 200'000; ++n) log.add(nth_delivery(n));
  store.commit(log);
  const Deliveries loaded = store.load();
  CHECK(loaded.size() >= Redelivery::kWindow);
  CHECK(loaded == deliveries_between(200'000 - loaded.size(), 200'000));
  CHECK(store.entries.size() * DeliveryLog::kPageDeliveries < Redelivery::kWindow + 200);
}

TEST_CASE("deliveries of a session that is gone do not come back") {
  DeliveryStore store;
  DeliveryLog log = DeliveryLog::from({}, kSession);
  for (std::uint64_t n = 0; n < 500; ++n) {
    if (n == 300) log.begin_session();
    log.add(nth_delivery(n));
  }
  store.commit(log);
  CHECK(store.load() == deliveries_between(300, 500));
  store.commit(log, DeliveryLog::Session::kGone);
  CHECK(store.load().empty());
  CHECK(DeliveryLog::from(store.position, kSession).position(DeliveryLog::Session::kKept) != store.position);
}

TEST_CASE("deliveries of another broker or client, or from before the position was lost, do not come back") {
  DeliveryStore store;
  DeliveryLog log = DeliveryLog::from({}, kSession);
  for (std::uint64_t n = 0; n < 130; ++n) log.add(nth_delivery(n));
  store.commit(log);
  CHECK(store.load(kSession + 1).empty());
  DeliveryLog again = DeliveryLog::from({}, kSession);
  for (std::uint64_t n = 1'000; n < 1'070; ++n) again.add(nth_delivery(n));
  store.commit(again);
  CHECK(store.load() == deliveries_between(1'000, 1'070));
}

TEST_CASE("pages behind a gap, wrong pages and wrong positions are not believed") {
  DeliveryStore store;
  DeliveryLog log = DeliveryLog::from({}, kSession);
  for (std::uint64_t n = 0; n < 500; ++n) log.add(nth_delivery(n));
  store.commit(log);
  store.entries.erase(std::next(store.entries.begin(), 3));
  CHECK(store.load() == deliveries_between(256, 500));
  CHECK(!DeliveryHistory().load("nonsense").has_value());
  CHECK(!DeliveryHistory().up_to("\x05\x07", kSession).has_value());
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
  for (const std::string url : {"tcp://[::1]", "mqtt://[::1]:1883/", "ws://b:80/path?x=1", "wss://b/"})
    CHECK(errors_of({{"url", url}}).empty());
  CHECK(errors_of({{"topic", "$share/g/a/+/#;b"}, {"qos", "2"}, {"topic.pattern", "a/{x}"}}).empty());
  CHECK(errors_of({{"url", "mqtts://b:8883"}, {"tls.ca-file", "/ca.pem"}, {"tls.verify", "false"}}).empty());
}

TEST_CASE("each wrong mqtt option is one error at its key") {
  const std::pair<OptionMap, std::string> wrong[] = {
      {{{"url", "http://x"}}, "url"},
      {{{"url", "mqtt://"}}, "url"},
      {{{"url", "mqtt://user:secret@b"}}, "url"},
      {{{"url", "mqtt://b:99999"}}, "url"},
      {{{"url", "mqtts://b:port"}}, "url"},
      {{{"url", "mqtt://b/path"}}, "url"},
      {{{"url", "tcp://[::1]:0"}}, "url"},
      {{{"session-expiry", "1 h"}, {"protocol-version", "3.1.1"}}, "session-expiry"},
      {{{"retain-handling", "2"}, {"protocol-version", "3.1.1"}}, "retain-handling"},
      {{{"receive-maximum", "2"}, {"protocol-version", "3.1.1"}}, "receive-maximum"},
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
      {{{"payload.max-decompressed-size", "2 gb"}}, "payload.max-decompressed-size"},
      {{{"payload.compression", "brotli"}}, "payload.compression"},
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
  MqttSourceOptions named;
  named.client_id = "mine";
  CHECK(client_options_of(named, context).client_id == "mine");
}

TEST_CASE("no more is in flight than a small journal has room for") {
  const SourceContext context;
  const auto in_flight = [&](const OptionMap& map) {
    return client_options_of(read_mqtt_options(map), context).receive_maximum;
  };
  CHECK(in_flight({}) == 1000);
  CHECK(in_flight({{"journal.size", "64 kb"}}) == 64);
  CHECK(in_flight({{"journal.size", "1 kb"}}) == 16);
  CHECK(in_flight({{"receive-maximum", "5"}}) == 5);
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

TEST_CASE("why nobody is reached is said in the system's words") {
  constexpr std::chrono::milliseconds kLimit{500};
  CHECK(diagnose_connection("127.0.0.1", 1, kLimit) == "nobody listens on port 1 of 127.0.0.1");
  CHECK(diagnose_connection("no-such-host.invalid", 1, kLimit)
            .find("the name 'no-such-host.invalid' cannot be resolved") == 0);
}

}  // namespace
}  // namespace leat::sources
