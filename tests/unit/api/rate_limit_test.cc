#include "daemon/api/rate_limit.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::api;

namespace {

int taken(RateLimit& limit, const std::string& peer) {
  int count = 0;
  while (!limit.take(peer)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a peer has its burst, then its rate") {
  loop::SimulatedClock clock;
  RateLimit limit({.per_second = 10, .burst = 20}, clock);
  CHECK(taken(limit, "a") == 20);
  clock.advance(Micros(500'000));
  CHECK(taken(limit, "a") == 5);
  clock.advance(Micros(3600 * kMicrosPerSecond));
  CHECK(taken(limit, "a") == 20);
}

TEST_CASE("who is refused is told how long to wait, and is taken then") {
  loop::SimulatedClock clock;
  RateLimit limit({.per_second = 0.5, .burst = 1}, clock);
  CHECK_FALSE(limit.take("a"));
  CHECK(limit.take("a") == Micros(2 * kMicrosPerSecond));
  clock.advance(Micros(1'999'999));
  CHECK(limit.take("a") == Micros(1));
  clock.advance(Micros(1));
  CHECK_FALSE(limit.take("a"));
}

TEST_CASE("peers do not share a rate, and many of them cost bounded memory") {
  loop::SimulatedClock clock;
  RateLimit limit({.per_second = 1, .burst = 2}, clock);
  for (int peer = 0; peer < 10'000; ++peer) CHECK_FALSE(limit.take(std::to_string(peer)));
  CHECK_FALSE(limit.take("9999"));
  CHECK(limit.take("9999"));
}
