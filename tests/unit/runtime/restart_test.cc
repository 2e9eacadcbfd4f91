#include "daemon/runtime/restart.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::runtime;

namespace {

constexpr Micros kShort{kMicrosPerSecond};
constexpr Micros kHour{3600 * kMicrosPerSecond};

/// A policy with a clock that moves by what the pipeline ran. `chance` 0.5: no jitter.
class Restarts {
 public:
  explicit Restarts(const OptionMap& settings, double chance = 0.5)
      : policy_(restart_options(settings), [chance] { return chance; }) {}

  std::optional<Micros> failed(const std::string& error, Micros ran, ErrorCode code = ErrorCode::kExhausted) {
    now_ += ran.count();
    return policy_.failed({code, error}, ran, now_);
  }

 private:
  RestartPolicy policy_;
  std::int64_t now_ = 0;
};

Restarts policy(const OptionMap& settings) {
  return Restarts(settings);
}

Restarts failure_rate(const OptionMap& settings) {
  OptionMap all = {{"restart-strategy.type", "failure-rate"}};
  for (const auto& [key, value] : settings) all["restart-strategy.failure-rate." + key] = value;
  return Restarts(all);
}

Micros first_wait(const std::string& jitter_factor, double chance) {
  Restarts restarts({{"restart-strategy.exponential-delay.initial-backoff", "10 s"},
                     {"restart-strategy.exponential-delay.jitter-factor", jitter_factor}},
                    chance);
  return restarts.failed("x", kShort).value();
}

}  // namespace

TEST_CASE("by default the delay doubles up to a minute") {
  Restarts restarts = policy({});
  CHECK(restarts.failed("a", kShort) == Micros(1 * kMicrosPerSecond));
  CHECK(restarts.failed("b", kShort) == Micros(2 * kMicrosPerSecond));
  CHECK(restarts.failed("c", kShort) == Micros(4 * kMicrosPerSecond));
  for (int i = 0; i < 8; ++i) restarts.failed(std::to_string(i), kShort);
  CHECK(restarts.failed("z", kShort) == Micros(60 * kMicrosPerSecond));
}

TEST_CASE("the same error ten times in a row is final, another one in between is not") {
  Restarts restarts = policy({});
  for (int i = 0; i < 10; ++i) CHECK(restarts.failed("same", kShort));
  CHECK_FALSE(restarts.failed("same", kShort));
  CHECK(restarts.failed("another", kShort));
}

TEST_CASE("what the operating system refuses is tried for ever, at the longest delay") {
  Restarts restarts = policy({});
  for (int i = 0; i < 50; ++i)
    REQUIRE(restarts.failed("readings.journal: No space left on device", kShort, ErrorCode::kIo));
  CHECK(restarts.failed("readings.journal: No space left on device", kShort, ErrorCode::kIo) ==
        Micros(60 * kMicrosPerSecond));
  for (int i = 0; i < 10; ++i) CHECK(restarts.failed("same", kShort));
  CHECK_FALSE(restarts.failed("same", kShort));
}

TEST_CASE("errors that differ in their numbers only are the same") {
  Restarts restarts = policy({});
  for (int i = 0; i < 10; ++i)
    CHECK(restarts.failed("the state needs " + std::to_string(70'000 + i) + (i % 2 ? " bytes" : " kb") +
                              ", more than 'leat.memory.max' = 64 kb; join 1 holds 60 kb of it in " +
                              std::to_string(i) + " keys",
                          kShort));
  CHECK_FALSE(restarts.failed(
      "the state needs 1 mb, more than 'leat.memory.max' = 64 kb; join 1 holds 1 mb of it in 9 keys",
      kShort));
  CHECK(
      restarts.failed("the state needs 1 mb, more than 'leat.memory.max' = 64 kb; group aggregate 1 holds 1 "
                      "mb of it in 9 keys",
                      kShort));
}

TEST_CASE("an hour of good work is forgiven") {
  Restarts restarts = policy({});
  for (int i = 0; i < 10; ++i) restarts.failed("same", kShort);
  CHECK(restarts.failed("same", Micros(3600 * kMicrosPerSecond)) == Micros(kMicrosPerSecond));
}

TEST_CASE("fixed delay and none are Flink's") {
  Restarts fixed = policy({{"restart-strategy.type", "fixed-delay"},
                           {"restart-strategy.fixed-delay.attempts", "2"},
                           {"restart-strategy.fixed-delay.delay", "3 s"}});
  CHECK(fixed.failed("x", kShort) == Micros(3 * kMicrosPerSecond));
  CHECK(fixed.failed("x", kShort) == Micros(3 * kMicrosPerSecond));
  CHECK_FALSE(fixed.failed("x", kShort));
  CHECK_FALSE(policy({{"restart-strategy.type", "none"}}).failed("x", kShort));
}

TEST_CASE("the attempts of a fixed delay are for good: a long run does not give them back") {
  Restarts fixed =
      policy({{"restart-strategy.type", "fixed-delay"}, {"restart-strategy.fixed-delay.attempts", "2"}});
  CHECK(fixed.failed("x", kShort));
  CHECK(fixed.failed("x", 10 * kHour));
  CHECK_FALSE(fixed.failed("x", 10 * kHour));
}

TEST_CASE("more failures than the rate within its interval are final") {
  Restarts restarts =
      failure_rate({{"max-failures-per-interval", "2"}, {"failure-rate-interval", "10 s"}, {"delay", "3 s"}});
  CHECK(restarts.failed("x", kShort) == Micros(3 * kMicrosPerSecond));
  CHECK(restarts.failed("x", kShort) == Micros(3 * kMicrosPerSecond));
  CHECK_FALSE(restarts.failed("x", kShort));
}

TEST_CASE("failures further apart than the rate are restarted for ever") {
  Restarts restarts = failure_rate({{"max-failures-per-interval", "2"}, {"failure-rate-interval", "10 s"}});
  for (int i = 0; i < 100; ++i) CHECK(restarts.failed("same", Micros(6 * kMicrosPerSecond)));
  CHECK(restarts.failed("same", kShort) == std::nullopt);
}

TEST_CASE("without more settings a failure rate is one failure a minute, a second's wait") {
  Restarts restarts = failure_rate({});
  CHECK(restarts.failed("x", kShort) == Micros(kMicrosPerSecond));
  CHECK(restarts.failed("x", kHour) == Micros(kMicrosPerSecond));
  CHECK_FALSE(restarts.failed("x", Micros(60 * kMicrosPerSecond)));
}

TEST_CASE("the jitter is a part of the wait, up and down") {
  CHECK(first_wait("0.25", 0.0) == Micros(7'500'000));
  CHECK(first_wait("0.25", 0.5) == Micros(10'000'000));
  CHECK(first_wait("0.25", 1.0) == Micros(12'500'000));
  CHECK(first_wait("0", 0.9) == Micros(10'000'000));
}

TEST_CASE("no jitter makes a wait longer than the longest") {
  Restarts restarts({{"restart-strategy.exponential-delay.initial-backoff", "60 s"}}, 1.0);
  CHECK(restarts.failed("x", kShort) == Micros(60 * kMicrosPerSecond));
}

TEST_CASE("chance stays within its bounds and is not always the same") {
  const double first = random_fraction();
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const double next = random_fraction();
    CHECK((next >= 0 && next < 1));
    differs = differs || next != first;
  }
  CHECK(differs);
}
