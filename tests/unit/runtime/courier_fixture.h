// A courier on a store in memory, a scripted sink and a clock that the test moves.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/runtime/delivery_courier.h"
#include "tests/unit/runtime/delivery_fixture.h"

namespace leat::runtime {

inline constexpr Micros kFirstWait{kMicrosPerSecond};
inline constexpr Micros kLongestWait{60 * kMicrosPerSecond};

struct CourierFixture : OutboxFixture {
  sinks::BatchLimits limits;
  plan::DeliveryOptions delivery;
  double random = 0.5;
  ScriptedSink sink{script};
  StatusBoard board;
  std::optional<Courier> courier;

  CourierFixture() { restart(); }
  /// A new courier on the same store, as after a restart.
  void restart() {
    CourierOptions options{.limits = limits,
                           .order = delivery.order,
                           .backoff = {kFirstWait, kLongestWait, [this] { return random; }},
                           .pace = {delivery, "UTC"}};
    courier.emplace(*store, sink, route, std::move(options), clock, board);
  }
  /// Steps until there is something to wait for.
  Courier::Next go(Courier::Urgency urgency = Courier::Urgency::kMayLinger) {
    Courier::Next next = courier->step(urgency);
    while (next.when == Courier::Next::When::kAtOnce) next = courier->step(urgency);
    return next;
  }
  /// Until nothing waits, passing over every wait.
  void go_to_the_end() {
    Courier::Next next = go();
    while (next.when != Courier::Next::When::kWithBlocks) {
      clock.advance(Micros(next.at - clock.monotonic()));
      next = go();
    }
  }
  /// The far side refuses any request that holds one of these records, without saying which.
  void refuse(const std::vector<std::string>& bad) {
    script.otherwise = [bad](const std::vector<std::string>& records) -> sinks::Delivery {
      for (const std::string& record : records)
        if (std::find(bad.begin(), bad.end(), record) != bad.end()) return sinks::Rejected{"bad record", {}};
      return sinks::Delivered{};
    };
  }
  /// Records that the far side took, in order; each exactly once if nothing is delivered twice.
  [[nodiscard]] std::string attempts() const {
    std::string all;
    for (const std::string& attempt : script.attempts) all += attempt + "\n";
    return all;
  }
};

}  // namespace leat::runtime
