// Delivery's pace: when a sink that could send must not, as the user bounds its rate ('sink.rate-limit.…') or
// its hours ('sink.schedule'). Clocks are arguments. Used by the delivery thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "daemon/loop/clock.h"
#include "daemon/runtime/delivery_schedule.h"
#include "daemon/runtime/delivery_status.h"
#include "pipelines/plan/common_options.h"

namespace leat::runtime {

/// A token bucket that holds one second's worth and may be overdrawn: a shipment goes as a whole when
/// anything is left, and the next one waits until the debt is paid. So the average is kept whatever the size
/// of a shipment, and nothing is too large to go.
class RateLimit {
 public:
  /// nullopt: no limit.
  explicit RateLimit(std::optional<std::uint64_t> per_second) : per_second_(per_second) {}

  /// The monotonic time from which something may be sent.
  [[nodiscard]] std::int64_t free_at() const { return free_at_; }
  void spend(std::uint64_t amount, std::int64_t now);

 private:
  std::optional<std::uint64_t> per_second_;
  std::int64_t free_at_ = std::numeric_limits<std::int64_t>::min();
};

class Pace {
 public:
  /// Without any bound.
  Pace() : Pace({}, {}) {}
  /// `time_zone`: the pipeline's, where the options name none.
  Pace(const plan::DeliveryOptions& options, const std::string& time_zone);

  /// Why nothing may be sent now.
  struct Delay {
    DeliveryStatus::State state = DeliveryStatus::State::kThrottled;  ///< Or kOffSchedule.
    std::int64_t until = 0;                                           ///< Gateway clock, microseconds.
    /// When to look again, monotonic: no later than `until`, and soon enough to see that the clock was set.
    std::int64_t look_at = 0;
  };
  [[nodiscard]] std::optional<Delay> delay(const loop::Clock& clock) const;
  /// An attempt was made.
  void spend(std::uint64_t rows, std::uint64_t bytes, std::int64_t monotonic);

 private:
  std::optional<DeliverySchedule> schedule_;
  RateLimit rows_;
  RateLimit bytes_;
};

}  // namespace leat::runtime
