#include "pipelines/functions/arithmetic_time.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "pipelines/base/time.h"

namespace leat::functions {
namespace {

// `f(a, b, overflow)` takes and gives int64; columns of INT and DATE are widened and narrowed around it.
template <class R, class A, class B, class F>
BoundScalar in_range(const Type& result, const Type& left, const Type& right, Arguments arguments, F f) {
  const Type type = nullable_like(result, arguments);
  return {type, {left, right}, [type, f](const CallContext& context, std::span<const Datum> a) {
            return map_in_range<R, A, B>(context, type, a, f);
          }};
}

// A TIMESTAMP(0) plus half a second needs digits to show it.
Type with_digits_of(const Type& point, const ArgumentInfo& interval) {
  if (!interval.literal || interval.literal->is_null()) return point;
  const std::int64_t micros = interval.literal->as_integer();
  const std::int32_t digits = micros % kMicrosPerSecond == 0 ? 0 : micros % kMicrosPerMilli == 0 ? 3 : 6;
  return Type(point.kind(), std::max(point.precision(), digits));
}

BoundScalar point_and_micros(const Type& point, const ArgumentInfo& interval, std::int64_t sign,
                             Arguments arguments) {
  const Type by(TypeKind::kIntervalDayTime);
  if (point.kind() == TypeKind::kTime)
    return in_range<std::int64_t, std::int64_t, std::int64_t>(
        point, point, by, arguments, [sign](std::int64_t time, std::int64_t micros, Overflow&) {
          return floor_mod(time + sign * (micros % kMicrosPerDay), kMicrosPerDay);
        });
  if (point.kind() == TypeKind::kDate)  // By whole days: it stays a DATE, whatever the interval's unit is.
    return in_range<std::int32_t, std::int32_t, std::int64_t>(
        point, point, by, arguments, [sign](std::int64_t days, std::int64_t micros, Overflow& overflow) {
          return overflow.narrow(days + sign * (micros / kMicrosPerDay));
        });
  return in_range<std::int64_t, std::int64_t, std::int64_t>(
      with_digits_of(point, interval), point, by, arguments,
      [sign](std::int64_t time, std::int64_t micros, Overflow& overflow) {
        return sign < 0 ? overflow.subtract(time, micros) : overflow.add(time, micros);
      });
}

BoundScalar point_and_months(const Type& point, std::int64_t sign, Arguments arguments) {
  const Type by(TypeKind::kIntervalYearMonth);
  if (point.kind() == TypeKind::kTime)
    return in_range<std::int64_t, std::int64_t, std::int32_t>(
        point, point, by, arguments, [](std::int64_t time, std::int64_t, Overflow&) { return time; });
  if (point.kind() == TypeKind::kDate)
    return in_range<std::int32_t, std::int32_t, std::int32_t>(
        point, point, by, arguments, [sign](std::int64_t days, std::int64_t months, Overflow& overflow) {
          overflow.note(!months_fit(days, sign * months));
          return add_months(static_cast<std::int32_t>(days), sign * months);
        });
  return in_range<std::int64_t, std::int64_t, std::int32_t>(
      point, point, by, arguments, [sign](std::int64_t micros, std::int64_t months, Overflow& overflow) {
        overflow.note(!months_fit(floor_div(micros, kMicrosPerDay), sign * months));
        return add_months_to_micros(micros, sign * months);
      });
}

bool is_point(const Type& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.is_timestamp();
}

std::optional<BoundScalar> point_and_interval(const Type& point, const ArgumentInfo& interval, const Type& by,
                                              std::int64_t sign, Arguments arguments) {
  return by.kind() == TypeKind::kIntervalDayTime ? point_and_micros(point, interval, sign, arguments)
                                                 : point_and_months(point, sign, arguments);
}

std::optional<BoundScalar> point_minus_point(const Type& left, const Type& right, Arguments arguments) {
  if ((left.kind() == TypeKind::kTime) != (right.kind() == TypeKind::kTime)) return std::nullopt;
  const Type common = left.kind() == TypeKind::kTime ? Type::time(6)
                      : left.kind() == TypeKind::kTimestampLtz || right.kind() == TypeKind::kTimestampLtz
                          ? Type::timestamp_ltz(6)
                          : Type::timestamp(6);
  return in_range<std::int64_t, std::int64_t, std::int64_t>(
      Type(TypeKind::kIntervalDayTime), common, common, arguments,
      [](std::int64_t a, std::int64_t b, Overflow& overflow) { return overflow.subtract(a, b); });
}

template <class T>
T narrowed(std::int64_t value, Overflow& overflow) {
  if constexpr (std::is_same_v<T, std::int32_t>) return overflow.narrow(value);
  return static_cast<T>(value);
}

template <class T>
BoundScalar sum_of_intervals(const Type& type, std::int64_t sign, Arguments arguments) {
  return in_range<T, T, T>(
      type, type, type, arguments, [sign](std::int64_t a, std::int64_t b, Overflow& overflow) {
        return narrowed<T>(sign < 0 ? overflow.subtract(a, b) : overflow.add(a, b), overflow);
      });
}

template <class T>
BoundScalar interval_times_number(const Type& interval, Arguments arguments) {
  return in_range<T, T, std::int64_t>(interval, interval, Type::big_int(), arguments,
                                      [](std::int64_t a, std::int64_t b, Overflow& overflow) {
                                        return narrowed<T>(overflow.multiply(a, b), overflow);
                                      });
}

template <class T>
BoundScalar interval_by_number(const Type& interval, Arguments arguments) {
  const Type type = nullable_like(interval, arguments);
  const auto divided = [type](T a, std::int64_t b) -> Result<T> {
    if (b == 0) return fail(ErrorCode::kInvalid, "division by zero");
    if (b == -1 && a == std::numeric_limits<T>::min()) return out_of_range(type);
    return static_cast<T>(a / b);
  };
  return {type,
          {interval, Type::big_int()},
          [type, divided](const CallContext& context, std::span<const Datum> a) {
            return map_rows<T, std::int64_t>(context, type, a, divided);
          }};
}

std::optional<BoundScalar> scaled_interval(std::string_view symbol, const Type& interval,
                                           Arguments arguments) {
  const bool months = interval.kind() == TypeKind::kIntervalYearMonth;
  if (symbol == "*")
    return months ? interval_times_number<std::int32_t>(interval, arguments)
                  : interval_times_number<std::int64_t>(interval, arguments);
  return months ? interval_by_number<std::int32_t>(interval, arguments)
                : interval_by_number<std::int64_t>(interval, arguments);
}

// The same call with its two arguments the other way round.
BoundScalar turned(BoundScalar bound) {
  return {bound.result,
          {bound.arguments[1], bound.arguments[0]},
          [kernel = std::move(bound.kernel)](const CallContext& context, std::span<const Datum> a) {
            const Datum arguments[2] = {a[1], a[0]};
            return kernel(context, arguments);
          }};
}

}  // namespace

tl::unexpected<Error> out_of_range(const Type& type) {
  return fail(ErrorCode::kInvalid,
              "the result is out of the range of " + type.with_nullable(true).to_string());
}

// As far as std::chrono::year goes.
bool months_fit(std::int64_t days, std::int64_t months) {
  using namespace std::chrono;
  constexpr std::int64_t kFirstDay = sys_days(year::min() / January / 1).time_since_epoch().count();
  constexpr std::int64_t kLastDay = sys_days(year::max() / December / 31).time_since_epoch().count();
  constexpr std::int64_t kMonths = 12 * (std::int64_t{static_cast<int>(year::max())} + 1);
  if (days < kFirstDay || days > kLastDay || months < -2 * kMonths || months > 2 * kMonths) return false;
  const year_month_day date{sys_days(std::chrono::days(days))};
  const std::int64_t total =
      std::int64_t{static_cast<int>(date.year())} * 12 + static_cast<unsigned>(date.month()) - 1 + months;
  return total > -kMonths + 12 && total < kMonths;
}

std::int32_t add_months(std::int32_t days, std::int64_t months) {
  using namespace std::chrono;
  if (!months_fit(days, months)) return days;
  const year_month_day date{sys_days(std::chrono::days(days))};
  const std::int64_t total =
      std::int64_t{static_cast<int>(date.year())} * 12 + static_cast<unsigned>(date.month()) - 1 + months;
  const year_month target{year(static_cast<int>(floor_div(total, 12))),
                          month(static_cast<unsigned>(floor_mod(total, 12)) + 1)};
  const day last = (target / std::chrono::last).day();
  return static_cast<std::int32_t>(sys_days(target / std::min(date.day(), last)).time_since_epoch().count());
}

std::int64_t add_months_to_micros(std::int64_t micros, std::int64_t months) {
  const std::int32_t days = add_months(static_cast<std::int32_t>(floor_div(micros, kMicrosPerDay)), months);
  return days * kMicrosPerDay + floor_mod(micros, kMicrosPerDay);
}

std::optional<BoundScalar> bind_time_arithmetic(std::string_view symbol, const Type& left, const Type& right,
                                                Arguments arguments) {
  const bool sum = symbol == "+" || symbol == "-";
  const std::int64_t sign = symbol == "-" ? -1 : 1;
  if (sum && is_point(left) && right.is_interval())
    return point_and_interval(left, arguments[1], right, sign, arguments);
  if (symbol == "+" && left.is_interval() && is_point(right)) {
    std::optional<BoundScalar> bound = point_and_interval(right, arguments[0], left, 1, arguments);
    return bound ? std::optional(turned(*std::move(bound))) : std::nullopt;
  }
  if (symbol == "-" && is_point(left) && is_point(right)) return point_minus_point(left, right, arguments);
  if (sum && left.is_interval() && left.kind() == right.kind())
    return left.kind() == TypeKind::kIntervalDayTime ? sum_of_intervals<std::int64_t>(left, sign, arguments)
                                                     : sum_of_intervals<std::int32_t>(left, sign, arguments);
  if (left.is_interval() && right.is_integer() && (symbol == "*" || symbol == "/"))
    return scaled_interval(symbol, left, arguments);
  if (symbol == "*" && left.is_integer() && right.is_interval()) {
    std::optional<BoundScalar> bound = scaled_interval(symbol, right, arguments);
    return bound ? std::optional(turned(*std::move(bound))) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace leat::functions
