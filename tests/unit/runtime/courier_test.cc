#include "daemon/runtime/delivery_courier.h"

#include "tests/unit/runtime/courier_fixture.h"

namespace leat::runtime {
namespace {

using When = Courier::Next::When;
using State = DeliveryStatus::State;
using Decision = sinks::Shipment::Decision;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(CourierFixture, "what waits is delivered in order and settled") {
  put({"a", "b"});
  put({"c"});
  CHECK(go().when == When::kWithBlocks);
  CHECK(attempts() == "1: a b c\n");
  CHECK(status().delivered == 3);
  CHECK(status().records == 0);
  CHECK(board.read().last_success == clock.wall());
  CHECK(board.read().state == State::kIdle);
}

TEST_CASE_FIXTURE(CourierFixture, "shipments respect the sink's batch size") {
  limits.max_rows = 2;
  restart();
  for (const char* record : {"a", "b", "c"}) put({record});
  go();
  CHECK(attempts() == "1: a b\n2: c\n");
}

TEST_CASE_FIXTURE(CourierFixture, "a failed attempt is repeated with the same bytes under the same number") {
  script.answers = {sinks::Retry{"refused", {}}, sinks::Retry{"refused", {}}};
  put({"a"});
  go();
  put({"b"});
  go_to_the_end();
  CHECK(attempts() == "1: a\n1#2: a\n1#3: a\n2: b\n");
  CHECK(board.read().retries == 2);
  CHECK(board.read().attempts == 4);
  CHECK(board.read().last_error == "refused");
}

TEST_CASE_FIXTURE(CourierFixture, "the wait doubles up to its bound, with jitter over the whole of it") {
  script.answers.assign(10, sinks::Retry{"refused", {}});
  put({"a"});
  std::vector<std::int64_t> seconds;
  for (int i = 0; i < 8; ++i) {
    const Courier::Next next = go();
    REQUIRE(next.when == When::kLater);
    seconds.push_back(2 * (next.at - clock.monotonic()));
    clock.advance(Micros(next.at - clock.monotonic()));
  }
  for (std::int64_t& wait : seconds) wait /= kMicrosPerSecond;
  CHECK(seconds == std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 60, 60});
}

TEST_CASE_FIXTURE(CourierFixture, "no attempt is made before the wait is over, whatever arrives meanwhile") {
  script.answers = {sinks::Retry{"refused", {}}};
  put({"a"});
  const Courier::Next next = go();
  put({"b"});
  CHECK(go().at == next.at);
  CHECK(go(Courier::Urgency::kNow).at == next.at);
  CHECK(script.attempts.size() == 1);
}

TEST_CASE_FIXTURE(CourierFixture, "Retry-After is obeyed, up to an hour") {
  script.answers = {sinks::Retry{"busy", 120s}, sinks::Retry{"busy", 24h * 365}};
  put({"a"});
  CHECK(go().at == (120s / 1us));
  clock.advance(120s);
  CHECK(go().at == clock.monotonic() + kMicrosPerHour);
}

TEST_CASE_FIXTURE(CourierFixture,
                  "a refusal that needs a human pauses, is visible, and is tried again for ever") {
  script.answers.assign(50, sinks::Retry{"401 Unauthorized", {}, true});
  put({"a"});
  go();
  CHECK(board.read().state == State::kPaused);
  CHECK(board.read().waiting_until > clock.wall());
  go_to_the_end();
  CHECK(status().delivered == 1);
  CHECK(dead().empty());
}

TEST_CASE_FIXTURE(CourierFixture, "records that the sink names are buried, all others count as delivered") {
  script.answers = {sinks::Rejected{"too large", {3, 1}}};
  put({"a", "b"});
  put({"c", "d", "e"});
  go();
  CHECK(attempts() == "1: a b c d e\n");
  CHECK(dead() == "b d");
  CHECK(status().delivered == 3);
  CHECK(status().rejected == 2);
}

TEST_CASE_FIXTURE(CourierFixture, "a dead letter says where it comes from") {
  script.answers = {sinks::Rejected{"too large", {1}}};
  put({"a", "b"});
  go();
  const auto rows = store->dead_letters({}, {.letters = 1});
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().letter.origin == "sink upstream");
  CHECK(rows->front().letter.reason == "too large");
  CHECK(rows->front().letter.metadata == R"({"shipment":1,"record":1,"key":"key b"})");
  CHECK(rows->front().letter.time == clock.wall());
}

TEST_CASE_FIXTURE(CourierFixture, "a shipment refused as a whole is bisected until the bad record is alone") {
  refuse({"c"});
  put({"a", "b", "c", "d"});
  put({"e", "f", "g", "h"});
  go();
  CHECK(attempts() ==
        "1: a b c d e f g h\n"
        "1[0+4]: a b c d\n"
        "1[0+2]: a b\n"
        "1[2+1]: c\n"
        "1[3+5]: d e f g h\n");
  CHECK(dead() == "c");
  CHECK(status().delivered == 7);
  CHECK(status().rejected == 1);
  put({"i"});
  go();
  CHECK(script.attempts.back() == "2: i");
}

TEST_CASE_FIXTURE(CourierFixture, "a bad record in the last place, and bad neighbours, are found") {
  refuse({"f", "g"});
  put({"a", "b", "c", "d", "e", "f", "g"});
  go();
  CHECK(dead() == "f g");
  CHECK(status().delivered == 5);
  CHECK(status().records == 0);
}

TEST_CASE_FIXTURE(CourierFixture, "when every record is refused, each is buried once") {
  refuse({"a", "b", "c", "d", "e"});
  put({"a", "b", "c", "d", "e"});
  go();
  CHECK(dead() == "a b c d e");
  CHECK(status().rejected == 5);
}

TEST_CASE_FIXTURE(CourierFixture, "one bad record among a thousand costs a logarithm of attempts") {
  std::vector<std::string> records;
  for (int i = 0; i < 1'000; ++i) records.push_back(std::to_string(i));
  refuse({"777"});
  put(records);
  go();
  CHECK(dead() == "777");
  CHECK(status().delivered == 999);
  CHECK(script.attempts.size() <= 22);
}

TEST_CASE_FIXTURE(CourierFixture,
                  "a shipment that is too large goes in parts, and the next ones at once in parts") {
  script.otherwise = [](const std::vector<std::string>& records) -> sinks::Delivery {
    if (records.size() > 3) return sinks::Rejected{"too large", {}, sinks::Rejected::Cause::kSize};
    return sinks::Delivered{};
  };
  put({"a", "b", "c", "d", "e", "f", "g", "h"});
  go();
  CHECK(status().delivered == 8);
  CHECK(dead().empty());
  const std::uint64_t refused = board.read().refusals;
  CHECK(refused <= 3);
  script.attempts.clear();
  put({"i", "j", "k", "l", "m", "n"});
  go();
  CHECK(status().delivered == 14);
  CHECK(board.read().refusals == refused);
  CHECK(script.attempts.size() <= 6);
}

TEST_CASE_FIXTURE(CourierFixture, "a record that alone is too large is buried alone, and the others pass") {
  script.otherwise = [](const std::vector<std::string>& records) -> sinks::Delivery {
    std::size_t bytes = 0;
    for (const std::string& record : records) bytes += record.size();
    if (bytes > 100) return sinks::Rejected{"too large", {}, sinks::Rejected::Cause::kSize};
    return sinks::Delivered{};
  };
  put({std::string(40, 'a'), std::string(40, 'b'), std::string(200, 'c'), std::string(40, 'd')});
  go();
  CHECK(dead() == std::string(200, 'c'));
  CHECK(status().delivered == 3);
}

TEST_CASE_FIXTURE(CourierFixture, "a Retry-After that is cut is said") {
  script.answers = {sinks::Retry{"HTTP 503", 24h * 365}};
  put({"a"});
  go();
  CHECK(board.read().last_error == "HTTP 503 (it asks for 365 d, tried again in 60 min)");
}

TEST_CASE_FIXTURE(CourierFixture, "an index outside of the shipment is a refusal of the whole") {
  script.answers = {sinks::Rejected{"odd", {7}}};
  refuse({"b"});
  put({"a", "b"});
  go();
  CHECK(dead() == "b");
  CHECK(status().delivered == 1);
}

TEST_CASE_FIXTURE(CourierFixture, "a restart resumes an attempted shipment and marks it as resent") {
  script.answers = {sinks::Retry{"refused", {}}};
  put({"a", "b"});
  go();
  restart();
  go();
  CHECK(attempts() == "1: a b\n1#2: a b\n");
}

TEST_CASE_FIXTURE(CourierFixture,
                  "a restart in the middle of a bisection sends no settled part again, and the same parts") {
  script.answers = {sinks::Rejected{"bad", {}}, sinks::Rejected{"bad", {}}, sinks::Delivered{},
                    sinks::Retry{"reset in mid-response", {}}};
  refuse({"c"});
  put({"a", "b", "c", "d", "e", "f", "g", "h"});
  go();
  CHECK(script.attempts.back() == "1[2+1]: c");
  restart();
  script.attempts.clear();
  go();
  CHECK(attempts() == "1[2+1]#2: c\n1[3+5]: d e f g h\n");
  CHECK(status().delivered == 7);
  CHECK(dead() == "c");
}

TEST_CASE_FIXTURE(CourierFixture, "the sink gets back the state that it left at its last success") {
  script.answers = {sinks::Delivered{"length 5"}, sinks::Rejected{"bad", {0}}, sinks::Delivered{"length 9"}};
  for (int i = 0; i < 4; ++i) {
    put({"a"});
    go();
  }
  CHECK(script.last_state == "length 9");
}

TEST_CASE_FIXTURE(CourierFixture, "with linger a shipment waits to fill, but no longer than that") {
  limits.linger = 5s;
  limits.max_rows = 3;
  restart();
  put({"a"});
  const Courier::Next next = go();
  CHECK(next.when == When::kLingering);
  CHECK(next.at == 5 * kMicrosPerSecond);
  clock.advance(3s);
  put({"b"});
  CHECK(go().at == 5 * kMicrosPerSecond);
  clock.advance(2s);
  CHECK(go().when == When::kWithBlocks);
  CHECK(attempts() == "1: a b\n");
}

TEST_CASE_FIXTURE(CourierFixture, "a full shipment does not linger, and each one lingers anew") {
  limits.linger = 5s;
  limits.max_rows = 2;
  restart();
  put({"a", "b"});
  CHECK(go().when == When::kWithBlocks);
  clock.advance(100s);
  put({"c"});
  CHECK(go().at == 105 * kMicrosPerSecond);
}

TEST_CASE_FIXTURE(CourierFixture, "near the end nothing lingers") {
  limits.linger = 5s;
  restart();
  put({"a"});
  CHECK(go(Courier::Urgency::kNow).when == When::kWithBlocks);
  CHECK(attempts() == "1: a\n");
}

TEST_CASE_FIXTURE(CourierFixture, "blocks that cannot be read become dead letters and stop nothing") {
  auto commit = std::make_shared<store::Commit>();
  commit->pipeline = route.pipeline;
  commit->number = {1};
  commit->blocks = {{route.sink, 3, "no block at all", clock.wall()}};
  store->commit(commit, [](const Status&) {});
  put({"a"});
  limits.max_rows = 3;
  restart();
  go();
  CHECK(status().rejected == 3);
  CHECK(status().delivered == 1);
  CHECK(dead().find("no block at all") != std::string::npos);
}

TEST_CASE_FIXTURE(CourierFixture,
                  "what can be read before a damaged block is delivered, whatever the sink makes of it") {
  put({"a", "b"});
  auto commit = std::make_shared<store::Commit>();
  commit->pipeline = route.pipeline;
  commit->number = {2};
  commit->blocks = {{route.sink, 3, "no block at all", clock.wall()}};
  store->commit(commit, [](const Status&) {});
  go_to_the_end();
  put({"c"});
  go_to_the_end();
  CHECK(attempts() == "1[0+2]: a b\n2: c\n");
  CHECK(status().rejected == 3);
  CHECK(status().delivered == 3);
}

TEST_CASE_FIXTURE(CourierFixture, "a store that does not answer is tried again later") {
  put({"a"});
  store->close();
  const Courier::Next next = go();
  CHECK(next.when == When::kLater);
  CHECK(board.read().last_error == "store: the store is closed");
  CHECK(script.attempts.empty());
}

TEST_CASE_FIXTURE(CourierFixture, "a shipment that nobody can decide is held, and the commands are named") {
  script.answers = {sinks::Held{"nobody knows"}};
  put({"a"});
  CHECK(go().when == When::kHeld);
  clock.advance(24h);
  CHECK(go().when == When::kHeld);
  CHECK(attempts() == "1: a\n");
  CHECK(board.read().state == State::kPaused);
  CHECK(board.read().hold == DeliveryStatus::Hold::kUndecided);
  CHECK(board.read().last_error ==
        "nobody knows; decide with 'leat outbox resend plant upstream' (it has not arrived) or 'leat outbox "
        "skip "
        "plant upstream' (it has)");
}

TEST_CASE_FIXTURE(CourierFixture,
                  "a decision is told to the sink until the shipment is settled, and counted") {
  script.answers = {sinks::Held{"nobody knows"}, sinks::Retry{"away", {}}};
  put({"a"});
  go();
  SUBCASE("resend") {
    courier->decide(Decision::kResend);
    CHECK(board.read().hold == DeliveryStatus::Hold::kNone);
    CHECK(go().when == When::kLater);
    CHECK(script.last_decision == Decision::kResend);
    clock.advance(2min);
    go();
    CHECK(script.last_decision == Decision::kResend);
    CHECK(board.read().resent == 1);
  }
  SUBCASE("skip") {
    courier->decide(Decision::kSkip);
    go_to_the_end();
    CHECK(script.last_decision == Decision::kSkip);
    CHECK(board.read().skipped == 1);
  }
  CHECK(status().delivered == 1);
  put({"b"});
  go_to_the_end();
  CHECK(script.last_decision == Decision::kNone);
  CHECK(board.read().resent + board.read().skipped == 1);
}

TEST_CASE_FIXTURE(CourierFixture, "a sink whose place was taken waits to be resumed") {
  script.answers = {sinks::Held{"fenced", sinks::Held::Question::kWhoIsRight}};
  put({"a"});
  CHECK(go().when == When::kHeld);
  CHECK(board.read().hold == DeliveryStatus::Hold::kFenced);
  CHECK(board.read().last_error == "fenced; then go on with 'leat outbox resume plant upstream'");
  courier->decide(Decision::kLookAgain);
  go_to_the_end();
  CHECK(script.last_decision == Decision::kLookAgain);
  CHECK(status().delivered == 1);
}

TEST_CASE_FIXTURE(CourierFixture, "a decision ends a wait, too") {
  script.answers = {sinks::Retry{"away", {}}};
  put({"a"});
  CHECK(go().when == When::kLater);
  courier->decide(Decision::kLookAgain);
  CHECK(go().when == When::kWithBlocks);
  CHECK(status().delivered == 1);
}

TEST_CASE("the shortest wait is a millisecond, so that no draw makes a busy loop") {
  Backoff backoff(1s, 60s, [] { return 0.0; });
  CHECK(backoff.wait(1, {}) == 1ms);
  CHECK(backoff.wait(1, 0s) == 1ms);
}

TEST_CASE("after very many failures the wait stays at its bound") {
  Backoff backoff(1s, 60s, [] { return 0.999999; });
  CHECK(backoff.wait(4'000'000'000U, {}) <= 60s);
  CHECK(backoff.wait(4'000'000'000U, {}) > 59s);
}

}  // namespace
}  // namespace leat::runtime
