#include "pipelines/functions/zone_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "pipelines/column/zone.h"
#include "pipelines/functions/java_time_zone.h"

namespace leat::functions {
namespace {

enum class Part : std::uint8_t { kNone, kOptional, kRequired };

// offset := ("+"|"-") hour [ [":"] mm ] [ [":"] ss ], up to 18 hours.
struct OffsetForm {
  Part minutes = Part::kRequired;
  Part seconds = Part::kNone;
  bool colons = false;
  std::size_t least_hour_digits = 2;
};

constexpr OffsetForm kIdForm = {.seconds = Part::kOptional, .colons = true};
constexpr OffsetForm kShortForm = {
    .minutes = Part::kOptional, .seconds = Part::kOptional, .colons = true, .least_hour_digits = 1};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<int> take_number(std::string_view& text, std::size_t least) {
  std::size_t size = 0;
  int value = 0;
  while (size < 2 && size < text.size() && is_digit(text[size])) value = value * 10 + (text[size++] - '0');
  if (size < least) return std::nullopt;
  text.remove_prefix(size);
  return value;
}

// Minutes or seconds; nothing: they are wrong, or missing where they must not be.
std::optional<int> take_sixtieth(std::string_view& text, Part part, bool colon) {
  if (part == Part::kNone) return 0;
  std::string_view rest = text;
  const bool begun = !colon || take(rest, ":");
  const std::optional<int> value = begun ? take_number(rest, 2) : std::nullopt;
  if (!value) return part == Part::kOptional ? std::optional(0) : std::nullopt;
  text = rest;
  return *value <= 59 ? value : std::nullopt;
}

bool take_offset(std::string_view& text, const OffsetForm& form) {
  if (!take(text, "+") && !take(text, "-")) return false;
  const std::optional<int> hours = take_number(text, form.least_hour_digits);
  const std::optional<int> minutes = take_sixtieth(text, form.minutes, form.colons);
  const std::optional<int> seconds = take_sixtieth(text, form.seconds, form.colons);
  return hours && minutes && seconds && (*hours * 60 + *minutes) * 60 + *seconds <= 18 * 3600;
}

// By the count of X or x; a Z of ZZZZZ is as XXXXX.
bool take_iso_offset(std::string_view& text, int count) {
  static constexpr std::array<OffsetForm, 5> kForms = {{
      {.minutes = Part::kOptional},
      {},
      {.colons = true},
      {.seconds = Part::kOptional},
      {.seconds = Part::kOptional, .colons = true},
  }};
  return take_offset(text, kForms[static_cast<std::size_t>(count - 1)]);
}

bool take_gmt_offset(std::string_view& text, const OffsetForm& form) {
  if (!take(text, "GMT")) return false;
  return (!text.starts_with('+') && !text.starts_with('-')) || take_offset(text, form);
}

// The front of the text that may be a name like Etc/GMT+5.
std::string_view name_at_front(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           std::string_view("/_+-").find(c) != std::string_view::npos;
  });
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

// Java has EST as an offset for its old classes alone, and Etc/GMT+5 not for z.
bool is_region(std::string_view name, char letter) {
  if (letter == 'z' && name.starts_with("Etc/GMT") && name != "Etc/GMT") return false;
  return !name.empty() && !is_digit(name[0]) && name != "EST" && name != "MST" && name != "HST" &&
         Zone::find(name).has_value();
}

// In upper case only, unlike in SimpleDateFormat.
bool take_abbreviation(std::string_view& text) {
  std::string_view rest = text;
  if (!take_zone_abbreviation(rest)) return false;
  const std::string_view name = text.substr(0, text.size() - rest.size());
  if (!std::ranges::all_of(name, [](char c) { return c >= 'A' && c <= 'Z'; })) return false;
  text = rest;
  return true;
}

// zone := offset | ( "UTC" | "GMT" | "UT" ) [ offset ] | name | "Z"
bool take_zone(std::string_view& text, char letter) {
  if (text.starts_with('+') || text.starts_with('-')) return take_offset(text, kIdForm);
  for (const std::string_view prefix : {"UTC", "GMT0", "GMT", "UT"}) {
    if (!take(text, prefix)) continue;
    std::string_view rest = text;
    if (take_offset(rest, kIdForm)) text = rest;
    return true;
  }
  const std::string_view name = name_at_front(text);
  if (name != "Z" && is_region(name, letter)) return take(text, name);
  return (letter == 'z' && take_abbreviation(text)) || take(text, "Z");
}

}  // namespace

bool is_zone_pattern(char letter, int count) {
  switch (letter) {
    case 'X':
    case 'x':
    case 'Z':
      return count <= 5;
    case 'z':
      return count <= 3;
    case 'V':
      return count == 2;
    case 'O':
      return count == 1 || count == 4;
    default:
      return false;
  }
}

bool skip_zone(std::string_view& text, char letter, int count) {
  switch (letter) {
    case 'X':
      return take(text, "Z") || take_iso_offset(text, count);
    case 'x':
      return take_iso_offset(text, count);
    case 'Z':
      if (count == 5) return take(text, "Z") || take_iso_offset(text, count);
      return count == 4 ? take_gmt_offset(text, kIdForm) : take_iso_offset(text, 2);
    case 'O':
      return take_gmt_offset(text, count == 4 ? kIdForm : kShortForm);
    default:
      return take_zone(text, letter);
  }
}

}  // namespace leat::functions
