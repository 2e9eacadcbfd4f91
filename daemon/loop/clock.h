// Time as the daemon sees it, injected wherever it is needed: tests own it and never sleep. Both clocks may
// be read from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "pipelines/base/time.h"

namespace leat::loop {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Gateway clock: microseconds since the epoch, UTC. It may jump, in both directions.
  [[nodiscard]] virtual std::int64_t wall() const = 0;
  /// Microseconds since an arbitrary moment; never goes back. For time-outs and elapsed time.
  [[nodiscard]] virtual std::int64_t monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall() const override;
  [[nodiscard]] std::int64_t monotonic() const override;
};

/// Stands still until the test moves it.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(std::int64_t wall = 0) : wall_(wall) {}
  [[nodiscard]] std::int64_t wall() const override { return wall_; }
  [[nodiscard]] std::int64_t monotonic() const override { return monotonic_; }

  /// Time passes: both clocks go on.
  void advance(Micros by) {
    wall_ += by.count();
    monotonic_ += by.count();
  }
  /// Somebody sets the gateway's clock; the monotonic one does not notice.
  void set_wall(std::int64_t wall) { wall_ = wall; }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> monotonic_ = 0;
};

}  // namespace leat::loop
