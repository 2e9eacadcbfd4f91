// Exactly once into a real Kafka, at every place where a daemon may die or be doubled: a dead daemon is a
// sink that is thrown away with what it knew, its store is the state that the test hands to the next one.
#include <doctest/doctest.h>

#include "sinks/kafka/kafka_progress.h"
#include "tests/contract/sinks/harness.h"
#include "tests/contract/sinks/kafka_harness.h"

using namespace leat;
using namespace leat::contract;
using namespace leat::sinks;

namespace {

const std::string kStore = test_context().store.value;

SinkContext context_of(const std::string& store) {
  SinkContext context = test_context();
  context.store = {store};
  return context;
}

/// A pipeline of its own per test, as its transactional id is.
struct Gateway {
  explicit Gateway(std::string store = kStore, KafkaHarness* of = nullptr)
      : context(context_of(store)), kafka(of != nullptr ? *of : own.emplace()) {
    context.pipeline = {kafka.topic()};
  }

  /// Starts a daemon: the former one is gone.
  void start() { sink = kafka.build_with({{"sink.delivery-guarantee", "exactly-once"}}, context); }
  Delivery deliver(std::uint64_t number, const Payloads& payloads, const std::string& state,
                   Shipment::Decision decision = Shipment::Decision::kNone, std::uint32_t attempt = 2) {
    if (!sink) start();
    Shipment shipment = make_shipment(number, payloads, state);
    shipment.store = context.store;
    shipment.attempt = attempt;
    shipment.origin = origin;
    shipment.decision = decision;
    return deliver_until_settled(*sink, shipment);
  }
  /// The state that a success leaves.
  std::string settle(std::uint64_t number, const Payloads& payloads, const std::string& state,
                     Shipment::Decision decision = Shipment::Decision::kNone) {
    const Delivery outcome = deliver(number, payloads, state, decision);
    if (const auto* held = std::get_if<Held>(&outcome)) FAIL(held->reason);
    REQUIRE(delivered(outcome));
    return std::get<Delivered>(outcome).sink_state;
  }
  [[nodiscard]] std::string group() const {
    return "leat:" + context.store.value + ":" + context.pipeline.value + ":upstream";
  }
  /// Every message that a `read_committed` consumer sees.
  [[nodiscard]] Payloads seen() const {
    Payloads all;
    for (const SeenMessage& message : kafka.messages()) all.push_back(message.payload);
    return all;
  }

  std::optional<KafkaHarness> own;
  SinkContext context;
  KafkaHarness& kafka;
  std::unique_ptr<Sink> sink;
  Shipment::Origin origin = Shipment::Origin::kOwn;
};

bool held(const Delivery& outcome, Held::Question question) {
  const auto* what = std::get_if<Held>(&outcome);
  return what != nullptr && what->question == question;
}
bool undecided(const Delivery& outcome) {
  return held(outcome, Held::Question::kHasItArrived);
}
bool fenced(const Delivery& outcome) {
  return held(outcome, Held::Question::kWhoIsRight);
}

/// The mock neither hides aborted records nor fences.
bool no_real_kafka() {
  return !KafkaBroker::the_one().real();
}

}  // namespace

TEST_CASE("a shipment whose success nobody heard is settled, not sent again" *
          doctest::skip(no_real_kafka())) {
  Gateway gateway;
  gateway.settle(1, {"a", "b"}, "");
  gateway.start();
  const std::string state = gateway.settle(1, {"a", "b"}, "");
  gateway.settle(2, {"c"}, state);
  gateway.start();
  gateway.settle(2, {"c"}, state);
  CHECK(gateway.seen() == Payloads{"a", "b", "c"});
}

TEST_CASE("what a dead daemon left in an open transaction counts for nothing, and is sent again" *
          doctest::skip(no_real_kafka())) {
  Gateway gateway;
  const std::string state = gateway.settle(1, {"a"}, "");
  gateway.kafka.broker().leave_open_transaction(gateway.group(), gateway.kafka.topic(), "b");
  gateway.start();
  gateway.settle(2, {"b"}, state);
  CHECK(gateway.seen() == Payloads{"a", "b"});
}

TEST_CASE("a shipment that was never sent is sent by the next daemon" * doctest::skip(no_real_kafka())) {
  Gateway gateway;
  const std::string state = gateway.settle(1, {"a"}, "");
  gateway.start();
  gateway.settle(2, {"b"}, state);
  CHECK(gateway.seen() == Payloads{"a", "b"});
}

TEST_CASE("a slice is known by its own name" * doctest::skip(no_real_kafka())) {
  Gateway gateway;
  gateway.start();
  Shipment slice = make_shipment(1, {"a", "b"});
  slice.part = Shipment::Part{0, 2};
  const Delivery first = deliver_until_settled(*gateway.sink, slice);
  REQUIRE(delivered(first));
  gateway.start();
  slice.attempt = 2;
  REQUIRE(delivered(deliver_until_settled(*gateway.sink, slice)));
  Shipment behind = make_shipment(1, {"c"}, std::get<Delivered>(first).sink_state);
  behind.part = Shipment::Part{2, 1};
  behind.attempt = 2;
  gateway.start();
  REQUIRE(delivered(deliver_until_settled(*gateway.sink, behind)));
  CHECK(gateway.seen() == Payloads{"a", "b", "c"});
}

TEST_CASE("of a shipment with a record that is too large nothing arrives, so that it can be bisected" *
          doctest::skip(no_real_kafka())) {
  Gateway gateway;
  const Delivery outcome = gateway.deliver(1, {"a", std::string(2'000'000, 'x'), "b"}, "");
  REQUIRE(std::holds_alternative<Rejected>(outcome));
  CHECK(std::get<Rejected>(outcome).records.empty());
  CHECK(gateway.seen().empty());
  gateway.settle(2, {"c"}, "");
  CHECK(gateway.seen() == Payloads{"c"});
}

TEST_CASE("when the number has expired the topic tells what has arrived" * doctest::skip(no_real_kafka())) {
  Gateway gateway;
  const std::string first = gateway.settle(1, {"a"}, "");
  const std::string second = gateway.settle(2, {"b"}, first);
  gateway.sink.reset();
  gateway.kafka.broker().forget_group(gateway.group());
  SUBCASE("it has") {
    gateway.settle(2, {"b"}, first);
    CHECK(gateway.seen() == Payloads{"a", "b"});
  }
  SUBCASE("it has not") {
    gateway.settle(3, {"c"}, second);
    CHECK(gateway.seen() == Payloads{"a", "b", "c"});
  }
  SUBCASE("another history has used its number") {
    CHECK(undecided(gateway.deliver(2, {"x"}, first)));
    CHECK(gateway.seen() == Payloads{"a", "b"});
  }
}

TEST_CASE("a first shipment whose number has expired is looked for in the whole topic" *
          doctest::skip(no_real_kafka())) {
  Gateway gateway;
  gateway.settle(1, {"a"}, "");
  gateway.sink.reset();
  gateway.kafka.broker().forget_group(gateway.group());
  gateway.settle(1, {"a"}, "");
  CHECK(gateway.seen() == Payloads{"a"});
}

TEST_CASE("a store that was put back takes up the shipment that it had formed, and no other" *
          doctest::skip(no_real_kafka())) {
  Gateway gateway;
  const std::string backup = gateway.settle(1, {"a"}, "");
  const std::string second = gateway.settle(2, {"b"}, backup);
  gateway.settle(3, {"c"}, second);
  gateway.start();
  SUBCASE("formed before: it is found, and what comes behind it asks") {
    const std::string state = gateway.settle(2, {"b"}, backup);
    CHECK(undecided(gateway.deliver(3, {"d"}, state)));
  }
  SUBCASE("formed since: nobody can tell, until somebody does") {
    CHECK(undecided(gateway.deliver(2, {"d"}, backup)));
    CHECK(undecided(gateway.deliver(2, {"d"}, backup)));
    SUBCASE("skip") {
      const std::string state = gateway.settle(2, {"d"}, backup, Shipment::Decision::kSkip);
      gateway.settle(3, {"e"}, state);
      CHECK(gateway.seen() == Payloads{"a", "b", "c", "e"});
    }
    SUBCASE("resend") {
      const std::string state = gateway.settle(2, {"d"}, backup, Shipment::Decision::kResend);
      gateway.start();
      gateway.settle(2, {"d"}, backup, Shipment::Decision::kResend);
      gateway.settle(3, {"e"}, state);
      CHECK(gateway.seen() == Payloads{"a", "b", "c", "d", "e"});
    }
  }
}

TEST_CASE("of two daemons of one identity the first is shut out, says so and does not fight" *
          doctest::skip(no_real_kafka())) {
  Gateway first;
  Gateway second(kStore, &first.kafka);
  const std::string state = first.settle(1, {"a"}, "");
  const std::string behind = second.settle(2, {"b"}, state);
  CHECK(fenced(first.deliver(2, {"b"}, state)));
  CHECK(fenced(first.deliver(2, {"b"}, state)));
  CHECK(first.seen() == Payloads{"a", "b"});
  SUBCASE("the second goes on undisturbed") {
    second.settle(3, {"c"}, behind);
    CHECK(first.seen() == Payloads{"a", "b", "c"});
  }
  SUBCASE("resumed, the first takes the place back and doubles nothing") {
    first.settle(2, {"b"}, state, Shipment::Decision::kLookAgain);
    CHECK(first.seen() == Payloads{"a", "b"});
  }
}

TEST_CASE("a daemon that was shut out by one that did nothing since goes on" *
          doctest::skip(no_real_kafka())) {
  Gateway gateway;
  const std::string state = gateway.settle(1, {"a"}, "");
  gateway.kafka.broker().leave_open_transaction(gateway.group(), gateway.kafka.topic(), "x");
  gateway.settle(2, {"b"}, state);
  CHECK(gateway.seen() == Payloads{"a", "b"});
}

TEST_CASE("records that waited when a store was copied are delivered by one of the two" *
          doctest::skip(no_real_kafka())) {
  Gateway original;
  const std::string state = original.settle(1, {"a"}, "");
  Gateway copy("11111111111111111111111111111111", &original.kafka);
  copy.origin = Shipment::Origin::kInherited;
  SUBCASE("the copy was faster: the original asks, and so does a second copy") {
    const std::string behind = copy.settle(2, {"b"}, state);
    CHECK(fenced(original.deliver(2, {"b"}, state)));
    CHECK(undecided(original.deliver(2, {"b"}, state, Shipment::Decision::kLookAgain)));
    Gateway third("22222222222222222222222222222222", &original.kafka);
    third.origin = Shipment::Origin::kInherited;
    CHECK(undecided(third.deliver(2, {"b"}, state)));
    copy.origin = Shipment::Origin::kOwn;
    copy.start();
    copy.settle(3, {"c"}, behind);
    CHECK(copy.seen() == Payloads{"a", "b", "c"});
  }
  SUBCASE("the original was faster") {
    original.settle(2, {"b"}, state);
    copy.settle(2, {"b"}, state);
    CHECK(copy.seen() == Payloads{"a", "b"});
  }
  SUBCASE("the original has gone on with others") {
    original.settle(2, {"b", "c"}, state);
    CHECK(undecided(copy.deliver(2, {"b"}, state)));
    CHECK(copy.seen() == Payloads{"a", "b", "c"});
  }
  SUBCASE("the copy dies in between, and takes up again") {
    copy.settle(2, {"b"}, state);
    copy.start();
    copy.settle(2, {"b"}, state);
    CHECK(copy.seen() == Payloads{"a", "b"});
  }
}

TEST_CASE("a copy's own records need not wait for the original, nor disturb it" *
          doctest::skip(no_real_kafka())) {
  Gateway original;
  const std::string state = original.settle(1, {"a"}, "");
  Gateway copy("33333333333333333333333333333333", &original.kafka);
  const std::string own = copy.settle(2, {"x"}, state);
  original.settle(2, {"b"}, state);
  SUBCASE("what it inherited and comes behind them is still asked for") {
    copy.origin = Shipment::Origin::kInherited;
    copy.settle(3, {"b"}, own, Shipment::Decision::kSkip);
    CHECK(copy.seen() == Payloads{"a", "x", "b"});
  }
  SUBCASE("both go on") {
    copy.settle(3, {"y"}, own);
    CHECK(copy.seen() == Payloads{"a", "x", "b", "y"});
  }
}

TEST_CASE("a shipment that was tried before the topic was renamed is looked for there" *
          doctest::skip(no_real_kafka())) {
  Gateway gateway;
  const std::string state = gateway.settle(1, {"a"}, "");
  gateway.settle(2, {"b"}, state);
  KafkaHarness renamed;
  gateway.sink = renamed.build_with({{"sink.delivery-guarantee", "exactly-once"}}, gateway.context);
  const std::string behind = gateway.settle(2, {"b"}, state);
  CHECK(renamed.messages().empty());
  gateway.settle(3, {"c"}, behind);
  CHECK(renamed.messages().size() == 1);
}
