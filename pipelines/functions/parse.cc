#include "pipelines/functions/parse.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "pipelines/base/time.h"

namespace leat::functions {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_digit);
}

// min to max digits from the front.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t min, std::size_t max) {
  std::size_t count = 0;
  unsigned value = 0;
  while (count < max && count < text.size() && is_digit(text[count]))
    value = value * 10 + static_cast<unsigned>(text[count++] - '0');
  if (count < min) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// Digits behind the point as microseconds; all of `text` must be at most nine digits.
std::optional<std::int64_t> fraction_micros(std::string_view text) {
  if (text.size() > 9 || !all_digits(text)) return std::nullopt;
  std::int64_t micros = 0;
  for (std::size_t i = 0; i < 6; ++i) micros = micros * 10 + (i < text.size() ? text[i] - '0' : 0);
  return micros;
}

std::optional<std::int64_t> clock_micros(unsigned hour, unsigned minute, unsigned second,
                                         std::int64_t fraction) {
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::int64_t{(hour * 60 + minute) * 60 + second} * kMicrosPerSecond + fraction;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

std::optional<double> special_double(std::string_view text) {
  double sign = 1;
  if (text.starts_with('+') || text.starts_with('-')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return sign * std::numeric_limits<double>::infinity();
  return std::nullopt;
}

// A part of a date or an offset: a whole number, blanks around it allowed.
std::optional<unsigned> whole_number(std::string_view text) {
  text = trimmed(text);
  const std::optional<unsigned> value = take_digits(text, 1, 9);
  return text.empty() ? value : std::nullopt;
}

// "24:00:00", the end of a day.
std::optional<std::int64_t> parse_midnight(std::string_view text) {
  const std::optional<std::int64_t> rest = parse_time(std::string("00").append(text.substr(2)));
  return rest == 0 ? std::optional(kMicrosPerDay) : std::nullopt;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  std::int64_t value = 0;
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const bool no_digits = whole.empty() || whole == "-" || whole == "+";
  if (no_digits) {
    if (point == std::string_view::npos) return std::nullopt;
  } else {
    const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
    if (error != std::errc() || end != whole.data() + whole.size()) return std::nullopt;
  }
  if (point != std::string_view::npos && !all_digits(text.substr(point + 1))) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  if (const std::optional<double> special = special_double(text)) return special;
  if (text.starts_with('+') && text.size() > 1 && (is_digit(text[1]) || text[1] == '.'))
    text.remove_prefix(1);
  if (text.size() > 1 && std::string_view("dDfF").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  // from_chars takes "inf" and "nan"; Java does not.
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  if (first >= text.size() || (!is_digit(text[first]) && text[first] != '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(text).c_str(), nullptr);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<bool> parse_boolean(std::string_view text) {
  for (const std::string_view name : {"t", "true", "y", "yes", "1"})
    if (equal_ignoring_case(text, name)) return true;
  for (const std::string_view name : {"f", "false", "n", "no", "0"})
    if (equal_ignoring_case(text, name)) return false;
  return std::nullopt;
}

std::optional<std::int32_t> parse_date(std::string_view text) {
  if (const std::size_t blank = text.find(' '); blank != 0 && blank != std::string_view::npos)
    text = text.substr(0, blank);
  const std::size_t first = text.find('-');
  const std::optional<unsigned> year = whole_number(text.substr(0, first));
  unsigned month = 1;
  unsigned day = 1;
  if (first != std::string_view::npos) {
    const std::string_view rest = text.substr(first + 1);
    const std::size_t second = rest.find('-');
    month = whole_number(rest.substr(0, second)).value_or(0);
    if (second != std::string_view::npos) day = whole_number(rest.substr(second + 1)).value_or(0);
  }
  return year && *year <= 9999 ? days_from_civil(*year, month, day) : std::nullopt;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  const std::optional<unsigned> hour = take_digits(text, 1, 2);
  unsigned minute = 0;
  unsigned second = 0;
  std::int64_t fraction = 0;
  if (take(text, ':')) {
    minute = take_digits(text, 1, 2).value_or(60);
    if (take(text, ':')) {
      second = take_digits(text, 1, 2).value_or(60);
      if (take(text, '.')) {
        fraction = fraction_micros(text).value_or(-1);
        text = {};
      }
    }
  }
  if (!hour || !text.empty() || fraction < 0) return std::nullopt;
  return clock_micros(*hour, minute, second, fraction);
}

std::optional<std::int64_t> parse_time_and_offset(std::string_view text) {
  const std::size_t sign = text.find_first_of("+-");
  const std::string_view clock = text.substr(0, sign);
  const std::optional<std::int64_t> time = parse_time(trimmed(clock));
  if (!time || sign == std::string_view::npos) return time;
  const std::string_view rest = text.substr(sign + 1);
  const std::size_t colon = rest.find(':');
  const bool with_minutes = colon != std::string_view::npos;
  const std::optional<unsigned> hours = whole_number(rest.substr(0, colon));
  const std::optional<unsigned> minutes = with_minutes ? whole_number(rest.substr(colon + 1)) : 0;
  // To Flink the second colon of all stands before the seconds.
  const bool with_seconds = std::count(clock.begin(), clock.end(), ':') == 2;
  if (!hours || !minutes || (with_minutes && !with_seconds)) return std::nullopt;
  const std::int64_t offset = *hours * kMicrosPerHour + *minutes * kMicrosPerMinute;
  const std::int64_t sum = text[sign] == '-' ? *time - offset : *time + offset;
  return sum >= 0 && sum < kMicrosPerDay ? std::optional(sum) : std::nullopt;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  const std::optional<unsigned> year = take_digits(text, 4, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const std::optional<unsigned> month = take_digits(text, 1, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const std::optional<unsigned> day = take_digits(text, 1, 2);
  if (!day) return std::nullopt;
  const std::optional<std::int32_t> days = days_from_civil_smart(*year, *month, *day);
  if (!days) return std::nullopt;
  std::int64_t time = 0;
  if (!text.empty()) {
    // All three of hour, minute and second.
    if (!take(text, ' ') || std::count(text.begin(), text.end(), ':') != 2) return std::nullopt;
    const std::optional<std::int64_t> clock =
        text.starts_with("24:") ? parse_midnight(text) : parse_time(text);
    if (!clock) return std::nullopt;
    time = *clock;
  }
  return std::int64_t{*days} * kMicrosPerDay + time;
}

std::optional<std::int32_t> days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  // The range of std::chrono::year; microseconds in int64 reach 292,000 years anyway.
  if (year < -32767 || year > 32767) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (month > 12 || day > 31 || !date.ok()) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::optional<std::int32_t> days_from_civil_smart(std::int64_t year, unsigned month, unsigned day) {
  if (day > 28 && day <= 31) {
    for (unsigned last = day; last >= 28; --last)
      if (const std::optional<std::int32_t> days = days_from_civil(year, month, last)) return days;
    return std::nullopt;
  }
  return days_from_civil(year, month, day);
}

}  // namespace leat::functions
