// DECIMAL arithmetic: unscaled 128-bit integers with a scale that the type carries. Results that do not fit
// their precision are nothing (SQL's NULL), as in Flink; rounding is HALF_UP, away from zero. Intermediate
// values have 256 bits, so no digit of a 38-digit product or quotient is lost before the rounding.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "pipelines/column/type.h"
#include "pipelines/column/value.h"

namespace leat::functions {

using MaybeDecimal = std::optional<Int128>;

/// 10^exponent, 0 ≤ exponent ≤ 38.
Int128 power_of_ten(std::int32_t exponent);
/// True if the number has at most `precision` digits.
bool fits_precision(Int128 unscaled, std::int32_t precision);

/// The value under another scale, rounded HALF_UP; nothing when it needs more than `precision` digits.
MaybeDecimal rescale(Int128 unscaled, std::int32_t from_scale, std::int32_t precision, std::int32_t scale);
/// The value with its fraction cut off.
Int128 truncate_to_integer(Int128 unscaled, std::int32_t scale);

/// a, b under scales `a_scale`, `b_scale`; the result has the type's precision and scale.
MaybeDecimal decimal_add(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale, const Type& result);
MaybeDecimal decimal_multiply(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale,
                              const Type& result);
/// b must not be zero.
MaybeDecimal decimal_divide(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale,
                            const Type& result);
/// b must not be zero. The sign is a's.
MaybeDecimal decimal_modulo(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale,
                            const Type& result);
/// -1, 0, 1.
int decimal_compare(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale);

double decimal_to_double(Int128 unscaled, std::int32_t scale);
/// By the shortest decimal digits of the double, as Java's BigDecimal.valueOf; nothing for NaN, infinities
/// and what does not fit.
MaybeDecimal decimal_from_double(double value, std::int32_t precision, std::int32_t scale);

enum class DecimalText : std::uint8_t { kNoNumber, kOverflow };
struct ParsedDecimal {
  MaybeDecimal value;                        ///< Nothing: see `why`.
  DecimalText why = DecimalText::kNoNumber;  ///< Meaningful without a value only.
};
/// "-12.5", "1e3", ".5", "5."; surrounding blanks are the caller's. Rounded HALF_UP.
ParsedDecimal parse_decimal(std::string_view text, std::int32_t precision, std::int32_t scale);

}  // namespace leat::functions
