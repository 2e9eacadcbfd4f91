// Days since 1970 as years, months and days, for every day that 64 bits of microseconds or 32 bits of days
// reach: std::chrono's years have 16 bits. The calendar repeats every 400 years.
#pragma once

#include <chrono>
#include <cstdint>

#include "pipelines/base/time.h"

namespace leat {

struct CivilDate {
  std::int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
};

inline constexpr std::int64_t kYearsOfCycle = 400;
inline constexpr std::int64_t kDaysOfCycle = 146'097;

/// The date of a day.
inline CivilDate civil_date(std::int64_t day) {
  const std::int64_t cycles = floor_div(day, kDaysOfCycle);
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(day - cycles * kDaysOfCycle))};
  return {static_cast<int>(date.year()) + cycles * kYearsOfCycle, static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day())};
}

/// The day of a date; the month has that day.
inline std::int64_t day_of(const CivilDate& date) {
  const std::int64_t cycles = floor_div(date.year, kYearsOfCycle);
  const std::chrono::year_month_day in_cycle(
      std::chrono::year(static_cast<int>(date.year - cycles * kYearsOfCycle)), std::chrono::month(date.month),
      std::chrono::day(date.day));
  return std::chrono::sys_days(in_cycle).time_since_epoch().count() + cycles * kDaysOfCycle;
}

}  // namespace leat
