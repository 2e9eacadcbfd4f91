#include "pipelines/functions/lenient_calendar.h"

#include <algorithm>
#include <cstdlib>

#include "pipelines/base/time.h"
#include "pipelines/functions/parse.h"

namespace leat::functions {
namespace {

using enum CalendarField;

constexpr std::int64_t kSunday = 1;
constexpr std::int64_t kSecondsPerDay = 86'400;

// The day with that weekday (Sunday is 1) on or before a day since 1970, a Thursday.
std::int64_t on_or_before(std::int64_t day, std::int64_t weekday) {
  return day - floor_mod(day + 5 - weekday, 7);
}

// The first day of a month counted from January of the year, beyond December and before January as well.
std::optional<std::int64_t> first_of_month(std::int64_t year, std::int64_t month) {
  return days_from_civil(year + floor_div(month, 12), static_cast<unsigned>(floor_mod(month, 12) + 1), 1);
}

}  // namespace

void LenientCalendar::set(CalendarField field, std::int32_t value) {
  values_[static_cast<std::size_t>(field)] = value;
  stamps_[static_cast<std::size_t>(field)] = ++last_;
}

std::int64_t LenientCalendar::get(CalendarField field, std::int64_t unset) const {
  return stamp(field) > 0 ? values_[static_cast<std::size_t>(field)] : unset;
}

// `first` is the first day of a year or month, `week` counts from the week (from Sunday) that it lies in.
std::int64_t LenientCalendar::day_in_week(std::int64_t first, CalendarField week) const {
  const std::int64_t sunday = on_or_before(first, kSunday);
  return on_or_before(sunday + 6, get(kDayOfWeek, kSunday)) + 7 * (get(week, 1) - 1);
}

std::int64_t LenientCalendar::day_in_month(std::int64_t first, bool by_week) const {
  if (by_week) return day_in_week(first, kWeekOfMonth);
  const std::int64_t nth = get(kDayOfWeekInMonth, 1);
  return on_or_before(first + 7 * nth - 1, get(kDayOfWeek, kSunday));
}

// The choice of java.util.Calendar.selectFields: a week counts only with a weekday, unless nothing else does.
std::optional<std::int64_t> LenientCalendar::day() const {
  const bool week_date = stamp(kWeekYear) > stamp(kYear);
  const std::int64_t named = get(week_date ? kWeekYear : kYear, 1970);
  const std::int64_t year = get(kEra, 1) == 0 ? 1 - named : named;
  const int weekday = stamp(kDayOfWeek);
  const auto with_weekday = [&](CalendarField field) {
    return stamp(field) == 0 || weekday == 0 ? 0 : std::max(stamp(field), weekday);
  };
  int month_week = with_weekday(kWeekOfMonth);
  int nth_weekday = with_weekday(kDayOfWeekInMonth);
  int year_week = with_weekday(kWeekOfYear);
  int best = std::max({stamp(kDay), month_week, nth_weekday, stamp(kDayOfYear), year_week});
  if (best == 0) {
    month_week = stamp(kWeekOfMonth);
    nth_weekday = std::max(stamp(kDayOfWeekInMonth), weekday);
    year_week = stamp(kWeekOfYear);
    best = std::max({month_week, nth_weekday, year_week});
  }
  const std::optional<std::int64_t> january = first_of_month(year, 0);
  if (!january) return std::nullopt;
  if (week_date || (best > 0 && best == year_week && best != stamp(kDay)))
    return day_in_week(*january, kWeekOfYear);
  if (best > 0 && best == stamp(kDayOfYear)) return *january + get(kDayOfYear, 1) - 1;
  const std::optional<std::int64_t> first = first_of_month(year, get(kMonth, 0));
  if (!first) return std::nullopt;
  if (best == stamp(kDay) || best == 0) return *first + get(kDay, 1) - 1;
  return day_in_month(*first, best == month_week && stamp(kWeekOfMonth) >= stamp(kDayOfWeekInMonth));
}

std::int64_t LenientCalendar::seconds_of_day() const {
  const int half = stamp(kHour) == 0 || stamp(kAfternoon) == 0
                       ? (stamp(kHourOfDay) > 0 ? 0 : std::max(stamp(kHour), stamp(kAfternoon)))
                       : std::max(stamp(kHour), stamp(kAfternoon));
  const std::int64_t hour =
      half > stamp(kHourOfDay) ? get(kHour, 0) + 12 * get(kAfternoon, 0) : get(kHourOfDay, 0);
  return hour * 3600 + get(kMinute, 0) * 60 + get(kSecond, 0);
}

std::optional<std::int64_t> LenientCalendar::micros() const {
  const std::optional<std::int64_t> days = day();
  if (!days) return std::nullopt;
  const std::int64_t millis = get(kMilli, 0);
  const std::int64_t seconds = *days * kSecondsPerDay + seconds_of_day() + floor_div(millis, 1000);
  // All of the fields together may be far more than their years.
  constexpr std::int64_t kLimit = 32'768 * 366 * kSecondsPerDay;
  if (std::abs(seconds) > kLimit) return std::nullopt;
  return seconds * kMicrosPerSecond + floor_mod(millis, 1000) * kMicrosPerMilli;
}

}  // namespace leat::functions
