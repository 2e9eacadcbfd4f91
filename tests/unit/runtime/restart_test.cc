#include "daemon/runtime/restart.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::runtime;

namespace {

RestartPolicy policy(const OptionMap& settings) {
  return RestartPolicy(restart_options(settings));
}
constexpr Micros kShort{kMicrosPerSecond};

}  // namespace

TEST_CASE("by default the delay doubles up to a minute") {
  RestartPolicy restarts = policy({});
  CHECK(restarts.failed("a", kShort) == Micros(1 * kMicrosPerSecond));
  CHECK(restarts.failed("b", kShort) == Micros(2 * kMicrosPerSecond));
  CHECK(restarts.failed("c", kShort) == Micros(4 * kMicrosPerSecond));
  for (int i = 0; i < 8; ++i) restarts.failed(std::to_string(i), kShort);
  CHECK(restarts.failed("z", kShort) == Micros(60 * kMicrosPerSecond));
}

TEST_CASE("the same error ten times in a row is final, another one in between is not") {
  RestartPolicy restarts = policy({});
  for (int i = 0; i < 10; ++i) CHECK(restarts.failed("same", kShort));
  CHECK_FALSE(restarts.failed("same", kShort));
  CHECK(restarts.failed("another", kShort));
}

TEST_CASE("an hour of good work is forgiven") {
  RestartPolicy restarts = policy({});
  for (int i = 0; i < 10; ++i) restarts.failed("same", kShort);
  CHECK(restarts.failed("same", Micros(3600 * kMicrosPerSecond)) == Micros(kMicrosPerSecond));
}

TEST_CASE("fixed delay and none are Flink's") {
  RestartPolicy fixed = policy({{"restart-strategy.type", "fixed-delay"},
                                {"restart-strategy.fixed-delay.attempts", "2"},
                                {"restart-strategy.fixed-delay.delay", "3 s"}});
  CHECK(fixed.failed("x", kShort) == Micros(3 * kMicrosPerSecond));
  CHECK(fixed.failed("x", kShort) == Micros(3 * kMicrosPerSecond));
  CHECK_FALSE(fixed.failed("x", kShort));
  CHECK_FALSE(policy({{"restart-strategy.type", "none"}}).failed("x", kShort));
}
