// Exponential back-off with jitter: how long to wait before the next attempt. Not thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "pipelines/base/time.h"

namespace leat::sources {

class Backoff {
 public:
  Backoff(Micros min, Micros max, std::uint32_t seed) : min_(min), max_(max), next_(min), random_(seed) {}

  /// Between half of the step and the whole; the step doubles up to the maximum. The jitter keeps a thousand
  /// gateways from knocking at the moment their broker is back.
  Micros next() {
    const std::int64_t step = next_.count();
    next_ = std::min(max_, Micros(step * 2));
    return Micros(std::uniform_int_distribution<std::int64_t>(step / 2, step)(random_));
  }
  void reset() { next_ = min_; }

 private:
  const Micros min_;
  const Micros max_;
  Micros next_;
  std::minstd_rand random_;
};

/// A wait as people read it, rounded up: "27 s", "340 ms".
inline std::string shown_wait(Micros wait) {
  using std::chrono::ceil;
  const bool is_long = wait >= Micros(kMicrosPerSecond);
  return format_duration(is_long ? Micros(ceil<std::chrono::seconds>(wait))
                                 : Micros(ceil<std::chrono::milliseconds>(wait)));
}

}  // namespace leat::sources
