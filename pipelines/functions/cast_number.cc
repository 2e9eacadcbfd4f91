#include <cmath>
#include <limits>
#include <type_traits>

#include "pipelines/functions/cast.h"
#include "pipelines/functions/decimal.h"
#include "pipelines/functions/kernel.h"

namespace leat::functions {
namespace {

// Java's narrowing of floating point: NaN is 0, what is too large saturates; below INT by way of INT.
template <class To, class From>
To saturated(From value) {
  using Wide = std::conditional_t<(sizeof(To) > 4), std::int64_t, std::int32_t>;
  constexpr auto kMin = static_cast<From>(std::numeric_limits<Wide>::min());
  // -kMin is 2^31 or 2^63, exact in both floating types; the maximum itself is not.
  if (std::isnan(value)) return 0;
  if (value < kMin) return static_cast<To>(std::numeric_limits<Wide>::min());
  if (value >= -kMin) return static_cast<To>(std::numeric_limits<Wide>::max());
  return static_cast<To>(static_cast<Wide>(value));
}

// Integers wrap, as in Java.
template <class To, class From>
To converted(From value) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>)
    return saturated<To>(value);
  else
    return static_cast<To>(value);
}

template <class From, class To>
Caster plain_caster(const Type& to) {
  return [to](const CallContext& context, const ColumnPtr& column) {
    return map_dense<To, From>(context, to, Datum{column}, [](From value) { return converted<To>(value); });
  };
}

template <class From>
Caster to_decimal(const Type& to) {
  return [to](const CallContext& context, const ColumnPtr& column) {
    const Datum argument{column};
    return map_rows<From>(context, to, {&argument, 1}, [&](From value) -> MaybeDecimal {
      if constexpr (std::is_floating_point_v<From>)
        return decimal_from_double(static_cast<double>(value), to.precision(), to.scale());
      else
        return rescale(Int128(value), 0, to.precision(), to.scale());
    });
  };
}

template <class To>
Caster from_decimal(const Type& from, const Type& to) {
  return [scale = from.scale(), to](const CallContext& context, const ColumnPtr& column) {
    return map_dense<To, Int128>(context, to, Datum{column}, [scale](Int128 value) {
      if constexpr (std::is_floating_point_v<To>)
        return static_cast<To>(decimal_to_double(value, scale));
      else
        return static_cast<To>(truncate_to_integer(value, scale));
    });
  };
}

Caster decimal_to_decimal(const Type& from, const Type& to) {
  return [scale = from.scale(), to](const CallContext& context, const ColumnPtr& column) {
    const Datum argument{column};
    return map_rows<Int128>(context, to, {&argument, 1},
                            [&](Int128 value) { return rescale(value, scale, to.precision(), to.scale()); });
  };
}

template <class From>
Caster to_boolean(const Type& to) {
  return [to](const CallContext& context, const ColumnPtr& column) {
    return map_dense<std::uint8_t, From>(context, to, Datum{column},
                                         [](From value) { return static_cast<std::uint8_t>(value != 0); });
  };
}

MaybeCaster from_decimal_caster(const Type& from, const Type& to) {
  if (to.kind() == TypeKind::kDecimal) return decimal_to_decimal(from, to);
  if (to.kind() == TypeKind::kBoolean) return to_boolean<Int128>(to);
  return with_number(to.layout(), [&]<class To>() { return from_decimal<To>(from, to); });
}

MaybeCaster from_boolean_caster(const Type& to) {
  if (to.kind() == TypeKind::kDecimal) return to_decimal<std::uint8_t>(to);
  return with_number(to.layout(), [&]<class To>() { return plain_caster<std::uint8_t, To>(to); });
}

template <class From>
MaybeCaster caster_from(const Type& to) {
  if (to.kind() == TypeKind::kDecimal) return to_decimal<From>(to);
  if (to.kind() == TypeKind::kBoolean) return to_boolean<From>(to);
  return with_number(to.layout(), [&]<class To>() { return plain_caster<From, To>(to); });
}

}  // namespace

MaybeCaster number_caster(const Type& from, const Type& to) {
  if (from.kind() == TypeKind::kDecimal) return from_decimal_caster(from, to);
  if (from.kind() == TypeKind::kBoolean) return from_boolean_caster(to);
  return with_number(from.layout(), [&]<class From>() { return caster_from<From>(to); });
}

}  // namespace leat::functions
