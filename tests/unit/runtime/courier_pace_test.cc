// Outages and what follows them: order, rate and hours of what the courier sends.
#include <future>

#include "tests/unit/runtime/courier_fixture.h"

namespace leat::runtime {
namespace {

using When = Courier::Next::When;
using State = DeliveryStatus::State;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(CourierFixture,
                  "a week of outage: waits stay bounded, age is kept, the rest arrives in order") {
  script.otherwise = [](const auto&) { return sinks::Retry{"no connection", {}}; };
  random = 0.999;
  int hour = 0;
  const std::int64_t begin = clock.monotonic();
  while (clock.monotonic() - begin < 7 * kMicrosPerDay) {
    if (clock.monotonic() - begin >= hour * kMicrosPerHour) put({"hour " + std::to_string(hour++)});
    const Courier::Next next = go();
    REQUIRE(next.when == When::kLater);
    REQUIRE(next.at - clock.monotonic() <= 60 * kMicrosPerSecond);
    clock.advance(Micros(next.at - clock.monotonic()));
  }
  CHECK(board.read().attempts > 7 * 24 * 60);
  // Two days may wait; what has a number stays.
  std::promise<Result<std::uint64_t>> dropped;
  store->trim(route.pipeline, route.sink, UINT64_MAX, clock.wall() - 2 * kMicrosPerDay - 2 * kMicrosPerMinute,
              store::Store::DropOrder::kOldest, [&](auto records) { dropped.set_value(std::move(records)); });
  CHECK(*dropped.get_future().get() == 5 * 24 - 1);
  script.otherwise = [](const auto&) { return sinks::Delivered{}; };
  script.attempts.clear();
  go_to_the_end();
  CHECK(status().delivered == 2 * 24 + 1);
  CHECK(status().dropped_by.age == 5 * 24 - 1);
  CHECK(script.attempts.front().ends_with(": hour 0"));
  CHECK(script.attempts.at(1).find(": hour 120 hour 121 ") != std::string::npos);
}

TEST_CASE_FIXTURE(CourierFixture, "newest-first: new results go first, the backlog behind, in order inside") {
  delivery.order = plan::DeliveryOrder::kNewestFirst;
  limits.max_rows = 2;
  restart();
  for (const char* record : {"a", "b", "c", "d", "e"}) put({record});
  script.answers = {sinks::Retry{"refused", {}}};
  const Courier::Next next = go();
  put({"f"});
  clock.advance(Micros(next.at - clock.monotonic()));
  go();
  CHECK(attempts() == "1: d e\n1#2: d e\n2: c f\n3: a b\n");
  CHECK(status().delivered == 6);
}

TEST_CASE_FIXTURE(CourierFixture, "newest-first: the unsettled shipment goes first, after a restart too") {
  delivery.order = plan::DeliveryOrder::kNewestFirst;
  script.answers = {sinks::Retry{"refused", {}}};
  restart();
  put({"a"});
  go();
  put({"b"});
  restart();
  go();
  CHECK(attempts() == "1: a\n1#2: a\n2: b\n");
}

TEST_CASE_FIXTURE(CourierFixture, "a rate in rows: a second's worth at once, then the debt is paid first") {
  delivery.max_rows_per_second = 2;
  limits.max_rows = 3;
  restart();
  for (char c = 'a'; c <= 'f'; ++c) put({std::string(1, c)});
  const Courier::Next next = go();
  CHECK(attempts() == "1: a b c\n");
  CHECK(next.when == When::kLater);
  CHECK(next.at == 500'000);
  CHECK(board.read().state == State::kThrottled);
  CHECK(board.read().waiting_until == clock.wall() + 500'000);
  clock.advance(499ms);
  CHECK(go().at == 500'000);
  clock.advance(1ms);
  CHECK(go().when == When::kWithBlocks);
  CHECK(attempts() == "1: a b c\n2: d e f\n");
}

TEST_CASE_FIXTURE(CourierFixture, "a backlog drains at the rate that is allowed, failed attempts included") {
  delivery.max_bytes_per_second = ByteSize{1'000};
  limits.max_rows = 1;
  restart();
  for (int i = 0; i < 100; ++i) put({std::string(500, 'x')});
  const std::uint64_t bytes = status().bytes;
  script.answers.assign(10, sinks::Retry{"refused", {}});
  go_to_the_end();
  CHECK(status().delivered == 100);
  const std::int64_t least = static_cast<std::int64_t>(bytes * 110 / 100) * 1'000 - 1'600'000;
  CHECK(clock.monotonic() >= least);
  CHECK(clock.monotonic() <= least + 10 * 60 * kMicrosPerSecond);
}

TEST_CASE_FIXTURE(CourierFixture, "an outage stays an outage while the rate holds back the next attempt") {
  delivery.max_rows_per_second = 1;
  restart();
  script.answers = {sinks::Retry{"no connection", {}}};
  put({std::string("a"), "b", "c"});
  clock.advance(Micros(go().at - clock.monotonic()));
  const Courier::Next next = go();
  CHECK(board.read().state == State::kWaiting);
  CHECK(board.read().waiting_until == clock.wall() + (next.at - clock.monotonic()));
  CHECK(next.at == 2 * kMicrosPerSecond);
}

TEST_CASE_FIXTURE(CourierFixture, "outside of the schedule nothing is sent, and nothing gets a number") {
  clock.set_wall(12 * kMicrosPerHour);
  delivery.schedule = "22:00-06:00";
  restart();
  CHECK(go().when == When::kWithBlocks);
  put({"a"});
  Courier::Next next = go(Courier::Urgency::kNow);
  CHECK(next.when == When::kLater);
  CHECK(board.read().state == State::kOffSchedule);
  CHECK(board.read().waiting_until == 22 * kMicrosPerHour);
  CHECK(status().last_shipment.value == 0);
  clock.advance(9h);
  put({"b"});
  go();
  CHECK(script.attempts.empty());
  clock.advance(1h);
  CHECK(go().when == When::kWithBlocks);
  CHECK(attempts() == "1: a b\n");
}

TEST_CASE_FIXTURE(CourierFixture,
                  "a clock that is set while the schedule is awaited is noticed in a minute") {
  clock.set_wall(12 * kMicrosPerHour);
  delivery.schedule = "22:00-06:00";
  restart();
  put({"a"});
  CHECK(go().at <= clock.monotonic() + kMicrosPerMinute);
  clock.set_wall(23 * kMicrosPerHour);
  CHECK(go().when == When::kWithBlocks);
  CHECK(status().delivered == 1);
}

}  // namespace
}  // namespace leat::runtime
