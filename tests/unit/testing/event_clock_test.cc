#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "daemon/runtime/event_clock.h"

namespace leat::runtime::test {
namespace {

/// What the clock does with rows at these milliseconds: "tick 100", "rows 0-2".
class Replayed {
 public:
  void rows(const std::vector<std::int64_t>& millis) {
    std::vector<std::int64_t> times;
    for (const std::int64_t at : millis) times.push_back(at * 1000);
    intake_times.assign(times.size(), -1);
    const auto push = [this](std::size_t begin, std::size_t end) {
      done.push_back("rows " + std::to_string(begin) + "-" + std::to_string(end));
      return Status{};
    };
    REQUIRE(clock.replay(times, 0, times.size(), intake_times, push, tick()));
  }
  EventClock::Tick tick() {
    return [this](std::int64_t now) {
      done.push_back("tick " + std::to_string(now / 1000));
      return Status{};
    };
  }

  EventClock clock;
  std::vector<std::string> done;
  std::vector<std::int64_t> intake_times;
};

using Done = std::vector<std::string>;

TEST_CASE("time passes in one tick before a row that is far behind the last one") {
  Replayed replayed;
  replayed.rows({1000, 1050, 5000, 5020});
  CHECK(replayed.done == Done{"tick 1000", "rows 0-2", "tick 5000", "rows 2-4"});
}

TEST_CASE("small steps add up to a tick") {
  Replayed replayed;
  replayed.rows({1000, 1060, 1120});
  CHECK(replayed.done == Done{"tick 1000", "rows 0-2", "tick 1120", "rows 2-3"});
}

TEST_CASE("rows come in at the latest time so far, never before it") {
  Replayed replayed;
  replayed.rows({1000, 400, 1010});
  CHECK(replayed.intake_times == std::vector<std::int64_t>{1'000'000, 1'000'000, 1'010'000});
}

TEST_CASE("time goes on behind the last row, and not back") {
  Replayed replayed;
  replayed.rows({1000});
  REQUIRE(replayed.clock.pass_to(9'000'000, replayed.tick()));
  REQUIRE(replayed.clock.pass_to(8'000'000, replayed.tick()));
  CHECK(replayed.done == Done{"tick 1000", "rows 0-1", "tick 9000"});
}

}  // namespace
}  // namespace leat::runtime::test
