// EXTRACT and its short forms, TIMESTAMPADD, TIMESTAMPDIFF, OVERLAPS.
#include <algorithm>
#include <limits>

#include "pipelines/base/time.h"
#include "pipelines/column/zone.h"
#include "pipelines/functions/arithmetic_time.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/time_units.h"

namespace leat::functions {
namespace {

bool is_point(const Type& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.is_timestamp();
}

// ---- EXTRACT ---------------------------------------------------------------------------------------------

// Reads one part of argument number `at`.
Result<BoundScalar> extraction(TimeUnit unit, std::size_t at, Arguments arguments, const Session& session,
                               const std::string& signature) {
  const Type from = type_or(arguments[at], Type::timestamp(3));
  const Type type = nullable_like(Type::big_int(), arguments);
  std::vector<Type> types(arguments.size(), Type::string());
  types[at] = from;
  if (from.kind() == TypeKind::kDate || from.kind() == TypeKind::kIntervalYearMonth) {
    const bool date = from.kind() == TypeKind::kDate;
    return BoundScalar{
        type, types, [=](const CallContext& context, std::span<const Datum> a) {
          return map_dense<std::int64_t, std::int32_t>(context, type, a[at], [&](std::int32_t value) {
            return date ? extract_part(unit, value * kMicrosPerDay) : extract_months_part(unit, value);
          });
        }};
  }
  if (!is_point(from) && from.kind() != TypeKind::kIntervalDayTime)
    return wrong_arguments(signature, arguments);
  LEAT_ASSIGN(Zone zone, Zone::find(from.kind() == TypeKind::kTimestampLtz ? session.time_zone : "UTC"));
  const bool interval = from.is_interval();
  // EPOCH of an instant is the instant's, whatever the wall clock shows.
  if (unit == TimeUnit::kEpoch) zone = Zone();
  return BoundScalar{
      type, types, [=](const CallContext& context, std::span<const Datum> a) {
        ZoneClock clock(zone);
        return map_dense<std::int64_t, std::int64_t>(context, type, a[at], [&](std::int64_t value) {
          return interval ? extract_interval_part(unit, value) : extract_part(unit, clock.to_local(value));
        });
      }};
}

Result<BoundScalar> bind_extract(Arguments arguments, const Session& session) {
  const std::string signature = "EXTRACT(unit FROM time or interval)";
  const std::optional<std::string> word = arguments.size() == 2 ? text_literal(arguments[0]) : std::nullopt;
  if (!word) return wrong_arguments(signature, arguments);
  const std::optional<TimeUnit> unit = parse_time_unit(*word);
  if (!unit) return fail(ErrorCode::kInvalid, "EXTRACT knows no unit " + *word);
  return extraction(*unit, 1, arguments, session, signature);
}

ScalarFunction part(std::string name, TimeUnit unit, std::string doc, std::string result) {
  const std::string signature = name + "(time)";
  const std::string example = name + "(TIMESTAMP '1994-09-27 13:14:15')";
  return {name,
          signature,
          std::move(doc),
          example,
          std::move(result),
          [=](Arguments arguments, const Session& session) -> Result<BoundScalar> {
            if (arguments.size() != 1) return wrong_arguments(signature, arguments);
            return extraction(unit, 0, arguments, session, signature);
          }};
}

// ---- TIMESTAMPADD, TIMESTAMPDIFF -------------------------------------------------------------------------

std::optional<TimeUnit> unit_argument(Arguments arguments) {
  const std::optional<std::string> word = text_literal(arguments[0]);
  const std::optional<TimeUnit> unit = word ? parse_time_unit(*word) : std::nullopt;
  return unit && *unit <= TimeUnit::kMillennium ? unit : std::nullopt;
}

std::int64_t step_micros(TimeUnit unit, std::int64_t count, std::int64_t micros, Overflow& overflow) {
  const std::int64_t months = months_of(unit);
  if (months == 0) return overflow.add(micros, overflow.multiply(micros_of(unit), count));
  const std::int64_t by = overflow.multiply(months, count);
  overflow.note(!months_fit(floor_div(micros, kMicrosPerDay), by));
  return add_months_to_micros(micros, by);
}

// A DATE moved by part of a day becomes a timestamp; a fine unit needs the digits to show it.
Type sum_type(TimeUnit unit, const Type& point) {
  const std::int32_t digits = unit == TimeUnit::kMicrosecond ? 6 : unit == TimeUnit::kMillisecond ? 3 : 0;
  if (point.kind() == TypeKind::kDate) return unit < TimeUnit::kDay ? Type::timestamp(6) : point;
  return Type(point.kind(), std::max(point.precision(), digits));
}

Result<BoundScalar> bind_timestampadd(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "TIMESTAMPADD(unit, count, time)";
  if (arguments.size() != 3) return wrong_arguments(kSignature, arguments);
  const std::optional<TimeUnit> unit = unit_argument(arguments);
  const Type point = type_or(arguments[2], Type::timestamp(3));
  if (!unit || !is_point(point) || !implicitly_castable(arguments[1].type, Type::big_int()))
    return wrong_arguments(kSignature, arguments);
  const Type type = nullable_like(sum_type(*unit, point), arguments);
  const Type input = point.kind() == TypeKind::kDate ? Type::timestamp(6) : point;
  const auto step = [unit = *unit, kind = point.kind()](std::int64_t count, std::int64_t micros,
                                                        Overflow& overflow) {
    if (kind == TypeKind::kTime && unit >= TimeUnit::kDay) return micros;
    const std::int64_t sum = step_micros(unit, count, micros, overflow);
    return kind == TypeKind::kTime ? floor_mod(sum, kMicrosPerDay) : sum;
  };
  return BoundScalar{
      type,
      {Type::string(), Type::big_int(), input},
      [=](const CallContext& context, std::span<const Datum> a) {
        if (type.kind() == TypeKind::kDate)
          return map_in_range<std::int32_t, std::int64_t, std::int64_t>(
              context, type, a.subspan(1), [&](std::int64_t count, std::int64_t micros, Overflow& overflow) {
                return overflow.narrow(floor_div(step(count, micros, overflow), kMicrosPerDay));
              });
        return map_in_range<std::int64_t, std::int64_t, std::int64_t>(context, type, a.subspan(1), step);
      }};
}

Result<BoundScalar> bind_timestampdiff(Arguments arguments, const Session& session) {
  constexpr std::string_view kSignature = "TIMESTAMPDIFF(unit, from, to)";
  if (arguments.size() != 3) return wrong_arguments(kSignature, arguments);
  const std::optional<TimeUnit> unit = unit_argument(arguments);
  const Type from = type_or(arguments[1], Type::timestamp(3));
  const Type to = type_or(arguments[2], Type::timestamp(3));
  if (!unit || !is_point(from) || !is_point(to)) return wrong_arguments(kSignature, arguments);
  const bool one_is_local =
      (from.kind() == TypeKind::kTimestampLtz) != (to.kind() == TypeKind::kTimestampLtz);
  if (one_is_local && arguments[1].type.kind() != TypeKind::kNull &&
      arguments[2].type.kind() != TypeKind::kNull)
    return fail(ErrorCode::kInvalid,
                "TIMESTAMPDIFF of " + from.to_string() + " and " + to.to_string() +
                    ": a TIMESTAMP_LTZ can only be compared with another; cast one of them");
  // Instants are compared as instants, but months are counted on the calendar of the wall.
  const bool instants = from.kind() == TypeKind::kTimestampLtz && to.kind() == TypeKind::kTimestampLtz;
  const Type common = instants ? Type::timestamp_ltz(6) : Type::timestamp(6);
  const bool calendar = instants && months_of(*unit) != 0;
  LEAT_ASSIGN(Zone zone, Zone::find(calendar ? session.time_zone : "UTC"));
  const Type type = nullable_like(Type::integer(), arguments);
  return BoundScalar{
      type,
      {Type::string(), common, common},
      [=, unit = *unit](const CallContext& context, std::span<const Datum> a) {
        ZoneClock clock(zone);
        return map_dense<std::int32_t, std::int64_t, std::int64_t>(
            context, type, a.subspan(1), [&](std::int64_t x, std::int64_t y) {
              return static_cast<std::int32_t>(distance(unit, clock.to_local(x), clock.to_local(y)));
            });
      }};
}

// ---- OVERLAPS --------------------------------------------------------------------------------------------

// What a side's second value is.
enum class SideEnd : std::uint8_t { kPoint, kMicros, kMonths };

SideEnd side_end(const Type& type) {
  if (type.kind() == TypeKind::kIntervalDayTime) return SideEnd::kMicros;
  return type.kind() == TypeKind::kIntervalYearMonth ? SideEnd::kMonths : SideEnd::kPoint;
}

// As far as there are times.
std::int64_t months_later(std::int64_t start, std::int64_t months) {
  if (months_fit(floor_div(start, kMicrosPerDay), months)) return add_months_to_micros(start, months);
  return months < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

// The second value of a side as a point in time; one that is too far off for a time is the last of all.
std::int64_t end_of(std::int64_t start, const Datum& second, SideEnd kind, std::size_t row) {
  const std::size_t at = second.index(row);
  if (kind == SideEnd::kMonths) return months_later(start, second.column->values<std::int32_t>()[at]);
  const std::int64_t value = second.column->values<std::int64_t>()[at];
  return kind == SideEnd::kMicros ? saturating_add(start, value) : value;
}

// Each side is a start and an end, or a start and how long. Both ends belong to it, in either order.
Result<BoundScalar> bind_overlaps(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "(start, end or length) OVERLAPS (start, end or length)";
  if (arguments.size() != 4) return wrong_arguments(kSignature, arguments);
  const bool times = arguments[0].type.kind() == TypeKind::kTime;
  const Type point = times ? Type::time(6) : Type::timestamp(6);
  std::vector<Type> types;
  for (std::size_t i = 0; i < 4; ++i) {
    const SideEnd end = i % 2 == 1 ? side_end(arguments[i].type) : SideEnd::kPoint;
    const bool point_fits =
        is_point(arguments[i].type) && (arguments[i].type.kind() == TypeKind::kTime) == times;
    const bool length_fits = end == SideEnd::kMicros || !times;
    if (end == SideEnd::kPoint ? !point_fits : !length_fits) return wrong_arguments(kSignature, arguments);
    types.push_back(end == SideEnd::kPoint ? point : arguments[i].type);
  }
  const Type type = nullable_like(Type::boolean(), arguments);
  const auto test = [type, first = side_end(arguments[1].type), second = side_end(arguments[3].type)](
                        const CallContext& context, std::span<const Datum> a) {
    Collector<bool> out(context, type, strict_validity(context.rows, a));
    const Reader<std::int64_t> a_start(a[0]);
    const Reader<std::int64_t> b_start(a[2]);
    for (std::size_t row = 0; row < context.rows; ++row) {
      if (!out.valid(row)) {
        out.put_null(row);
        continue;
      }
      const std::int64_t a_end = end_of(a_start[row], a[1], first, row);
      const std::int64_t b_end = end_of(b_start[row], a[3], second, row);
      out.put(row, std::min(a_start[row], a_end) <= std::max(b_start[row], b_end) &&
                       std::min(b_start[row], b_end) <= std::max(a_start[row], a_end));
    }
    return out.finish(a);
  };
  return BoundScalar{type, std::move(types), test};
}

}  // namespace

ScalarFunctions time_part_functions() {
  return {
      {"EXTRACT", "EXTRACT(unit FROM time)", "One part of a time or an interval.",
       "EXTRACT(DAY FROM DATE '1990-12-01')", "1", bind_extract},
      part("YEAR", TimeUnit::kYear, "The year.", "1994"),
      part("QUARTER", TimeUnit::kQuarter, "The quarter of the year, 1 to 4.", "3"),
      part("MONTH", TimeUnit::kMonth, "The month, 1 to 12.", "9"),
      part("WEEK", TimeUnit::kWeek, "The week of the year by ISO 8601.", "39"),
      part("DAYOFYEAR", TimeUnit::kDayOfYear, "The day of the year, 1 to 366.", "270"),
      part("DAYOFMONTH", TimeUnit::kDay, "The day of the month, 1 to 31.", "27"),
      part("DAYOFWEEK", TimeUnit::kDayOfWeek, "The day of the week; Sunday is 1.", "3"),
      part("HOUR", TimeUnit::kHour, "The hour, 0 to 23.", "13"),
      part("MINUTE", TimeUnit::kMinute, "The minute, 0 to 59.", "14"),
      part("SECOND", TimeUnit::kSecond, "The second, 0 to 59.", "15"),
      {"TIMESTAMPADD", "TIMESTAMPADD(unit, count, time)", "The time, so many units later.",
       "TIMESTAMPADD(MONTH, 1, DATE '2016-01-31')", "2016-02-29", bind_timestampadd},
      {"TIMESTAMPDIFF", "TIMESTAMPDIFF(unit, from, to)", "Whole units between two times.",
       "TIMESTAMPDIFF(MONTH, DATE '2019-09-01', DATE '2020-03-01')", "6", bind_timestampdiff},
      {"OVERLAPS", "(start, end) OVERLAPS (start, end)", "True if the two stretches of time share a moment.",
       "(TIME '02:55:00', INTERVAL '1' HOUR) OVERLAPS (TIME '03:30:00', INTERVAL '2' HOUR)", "TRUE",
       bind_overlaps},
  };
}

}  // namespace leat::functions
