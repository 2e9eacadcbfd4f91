#include "pipelines/column/text.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <iterator>

#include "pipelines/base/civil_date.h"
#include "pipelines/base/time.h"
#include "pipelines/column/clock_text.h"
#include "pipelines/column/zone.h"

namespace leat {
namespace {

// ---- Floating point --------------------------------------------------------------------------------------

struct Digits {
  std::string_view text;  // Without a point: "12345".
  int exponent = 0;       // Of the first digit: 1.2345E<exponent>.
};

// Splits what std::to_chars wrote in scientific form; `buffer` is overwritten by the bare digits.
Digits split_scientific(char* buffer, char* end) {
  char* mark = std::find(buffer, end, 'e');
  int exponent = 0;
  std::from_chars(mark[1] == '+' ? mark + 2 : mark + 1, end, exponent);
  char* digits_end = std::remove(buffer, mark, '.');
  while (digits_end - buffer > 1 && digits_end[-1] == '0') --digits_end;
  return {std::string_view(buffer, static_cast<std::size_t>(digits_end - buffer)), exponent};
}

// Java writes 0.001 ≤ x < 10^7 with a plain point and all else as d.dddE±n, always with a fraction digit.
void append_java_layout(const Digits& number, std::string& out) {
  const std::string_view digits = number.text;
  const int exponent = number.exponent;
  if (exponent >= 7 || exponent < -3) {
    out += digits[0];
    out += '.';
    out += digits.size() > 1 ? digits.substr(1) : std::string_view("0");
    fmt::format_to(std::back_inserter(out), "E{}", exponent);
  } else if (exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    out += digits;
  } else {
    const auto whole = static_cast<std::size_t>(exponent + 1);
    out += digits.substr(0, whole);
    if (digits.size() < whole) out.append(whole - digits.size(), '0');
    out += '.';
    out += digits.size() > whole ? digits.substr(whole) : std::string_view("0");
  }
}

/// Writes what Java's layout has plain and with six digits behind the point at most, as sensors mostly give;
/// false: it is another one. If a whole number over a power of ten gives the value back, that number's digits
/// are among the shortest that do, and the nearest to it: there are fewer than 16, and none fewer was found.
template <class Float>
bool append_short(Float value, std::string& out) {
  if constexpr (sizeof(Float) < sizeof(double)) return false;
  constexpr double kPowers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
  if (value < 1e-3 || value >= 1e7) return false;
  for (std::size_t places = 0; places < std::size(kPowers); ++places) {
    const double scaled = std::nearbyint(value * kPowers[places]);
    if (scaled / kPowers[places] != value) continue;
    auto digits = static_cast<std::uint64_t>(scaled);
    char text[24];
    char* first = std::end(text);
    if (places == 0) *--first = '0';
    for (std::size_t i = 0; i < places; ++i, digits /= 10) *--first = static_cast<char>('0' + digits % 10);
    *--first = '.';
    do *--first = static_cast<char>('0' + digits % 10);
    while ((digits /= 10) != 0);
    out.append(first, std::end(text));
    return true;
  }
  return false;
}

template <class Float>
void append_floating(Float value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::signbit(value)) out += '-';
  value = std::abs(value);
  if (std::isinf(value)) {
    out += "Infinity";
    return;
  }
  if (value == 0) {
    out += "0.0";
    return;
  }
  if (append_short(value, out)) return;
  char buffer[64];
  char* end = std::to_chars(buffer, std::end(buffer), value, std::chars_format::scientific).ptr;
  // Java never gives fewer than two digits, and then the two nearest to the value: 4.9E-324, not 5.0E-324.
  if (buffer[1] == 'e')
    end = std::to_chars(buffer, std::end(buffer), value, std::chars_format::scientific, 1).ptr;
  append_java_layout(split_scientific(buffer, end), out);
}

// ---- Whole numbers, time ---------------------------------------------------------------------------------

void append_integer(std::int64_t value, std::string& out) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, std::end(buffer), value).ptr);
}

/// The digits of a number that is not negative, before `end`; their begin.
char* put_padded(std::int64_t value, int width, char* end) {
  char* begin = end;
  for (; value > 0; value /= 10) *--begin = static_cast<char>('0' + value % 10);
  while (end - begin < width) *--begin = '0';
  return begin;
}

std::string date_text(std::int32_t days) {
  const CivilDate date = civil_date(days);
  char text[24];
  char* first = put_padded(date.day, 2, std::end(text));
  *--first = '-';
  first = put_padded(date.month, 2, first);
  *--first = '-';
  first = put_padded(std::abs(date.year), 4, first);
  if (date.year < 0) *--first = '-';
  return {first, std::end(text)};
}

void append_padded(std::int64_t value, int width, std::string& out) {
  char buffer[24];
  out.append(put_padded(value, width, std::end(buffer)), std::end(buffer));
}

void append_fraction(std::int64_t micros, std::int32_t precision, std::string& out) {
  if (precision <= 0) return;
  out += '.';
  std::string digits;
  append_padded(micros, 6, digits);
  digits.append(3, '0');
  out.append(digits, 0, static_cast<std::size_t>(precision));
}

void append_clock(std::int64_t micros_of_day, std::string& out) {
  char text[kClockLength];
  put_clock(static_cast<std::uint32_t>(micros_of_day / kMicrosPerSecond), text);
  out.append(text, kClockLength);
}

// "+12 00:00:00.000"
void append_day_time_interval(std::int64_t micros, std::string& out) {
  out += micros < 0 ? '-' : '+';
  const std::uint64_t size =
      micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  append_integer(static_cast<std::int64_t>(size / kMicrosPerDay), out);
  out += ' ';
  append_time(static_cast<std::int64_t>(size % kMicrosPerDay), 3, out);
}

// "+8-10"
void append_year_month_interval(std::int64_t months, std::string& out) {
  out += months < 0 ? '-' : '+';
  const std::int64_t size = std::abs(months);
  append_integer(size / 12, out);
  out += '-';
  append_padded(size % 12, 2, out);
}

// ---- The two dialects ------------------------------------------------------------------------------------

// CAST … AS STRING and the print sink differ in booleans, decimals, times and nested rows: the former is
// SQL's form, the latter is Java's toString() of the value's class.
enum class Dialect : std::uint8_t { kCast, kPrint };

// LocalTime.toString: seconds only if they or the fraction are not zero; the fraction in groups of three.
void append_java_time(std::int64_t micros_of_day, std::string& out) {
  const std::int64_t fraction = micros_of_day % kMicrosPerSecond;
  append_clock(micros_of_day, out);
  if (micros_of_day % kMicrosPerMinute == 0) out.resize(out.size() - 3);
  if (fraction != 0) append_fraction(fraction, fraction % 1000 == 0 ? 3 : 6, out);
}

void append_java_timestamp(std::int64_t micros, std::string& out) {
  append_date(static_cast<std::int32_t>(floor_div(micros, kMicrosPerDay)), out);
  out += 'T';
  append_java_time(floor_mod(micros, kMicrosPerDay), out);
}

// Instant.toString, unlike LocalDateTime's, always has seconds.
void append_java_instant(std::int64_t micros, std::string& out) {
  append_java_timestamp(micros, out);
  if (floor_mod(micros, kMicrosPerMinute) == 0) out += ":00";
  out += 'Z';
}

// BigDecimal.toString: scientific when the first digit is more than six places behind the point.
void append_java_decimal(Int128 unscaled, std::int32_t scale, std::string& out) {
  std::string digits;
  append_decimal(unscaled, 0, digits);
  const bool negative = digits[0] == '-';
  const auto count = static_cast<std::int32_t>(digits.size()) - (negative ? 1 : 0);
  const std::int32_t exponent = count - 1 - scale;
  if (scale == 0 || exponent >= -6) {
    append_decimal(unscaled, scale, out);
    return;
  }
  if (negative) out += '-';
  const std::string_view bare = std::string_view(digits).substr(negative ? 1 : 0);
  out += bare[0];
  if (bare.size() > 1) (out += '.') += bare.substr(1);
  fmt::format_to(std::back_inserter(out), "E{}", exponent);
}

std::int64_t local_time(std::int64_t utc, const TextStyle& style) {
  if (style.time_zone == "UTC") return utc;
  Result<Zone> zone = Zone::find(style.time_zone);
  return zone ? ZoneClock(*std::move(zone)).to_local(utc) : utc;
}

void append_any(const Column& column, std::size_t row, Dialect dialect, const TextStyle& style,
                std::string& out);

void append_time_like(const Column& column, std::size_t row, Dialect dialect, const TextStyle& style,
                      std::string& out) {
  const std::int64_t micros = column.values<std::int64_t>()[row];
  const std::int32_t precision = column.type().precision();
  const bool java = dialect == Dialect::kPrint;
  switch (column.type().kind()) {
    case TypeKind::kTime:
      if (java) return append_java_time(micros, out);
      append_time(micros, precision, out);
      if (style.time_fraction == TextStyle::Fraction::kShort && precision > 1)
        for (std::int32_t i = 1; i < precision && out.back() == '0'; ++i) out.pop_back();
      return;
    case TypeKind::kTimestamp:
      return java ? append_java_timestamp(micros, out) : append_timestamp(micros, precision, out);
    default:
      return java ? append_java_instant(micros, out)
                  : append_timestamp(local_time(micros, style), precision, out);
  }
}

void append_bytes(std::string_view bytes, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ", ";
    append_integer(static_cast<signed char>(bytes[i]), out);
  }
  out += ']';
}

void append_list(const Column& column, std::size_t row, Dialect dialect, const TextStyle& style,
                 std::string& out) {
  const bool pairs = column.child_count() == 2;
  out += pairs ? '{' : '[';
  const std::uint32_t begin = column.offsets()[row];
  for (std::uint32_t i = begin; i < column.offsets()[row + 1]; ++i) {
    if (i > begin) out += ", ";
    append_any(*column.child(0), i, dialect, style, out);
    if (!pairs) continue;
    out += '=';
    append_any(*column.child(1), i, dialect, style, out);
  }
  out += pairs ? '}' : ']';
}

void append_struct(const Column& column, std::size_t row, Dialect dialect, const TextStyle& style,
                   std::string& out) {
  out += dialect == Dialect::kPrint ? "+I[" : "(";
  for (std::size_t i = 0; i < column.child_count(); ++i) {
    if (i > 0) out += ", ";
    append_any(*column.child(i), row, dialect, style, out);
  }
  out += dialect == Dialect::kPrint ? ']' : ')';
}

void append_boolean(bool value, Dialect dialect, std::string& out) {
  if (dialect == Dialect::kPrint)
    out += value ? "true" : "false";
  else
    out += value ? "TRUE" : "FALSE";
}

void append_any(const Column& column, std::size_t row, Dialect dialect, const TextStyle& style,
                std::string& out) {
  if (column.is_null(row)) {
    out += style.null;
    return;
  }
  const bool print = dialect == Dialect::kPrint;
  switch (column.type().kind()) {
    case TypeKind::kNull:
      return;
    case TypeKind::kBoolean:
      return append_boolean(column.values<std::uint8_t>()[row] != 0, dialect, out);
    case TypeKind::kTinyInt:
      return append_integer(column.values<std::int8_t>()[row], out);
    case TypeKind::kSmallInt:
      return append_integer(column.values<std::int16_t>()[row], out);
    case TypeKind::kInteger:
      return append_integer(column.values<std::int32_t>()[row], out);
    case TypeKind::kBigInt:
      return append_integer(column.values<std::int64_t>()[row], out);
    case TypeKind::kFloat:
      return append_float(column.values<float>()[row], out);
    case TypeKind::kDouble:
      return append_double(column.values<double>()[row], out);
    case TypeKind::kDecimal:
      return (print ? append_java_decimal : append_decimal)(column.values<Int128>()[row],
                                                            column.type().scale(), out);
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      if (print) return append_bytes(column.strings()[row], out);
      [[fallthrough]];
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      out += column.strings()[row];
      return;
    case TypeKind::kDate:
      return append_date(column.values<std::int32_t>()[row], out);
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return append_time_like(column, row, dialect, style, out);
    case TypeKind::kIntervalYearMonth:
      return append_year_month_interval(column.values<std::int32_t>()[row], out);
    case TypeKind::kIntervalDayTime:
      return append_day_time_interval(column.values<std::int64_t>()[row], out);
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return append_list(column, row, dialect, style, out);
    case TypeKind::kRow:
      return append_struct(column, row, dialect, style, out);
  }
}

}  // namespace

void append_text(const Column& column, std::size_t row, const TextStyle& style, std::string& out) {
  append_any(column, row, Dialect::kCast, style, out);
}

void append_row_text(const Batch& batch, std::size_t row, const TextStyle& style, std::string& out) {
  out += to_string(batch.kind(row));
  out += '[';
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    if (i > 0) out += ", ";
    append_any(*batch.columns[i], row, Dialect::kPrint, style, out);
  }
  out += ']';
}

void append_double(double value, std::string& out) {
  append_floating(value, out);
}

void append_float(float value, std::string& out) {
  append_floating(value, out);
}

void append_decimal(Int128 unscaled, std::int32_t scale, std::string& out) {
  const bool negative = unscaled < 0;
  absl::uint128 rest = negative ? absl::uint128(0) - static_cast<absl::uint128>(unscaled)
                                : static_cast<absl::uint128>(unscaled);
  char buffer[48];
  char* first = std::end(buffer);
  std::int32_t written = 0;
  const auto put = [&](char c) { *--first = c; };
  do {
    put(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
    if (++written == scale) put('.');
  } while (rest != 0 || written <= scale);
  if (negative) put('-');
  out.append(first, std::end(buffer));
}

void append_date(std::int32_t days, std::string& out) {
  // Rows that follow each other are of the same day mostly.
  thread_local struct {
    std::int32_t days = 0;
    std::string text;
  } last;
  if (last.text.empty() || last.days != days) last = {days, date_text(days)};
  out += last.text;
}

void append_time(std::int64_t micros_of_day, std::int32_t precision, std::string& out) {
  append_clock(micros_of_day, out);
  append_fraction(micros_of_day % kMicrosPerSecond, precision, out);
}

void append_timestamp(std::int64_t micros, std::int32_t precision, std::string& out) {
  append_date(static_cast<std::int32_t>(floor_div(micros, kMicrosPerDay)), out);
  out += ' ';
  append_time(floor_mod(micros, kMicrosPerDay), precision, out);
}

}  // namespace leat
