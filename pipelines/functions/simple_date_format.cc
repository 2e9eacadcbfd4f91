#include "pipelines/functions/simple_date_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/functions/java_time_zone.h"
#include "pipelines/functions/lenient_calendar.h"
#include "pipelines/functions/time_units.h"

namespace leat::functions {
namespace {

constexpr std::string_view kLetters = "GyYMLwWDdFEuaHkKhmsSzZX";
constexpr std::int32_t kFirstTwoDigitYear = 1946;

Status check_part(const PatternPart& part, std::string_view pattern, SimpleDateFormat::Use use) {
  if (part.letter == 0) return {};
  if (kLetters.find(part.letter) == std::string_view::npos)
    return fail(ErrorCode::kInvalid,
                fmt::format("time format '{}' has the unknown letter {}", pattern, part.letter));
  if (part.letter == 'X' && part.count > 3)
    return fail(ErrorCode::kInvalid, fmt::format("time format '{}' has more than three X", pattern));
  if (part.letter == 'z' && part.count > 3 && use == SimpleDateFormat::Use::kPrint)
    return fail(
        ErrorCode::kInvalid,
        fmt::format("time format '{}' asks for the long name of a zone, which is not known here; z is "
                    "the short one",
                    pattern));
  return {};
}

// ---- Printing --------------------------------------------------------------------------------------------

// RFC 822's "+0130" (Z), or ISO 8601's "+01", "+0130", "+01:30" for one to three X, with Z for none.
void print_offset(const PatternPart& part, std::int64_t offset, std::string& out) {
  const bool iso = part.letter == 'X';
  if (iso && offset == 0) {
    out += 'Z';
    return;
  }
  const std::int64_t minutes = std::abs(offset / kMicrosPerMinute);
  out += offset < 0 ? '-' : '+';
  append_padded(minutes / 60, 2, out);
  if (iso && part.count == 1) return;
  if (iso && part.count == 3) out += ':';
  append_padded(minutes % 60, 2, out);
}

// Letters that print a number, with the number.
std::optional<std::int64_t> number_of(char letter, std::int64_t local) {
  const auto part = [&](TimeUnit unit) { return extract_part(unit, local); };
  const std::int64_t hour = floor_mod(local, kMicrosPerDay) / kMicrosPerHour;
  switch (letter) {
    case 'M':
    case 'L':
      return part(TimeUnit::kMonth);
    case 'w':
      return english_week(local).of_year;
    case 'W':
      return english_week(local).of_month;
    case 'D':
      return part(TimeUnit::kDayOfYear);
    case 'd':
      return part(TimeUnit::kDay);
    case 'F':
      return (part(TimeUnit::kDay) - 1) / 7 + 1;
    case 'u':
      return part(TimeUnit::kIsoDayOfWeek);
    case 'H':
      return hour;
    case 'k':
      return hour == 0 ? 24 : hour;
    case 'K':
      return hour % 12;
    case 'h':
      return hour % 12 == 0 ? 12 : hour % 12;
    case 'm':
      return floor_mod(local, kMicrosPerHour) / kMicrosPerMinute;
    case 's':
      return floor_mod(local, kMicrosPerMinute) / kMicrosPerSecond;
    case 'S':
      return floor_mod(local, kMicrosPerSecond) / kMicrosPerMilli;
    default:
      return std::nullopt;
  }
}

// Years before Christ count from 1 backwards.
void print_year(const PatternPart& part, std::int64_t local, std::string& out) {
  const std::int64_t year =
      part.letter == 'Y' ? english_week(local).year : extract_part(TimeUnit::kYear, local);
  const std::int64_t shown = year > 0 ? year : 1 - year;
  append_padded(part.count == 2 ? shown % 100 : shown, part.count, out);
}

bool print_name(const PatternPart& part, std::int64_t local, std::string& out) {
  const auto at = [&](TimeUnit unit) { return static_cast<std::size_t>(extract_part(unit, local) - 1); };
  switch (part.letter) {
    case 'G':
      out += extract_part(TimeUnit::kYear, local) > 0 ? "AD" : "BC";
      return true;
    case 'M':
    case 'L':
      if (part.count >= 3) out += name_of(kMonthNames[at(TimeUnit::kMonth)], part.count);
      return part.count >= 3;
    case 'E':
      out += name_of(kDayNames[at(TimeUnit::kDayOfWeek)], part.count);
      return true;
    case 'a':
      out += floor_mod(local, kMicrosPerDay) < 12 * kMicrosPerHour ? "AM" : "PM";
      return true;
    case 'y':
    case 'Y':
      print_year(part, local, out);
      return true;
    default:
      return false;
  }
}

// ---- Reading ---------------------------------------------------------------------------------------------

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Digits with a minus, as Java's number format reads them; `most` characters at most. Beyond 32 bits they
// wrap, beyond 18 digits they stop at the end, as Number.intValue does.
std::optional<std::int32_t> take_number(std::string_view& text, std::size_t most) {
  const bool minus = most > 0 && text.starts_with('-');
  std::size_t at = minus ? 1 : 0;
  std::int64_t value = 0;
  const std::size_t first = at;
  while (at < most && at < text.size() && is_digit(text[at])) {
    if (at - first < 18) value = value * 10 + (text[at] - '0');
    ++at;
  }
  if (at == first) return std::nullopt;
  const bool huge = at - first > 18;
  text.remove_prefix(at);
  if (huge)
    return minus ? std::numeric_limits<std::int32_t>::min() : std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(minus ? -value : value);
}

bool take_any_case(std::string_view& text, std::string_view expected) {
  if (text.size() < expected.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i)
    if ((text[i] & ~0x20) != (expected[i] & ~0x20)) return false;
  text.remove_prefix(expected.size());
  return true;
}

// The place of the name at the front, whole names before short ones whatever the pattern's count.
template <std::size_t n>
std::optional<std::int32_t> take_name(std::string_view& text, const std::array<std::string_view, n>& names) {
  for (const int count : {4, 3})
    for (std::size_t i = 0; i < n; ++i)
      if (take_any_case(text, name_of(names[i], count))) return static_cast<std::int32_t>(i);
  return std::nullopt;
}

std::optional<std::int64_t> take_two_digits(std::string_view& text) {
  if (text.size() < 2 || !is_digit(text[0]) || !is_digit(text[1])) return std::nullopt;
  const std::int64_t value = (text[0] - '0') * 10 + (text[1] - '0');
  text.remove_prefix(2);
  return value;
}

enum class Minutes : std::uint8_t { kNone, kPlain, kAfterColon };

// Behind the sign. Microseconds.
std::optional<std::int64_t> take_offset(std::string_view& text, Minutes minutes, bool one_digit_hour) {
  std::optional<std::int64_t> hour = take_two_digits(text);
  if (!hour && one_digit_hour && !text.empty() && is_digit(text[0])) {
    hour = text[0] - '0';
    text.remove_prefix(1);
  }
  if (!hour || *hour > 23) return std::nullopt;
  if (minutes == Minutes::kNone) return *hour * kMicrosPerHour;
  if (minutes == Minutes::kAfterColon && !take_any_case(text, ":")) return std::nullopt;
  const std::optional<std::int64_t> minute = take_two_digits(text);
  if (!minute || *minute > 59) return std::nullopt;
  return *hour * kMicrosPerHour + *minute * kMicrosPerMinute;
}

std::optional<int> take_sign(std::string_view& text) {
  if (!text.starts_with('+') && !text.starts_with('-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  return sign;
}

// zone := ("+"|"-") hhmm | "GMT" [ ("+"|"-") h[h] ":" mm ] | abbreviation
std::optional<std::int64_t> take_general_zone(std::string_view& text) {
  if (const std::optional<int> sign = take_sign(text)) {
    const std::optional<std::int64_t> offset = take_offset(text, Minutes::kPlain, false);
    return offset ? std::optional(*sign * *offset) : std::nullopt;
  }
  if (!take_any_case(text, "GMT")) return take_zone_abbreviation(text);
  const std::optional<int> sign = take_sign(text);
  if (!sign) return 0;
  const std::optional<std::int64_t> offset = take_offset(text, Minutes::kAfterColon, true);
  return offset ? std::optional(*sign * *offset) : std::nullopt;
}

// zone := "Z" | ("+"|"-") hh [ [":"] mm ], by the count of X.
std::optional<std::int64_t> take_iso_zone(std::string_view& text, int count) {
  if (text.starts_with('Z')) {
    text.remove_prefix(1);
    return 0;
  }
  const std::optional<int> sign = take_sign(text);
  if (!sign) return std::nullopt;
  static constexpr std::array kMinutes = {Minutes::kNone, Minutes::kPlain, Minutes::kAfterColon};
  const std::optional<std::int64_t> offset =
      take_offset(text, kMinutes[static_cast<std::size_t>(count - 1)], false);
  return offset ? std::optional(*sign * *offset) : std::nullopt;
}

// 00 to 99, if it is two digits where the pattern has one or two letters.
std::int32_t with_century(std::int32_t year) {
  const std::int32_t first = kFirstTwoDigitYear % 100;
  return year + kFirstTwoDigitYear - first + (year < first ? 100 : 0);
}

// Java's sum, which wraps around.
std::int32_t plus(std::int32_t value, std::int32_t step) {
  return static_cast<std::int32_t>(std::int64_t{value} + step);
}

// The field of a letter that reads a number, and the number as the calendar counts it.
std::optional<std::pair<CalendarField, std::int32_t>> field_of(char letter, std::int32_t value) {
  using enum CalendarField;
  switch (letter) {
    case 'y':
      return std::pair{kYear, value};
    case 'Y':
      return std::pair{kWeekYear, value};
    case 'M':
    case 'L':
      return std::pair{kMonth, plus(value, -1)};
    case 'w':
      return std::pair{kWeekOfYear, value};
    case 'W':
      return std::pair{kWeekOfMonth, value};
    case 'D':
      return std::pair{kDayOfYear, value};
    case 'd':
      return std::pair{kDay, value};
    case 'F':
      return std::pair{kDayOfWeekInMonth, value};
    case 'u':
      return std::pair{kDayOfWeek, value == 7 ? 1 : plus(value, 1)};
    case 'H':
      return std::pair{kHourOfDay, value};
    case 'k':
      return std::pair{kHourOfDay, value == 24 ? 0 : value};
    case 'K':
      return std::pair{kHour, value};
    case 'h':
      return std::pair{kHour, value == 12 ? 0 : value};
    case 'm':
      return std::pair{kMinute, value};
    case 's':
      return std::pair{kSecond, value};
    case 'S':
      return std::pair{kMilli, value};
    default:
      return std::nullopt;
  }
}

}  // namespace

struct SimpleDateFormat::Reading {
  LenientCalendar calendar;
  std::optional<std::int64_t> offset;  ///< From UTC, where the text names it; in microseconds.

  bool set(CalendarField field, std::optional<std::int32_t> value) {
    if (value) calendar.set(field, *value);
    return value.has_value();
  }
  bool set_offset(std::optional<std::int64_t> value) {
    if (value) offset = value;
    return value.has_value();
  }
};

Result<SimpleDateFormat> SimpleDateFormat::compile(std::string_view pattern, Use use) {
  SimpleDateFormat format;
  LEAT_ASSIGN(format.parts_, split_time_pattern(pattern));
  for (const PatternPart& part : format.parts_) LEAT_TRY(check_part(part, pattern, use));
  return format;
}

std::int64_t SimpleDateFormat::Clock::to_utc(std::int64_t local) {
  const std::int64_t earlier = clock_.to_utc(local);
  if (zone_.is_utc()) return earlier;
  // No zone has ever been set back by more.
  const std::int64_t behind = saturating_add(earlier, 3 * kMicrosPerHour);
  const std::int64_t later = local - (clock_.to_local(behind) - behind);
  return later > earlier && clock_.to_local(later) == local ? later : earlier;
}

void SimpleDateFormat::print(std::int64_t utc, Clock& clock, std::string& out) const {
  const std::int64_t local = clock.to_local(utc);
  for (const PatternPart& part : parts_) {
    if (part.letter == 0)
      out += part.literal;
    else if (part.letter == 'z')
      out += zone_abbreviation(clock.zone(), utc, local - utc);
    else if (part.letter == 'Z' || part.letter == 'X')
      print_offset(part, local - utc, out);
    else if (!print_name(part, local, out))
      append_padded(number_of(part.letter, local).value_or(0), part.count, out);
  }
}

bool SimpleDateFormat::abuts(std::size_t part) const {
  return part + 1 < parts_.size() && parts_[part + 1].letter != 0;
}

// Names and zones. Nothing: the part is a number.
std::optional<bool> SimpleDateFormat::read_word(const PatternPart& part, std::string_view& text,
                                                Reading& reading) {
  static constexpr std::array<std::string_view, 2> kEras = {"BC", "AD"};
  static constexpr std::array<std::string_view, 2> kHalves = {"AM", "PM"};
  switch (part.letter) {
    case 'G':
      return reading.set(CalendarField::kEra, take_name(text, kEras));
    case 'a':
      return reading.set(CalendarField::kAfternoon, take_name(text, kHalves));
    case 'E': {
      const std::optional<std::int32_t> weekday = take_name(text, kDayNames);
      return reading.set(CalendarField::kDayOfWeek, weekday ? std::optional(*weekday + 1) : std::nullopt);
    }
    case 'M':
    case 'L':
      if (part.count < 3) return std::nullopt;
      return reading.set(CalendarField::kMonth, take_name(text, kMonthNames));
    case 'z':
    case 'Z':
      return reading.set_offset(take_general_zone(text));
    case 'X':
      return reading.set_offset(take_iso_zone(text, part.count));
    default:
      return std::nullopt;
  }
}

bool SimpleDateFormat::read(const PatternPart& part, bool abutting, std::string_view& text,
                            Reading& reading) {
  const std::string_view whole = text;
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  if (text.empty()) return false;
  if (const std::optional<bool> word = read_word(part, text, reading)) return *word;
  // The blanks before it are part of an abutting number's width.
  const auto count = static_cast<std::size_t>(part.count);
  if (abutting && whole.size() < count) return false;
  const std::size_t blanks = whole.size() - text.size();
  const std::string_view number = text;
  std::optional<std::int32_t> value =
      take_number(text, abutting ? count - std::min(count, blanks) : whole.size());
  if (!value) return false;
  const bool year = part.letter == 'y' || part.letter == 'Y';
  if (year && part.count <= 2 && number.size() - text.size() == 2 && is_digit(number[0]))
    value = with_century(*value);
  const std::optional<std::pair<CalendarField, std::int32_t>> field = field_of(part.letter, *value);
  return field && reading.set(field->first, field->second);
}

std::optional<std::int64_t> SimpleDateFormat::parse(std::string_view text, Clock& clock) const {
  Reading reading;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const PatternPart& part = parts_[i];
    if (part.letter != 0) {
      if (!read(part, abuts(i), text, reading)) return std::nullopt;
      continue;
    }
    if (!text.starts_with(part.literal)) return std::nullopt;
    text.remove_prefix(part.literal.size());
  }
  const std::optional<std::int64_t> local = reading.calendar.micros();
  if (!local) return std::nullopt;
  return reading.offset ? *local - *reading.offset : clock.to_utc(*local);
}

}  // namespace leat::functions
