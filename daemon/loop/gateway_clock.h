// The gateway's clock as pipelines see it: the system's clock, as far as it can be believed. Gateways have no
// battery for their clock and start in 1970, somebody sets the time by hand, a time server is wrong for an
// hour.
//
// Until the system's clock has passed the moment from which it is plausible, it is handed on as it is: times
// before that moment are not to be judged by, and everybody who judges compares with `plausible_from`. From
// then on the clock never goes back. When the system's is set forward it follows, since that is what a right
// clock does after a wrong one; when the system's is set back or stands still, it goes on with the monotonic
// clock, until the system's has caught up.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>

#include "daemon/loop/clock.h"

namespace leat::loop {

class GatewayClock final : public Clock {
 public:
  /// `system` outlives the clock. `plausible_from`: no right clock shows less (the build's date, the last
  /// commit).
  GatewayClock(const Clock& system, std::int64_t plausible_from);

  [[nodiscard]] std::int64_t wall() const override;
  [[nodiscard]] std::int64_t monotonic() const override { return system_.monotonic(); }
  [[nodiscard]] std::int64_t wall_ago(Micros age) const override;
  [[nodiscard]] std::int64_t plausible_from() const override { return plausible_from_; }
  [[nodiscard]] ClockStatus status() const override;

 private:
  struct Moment {
    std::int64_t wall = 0;
    std::int64_t monotonic = 0;
  };
  [[nodiscard]] std::int64_t look() const;  // Under mutex_.
  [[nodiscard]] std::int64_t follow(Moment system) const;
  [[nodiscard]] std::int64_t hold(Moment system, std::int64_t steady) const;
  void note_jump(std::int64_t monotonic, std::int64_t offset) const;

  const Clock& system_;
  const std::int64_t plausible_from_;

  mutable std::mutex mutex_;  // Guards the rest: looking at a clock that jumps is remembering where it was.
  mutable ClockStatus status_;
  mutable Moment anchor_;          // When the system's clock was followed last.
  mutable std::int64_t last_ = 0;  // Given out last.
  /// What was to be added to the monotonic clock from some moment on, oldest first.
  struct Offset {
    std::int64_t from = 0;  ///< Monotonic.
    std::int64_t offset = 0;
  };
  mutable std::deque<Offset> offsets_;
};

}  // namespace leat::loop
