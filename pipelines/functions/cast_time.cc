#include <array>

#include "pipelines/base/time.h"
#include "pipelines/functions/cast.h"
#include "pipelines/functions/kernel.h"

namespace leat::functions {
namespace {

template <class From, class To, class F>
Caster time_step(const Type& to, const Zone& zone, F f) {
  return [to, zone, f](const CallContext& context, const ColumnPtr& column) {
    ZoneClock clock(zone);
    const std::int32_t precision = to.precision();
    return map_dense<To, From>(context, to, Datum{column},
                               [&](From value) { return static_cast<To>(f(value, clock, precision)); });
  };
}

Caster from_date(const Type& to, const Zone& zone) {
  const bool local = to.kind() == TypeKind::kTimestampLtz;
  return time_step<std::int32_t, std::int64_t>(
      to, zone, [local](std::int32_t days, ZoneClock& clock, std::int32_t) -> std::int64_t {
        const std::int64_t micros = std::int64_t{days} * kMicrosPerDay;
        return local ? clock.to_utc(micros) : micros;
      });
}

// A time of day on its way to a timestamp is on the first day of the epoch.
Caster from_time(const Type& to, const Zone& zone) {
  const bool local = to.kind() == TypeKind::kTimestampLtz;
  return time_step<std::int64_t, std::int64_t>(
      to, zone, [local](std::int64_t micros, ZoneClock& clock, std::int32_t precision) {
        return cut_to_precision(local ? clock.to_utc(micros) : micros, precision);
      });
}

// The wall clock of a timestamp, by its own kind.
std::int64_t wall_clock(std::int64_t micros, bool from_utc, ZoneClock& clock) {
  return from_utc ? clock.to_local(micros) : micros;
}

Caster from_timestamp(const Type& from, const Type& to, const Zone& zone) {
  const bool from_utc = from.kind() == TypeKind::kTimestampLtz;
  switch (to.kind()) {
    case TypeKind::kDate:
      return time_step<std::int64_t, std::int32_t>(
          to, zone, [from_utc](std::int64_t micros, ZoneClock& clock, std::int32_t) {
            return floor_div(wall_clock(micros, from_utc, clock), kMicrosPerDay);
          });
    case TypeKind::kTime:
      return time_step<std::int64_t, std::int64_t>(
          to, zone, [from_utc](std::int64_t micros, ZoneClock& clock, std::int32_t precision) {
            return cut_to_precision(floor_mod(wall_clock(micros, from_utc, clock), kMicrosPerDay), precision);
          });
    case TypeKind::kTimestamp:
      return time_step<std::int64_t, std::int64_t>(
          to, zone, [from_utc](std::int64_t micros, ZoneClock& clock, std::int32_t precision) {
            return cut_to_precision(wall_clock(micros, from_utc, clock), precision);
          });
    default:
      return time_step<std::int64_t, std::int64_t>(
          to, zone, [from_utc](std::int64_t micros, ZoneClock& clock, std::int32_t precision) {
            return cut_to_precision(from_utc ? micros : clock.to_utc(micros), precision);
          });
  }
}

bool is_time_point(const Type& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.is_timestamp();
}

}  // namespace

std::int64_t cut_to_precision(std::int64_t micros, std::int32_t precision) {
  static constexpr std::array<std::int64_t, 6> kUnits = {1'000'000, 100'000, 10'000, 1'000, 100, 10};
  if (precision >= 6) return micros;
  const std::int64_t unit = kUnits[static_cast<std::size_t>(precision)];
  const std::int64_t rest = floor_mod(micros, unit);
  std::int64_t cut = 0;
  // The earliest times of all have no whole unit before them.
  return __builtin_sub_overflow(micros, rest, &cut) ? micros + (unit - rest) : cut;
}

MaybeCaster time_caster(const Type& from, const Type& to, const Zone& zone) {
  if (!is_time_point(from) || !is_time_point(to)) return std::nullopt;
  if (from.is_timestamp()) return from_timestamp(from, to, zone);
  if (from.kind() == TypeKind::kDate)
    return to.is_timestamp() ? MaybeCaster(from_date(to, zone)) : std::nullopt;
  if (to.kind() == TypeKind::kDate) return std::nullopt;
  return from_time(to, zone);
}

}  // namespace leat::functions
