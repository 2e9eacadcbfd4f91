#include "daemon/loop/clock.h"

#include <chrono>

namespace leat::loop {

std::int64_t SystemClock::wall() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Micros>(now).count();
}

std::int64_t SystemClock::monotonic() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Micros>(now).count();
}

}  // namespace leat::loop
