// How long delivery waits between two attempts, for every sink the same: exponential with full jitter (a
// uniform draw up to the bound, so that gateways which lost the same uplink do not come back in step), for
// ever; what the other side asks for with Retry-After wins.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "pipelines/base/time.h"

namespace leat::runtime {

/// A number in [0, 1); injected so that tests own it.
using Randomness = std::function<double()>;
/// Seeded by the system; for one thread at a time.
Randomness system_randomness();

class Backoff {
 public:
  Backoff(Micros initial, Micros longest, Randomness random)
      : initial_(initial), longest_(longest), random_(std::move(random)) {}

  /// The wait after the `failures`-th failed attempt in a row (from 1 on). `asked`: by the other side; obeyed
  /// up to an hour, as a mistaken one must not silence a gateway for good.
  Micros wait(std::uint32_t failures, std::optional<Micros> asked);

 private:
  Micros initial_;
  Micros longest_;
  Randomness random_;
};

}  // namespace leat::runtime
