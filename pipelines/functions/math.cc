// Mathematics on DOUBLE, and the functions that keep the type of their argument: ABS, SIGN, CEIL, FLOOR,
// ROUND, TRUNCATE.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "pipelines/functions/binding.h"
#include "pipelines/functions/decimal.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/time_units.h"

namespace leat::functions {
namespace {

template <double (*f)(double)>
Overload of_double() {
  return of(+[](double x) { return f(x); });
}

double cotangent(double x) {
  return 1.0 / std::tan(x);
}
double degrees(double x) {
  return x * 180.0 / std::numbers::pi;
}
double radians(double x) {
  return x / 180.0 * std::numbers::pi;
}
double logarithm_to(double base, double x) {
  return std::log(x) / std::log(base);
}

ScalarFunction one_double(std::string name, std::string doc, std::string example, std::string result,
                          Overload overload) {
  return function(name, name + "(x)", std::move(doc), std::move(example), std::move(result),
                  {std::move(overload)});
}

// ---- Rounding --------------------------------------------------------------------------------------------

enum class Rounding : std::uint8_t { kHalfUp, kDown, kFloor, kCeil };

Int128 round_at(Int128 unscaled, Int128 unit, Rounding rounding) {
  const Int128 rest = unscaled % unit;
  const Int128 down = unscaled - rest;
  const Int128 size = rest < 0 ? -rest : rest;
  switch (rounding) {
    case Rounding::kHalfUp:
      return size * 2 >= unit ? down + (rest < 0 ? -unit : unit) : down;
    case Rounding::kDown:
      return down;
    case Rounding::kFloor:
      return rest < 0 ? down - unit : down;
    default:
      return rest > 0 ? down + unit : down;
  }
}

// `unscaled` under `scale`, rounded to `digits` fraction digits (below zero: before the point).
MaybeDecimal round_decimal(Int128 unscaled, std::int32_t scale, std::int32_t digits, const Type& result,
                           Rounding rounding) {
  const std::int32_t cut = scale - digits;
  if (cut > kMaxDecimalPrecision - 1) return Int128(0);
  const Int128 rounded = cut > 0 ? round_at(unscaled, power_of_ten(cut), rounding) : unscaled;
  return rescale(rounded, scale, result.precision(), result.scale());
}

Type rounded_decimal_type(const Type& type, std::int32_t digits) {
  if (digits >= type.scale()) return type;
  const std::int32_t whole = type.precision() - type.scale();
  return Type::decimal(std::min(kMaxDecimalPrecision, 1 + whole + std::max(digits, 0)), std::max(digits, 0));
}

// By the digits that the number prints with, as BigDecimal.valueOf does: 1.005 is rounded as 1.005.
double round_double(double value, std::int32_t digits, Rounding rounding) {
  if (!std::isfinite(value) || digits > 20) return value;
  const MaybeDecimal exact = decimal_from_double(value, kMaxDecimalPrecision, 20);
  if (!exact) return value;
  const MaybeDecimal rounded =
      round_decimal(*exact, 20, digits, Type::decimal(kMaxDecimalPrecision, 20), rounding);
  return rounded ? decimal_to_double(*rounded, 20) : value;
}

template <class T>
T round_number(T value, std::int32_t digits, Rounding rounding) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(round_double(static_cast<double>(value), digits, rounding));
  } else {
    if (digits >= 0) return value;
    if (digits < -18) return 0;
    return static_cast<T>(round_at(Int128(value), power_of_ten(-digits), rounding));
  }
}

Kernel rounding_kernel(const Type& from, const Type& result, Rounding rounding) {
  if (from.kind() == TypeKind::kDecimal)
    return [=](const CallContext& context, std::span<const Datum> arguments) {
      return map_rows<Int128, std::int32_t>(
          context, result, arguments, [&](Int128 value, std::int32_t digits) {
            return round_decimal(value, from.scale(), digits, result, rounding);
          });
    };
  return with_number(from.layout(), [&]<class T>() -> Kernel {
    return [=](const CallContext& context, std::span<const Datum> arguments) {
      return map_rows<T, std::int32_t>(context, result, arguments, [rounding](T value, std::int32_t digits) {
        return round_number(value, digits, rounding);
      });
    };
  });
}

// One argument: no fraction digits.
Kernel with_zero_digits(Kernel kernel) {
  return [kernel = std::move(kernel)](const CallContext& context, std::span<const Datum> arguments) {
    static const ColumnPtr kZero = Column::constant(Type::integer(), Value::integer(0), 1);
    const Datum both[2] = {arguments[0], {kZero, true}};
    return kernel(context, both);
  };
}

Binder rounding(std::string name, Rounding mode) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    const std::string signature = name + "(number [, digits])";
    const bool one = arguments.size() == 1;
    if (arguments.empty() || arguments.size() > 2) return wrong_arguments(signature, arguments);
    const Type from = type_or(arguments[0], Type::integer());
    if (!from.is_numeric() || (!one && !implicitly_castable(arguments[1].type, Type::integer())))
      return wrong_arguments(signature, arguments);
    Type result = from;
    const bool literal = !one && arguments[1].literal && !arguments[1].literal->is_null();
    if (from.kind() == TypeKind::kDecimal && (one || literal)) {
      const std::int64_t digits = one ? 0 : arguments[1].literal->as_integer();
      result =
          rounded_decimal_type(from, static_cast<std::int32_t>(std::clamp<std::int64_t>(digits, -99, 99)));
    }
    result = nullable_like(result, arguments);
    Kernel kernel = rounding_kernel(from, result, mode);
    if (one) return BoundScalar{result, {from}, with_zero_digits(std::move(kernel))};
    return BoundScalar{result, {from, Type::integer()}, std::move(kernel)};
  };
}

// FLOOR and CEIL of a number give a number without fraction; of a time, see time_units.h.
Binder to_whole(std::string name, Rounding mode) {
  return [=](Arguments arguments, const Session& session) -> Result<BoundScalar> {
    if (arguments.size() == 2) {
      const TimeRounding direction = mode == Rounding::kFloor ? TimeRounding::kFloor : TimeRounding::kCeil;
      return bind_time_rounding(name, direction, arguments, session);
    }
    const std::string signature = name + "(number) or " + name + "(time TO unit)";
    if (arguments.size() != 1) return wrong_arguments(signature, arguments);
    const Type from = nullable_like(type_or(arguments[0], Type::integer()), arguments);
    if (!from.is_numeric()) return wrong_arguments(signature, arguments);
    if (from.is_approximate())
      return BoundScalar{from, {from}, with_number(from.layout(), [&]<class T>() -> Kernel {
                           return [from, mode](const CallContext& context, std::span<const Datum> a) {
                             return map_dense<T, T>(context, from, a[0], [mode](T value) {
                               return static_cast<T>(mode == Rounding::kFloor
                                                         ? std::floor(static_cast<double>(value))
                                                         : std::ceil(static_cast<double>(value)));
                             });
                           };
                         })};
    const Type result = nullable_like(
        from.kind() == TypeKind::kDecimal ? Type::decimal(from.precision(), 0) : from, arguments);
    return BoundScalar{result, {from}, with_zero_digits(rounding_kernel(from, result, mode))};
  };
}

// ---- ABS, SIGN -------------------------------------------------------------------------------------------

template <class T>
T absolute(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return std::abs(value);
  else if constexpr (std::is_same_v<T, Int128>)
    return value < 0 ? -value : value;
  else
    return value < 0 ? static_cast<T>(0 - static_cast<std::uint64_t>(value)) : value;
}

// Zero keeps its sign, and NaN is NaN.
template <class T>
T sign(T value, T one) {
  return value > 0 ? one : value < 0 ? static_cast<T>(-one) : value;
}

template <class T>
Kernel absolute_kernel(const Type& type) {
  return [type](const CallContext& context, std::span<const Datum> a) {
    return map_dense<T, T>(context, type, a[0], [](T value) { return absolute(value); });
  };
}

template <class T>
Kernel sign_kernel(const Type& type) {
  return [type](const CallContext& context, std::span<const Datum> a) {
    T one = 1;
    if constexpr (std::is_same_v<T, Int128>) one = power_of_ten(type.scale());
    return map_dense<T, T>(context, type, a[0], [one](T value) { return sign(value, one); });
  };
}

template <class Make>
Binder keeps_type(std::string signature, Make make) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 1) return wrong_arguments(signature, arguments);
    const Type type = nullable_like(type_or(arguments[0], Type::integer()), arguments);
    if (!type.is_numeric()) return wrong_arguments(signature, arguments);
    if (type.kind() == TypeKind::kDecimal)
      return BoundScalar{type, {type}, make.template operator()<Int128>(type)};
    return BoundScalar{type, {type}, with_number(type.layout(), [&]<class T>() {
                         return make.template operator()<T>(type);
                       })};
  };
}

}  // namespace

ScalarFunctions math_functions() {
  const auto make_absolute = []<class T>(const Type& type) { return absolute_kernel<T>(type); };
  const auto make_sign = []<class T>(const Type& type) { return sign_kernel<T>(type); };
  return {
      {"ABS", "ABS(x)", "The number without its sign.", "ABS(-5)", "5", keeps_type("ABS(x)", make_absolute)},
      {"SIGN", "SIGN(x)", "1, 0 or -1 in the type of x.", "SIGN(-1.1)", "-1.0",
       keeps_type("SIGN(x)", make_sign)},
      {"ROUND", "ROUND(x [, digits])", "Rounded half up to so many fraction digits (none).",
       "ROUND(125.315, 2)", "125.32", rounding("ROUND", Rounding::kHalfUp)},
      {"TRUNCATE", "TRUNCATE(x [, digits])", "Cut to so many fraction digits (none).", "TRUNCATE(42.345, 2)",
       "42.34", rounding("TRUNCATE", Rounding::kDown)},
      {"FLOOR", "FLOOR(x), FLOOR(time TO unit)", "The whole number, or the whole unit of time, at or before.",
       "FLOOR(2.5)", "2", to_whole("FLOOR", Rounding::kFloor)},
      {"CEIL", "CEIL(x), CEIL(time TO unit)", "The whole number, or the whole unit of time, at or behind.",
       "CEIL(2.5)", "3", to_whole("CEIL", Rounding::kCeil)},
      {"CEILING", "CEILING(x), CEILING(time TO unit)", "The same as CEIL.", "CEILING(2.5)", "3",
       to_whole("CEILING", Rounding::kCeil)},
      function("POWER", "POWER(x, y)", "x to the power of y.", "POWER(5, 5)", "3125.0",
               {of(+[](double x, double y) { return std::pow(x, y); })}),
      one_double("SQRT", "Square root.", "SQRT(9)", "3.0", of_double<std::sqrt>()),
      one_double("LN", "Natural logarithm.", "LN(1)", "0.0", of_double<std::log>()),
      one_double("LOG10", "Logarithm to the base 10.", "LOG10(100)", "2.0", of_double<std::log10>()),
      one_double("LOG2", "Logarithm to the base 2.", "LOG2(8)", "3.0", of_double<std::log2>()),
      function("LOG", "LOG([base,] x)", "Logarithm to the base, or the natural one.", "LOG(2, 8)", "3.0",
               {of_double<std::log>(), of(logarithm_to)}),
      one_double("EXP", "e to the power of x.", "EXP(0)", "1.0", of_double<std::exp>()),
      one_double("SIN", "Sine.", "SIN(0)", "0.0", of_double<std::sin>()),
      one_double("SINH", "Hyperbolic sine.", "SINH(0)", "0.0", of_double<std::sinh>()),
      one_double("COS", "Cosine.", "COS(0)", "1.0", of_double<std::cos>()),
      one_double("COSH", "Hyperbolic cosine.", "COSH(0)", "1.0", of_double<std::cosh>()),
      one_double("TAN", "Tangent.", "TAN(0)", "0.0", of_double<std::tan>()),
      one_double("TANH", "Hyperbolic tangent.", "TANH(0)", "0.0", of_double<std::tanh>()),
      one_double("COT", "Cotangent.", "COT(2.5)", "-1.3386481283041514", of_double<cotangent>()),
      one_double("ASIN", "Arc sine.", "ASIN(0.5)", "0.5235987755982989", of_double<std::asin>()),
      one_double("ACOS", "Arc cosine.", "ACOS(1)", "0.0", of_double<std::acos>()),
      one_double("ATAN", "Arc tangent.", "ATAN(0)", "0.0", of_double<std::atan>()),
      function("ATAN2", "ATAN2(y, x)", "Angle of the point (x, y).", "ATAN2(0, 1)", "0.0",
               {of(+[](double y, double x) { return std::atan2(y, x); })}),
      one_double("DEGREES", "Radians in degrees.", "DEGREES(0.5)", "28.64788975654116", of_double<degrees>()),
      one_double("RADIANS", "Degrees in radians.", "RADIANS(180)", "3.141592653589793", of_double<radians>()),
      function("PI", "PI()", "The number pi.", "PI()", "3.141592653589793",
               {of(+[]() -> double { return std::numbers::pi; })}),
      function("E", "E()", "The number e.", "E()", "2.718281828459045",
               {of(+[]() -> double { return std::numbers::e; })}),
  };
}

}  // namespace leat::functions
