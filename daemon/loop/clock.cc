#include "daemon/loop/clock.h"

#include <chrono>

namespace leat::loop {

std::string_view to_string(ClockStatus::State state) {
  switch (state) {
    case ClockStatus::State::kGood:
      return "good";
    case ClockStatus::State::kImplausible:
      return "implausible";
    case ClockStatus::State::kHeld:
      return "held";
  }
  return "unknown";
}

std::string describe(const ClockStatus& status, std::int64_t plausible_from) {
  const std::string shows = "the system's clock shows " + format_rfc3339(Timestamp(Micros(status.system)));
  switch (status.state) {
    case ClockStatus::State::kGood:
      return {};
    case ClockStatus::State::kImplausible:
      return shows + ", which is before " + format_rfc3339(Timestamp(Micros(plausible_from))) +
             " (this build, or the last commit): it is not set yet, and no row is judged by it";
    case ClockStatus::State::kHeld:
      return shows + ": it was set back or stands still; time goes on without it, now " +
             format_duration(std::chrono::round<std::chrono::seconds>(status.ahead)) + " ahead";
  }
  return {};
}

std::int64_t SystemClock::wall() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Micros>(now).count();
}

std::int64_t steady_nanos() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

std::int64_t SystemClock::monotonic() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Micros>(now).count();
}

}  // namespace leat::loop
