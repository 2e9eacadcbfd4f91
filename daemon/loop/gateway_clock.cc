#include "daemon/loop/gateway_clock.h"

#include <algorithm>

namespace leat::loop {
namespace {

/// A time server sets the clock by less; so much behind, the clock waits for the system's in place of going
/// on.
constexpr std::int64_t kStep = kMicrosPerSecond;
/// Jumps that are remembered: a clock that jumps more often tells nobody how long ago something was.
constexpr std::size_t kRememberedJumps = 64;

}  // namespace

GatewayClock::GatewayClock(const Clock& system, std::int64_t plausible_from)
    : system_(system), plausible_from_(plausible_from) {
  const Moment now{system_.wall(), system_.monotonic()};
  anchor_ = now;
  last_ = now.wall;
  status_.state = now.wall < plausible_from_ ? ClockStatus::State::kImplausible : ClockStatus::State::kGood;
  offsets_.push_back({now.monotonic, now.wall - now.monotonic});
}

std::int64_t GatewayClock::wall() const {
  const std::scoped_lock lock(mutex_);
  return look();
}

std::int64_t GatewayClock::look() const {
  const Moment system{system_.wall(), system_.monotonic()};
  status_.system = system.wall;
  const std::int64_t steady = anchor_.wall + (system.monotonic - anchor_.monotonic);
  const bool implausible = status_.state == ClockStatus::State::kImplausible;
  if (implausible && system.wall < plausible_from_) return last_ = system.wall;
  if (implausible || system.wall >= steady) {
    if (system.wall > steady + kStep) {
      ++status_.jumps_forward;
      note_jump(system.monotonic, system.wall - system.monotonic);
    }
    return follow(system);
  }
  return hold(system, steady);
}

std::int64_t GatewayClock::follow(Moment system) const {
  status_.state = ClockStatus::State::kGood;
  status_.ahead = Micros(0);
  anchor_ = system;
  last_ = std::max(last_, system.wall);
  return last_;
}

std::int64_t GatewayClock::hold(Moment system, std::int64_t steady) const {
  if (steady - system.wall > kStep) {
    if (status_.state != ClockStatus::State::kHeld) ++status_.jumps_back;
    status_.state = ClockStatus::State::kHeld;
    status_.ahead = Micros(steady - system.wall);
    return last_ = std::max(last_, steady);
  }
  if (system.wall > last_) return follow(system);  // One that stands still does not get there.
  return last_;
}

void GatewayClock::note_jump(std::int64_t monotonic, std::int64_t offset) const {
  offsets_.push_back({monotonic, offset});
  if (offsets_.size() > kRememberedJumps) offsets_.pop_front();
}

std::int64_t GatewayClock::wall_ago(Micros age) const {
  const std::scoped_lock lock(mutex_);
  const std::int64_t now = look();
  const std::int64_t monotonic = system_.monotonic();
  const std::int64_t then = monotonic - age.count();
  if (then >= offsets_.back().from) return now - age.count();
  auto in_force = offsets_.begin();
  while (std::next(in_force) != offsets_.end() && std::next(in_force)->from <= then) ++in_force;
  return then + in_force->offset;
}

ClockStatus GatewayClock::status() const {
  const std::scoped_lock lock(mutex_);
  (void)look();
  return status_;
}

}  // namespace leat::loop
