// Time in Leat: 64-bit microseconds since the epoch, in UTC, on every machine. The engine reads no clock;
// "now" is always an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "pipelines/base/result.h"

namespace leat {

using Micros = std::chrono::microseconds;
/// A point in time. Columns, batches and kernels hold the bare count of microseconds.
using Timestamp = std::chrono::sys_time<Micros>;

inline constexpr std::int64_t kMicrosPerMilli = 1'000;
inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr std::int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr std::int64_t kMicrosPerDay = 24 * kMicrosPerHour;

/// The watermark before any: no row is late. Also "no watermark yet" for CURRENT_WATERMARK.
inline constexpr std::int64_t kMinWatermark = std::numeric_limits<std::int64_t>::min();
/// The watermark behind the end of bounded input: everything fires.
inline constexpr std::int64_t kMaxWatermark = std::numeric_limits<std::int64_t>::max();

/// Division that rounds towards minus infinity, as time before 1970 needs it. `divisor` > 0.
constexpr std::int64_t floor_div(std::int64_t value, std::int64_t divisor) {
  const std::int64_t quotient = value / divisor;
  return quotient - ((value % divisor) < 0 ? 1 : 0);
}
constexpr std::int64_t floor_mod(std::int64_t value, std::int64_t divisor) {
  const std::int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

/// Sums that stop at the ends of int64 in place of wrapping; watermarks live at those ends.
constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

/// Reads a duration as Flink and systemd users write it: "200 ms", "1 s", "5min", "7 d", "1 h 30 min", "0".
/// A bare number is milliseconds, as in Flink. Errors: invalid (names the text and the known units).
Result<Micros> parse_duration(std::string_view text);
/// The shortest exact form that `parse_duration` reads back: "90 s", "1 h", "200 ms".
std::string format_duration(Micros duration);

/// RFC 3339 in UTC with the fewest fraction digits that are exact: "2026-11-22T09:00:00.25Z".
std::string format_rfc3339(Timestamp time);

}  // namespace leat
