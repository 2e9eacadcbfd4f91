#include "pipelines/formats/write_scalar.h"

#include <charconv>

#include "pipelines/base/time.h"
#include "pipelines/column/clock_text.h"
#include "pipelines/column/text.h"

namespace leat::formats {
namespace {

constexpr std::size_t kLongestInteger = 20;

/// ".5" without zeros at the end; nothing of 0. How many characters, at most 7.
std::size_t put_fraction(std::uint32_t micros, char* out) {
  if (micros == 0) return 0;
  out[0] = '.';
  put_two(micros / 10'000, out + 1);
  put_two(micros / 100 % 100, out + 3);
  put_two(micros % 100, out + 5);
  std::size_t length = 7;
  while (out[length - 1] == '0') --length;
  return length;
}

/// Cuts the zeros at the end; the scale may become negative. Zero has scale 0.
void strip_zeros(Int128& unscaled, std::int32_t& scale) {
  if (unscaled == 0) scale = 0;
  while (unscaled != 0 && unscaled % 10 == 0) {
    unscaled /= 10;
    --scale;
  }
}

/// BigDecimal.toString of a value whose trailing zeros are cut.
void append_scientific(Int128 unscaled, std::int32_t scale, std::string& out) {
  constexpr std::int32_t kSmallestPlainExponent = -6;
  const std::size_t begin = out.size();
  append_decimal(unscaled, 0, out);
  const std::size_t first = begin + (unscaled < 0 ? 1 : 0);
  const auto digits = static_cast<std::int32_t>(out.size() - first);
  const std::int32_t exponent = digits - 1 - scale;
  if (scale >= 0 && exponent >= kSmallestPlainExponent) {
    out.resize(begin);
    return append_decimal(unscaled, scale, out);
  }
  if (digits > 1) out.insert(first + 1, 1, '.');
  if (exponent == 0) return;
  out += exponent > 0 ? "E+" : "E";
  append_integer(exponent, out);
}

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escape(char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kMeaning = "\b\t\n\f\r\"\\";
  constexpr std::string_view kLetter = "btnfr\"\\";
  out.push_back('\\');
  if (const std::size_t short_form = kMeaning.find(c); short_form != std::string_view::npos) {
    out.push_back(kLetter[short_form]);
    return;
  }
  out += "u00";
  out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
  out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
}

}  // namespace

void append_integer(std::int64_t value, std::string& out) {
  char digits[kLongestInteger];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_decimal_as(DecimalStyle style, Int128 unscaled, std::int32_t scale, std::string& out) {
  if (style == DecimalStyle::kDeclaredScale) return append_decimal(unscaled, scale, out);
  strip_zeros(unscaled, scale);
  if (style == DecimalStyle::kScientificJava) return append_scientific(unscaled, scale, out);
  for (; scale < 0; ++scale) unscaled *= 10;
  append_decimal(unscaled, scale, out);
}

void append_shortest_timestamp(std::int64_t micros, char separator, std::string& out) {
  const std::int64_t days = floor_div(micros, kMicrosPerDay);
  const std::int64_t of_day = micros - days * kMicrosPerDay;
  append_date(static_cast<std::int32_t>(days), out);
  char text[16] = {separator};
  put_clock(static_cast<std::uint32_t>(of_day / kMicrosPerSecond), text + 1);
  out.append(text, 9 + put_fraction(static_cast<std::uint32_t>(of_day % kMicrosPerSecond), text + 9));
}

void append_base64(std::string_view bytes, std::string& out) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > bytes.size();
      out.push_back(padding ? '=' : kDigits[(group >> (18 - 6 * k)) & 63]);
    }
  }
}

void append_number(const Column& column, std::size_t row, DecimalStyle style, std::string& out) {
  switch (column.type().kind()) {
    case TypeKind::kBoolean:
      out += column.values<std::uint8_t>()[row] != 0 ? "true" : "false";
      return;
    case TypeKind::kTinyInt:
      return append_integer(column.values<std::int8_t>()[row], out);
    case TypeKind::kSmallInt:
      return append_integer(column.values<std::int16_t>()[row], out);
    case TypeKind::kInteger:
    case TypeKind::kIntervalYearMonth:
      return append_integer(column.values<std::int32_t>()[row], out);
    case TypeKind::kIntervalDayTime:
      return append_integer(column.values<std::int64_t>()[row] / kMicrosPerMilli, out);
    case TypeKind::kFloat:
      return append_float(column.values<float>()[row], out);
    case TypeKind::kDouble:
      return append_double(column.values<double>()[row], out);
    case TypeKind::kDecimal:
      return append_decimal_as(style, column.values<Int128>()[row], column.type().scale(), out);
    default:
      return append_integer(column.values<std::int64_t>()[row], out);
  }
}

void append_date_or_bytes(const Column& column, std::size_t row, char separator, std::string& out) {
  switch (column.type().kind()) {
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return append_base64(column.strings()[row], out);
    case TypeKind::kDate:
      return append_date(column.values<std::int32_t>()[row], out);
    case TypeKind::kTime:
      return append_time(column.values<std::int64_t>()[row], 0, out);  // No fraction, as in Flink.
    default:
      append_shortest_timestamp(column.values<std::int64_t>()[row], separator, out);
      if (column.type().kind() == TypeKind::kTimestampLtz) out.push_back('Z');
  }
}

void append_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  bool plain = true;  // Without a way out of the loop, which goes over many characters at once.
  for (const char c : text) plain &= !needs_escape(c);
  if (plain) {
    out.append(text).push_back('"');
    return;
  }
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(text[i])) continue;
    out.append(text.substr(begin, i - begin));
    append_escape(text[i], out);
    begin = i + 1;
  }
  out.append(text.substr(begin));
  out.push_back('"');
}

}  // namespace leat::formats
