// Text → values, for formats that spell scalars as text (JSON strings and numbers, CSV fields). Pure
// functions, free of locale and of allocation. The accepted spellings are those of Flink's JSON and CSV
// formats, which are Java's: what is said here "as Java" means Integer.parseInt, Double.parseDouble,
// BigDecimal and so on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipelines/column/value.h"

namespace leat::formats {

/// Without the leading and trailing bytes up to 0x20, as Java's String.trim.
std::string_view trim(std::string_view text);

/// A decimal number taken apart: value = ±mantissa · 10^exponent, plus digits beyond the mantissa's 19.
struct NumberParts {
  std::uint64_t mantissa = 0;  ///< The first 19 significant digits.
  std::int64_t exponent = 0;
  bool negative = false;
  bool integral = true;  ///< Written without point and exponent.
  bool exact = true;     ///< No digit beyond the mantissa.
};

/// Scans a number by the grammar of JSON (RFC 8259, section 6) at `begin`. Returns the first byte behind it,
/// or null when there is none.
const char* scan_number(const char* begin, const char* end, NumberParts& out);

/// The number cut to its integer part; nothing when it does not fit.
std::optional<std::int64_t> to_integer(const NumberParts& parts);
/// The nearest double; infinite when too large, as in Java. `text` is what `parts` was scanned from.
double to_double(const NumberParts& parts, std::string_view text);

/// [+-]digits, as Java's Long.parseLong; nothing when malformed or out of range.
std::optional<std::int64_t> read_integer(std::string_view text);
/// As Java's Double.parseDouble without its suffixes and hexadecimal form: "1", "+.5e3", "NaN", "-Infinity".
std::optional<double> read_double(std::string_view text);
/// Nearest as Java's Float.parseFloat: rounded once, not by way of double.
std::optional<float> read_float(std::string_view text);

enum class DecimalReading : std::uint8_t {
  kExact,      ///< `out` holds the value, rounded half up to the scale.
  kOverflow,   ///< A number with more integer digits than the type has; Flink makes it NULL.
  kNotANumber  ///< Not a number.
};
/// [+-]digits[.digits][e[+-]digits], as Java's BigDecimal; exact whatever the number of digits.
DecimalReading read_decimal(std::string_view text, std::int32_t precision, std::int32_t scale, Int128& out);

/// "2020-01-31" as days since the epoch.
std::optional<std::int32_t> read_date(std::string_view text);
/// "12:34:56" and up to nine fraction digits, which are dropped as in Flink; microseconds of the day.
std::optional<std::int64_t> read_time(std::string_view text);

/// How a timestamp is spelt.
struct TimestampSyntax {
  char separator = ' ';  ///< Between date and time; 'T' also makes the seconds optional, as ISO-8601 does.
  char suffix = '\0';    ///< 'Z' must stand at the end; '\0': nothing.
};
enum class TimestampStandard : std::uint8_t {
  kSql,  ///< 2020-01-31 12:34:56.123
  kIso,  ///< 2020-01-31T12:34:56.123
};

/// TIMESTAMP_LTZ is written in UTC with a Z at its end.
enum class Zone : std::uint8_t { kNone, kUtc };
constexpr TimestampSyntax timestamp_syntax(TimestampStandard standard, Zone zone) {
  return {standard == TimestampStandard::kSql ? ' ' : 'T', zone == Zone::kUtc ? 'Z' : '\0'};
}

/// "2020-01-31 12:34:56" and up to nine fraction digits, cut to `precision` (at most 6); microseconds.
std::optional<std::int64_t> read_timestamp(std::string_view text, TimestampSyntax syntax,
                                           std::int32_t precision);

/// RFC 4648, section 4, padding required; `out` is replaced. False when malformed.
bool read_base64(std::string_view text, std::string& out);

}  // namespace leat::formats
