// Time as the daemon sees it, injected wherever it is needed: tests own it and never sleep. Both clocks may
// be read from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "pipelines/base/time.h"

namespace leat::loop {

/// How far the system's clock is believed.
struct ClockStatus {
  enum class State : std::uint8_t {
    kGood,
    kImplausible,  ///< It shows less than a right clock can: it has not been set since the start.
    kHeld,         ///< It was set back, or stands still: time goes on without it.
  };
  State state = State::kGood;
  std::int64_t system = 0;  ///< What the system's clock shows.
  Micros ahead{0};          ///< kHeld: how far `Clock::wall` is ahead of it.
  std::uint64_t jumps_forward = 0;
  std::uint64_t jumps_back = 0;  ///< Or times it stood still.
};
std::string_view to_string(ClockStatus::State state);
/// A sentence for people: "the system's clock shows … and was set back …"; empty while it is good.
std::string describe(const ClockStatus& status, std::int64_t plausible_from);

class Clock {
 public:
  virtual ~Clock() = default;
  /// Gateway clock: microseconds since the epoch, UTC. It may jump, in both directions.
  [[nodiscard]] virtual std::int64_t wall() const = 0;
  /// Microseconds since an arbitrary moment; never goes back. For time-outs and elapsed time.
  [[nodiscard]] virtual std::int64_t monotonic() const = 0;
  /// What `wall` showed so long ago, by the monotonic clock: stamps that are older than that are older than
  /// `age`, whatever the clock was set to meanwhile.
  [[nodiscard]] virtual std::int64_t wall_ago(Micros age) const { return wall() - age.count(); }
  /// Stamps before this moment were given by a clock that was not set.
  [[nodiscard]] virtual std::int64_t plausible_from() const { return 0; }
  [[nodiscard]] virtual ClockStatus status() const { return {.system = wall()}; }
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall() const override;
  [[nodiscard]] std::int64_t monotonic() const override;
};

/// Nanoseconds since an arbitrary moment, for what is timed in less than a microsecond; never goes back.
std::int64_t steady_nanos();

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
  /// Time passes, and the gateway's clock stands still.
  void advance_monotonic(Micros by) { monotonic_ += by.count(); }
  /// Somebody sets the gateway's clock; the monotonic one does not notice.
  void set_wall(std::int64_t wall) { wall_ = wall; }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> monotonic_ = 0;
};

}  // namespace leat::loop
