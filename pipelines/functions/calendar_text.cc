#include "pipelines/functions/calendar_text.h"

#include <fmt/format.h>

#include <iterator>

#include "pipelines/functions/time_units.h"

namespace leat::functions {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Reads from the quote at `at` to behind its end.
Result<std::string> take_quoted(std::string_view pattern, std::size_t& at) {
  std::string text;
  for (++at; at < pattern.size(); ++at) {
    if (pattern[at] == '\'') {
      const bool doubled = at + 1 < pattern.size() && pattern[at + 1] == '\'';
      if (!doubled) return ++at, text;
      ++at;
    }
    text += pattern[at];
  }
  return fail(ErrorCode::kInvalid, fmt::format("quote without end in time format '{}'", pattern));
}

}  // namespace

Result<std::vector<PatternPart>> split_time_pattern(std::string_view pattern) {
  std::vector<PatternPart> parts;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (pattern.substr(i).starts_with("''")) {
      parts.push_back({.literal = "'", .quoted = true});
      i += 2;
    } else if (c == '\'') {
      LEAT_ASSIGN(std::string text, take_quoted(pattern, i));
      parts.push_back({.literal = std::move(text), .quoted = true});
    } else if (is_letter(c)) {
      std::size_t end = i + 1;
      while (end < pattern.size() && pattern[end] == c) ++end;
      parts.push_back({.letter = c, .count = static_cast<int>(end - i), .literal = {}});
      i = end;
    } else {
      parts.push_back({.literal = std::string(1, c)});
      ++i;
    }
  }
  return parts;
}

std::string_view name_of(std::string_view name, int count) {
  return count >= 4 ? name : name.substr(0, 3);
}

void append_padded(std::int64_t value, int width, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:0{}}", value, width);
}

EnglishWeek english_week(std::int64_t micros) {
  const auto part = [&](TimeUnit unit) { return extract_part(unit, micros); };
  const std::int64_t weekday = part(TimeUnit::kDayOfWeek);  // Sunday: 1.
  const auto week_of = [&](std::int64_t day) { return (day - weekday + 13) / 7; };
  const std::int64_t year = part(TimeUnit::kYear);
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  const bool next_year = part(TimeUnit::kDayOfYear) + 7 - weekday > (leap ? 366 : 365);
  return {.year = year + (next_year ? 1 : 0),
          .of_year = next_year ? 1 : week_of(part(TimeUnit::kDayOfYear)),
          .of_month = week_of(part(TimeUnit::kDay))};
}

}  // namespace leat::functions
