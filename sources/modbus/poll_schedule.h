// When to poll: at the multiples of the interval on the wall clock, so that the rows of several devices, and
// of several gateways, are of the same moments. A point that has passed is not made up for. Pure; not
// thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "pipelines/base/time.h"

namespace leat::sources {

class PollSchedule {
 public:
  explicit PollSchedule(Micros interval) : interval_(interval.count()) {}

  /// The point that has come at `now`, once; none: it has not. The first point is the first one that is not
  /// before the first call, of this or of `pass`. Several have come when nobody looked for long: the last one
  /// counts, the others have passed.
  std::optional<std::int64_t> due(std::int64_t now) {
    if (!next_ || now < *next_ - interval_) next_ = ceiling(now);  // The first look, or a clock set back.
    if (now < *next_) return std::nullopt;
    const std::int64_t point = floor_div(now, interval_) * interval_;
    passed_ += (point - *next_) / interval_;
    next_ = point + interval_;
    return point;
  }

  /// How long until the next point; 0 if it has come.
  [[nodiscard]] Micros wait(std::int64_t now) const {
    return Micros(next_ ? std::max<std::int64_t>(0, *next_ - now) : 0);
  }

  /// A poll has ended, or none could be made until now: points before `now` have passed.
  void pass(std::int64_t now) {
    if (next_ && now <= *next_) return;
    const std::int64_t next = ceiling(now);
    if (next_) passed_ += (next - *next_) / interval_;
    next_ = next;
  }

  /// How many points have passed without a poll since the last call. `elapsed` is what a steady clock says
  /// has gone by since then: a clock that is set forward passes over no poll.
  std::int64_t take_passed(Micros elapsed) {
    const std::int64_t possible = elapsed.count() / interval_ + 1;
    const std::int64_t passed = std::min(passed_, possible);
    passed_ = 0;
    return passed;
  }

 private:
  [[nodiscard]] std::int64_t ceiling(std::int64_t now) const {
    return -floor_div(-now, interval_) * interval_;
  }

  const std::int64_t interval_;
  std::optional<std::int64_t> next_;
  std::int64_t passed_ = 0;
};

}  // namespace leat::sources
