#include "daemon/loop/gateway_clock.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::loop;
using State = ClockStatus::State;

namespace {

constexpr std::int64_t kDay = kMicrosPerDay;
constexpr std::int64_t kBuild = 20'000 * kDay;
constexpr Micros kSecond{kMicrosPerSecond};

struct World {
  explicit World(std::int64_t start) : system(start), clock(system, kBuild) {}
  /// So many seconds pass, and somebody looks each second.
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      system.advance(kSecond);
      (void)clock.wall();
    }
  }
  SimulatedClock system;
  GatewayClock clock;
};

}  // namespace

TEST_CASE("a clock that is right is followed") {
  World world(kBuild + kDay);
  world.pass(100);
  CHECK(world.clock.wall() == kBuild + kDay + 100 * kMicrosPerSecond);
  CHECK(world.clock.status().state == State::kGood);
  CHECK(world.clock.status().jumps_forward == 0);
}

TEST_CASE("a clock that jumps back a day goes on as before, until the system's has caught up") {
  World world(kBuild + 10 * kDay);
  world.pass(10);
  world.system.set_wall(world.system.wall() - kDay);
  world.pass(10);
  CHECK(world.clock.wall() == kBuild + 10 * kDay + 20 * kMicrosPerSecond);
  CHECK(world.clock.status().state == State::kHeld);
  CHECK(world.clock.status().ahead == Micros(kDay));
  CHECK(world.clock.status().jumps_back == 1);
  world.system.set_wall(world.system.wall() + kDay);
  world.pass(1);
  CHECK(world.clock.wall() == kBuild + 10 * kDay + 21 * kMicrosPerSecond);
  CHECK(world.clock.status().state == State::kGood);
}

TEST_CASE("a clock that stands still goes on by the monotonic one") {
  World world(kBuild + kDay);
  std::int64_t last = world.clock.wall();
  for (int i = 0; i < 100; ++i) {
    world.system.advance_monotonic(kSecond);
    CHECK(world.clock.wall() >= last);
    last = world.clock.wall();
  }
  CHECK(last == kBuild + kDay + 100 * kMicrosPerSecond);
  CHECK(world.clock.status().state == State::kHeld);
}

TEST_CASE("small steps of a time server are waited for, and do not add up") {
  World world(kBuild + kDay);
  std::int64_t last = world.clock.wall();
  for (int i = 0; i < 50; ++i) {
    world.system.set_wall(world.system.wall() - 300'000);
    world.pass(5);
    CHECK(world.clock.wall() >= last);
    last = world.clock.wall();
    CHECK(last == world.system.wall());
  }
  CHECK(world.clock.status().jumps_back == 0);
}

TEST_CASE("a clock that is set forward a year is followed, and counted") {
  World world(kBuild + kDay);
  world.pass(5);
  world.system.set_wall(world.system.wall() + 365 * kDay);
  CHECK(world.clock.wall() == kBuild + 366 * kDay + 5 * kMicrosPerSecond);
  CHECK(world.clock.status().jumps_forward == 1);
}

TEST_CASE("what was so long ago is told by the monotonic clock, however the clock jumped") {
  World world(kBuild + kDay);
  world.pass(100);
  const std::int64_t stamp = world.clock.wall();
  world.system.set_wall(world.system.wall() + 365 * kDay);
  world.pass(50);
  CHECK(world.clock.wall_ago(20 * kSecond) == kBuild + 366 * kDay + 130 * kMicrosPerSecond);
  CHECK(world.clock.wall_ago(50 * kSecond + Micros(1)) == stamp - 1);            // Before the jump.
  CHECK(world.clock.wall_ago(Micros(kDay)) == kBuild + 150 * kMicrosPerSecond);  // Before the start.
}

TEST_CASE("a machine without a clock starts in 1970: its times are handed on, and marked") {
  World world(5 * kMicrosPerSecond);
  CHECK(world.clock.status().state == State::kImplausible);
  world.pass(10);
  CHECK(world.clock.wall() == 15 * kMicrosPerSecond);
  CHECK(world.clock.wall() < world.clock.plausible_from());
  world.system.set_wall(kBuild + 3 * kDay);
  CHECK(world.clock.wall() == kBuild + 3 * kDay);
  CHECK(world.clock.status().state == State::kGood);
  CHECK(world.clock.wall_ago(5 * kSecond) == 10 * kMicrosPerSecond);
}

TEST_CASE("a clock before the last commit is not plausible, and is when it gets there") {
  World world(kBuild - kDay);
  world.pass(10);
  CHECK(world.clock.status().state == State::kImplausible);
  world.system.advance(Micros(kDay));
  CHECK(world.clock.wall() >= kBuild);
  CHECK(world.clock.status().state == State::kGood);
  CHECK(world.clock.status().jumps_forward == 0);
}
