#include "pipelines/functions/time_units.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "pipelines/base/civil_date.h"
#include "pipelines/base/time.h"
#include "pipelines/column/zone.h"
#include "pipelines/functions/arithmetic_time.h"

namespace leat::functions {
namespace {

constexpr std::array<std::pair<std::string_view, TimeUnit>, 21> kUnits = {{
    {"MICROSECOND", TimeUnit::kMicrosecond},
    {"MILLISECOND", TimeUnit::kMillisecond},
    {"SECOND", TimeUnit::kSecond},
    {"MINUTE", TimeUnit::kMinute},
    {"HOUR", TimeUnit::kHour},
    {"DAY", TimeUnit::kDay},
    {"DAYOFMONTH", TimeUnit::kDay},
    {"WEEK", TimeUnit::kWeek},
    {"MONTH", TimeUnit::kMonth},
    {"QUARTER", TimeUnit::kQuarter},
    {"YEAR", TimeUnit::kYear},
    {"DECADE", TimeUnit::kDecade},
    {"CENTURY", TimeUnit::kCentury},
    {"MILLENNIUM", TimeUnit::kMillennium},
    {"NANOSECOND", TimeUnit::kNanosecond},
    {"EPOCH", TimeUnit::kEpoch},
    {"DOW", TimeUnit::kDayOfWeek},
    {"ISODOW", TimeUnit::kIsoDayOfWeek},
    {"DOY", TimeUnit::kDayOfYear},
    {"ISOYEAR", TimeUnit::kIsoYear},
    {"DAYOFYEAR", TimeUnit::kDayOfYear},
}};

std::int64_t first_of_year(std::int64_t year) {
  return day_of({year, 1, 1});
}

// 0 is Sunday.
std::int64_t weekday(std::int64_t day) {
  return floor_mod(day + 4, 7);
}

// The Thursday of a day's week lies in the year that the week belongs to (ISO 8601).
std::int64_t thursday_of(std::int64_t day) {
  return day - floor_mod(weekday(day) - 1, 7) + 3;
}

std::int64_t year_of(std::int64_t day) {
  return civil_date(day).year;
}

std::int64_t extract_date_part(TimeUnit unit, std::int64_t day) {
  const CivilDate date = civil_date(day);
  const std::int64_t year = date.year;
  const std::int64_t month = date.month;
  switch (unit) {
    case TimeUnit::kDay:
      return date.day;
    case TimeUnit::kWeek:
      return (thursday_of(day) - first_of_year(year_of(thursday_of(day)))) / 7 + 1;
    case TimeUnit::kMonth:
      return month;
    case TimeUnit::kQuarter:
      return (month + 2) / 3;
    case TimeUnit::kDecade:
      return floor_div(year, 10);
    case TimeUnit::kCentury:
      return year > 0 ? (year + 99) / 100 : (year - 99) / 100;
    case TimeUnit::kMillennium:
      return year > 0 ? (year + 999) / 1000 : (year - 999) / 1000;
    case TimeUnit::kDayOfWeek:
      return weekday(day) + 1;
    case TimeUnit::kIsoDayOfWeek:
      return weekday(day) == 0 ? 7 : weekday(day);
    case TimeUnit::kDayOfYear:
      return day - first_of_year(year) + 1;
    case TimeUnit::kIsoYear:
      return year_of(thursday_of(day));
    default:
      return year;
  }
}

// The first day of the unit that a day is in; unit from a week on.
std::int64_t floor_date(TimeUnit unit, std::int64_t day) {
  const auto [year, month, day_of_month] = civil_date(day);
  switch (unit) {
    case TimeUnit::kWeek:
      return day - weekday(day);
    case TimeUnit::kMonth:
      return day_of({year, month, 1});
    case TimeUnit::kQuarter:
      return day_of({year, (month - 1) / 3 * 3 + 1, 1});
    case TimeUnit::kDecade:
      return first_of_year(floor_div(year, 10) * 10);
    case TimeUnit::kCentury:
      return first_of_year(floor_div(year - 1, 100) * 100 + 1);
    case TimeUnit::kMillennium:
      return first_of_year(floor_div(year - 1, 1000) * 1000 + 1);
    default:
      return first_of_year(year);
  }
}

std::int64_t ceil_date(TimeUnit unit, std::int64_t day) {
  const std::int64_t floor = floor_date(unit, day);
  if (floor == day) return day;
  if (unit == TimeUnit::kWeek) return floor + 7;
  const CivilDate first = civil_date(floor);
  const std::int64_t month = first.year * 12 + first.month - 1 + months_of(unit);
  return day_of({floor_div(month, 12), static_cast<unsigned>(floor_mod(month, 12)) + 1, 1});
}

// Whole months from one day to another, towards zero.
std::int64_t months_between(std::int64_t from, std::int64_t to) {
  if (to < from) return -months_between(to, from);
  const CivilDate a = civil_date(from);
  const CivilDate b = civil_date(to);
  const std::int64_t months = (b.year - a.year) * 12 + b.month - a.month;
  return add_months(static_cast<std::int32_t>(from), months) > to ? months - 1 : months;
}

// Of times in milliseconds.
std::int64_t months_apart(std::int64_t from, std::int64_t to) {
  constexpr std::int64_t kMillisPerDay = kMicrosPerDay / kMicrosPerMilli;
  const std::int64_t first = floor_div(from, kMillisPerDay);
  const std::int64_t last = floor_div(to, kMillisPerDay);
  std::int64_t months = months_between(first, last);
  const bool same_day = add_months(static_cast<std::int32_t>(first), months) == last;
  if (same_day && floor_mod(to, kMillisPerDay) < floor_mod(from, kMillisPerDay)) --months;
  return months;
}

}  // namespace

std::optional<TimeUnit> parse_time_unit(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  std::string_view text = upper;
  if (text.starts_with("SQL_TSI_")) text.remove_prefix(8);
  for (const auto& [known, unit] : kUnits)
    if (text == known || (text.size() == known.size() + 1 && text.starts_with(known) && text.ends_with('S')))
      return unit;
  return std::nullopt;
}

std::int64_t extract_part(TimeUnit unit, std::int64_t micros) {
  const std::int64_t of_day = floor_mod(micros, kMicrosPerDay);
  switch (unit) {
    case TimeUnit::kNanosecond:
      return of_day % kMicrosPerSecond * 1000;
    case TimeUnit::kMicrosecond:
      return of_day % kMicrosPerSecond;
    case TimeUnit::kMillisecond:
      return of_day % kMicrosPerSecond / kMicrosPerMilli;
    case TimeUnit::kSecond:
      return of_day / kMicrosPerSecond % 60;
    case TimeUnit::kMinute:
      return of_day / kMicrosPerMinute % 60;
    case TimeUnit::kHour:
      return of_day / kMicrosPerHour;
    case TimeUnit::kEpoch:
      return floor_div(micros, kMicrosPerSecond);
    default:
      return extract_date_part(unit, floor_div(micros, kMicrosPerDay));
  }
}

std::int64_t extract_interval_part(TimeUnit unit, std::int64_t micros) {
  switch (unit) {
    case TimeUnit::kDay:
      return micros / kMicrosPerDay;
    case TimeUnit::kHour:
      return micros / kMicrosPerHour % 24;
    case TimeUnit::kMinute:
      return micros / kMicrosPerMinute % 60;
    case TimeUnit::kSecond:
      return micros / kMicrosPerSecond % 60;
    case TimeUnit::kMillisecond:
      return micros / kMicrosPerMilli % 1000;
    case TimeUnit::kMicrosecond:
      return micros % kMicrosPerSecond;
    case TimeUnit::kEpoch:
      return micros / kMicrosPerSecond;
    default:
      return 0;
  }
}

std::int64_t extract_months_part(TimeUnit unit, std::int64_t months) {
  switch (unit) {
    case TimeUnit::kMonth:
      return months % 12;
    case TimeUnit::kQuarter:
      return months % 12 / 3 + 1;
    case TimeUnit::kYear:
      return months / 12;
    case TimeUnit::kDecade:
      return months / 120;
    default:
      return 0;
  }
}

std::int64_t micros_of(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMicrosecond:
      return 1;
    case TimeUnit::kMillisecond:
      return kMicrosPerMilli;
    case TimeUnit::kSecond:
      return kMicrosPerSecond;
    case TimeUnit::kMinute:
      return kMicrosPerMinute;
    case TimeUnit::kHour:
      return kMicrosPerHour;
    case TimeUnit::kDay:
      return kMicrosPerDay;
    case TimeUnit::kWeek:
      return 7 * kMicrosPerDay;
    default:
      return 0;
  }
}

std::int64_t months_of(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kMonth:
      return 1;
    case TimeUnit::kQuarter:
      return 3;
    case TimeUnit::kYear:
      return 12;
    case TimeUnit::kDecade:
      return 120;
    case TimeUnit::kCentury:
      return 1200;
    case TimeUnit::kMillennium:
      return 12000;
    default:
      return 0;
  }
}

std::int64_t round_time(TimeUnit unit, TimeRounding rounding, std::int64_t micros) {
  if (unit >= TimeUnit::kWeek) {
    const std::int64_t day = floor_div(micros, kMicrosPerDay);
    if (rounding == TimeRounding::kFloor) return floor_date(unit, day) * kMicrosPerDay;
    // As in Flink, which heeds the time of day from decades on.
    const bool begun = unit >= TimeUnit::kDecade && floor_mod(micros, kMicrosPerDay) != 0;
    return ceil_date(unit, begun ? day + 1 : day) * kMicrosPerDay;
  }
  const std::int64_t size = micros_of(unit);
  const std::int64_t rest = floor_mod(micros, size);
  return rounding == TimeRounding::kFloor || rest == 0 ? micros - rest : micros - rest + size;
}

std::int64_t distance(TimeUnit unit, std::int64_t from, std::int64_t to) {
  if (unit == TimeUnit::kMicrosecond)
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from));
  const std::int64_t from_milli = floor_div(from, kMicrosPerMilli);
  const std::int64_t to_milli = floor_div(to, kMicrosPerMilli);
  if (const std::int64_t size = micros_of(unit)) return (to_milli - from_milli) / (size / kMicrosPerMilli);
  return months_apart(from_milli, to_milli) / months_of(unit);
}

Result<BoundScalar> bind_time_rounding(std::string_view name, TimeRounding rounding, Arguments arguments,
                                       const Session& session) {
  const std::string signature = std::string(name) + "(time TO unit)";
  const std::optional<std::string> word = text_literal(arguments[1]);
  const TimeUnit unit = parse_time_unit(word.value_or("")).value_or(TimeUnit::kEpoch);
  const Type from = arguments[0].type;
  const bool point = from.kind() == TypeKind::kDate || from.kind() == TypeKind::kTime || from.is_timestamp();
  if (!point || unit > TimeUnit::kMillennium) return wrong_arguments(signature, arguments);
  if (from.kind() == TypeKind::kTime && unit >= TimeUnit::kDay) return wrong_arguments(signature, arguments);
  LEAT_ASSIGN(Zone zone, Zone::find(from.kind() == TypeKind::kTimestampLtz ? session.time_zone : "UTC"));
  const Type type = nullable_like(from, arguments);
  const auto round = [unit, rounding](std::int64_t micros) { return round_time(unit, rounding, micros); };
  if (from.kind() == TypeKind::kDate)
    return BoundScalar{
        type, {from, Type::string()}, [=](const CallContext& context, std::span<const Datum> a) {
          return map_dense<std::int32_t, std::int32_t>(context, type, a[0], [&](std::int32_t day) {
            return static_cast<std::int32_t>(floor_div(round(day * kMicrosPerDay), kMicrosPerDay));
          });
        }};
  return BoundScalar{type, {from, Type::string()}, [=](const CallContext& context, std::span<const Datum> a) {
                       ZoneClock clock(zone);
                       return map_dense<std::int64_t, std::int64_t>(
                           context, type, a[0],
                           [&](std::int64_t micros) { return clock.to_utc(round(clock.to_local(micros))); });
                     }};
}

}  // namespace leat::functions
