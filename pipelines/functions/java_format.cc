#include "pipelines/functions/java_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/functions/calendar_text.h"
#include "pipelines/functions/parse.h"
#include "pipelines/functions/time_units.h"
#include "pipelines/functions/zone_text.h"

namespace leat::functions {
namespace {

constexpr std::string_view kLetters = "yuMLdDHkKhmsSaE";
constexpr std::string_view kPrintedLetters = "GQqYwWecFAnN";
constexpr std::array<std::string_view, 4> kQuarters = {"1st", "2nd", "3rd", "4th"};

bool is_number(char letter, int count) {
  constexpr std::string_view kWords = "aEGXxZzVO";
  return kWords.find(letter) == std::string_view::npos && !((letter == 'M' || letter == 'L') && count >= 3);
}

bool is_known(char letter, int count, JavaFormat::Use use) {
  if (kLetters.find(letter) != std::string_view::npos) return true;
  if (use == JavaFormat::Use::kPrint) return kPrintedLetters.find(letter) != std::string_view::npos;
  return (letter == 'G' && count <= 5) || is_zone_pattern(letter, count);
}

// Five letters: the first one of the name.
std::string_view printed_name(std::string_view name, int count) {
  return count == 5 ? name.substr(0, 1) : name_of(name, count);
}

// Of a letter that is only not known so often: all of it.
tl::unexpected<Error> unknown_letter(std::string_view pattern, const PatternPart& part, JavaFormat::Use use) {
  const int shown = is_known(part.letter, 1, use) ? part.count : 1;
  return fail(ErrorCode::kInvalid, fmt::format("time format '{}' has the unknown letter {}", pattern,
                                               std::string(static_cast<std::size_t>(shown), part.letter)));
}

// Before Christ there are no timestamps.
bool take_era(std::string_view& text, int count) {
  const std::string_view era = count == 4 ? "Anno Domini" : count == 5 ? "A" : "AD";
  if (!text.starts_with(era)) return false;
  text.remove_prefix(era.size());
  return true;
}

void print_quarter(std::int64_t quarter, int count, std::string& out) {
  if (count <= 2) return append_padded(quarter, count, out);
  if (count == 4)
    out += fmt::format("{} quarter", kQuarters[static_cast<std::size_t>(quarter - 1)]);
  else
    out += fmt::format("{}{}", count == 3 ? "Q" : "", quarter);
}

std::optional<std::int64_t> digits(std::string_view& text, std::size_t min, std::size_t max) {
  std::size_t count = 0;
  std::int64_t value = 0;
  while (count < max && count < text.size() && text[count] >= '0' && text[count] <= '9')
    value = value * 10 + (text[count++] - '0');
  if (count < min) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool take_text(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

template <std::size_t n>
std::optional<std::int64_t> take_name(std::string_view& text, const std::array<std::string_view, n>& names,
                                      int count) {
  for (std::size_t i = 0; i < n; ++i)
    if (take_text(text, name_of(names[i], count))) return static_cast<std::int64_t>(i);
  return std::nullopt;
}

}  // namespace

struct JavaFormat::Fields {
  std::int64_t year = 1970;
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::optional<std::int64_t> day_of_year;
  std::int64_t hour = 0;
  bool half_day = false;  // `hour` is that of a clock face.
  bool afternoon = false;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t fraction = 0;
};

Result<JavaFormat> JavaFormat::compile(std::string_view pattern, Use use) {
  JavaFormat format;
  bool optional = false;
  LEAT_ASSIGN(std::vector<PatternPart> parts, split_time_pattern(pattern));
  for (PatternPart& part : parts) {
    if (!part.quoted && (part.literal == "[" || part.literal == "]")) {
      optional = part.literal == "[";
      continue;
    }
    if (part.letter != 0 && !is_known(part.letter, part.count, use))
      return unknown_letter(pattern, part, use);
    if (part.letter == 'F' && part.count > 1)
      return fail(ErrorCode::kInvalid, fmt::format("time format '{}' has more than one F", pattern));
    format.items_.push_back({part.letter, part.count, std::move(part.literal), false, optional});
  }
  format.mark_adjacent();
  return format;
}

void JavaFormat::mark_adjacent() {
  for (std::size_t i = 0; i + 1 < items_.size(); ++i) {
    const Item& next = items_[i + 1];
    items_[i].adjacent = items_[i].letter != 0 && next.letter != 0 && is_number(next.letter, next.count);
  }
}

void JavaFormat::print(std::int64_t micros, std::string& out) const {
  for (const Item& item : items_) {
    if (item.letter == 0)
      out += item.literal;
    else
      print_item(item, micros, out);
  }
}

void JavaFormat::print_item(const Item& item, std::int64_t micros, std::string& out) {
  if (print_date(item, micros, out) || print_time(item, micros, out)) return;
  print_week(item, micros, out);
}

bool JavaFormat::print_date(const Item& item, std::int64_t micros, std::string& out) {
  const auto part = [&](TimeUnit unit) { return extract_part(unit, micros); };
  switch (item.letter) {
    case 'G':
      out += item.count == 4 ? "Anno Domini" : item.count == 5 ? "A" : "AD";
      return true;
    case 'y':
    case 'u':
      append_padded(item.count == 2 ? floor_mod(part(TimeUnit::kYear), 100) : part(TimeUnit::kYear),
                    item.count, out);
      return true;
    case 'Q':
    case 'q':
      print_quarter(part(TimeUnit::kQuarter), item.count, out);
      return true;
    case 'M':
    case 'L':
      if (item.count >= 3)
        out += printed_name(kMonthNames[static_cast<std::size_t>(part(TimeUnit::kMonth) - 1)], item.count);
      else
        append_padded(part(TimeUnit::kMonth), item.count, out);
      return true;
    case 'd':
      append_padded(part(TimeUnit::kDay), item.count, out);
      return true;
    case 'D':
      append_padded(part(TimeUnit::kDayOfYear), item.count, out);
      return true;
    default:
      return false;
  }
}

bool JavaFormat::print_time(const Item& item, std::int64_t micros, std::string& out) {
  const std::int64_t of_day = floor_mod(micros, kMicrosPerDay);
  const std::int64_t hour = of_day / kMicrosPerHour;
  const auto padded = [&](std::int64_t value) { return append_padded(value, item.count, out), true; };
  switch (item.letter) {
    case 'H':
      return padded(hour);
    case 'k':
      return padded(hour == 0 ? 24 : hour);
    case 'K':
      return padded(hour % 12);
    case 'h':
      return padded(hour % 12 == 0 ? 12 : hour % 12);
    case 'm':
      return padded(of_day / kMicrosPerMinute % 60);
    case 's':
      return padded(of_day / kMicrosPerSecond % 60);
    case 'A':
      return padded(of_day / 1000);
    case 'n':
      return padded(of_day % kMicrosPerSecond * 1000);
    case 'N':
      return padded(of_day * 1000);
    case 'S': {
      std::string fraction = fmt::format("{:06}000", of_day % kMicrosPerSecond);
      fraction.resize(static_cast<std::size_t>(std::max(item.count, 0)), '0');
      out += fraction;
      return true;
    }
    case 'a':
      out += hour < 12 ? "AM" : "PM";
      return true;
    default:
      return false;
  }
}

bool JavaFormat::print_week(const Item& item, std::int64_t micros, std::string& out) {
  const std::int64_t weekday = extract_part(TimeUnit::kDayOfWeek, micros);  // Sunday: 1.
  const EnglishWeek week = english_week(micros);
  switch (item.letter) {
    case 'Y':
      return append_padded(item.count == 2 ? floor_mod(week.year, 100) : week.year, item.count, out), true;
    case 'w':
      return append_padded(week.of_year, item.count, out), true;
    case 'W':
      return append_padded(week.of_month, item.count, out), true;
    case 'F':
      // The day within stretches of seven from the first of the month; Java before 19 means that.
      return append_padded((extract_part(TimeUnit::kDay, micros) - 1) % 7 + 1, 1, out), true;
    default:
      break;
  }
  if (item.letter != 'E' && item.count <= 2) return append_padded(weekday, item.count, out), true;
  out += printed_name(kDayNames[static_cast<std::size_t>(weekday - 1)], item.count);
  return true;
}

bool JavaFormat::read(const Item& item, std::string_view& text, Fields& fields) {
  if (item.letter == 0) return take_text(text, item.literal);
  const auto count = static_cast<std::size_t>(item.count);
  if (item.letter == 'a') {
    fields.afternoon = text.starts_with("PM") || text.starts_with("pm");
    return take_text(text, "AM") || take_text(text, "PM") || take_text(text, "am") || take_text(text, "pm");
  }
  if (item.letter == 'E') return take_name(text, kDayNames, item.count).has_value();
  if (item.letter == 'G') return take_era(text, item.count);
  if (is_zone_pattern(item.letter, item.count)) return skip_zone(text, item.letter, item.count);
  if (!is_number(item.letter, item.count)) {
    const std::optional<std::int64_t> month = take_name(text, kMonthNames, item.count);
    fields.month = month.value_or(-1) + 1;
    return month.has_value();
  }
  // One letter takes as many digits as there are; more are an exact width, but for the year's upper bound.
  const bool year = item.letter == 'y' || item.letter == 'u';
  const std::size_t most = item.adjacent || (count > 1 && !(year && count >= 4)) ? count : std::size_t{9};
  const std::string_view before = text;
  const std::optional<std::int64_t> value = digits(text, count, most);
  if (!value) return false;
  switch (item.letter) {
    case 'M':
    case 'L':
      fields.month = *value;
      break;
    case 'd':
      fields.day = *value;
      break;
    case 'D':
      fields.day_of_year = *value;
      break;
    case 'H':
      fields.hour = *value;
      break;
    case 'k':
      fields.hour = *value % 24;
      break;
    case 'h':
    case 'K':
      fields.hour = *value % 12;
      fields.half_day = true;
      break;
    case 'm':
      fields.minute = *value;
      break;
    case 's':
      fields.second = *value;
      break;
    case 'S': {
      std::string fraction(before.substr(0, before.size() - text.size()));
      fraction.resize(6, '0');
      std::string_view six = fraction;
      fields.fraction = digits(six, 6, 6).value_or(0);
      break;
    }
    default:
      fields.year = count == 2 ? 2000 + *value : *value;
  }
  return true;
}

std::optional<std::int64_t> JavaFormat::parse(std::string_view text) const {
  Fields fields;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const std::string_view before = text;
    if (read(items_[i], text, fields)) continue;
    if (!items_[i].optional) return std::nullopt;
    // The rest of the optional part goes with it.
    text = before;
    while (i + 1 < items_.size() && items_[i + 1].optional) ++i;
  }
  if (fields.half_day && fields.afternoon) fields.hour += 12;
  // 24:00 is the begin of the next day.
  const bool midnight = fields.hour == 24 && !fields.half_day && fields.minute == 0 && fields.second == 0 &&
                        fields.fraction == 0;
  if (!text.empty() || fields.hour > (midnight ? 24 : 23) || fields.minute > 59 || fields.second > 59)
    return std::nullopt;
  if (fields.month < 1 || fields.month > 12 || fields.day < 1 || fields.day > 31) return std::nullopt;
  std::optional<std::int32_t> day = days_from_civil_smart(fields.year, static_cast<unsigned>(fields.month),
                                                          static_cast<unsigned>(fields.day));
  if (fields.day_of_year && day)
    day = *days_from_civil_smart(fields.year, 1, 1) + static_cast<std::int32_t>(*fields.day_of_year) - 1;
  if (!day) return std::nullopt;
  return *day * kMicrosPerDay + fields.hour * kMicrosPerHour + fields.minute * kMicrosPerMinute +
         fields.second * kMicrosPerSecond + fields.fraction;
}

}  // namespace leat::functions
