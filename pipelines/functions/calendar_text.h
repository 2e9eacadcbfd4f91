// What Java's two kinds of time patterns share: how a pattern falls into letters and literal text, English
// names, and the weeks of the English locale (from Sunday; the first of a year or month has its first day).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::functions {

inline constexpr std::array<std::string_view, 12> kMonthNames = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
inline constexpr std::array<std::string_view, 7> kDayNames = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                              "Thursday", "Friday", "Saturday"};

/// A run of one letter, or literal text.
struct PatternPart {
  char letter = 0;  ///< 0: `literal`.
  int count = 0;
  std::string literal;
  bool quoted = false;  ///< The literal stood in quotes; else it is one character.
};
/// Two quotes are one, inside quotes and outside. Errors: invalid, a quote without end.
Result<std::vector<PatternPart>> split_time_pattern(std::string_view pattern);

/// MMM, EEE: three letters; MMMM, EEEE: the whole name.
std::string_view name_of(std::string_view name, int count);
/// A number with zeros in front.
void append_padded(std::int64_t value, int width, std::string& out);

struct EnglishWeek {
  std::int64_t year;  ///< The next one in the week that has its January 1.
  std::int64_t of_year;
  std::int64_t of_month;
};
/// Of a wall clock.
EnglishWeek english_week(std::int64_t micros);

}  // namespace leat::functions
