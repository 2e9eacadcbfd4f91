#include "daemon/loop/stall_watch.h"

#include <doctest/doctest.h>

#include <chrono>
#include <numeric>

#include "daemon/loop/handles.h"

using namespace leat;
using namespace leat::loop;

namespace {

void be_busy(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

std::uint64_t rounds_above(const Stalls& stalls, int millis) {
  std::uint64_t rounds = 0;
  for (std::size_t i = 0; i < stalls.rounds.size(); ++i)
    if (i == Stalls::kBounds.size() || Stalls::kBounds[i] > millis) rounds += stalls.rounds[i];
  return rounds;
}

}  // namespace

TEST_CASE("a round that holds the loop is counted by its length, and waiting is not") {
  const auto loop = *Loop::create();
  {
    StallWatch watch(*loop);
    int fired = 0;
    Timer timer(*loop, [&] {
      ++fired;
      if (fired == 2) be_busy(std::chrono::milliseconds(60));
      if (fired == 4) loop->stop();
    });
    timer.repeat(Micros(30'000));  // Between the rounds the loop waits longer than a busy round takes.
    loop->run();
    const Stalls stalls = watch.stalls();
    CHECK(rounds_above(stalls, 50) == 1);
    CHECK(stalls.longest >= Micros(60'000));
    CHECK(stalls.busy >= Micros(60'000));
    CHECK(std::accumulate(stalls.rounds.begin(), stalls.rounds.end(), std::uint64_t{0}) >= 3);
  }
  CHECK(loop->close());
}
