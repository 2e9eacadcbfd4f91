#include "pipelines/functions/decimal.h"

#include <absl/numeric/bits.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <string>

namespace leat::functions {
namespace {

using UInt128 = absl::uint128;

constexpr UInt128 kUInt128Max = ~UInt128(0);

UInt128 magnitude(Int128 value) {
  return value < 0 ? UInt128(0) - static_cast<UInt128>(value) : static_cast<UInt128>(value);
}

Int128 with_sign(UInt128 size, bool negative) {
  return static_cast<Int128>(negative ? UInt128(0) - size : size);
}

UInt128 ten_to(std::int32_t exponent) {
  return static_cast<UInt128>(power_of_ten(exponent));
}

// An unsigned number of 256 bits.
struct Wide {
  UInt128 high = 0;
  UInt128 low = 0;
};

Wide multiply(UInt128 a, UInt128 b) {
  const UInt128 a_low = absl::Uint128Low64(a);
  const UInt128 a_high = absl::Uint128High64(a);
  const UInt128 b_low = absl::Uint128Low64(b);
  const UInt128 b_high = absl::Uint128High64(b);
  const UInt128 low = a_low * b_low;
  const UInt128 cross = a_high * b_low + absl::Uint128High64(low);
  const UInt128 middle = a_low * b_high + absl::Uint128Low64(cross);
  return {a_high * b_high + absl::Uint128High64(cross) + absl::Uint128High64(middle),
          (middle << 64) | absl::Uint128Low64(low)};
}

bool is_zero(const Wide& a) {
  return a.high == 0 && a.low == 0;
}

Wide add(const Wide& a, const Wide& b) {
  const UInt128 low = a.low + b.low;
  return {a.high + b.high + (low < a.low ? 1 : 0), low};
}

Wide subtract(const Wide& a, const Wide& b) {
  return {a.high - b.high - (a.low < b.low ? 1 : 0), a.low - b.low};
}

bool less(const Wide& a, const Wide& b) {
  return a.high != b.high ? a.high < b.high : a.low < b.low;
}

struct Division {
  Wide quotient;
  UInt128 rest;
};

// Bit by bit when the dividend is really wide (rare: 38-digit operands), else by one 128-bit division.
Division divide(const Wide& dividend, UInt128 divisor) {
  if (dividend.high == 0) return {{0, dividend.low / divisor}, dividend.low % divisor};
  Division result{{}, 0};
  for (int bit = 255; bit >= 0; --bit) {
    const bool carry = (result.rest >> 127) != 0;
    const UInt128 next = bit >= 128 ? dividend.high >> (bit - 128) : dividend.low >> bit;
    result.rest = (result.rest << 1) | (next & 1);
    if (!carry && result.rest < divisor) continue;
    result.rest -= divisor;
    (bit >= 128 ? result.quotient.high : result.quotient.low) |= UInt128(1) << (bit % 128);
  }
  return result;
}

// Quotient rounded HALF_UP.
Wide divide_rounded(const Wide& dividend, UInt128 divisor) {
  const Division division = divide(dividend, divisor);
  const bool up = division.rest >= divisor - division.rest;
  return up ? add(division.quotient, {0, 1}) : division.quotient;
}

MaybeDecimal narrowed(const Wide& size, bool negative, std::int32_t precision) {
  if (size.high != 0 || size.low >= ten_to(precision)) return std::nullopt;
  return with_sign(size.low, negative);
}

// A sign and a size under a scale, brought to the result's scale and precision.
MaybeDecimal fit(const Wide& size, bool negative, std::int32_t scale, const Type& result) {
  const std::int32_t shift = result.scale() - scale;
  if (shift == 0) return narrowed(size, negative, result.precision());
  if (shift < 0) {
    // At most 76 digits are cut (two 38-digit factors); 10^76 is beyond one divisor, so in two steps, the
    // first of which only cuts and notes whether anything was lost (it cannot make a half of less than a
    // half).
    const std::int32_t cut = std::min(-shift, 38);
    if (-shift <= 38) return narrowed(divide_rounded(size, ten_to(cut)), negative, result.precision());
    const Division first = divide(size, ten_to(-shift - 38));
    return narrowed(divide_rounded(first.quotient, ten_to(38)), negative, result.precision());
  }
  if (is_zero(size)) return Int128(0);
  if (size.high != 0 || shift > 38) return std::nullopt;
  return narrowed(multiply(size.low, ten_to(shift)), negative, result.precision());
}

Wide scaled_up(Int128 value, std::int32_t by) {
  return multiply(magnitude(value), ten_to(by));
}

// ---- Text ------------------------------------------------------------------------------------------------

struct NumberText {
  bool negative = false;
  std::string digits;         // Without leading zeros.
  std::int64_t exponent = 0;  // Of the last digit: value = digits × 10^exponent.
};

bool take_digits(std::string_view& text, NumberText& number, bool fraction) {
  bool any = false;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (!number.digits.empty() || text[0] != '0') number.digits += text[0];
    if (fraction) --number.exponent;
    text.remove_prefix(1);
    any = true;
  }
  return any;
}

bool take_exponent(std::string_view& text, NumberText& number) {
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  int exponent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  number.exponent += exponent;
  return true;
}

// number := ["+"|"-"] (digits ["." [digits]] | "." digits) [("e"|"E") ["+"|"-"] digits]
std::optional<NumberText> read_number(std::string_view text) {
  NumberText number;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    number.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  bool any = take_digits(text, number, false);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    any = take_digits(text, number, true) || any;
  }
  if (!any || !take_exponent(text, number)) return std::nullopt;
  return number;
}

// Brings digits × 10^exponent to 10^-scale, HALF_UP.
MaybeDecimal to_scale(NumberText number, std::int32_t precision, std::int32_t scale) {
  const std::int64_t shift = number.exponent + scale;
  bool up = false;
  if (shift < 0) {
    const auto count = static_cast<std::int64_t>(number.digits.size());
    if (-shift > count) return Int128(0);
    const auto kept = static_cast<std::size_t>(count + shift);
    up = number.digits[kept] >= '5';
    number.digits.resize(kept);
  } else if (!number.digits.empty()) {
    if (shift > kMaxDecimalPrecision) return std::nullopt;
    number.digits.append(static_cast<std::size_t>(shift), '0');
  }
  if (number.digits.size() > static_cast<std::size_t>(kMaxDecimalPrecision)) return std::nullopt;
  UInt128 size = 0;
  for (const char digit : number.digits) size = size * 10 + static_cast<unsigned>(digit - '0');
  return narrowed({0, size + (up ? 1 : 0)}, number.negative, precision);
}

}  // namespace

Int128 power_of_ten(std::int32_t exponent) {
  static const std::array<Int128, 39> kPowers = [] {
    std::array<Int128, 39> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
  }();
  return kPowers[static_cast<std::size_t>(exponent)];
}

bool fits_precision(Int128 unscaled, std::int32_t precision) {
  return magnitude(unscaled) < ten_to(precision);
}

MaybeDecimal rescale(Int128 unscaled, std::int32_t from_scale, std::int32_t precision, std::int32_t scale) {
  if (from_scale == scale) return fits_precision(unscaled, precision) ? MaybeDecimal(unscaled) : std::nullopt;
  return fit({0, magnitude(unscaled)}, unscaled < 0, from_scale, Type::decimal(precision, scale));
}

Int128 truncate_to_integer(Int128 unscaled, std::int32_t scale) {
  return unscaled / power_of_ten(scale);
}

MaybeDecimal decimal_add(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale, const Type& result) {
  const std::int32_t scale = std::max(a_scale, b_scale);
  const Wide x = scaled_up(a, scale - a_scale);
  const Wide y = scaled_up(b, scale - b_scale);
  if ((a < 0) == (b < 0)) return fit(add(x, y), a < 0, scale, result);
  return less(x, y) ? fit(subtract(y, x), b < 0, scale, result) : fit(subtract(x, y), a < 0, scale, result);
}

MaybeDecimal decimal_multiply(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale,
                              const Type& result) {
  return fit(multiply(magnitude(a), magnitude(b)), (a < 0) != (b < 0), a_scale + b_scale, result);
}

MaybeDecimal decimal_divide(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale,
                            const Type& result) {
  // The rules of result types keep this shift between 0 and 44.
  const std::int32_t shift = result.scale() - a_scale + b_scale;
  const bool negative = (a < 0) != (b < 0);
  Wide dividend = scaled_up(a, std::min(shift, 38));
  if (shift > 38) {
    const Wide top = multiply(dividend.high, ten_to(shift - 38));
    // More than 256 bits over a 38-digit divisor has more than 38 digits.
    if (top.high != 0) return std::nullopt;
    const Wide rest = multiply(dividend.low, ten_to(shift - 38));
    if (top.low > kUInt128Max - rest.high) return std::nullopt;
    dividend = {top.low + rest.high, rest.low};
  }
  return narrowed(divide_rounded(dividend, magnitude(b)), negative, result.precision());
}

MaybeDecimal decimal_modulo(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale,
                            const Type& result) {
  const std::int32_t scale = std::max(a_scale, b_scale);
  const Wide divisor = scaled_up(b, scale - b_scale);
  const Wide dividend = scaled_up(a, scale - a_scale);
  if (less(dividend, divisor)) return fit(dividend, a < 0, scale, result);
  // Only one side was scaled up, and the divisor is not the larger: it has 128 bits at most here.
  return fit({0, divide(dividend, divisor.low).rest}, a < 0, scale, result);
}

int decimal_compare(Int128 a, std::int32_t a_scale, Int128 b, std::int32_t b_scale) {
  if (a_scale == b_scale) return a < b ? -1 : (b < a ? 1 : 0);
  if ((a < 0) != (b < 0)) return a < 0 ? -1 : 1;
  const std::int32_t scale = std::max(a_scale, b_scale);
  const Wide x = scaled_up(a, scale - a_scale);
  const Wide y = scaled_up(b, scale - b_scale);
  const int order = less(x, y) ? -1 : (less(y, x) ? 1 : 0);
  return a < 0 ? -order : order;
}

double decimal_to_double(Int128 unscaled, std::int32_t scale) {
  const double exact_limit = 9007199254740992.0;  // 2^53
  const auto size = static_cast<double>(unscaled);
  if (std::abs(size) <= exact_limit && scale <= 22) return size / static_cast<double>(power_of_ten(scale));
  // Beyond what one rounding can do, the digits themselves are read back.
  std::string text = unscaled < 0 ? "-" : "";
  const UInt128 digits = magnitude(unscaled);
  const UInt128 chunk = ten_to(19);
  const auto high = static_cast<std::uint64_t>(digits / chunk);
  std::string low = std::to_string(static_cast<std::uint64_t>(digits % chunk));
  if (high != 0) text += std::to_string(high) + std::string(19 - low.size(), '0');
  text += low + "e-" + std::to_string(scale);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

MaybeDecimal decimal_from_double(double value, std::int32_t precision, std::int32_t scale) {
  if (!std::isfinite(value)) return std::nullopt;
  char buffer[64];
  const char* end = std::to_chars(buffer, std::end(buffer), value, std::chars_format::scientific).ptr;
  return parse_decimal({buffer, static_cast<std::size_t>(end - buffer)}, precision, scale).value;
}

ParsedDecimal parse_decimal(std::string_view text, std::int32_t precision, std::int32_t scale) {
  std::optional<NumberText> number = read_number(text);
  if (!number) return {};
  return {to_scale(*std::move(number), precision, scale), DecimalText::kOverflow};
}

}  // namespace leat::functions
