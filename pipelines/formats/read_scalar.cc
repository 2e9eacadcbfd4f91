#include "pipelines/formats/read_scalar.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <charconv>
#include <cstring>
#include <limits>

#include "pipelines/base/time.h"

namespace leat::formats {
namespace {

constexpr int kMantissaDigits = 19;
/// Exponents are kept within this; what lies beyond is zero or infinite for every type.
constexpr std::int64_t kLargestExponent = 1'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Digits that go into the mantissa while there is room. `significant` counts from the first that is not
/// zero.
struct MantissaDigits {
  NumberParts& parts;
  int significant = 0;

  const char* take(const char* p, const char* end, std::int64_t exponent_step) {
    for (; p != end && is_digit(*p); ++p) {
      if (significant == kMantissaDigits) {
        parts.exact = parts.exact && *p == '0';
        parts.exponent += 1 - exponent_step;
        continue;
      }
      parts.mantissa = parts.mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
      significant += (parts.mantissa != 0) ? 1 : 0;
      parts.exponent -= exponent_step;
    }
    return p;
  }
};

/// [+-]digits; null when there is no digit. Far exponents stop at kLargestExponent.
const char* scan_exponent(const char* p, const char* end, std::int64_t& out) {
  bool negative = false;
  if (p != end && (*p == '+' || *p == '-')) negative = *p++ == '-';
  if (p == end || !is_digit(*p)) return nullptr;
  std::int64_t value = 0;
  for (; p != end && is_digit(*p); ++p)
    if (value < kLargestExponent) value = value * 10 + (*p - '0');
  out += negative ? -value : value;
  return p;
}

constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// The digits of a decimal text, and where its point stands among them after the exponent is applied.
struct DecimalDigits {
  std::string_view integer;
  std::string_view fraction;
  std::int64_t point = 0;  // Digits before the decimal point; may lie outside of the digits.
  bool negative = false;

  [[nodiscard]] std::int64_t size() const {
    return static_cast<std::int64_t>(integer.size() + fraction.size());
  }
  /// The index of the first digit that is not zero; size() for zero.
  [[nodiscard]] std::int64_t first_significant() const {
    std::int64_t first = 0;
    while (first < size() && at(first) == 0) ++first;
    return first;
  }
  /// The digit at `index`, 0 outside.
  [[nodiscard]] int at(std::int64_t index) const {
    if (index < 0 || index >= size()) return 0;
    const auto i = static_cast<std::size_t>(index);
    return (i < integer.size() ? integer[i] : fraction[i - integer.size()]) - '0';
  }
};

std::string_view take_digits(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

bool split_decimal(std::string_view text, DecimalDigits& out) {
  out.negative = text.starts_with('-');
  if (out.negative || text.starts_with('+')) text.remove_prefix(1);
  out.integer = take_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    out.fraction = take_digits(text);
  }
  if (out.size() == 0) return false;
  out.point = static_cast<std::int64_t>(out.integer.size());
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  const char* const end = text.data() + text.size();
  return scan_exponent(text.data() + 1, end, out.point) == end;
}

/// std::from_chars where overflow and underflow become what Java makes of them.
template <class Float>
std::optional<Float> read_floating(std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits == "NaN") return std::numeric_limits<Float>::quiet_NaN();
  constexpr Float kInfinity = std::numeric_limits<Float>::infinity();
  if (digits == "Infinity") return negative ? -kInfinity : kInfinity;
  if (digits.empty() || !(is_digit(digits.front()) || digits.front() == '.')) return std::nullopt;
  Float value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    DecimalDigits parts;
    value = split_decimal(digits, parts) && parts.first_significant() < parts.point ? kInfinity : Float{0};
  }
  return negative ? -value : value;
}

Int128 power_of_ten(std::int32_t exponent) {
  Int128 power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

/// Days since the epoch of a date of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible
/// low-level date algorithms", days_from_civil).
std::int32_t days_from_civil(int year, int month, int day) {
  const int y = year - (month <= 2 ? 1 : 0);
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month)];
}

/// Two digits at `p`, or a number of at least 100, which no field of a date or time accepts.
int two_digits(const char* p) {
  const int tens = p[0] - '0';
  const int ones = p[1] - '0';
  return (static_cast<unsigned>(tens) > 9 || static_cast<unsigned>(ones) > 9) ? 100 : tens * 10 + ones;
}

/// The values of eight characters of which those that are '0' in `pattern` must be digits, and the others
/// must be as they are there; false when they are not. All eight are judged at once.
bool read_pattern(const char* p, const char* pattern, std::array<std::uint8_t, 8>& values) {
  std::uint64_t text = 0;
  std::uint64_t expected = 0;
  std::memcpy(&text, p, sizeof text);
  std::memcpy(&expected, pattern, sizeof expected);
  const std::uint64_t difference = text ^ expected;
  std::memcpy(values.data(), &difference, sizeof difference);
  // A byte up to 9 stays below 0x80 when 0x76 is added.
  return (((difference + 0x7676767676767676ULL) | difference) & 0x8080808080808080ULL) == 0;
}

/// "hh:mm:ss" at `p` in seconds, or nothing.
std::optional<std::int64_t> seconds_of_day(const char* p) {
  std::array<std::uint8_t, 8> d{};
  if (!read_pattern(p, "00:00:00", d) || (d[2] | d[5]) != 0) return std::nullopt;
  const int hour = d[0] * 10 + d[1];
  const int minute = d[3] * 10 + d[4];
  const int second = d[6] * 10 + d[7];
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return hour * 3600 + minute * 60 + second;
}

/// ".123" as microseconds, cut to `precision` digits; "" is zero. Nine digits at most.
std::optional<std::int64_t> read_fraction(std::string_view text, std::int32_t precision) {
  constexpr std::array<std::int64_t, 7> kUnits = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  if (text.empty()) return 0;
  if (text.front() != '.' || text.size() > 10) return std::nullopt;
  text.remove_prefix(1);
  const std::size_t kept = std::min(text.size(), static_cast<std::size_t>(precision));
  std::int64_t value = 0;
  unsigned wrong = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = static_cast<unsigned>(text[i] - '0');
    wrong |= digit > 9 ? 1U : 0U;
    if (i < kept) value = value * 10 + digit;
  }
  if (wrong != 0) return std::nullopt;
  return value * kUnits[kept];
}

constexpr std::size_t kDateLength = 10;
constexpr std::size_t kTimeLength = 8;

std::int32_t base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// Of ten characters.
std::optional<std::int32_t> civil_date(std::string_view text) {
  std::array<std::uint8_t, 8> d{};
  if (!read_pattern(text.data(), "0000-00-", d) || (d[4] | d[7]) != 0) return std::nullopt;
  const int year = d[0] * 1000 + d[1] * 100 + d[2] * 10 + d[3];
  const int month = d[5] * 10 + d[6];
  const int day = two_digits(text.data() + 8);
  if (month < 1 || month > 12 || day < 1) return std::nullopt;
  if (day > 28 && day > days_in_month(year, month)) return std::nullopt;
  return days_from_civil(year, month, day);
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= 0x20) text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= 0x20) text.remove_suffix(1);
  return text;
}

const char* scan_number(const char* begin, const char* end, NumberParts& out) {
  const char* p = begin;
  out = NumberParts{};
  if (p != end && *p == '-') {
    out.negative = true;
    ++p;
  }
  if (p == end || !is_digit(*p)) return nullptr;
  MantissaDigits digits{out};
  p = *p == '0' ? p + 1 : digits.take(p, end, 0);
  if (p != end && *p == '.') {
    out.integral = false;
    const char* const fraction = p + 1;
    p = digits.take(fraction, end, 1);
    if (p == fraction) return nullptr;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    out.integral = false;
    p = scan_exponent(p + 1, end, out.exponent);
  }
  return p;
}

std::optional<std::int64_t> to_integer(const NumberParts& parts) {
  std::uint64_t magnitude = parts.mantissa;
  std::int64_t exponent = magnitude == 0 ? 0 : parts.exponent;
  if (exponent <= -20) magnitude = 0;
  if (exponent >= 20) return std::nullopt;
  for (; exponent < 0 && magnitude != 0; ++exponent) magnitude /= 10;
  for (; exponent > 0; --exponent)
    if (__builtin_mul_overflow(magnitude, std::uint64_t{10}, &magnitude)) return std::nullopt;
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > kLargest + (parts.negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(parts.negative ? 0 - magnitude : magnitude);
}

double to_double(const NumberParts& parts, std::string_view text) {
  // A mantissa and a power of ten that are both exact doubles give the nearest double in one operation
  // (W. D. Clinger, "How to read floating point numbers accurately", 1990): nearly all sensor data.
  constexpr std::uint64_t kExactIntegers = std::uint64_t{1} << 53;
  constexpr std::int64_t kExactPowers = 22;
  if (FLT_EVAL_METHOD == 0 && parts.exact && parts.mantissa <= kExactIntegers &&
      parts.exponent >= -kExactPowers && parts.exponent <= kExactPowers) {
    auto value = static_cast<double>(parts.mantissa);
    if (parts.exponent < 0)
      value /= kPowersOfTen[static_cast<std::size_t>(-parts.exponent)];
    else
      value *= kPowersOfTen[static_cast<std::size_t>(parts.exponent)];
    return parts.negative ? -value : value;
  }
  return read_floating<double>(text).value_or(0);
}

std::optional<std::int64_t> read_integer(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || error != std::errc()) return std::nullopt;
  return value;
}

std::optional<double> read_double(std::string_view text) {
  return read_floating<double>(text);
}

std::optional<float> read_float(std::string_view text) {
  return read_floating<float>(text);
}

DecimalReading read_decimal(std::string_view text, std::int32_t precision, std::int32_t scale, Int128& out) {
  DecimalDigits digits;
  if (!split_decimal(text, digits)) return DecimalReading::kNotANumber;
  const std::int64_t first = digits.first_significant();
  const std::int64_t end = digits.point + scale;  // Digits from here on are below the scale.
  out = 0;
  if (first == digits.size() || end < first) return DecimalReading::kExact;
  if (end - first > precision) return DecimalReading::kOverflow;
  for (std::int64_t i = first; i < end; ++i) out = out * 10 + digits.at(i);
  if (digits.at(end) >= 5) out += 1;
  if (out >= power_of_ten(precision)) return DecimalReading::kOverflow;
  if (digits.negative) out = -out;
  return DecimalReading::kExact;
}

std::optional<std::int32_t> read_date(std::string_view text) {
  if (text.size() != kDateLength) return std::nullopt;
  // Rows that follow each other are of the same day mostly.
  thread_local struct {
    std::array<char, kDateLength> text{'1', '9', '7', '0', '-', '0', '1', '-', '0', '1'};
    std::int32_t days = 0;
  } last;
  if (std::memcmp(text.data(), last.text.data(), kDateLength) == 0) return last.days;
  const auto days = civil_date(text);
  if (!days) return std::nullopt;
  text.copy(last.text.data(), kDateLength);
  last.days = *days;
  return days;
}

std::optional<std::int64_t> read_time(std::string_view text) {
  if (text.size() < kTimeLength) return std::nullopt;
  const auto seconds = seconds_of_day(text.data());
  if (!seconds || !read_fraction(text.substr(kTimeLength), 0)) return std::nullopt;
  return *seconds * kMicrosPerSecond;
}

std::optional<std::int64_t> read_timestamp(std::string_view text, TimestampSyntax syntax,
                                           std::int32_t precision) {
  if (syntax.suffix != '\0') {
    if (text.empty() || text.back() != syntax.suffix) return std::nullopt;
    text.remove_suffix(1);
  }
  if (text.size() < kDateLength + 6 || text[kDateLength] != syntax.separator) return std::nullopt;
  const auto days = read_date(text.substr(0, kDateLength));
  std::string_view time = text.substr(kDateLength + 1);
  char whole[kTimeLength + 1] = "00:00:00";
  if (time.size() == 5 && syntax.separator == 'T') {
    time.copy(whole, 5);
    time = {whole, kTimeLength};
  }
  if (!days || time.size() < kTimeLength) return std::nullopt;
  const auto seconds = seconds_of_day(time.data());
  const auto fraction = read_fraction(time.substr(kTimeLength), precision);
  if (!seconds || !fraction) return std::nullopt;
  return *days * kMicrosPerDay + *seconds * kMicrosPerSecond + *fraction;
}

bool read_base64(std::string_view text, std::string& out) {
  out.clear();
  if (text.size() % 4 != 0) return false;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pad = i >= text.size() - padding;
    const std::int32_t digit = pad ? 0 : base64_digit(text[i]);
    if (digit < 0) return false;
    group = (group << 6) | static_cast<std::uint32_t>(digit);
    if (i % 4 != 3) continue;
    for (const int shift : {16, 8, 0}) out.push_back(static_cast<char>((group >> shift) & 0xff));
    group = 0;
  }
  for (; padding > 0; --padding) out.pop_back();
  return true;
}

}  // namespace leat::formats
