// Units of the calendar and the clock: parts of a time (EXTRACT), rounding to a unit (FLOOR, CEIL), steps of
// a unit (TIMESTAMPADD) and distances in one (TIMESTAMPDIFF). Weeks are ISO's for EXTRACT and begin on Sunday
// for rounding, as in Flink.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pipelines/functions/binding.h"

namespace leat::functions {

enum class TimeUnit : std::uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kNanosecond,  ///< From here on for EXTRACT only.
  kEpoch,       ///< seconds since 1970
  kDayOfWeek,   ///< Sunday is 1
  kIsoDayOfWeek,
  kDayOfYear,
  kIsoYear,
};

/// "DAY", "DAYS" and "SQL_TSI_DAY" alike, in any case.
std::optional<TimeUnit> parse_time_unit(std::string_view name);

/// One part of a wall clock.
std::int64_t extract_part(TimeUnit unit, std::int64_t micros);
/// One part of an interval in microseconds or in months.
std::int64_t extract_interval_part(TimeUnit unit, std::int64_t micros);
std::int64_t extract_months_part(TimeUnit unit, std::int64_t months);

enum class TimeRounding : std::uint8_t { kFloor, kCeil };
/// The wall clock rounded to a whole unit. From weeks on CEIL looks at the date only, as in Flink.
std::int64_t round_time(TimeUnit unit, TimeRounding rounding, std::int64_t micros);

/// Microseconds of units up to a week; 0 for longer ones.
std::int64_t micros_of(TimeUnit unit);
/// Months of units from a month on; 0 for shorter ones.
std::int64_t months_of(TimeUnit unit);
/// Whole units from `from` to `to`, towards zero. As in Flink the times are cut to milliseconds before, but
/// for microseconds; and of units from a month on it is one less where `to` is on the day that many months
/// from `from`, but earlier in the day: also backwards, and on one and the same day.
std::int64_t distance(TimeUnit unit, std::int64_t from, std::int64_t to);

/// FLOOR(time, unit), CEIL(time, unit).
Result<BoundScalar> bind_time_rounding(std::string_view name, TimeRounding rounding, Arguments arguments,
                                       const Session& session);

}  // namespace leat::functions
