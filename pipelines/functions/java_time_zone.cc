#include "pipelines/functions/java_time_zone.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "pipelines/base/time.h"

namespace leat::functions {
namespace {

struct OldName {
  std::string_view id;
  std::string_view zone;
};

// Those of the JDK that are no names of IANA's, or have another meaning there. EST, MST and HST know no
// summer time.
constexpr std::array<OldName, 28> kOldNames = {{
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"EST", "-05:00"},
    {"HST", "-10:00"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"MST", "-07:00"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
}};

struct Abbreviation {
  std::string_view name;
  int minutes;
};
// Longer ones before those that they begin with.
constexpr std::array<Abbreviation, 20> kAbbreviations = {{
    {"UTC", 0},    {"GMT", 0},    {"CEST", 120}, {"CET", 60},   {"EEST", 180}, {"EET", 120},  {"WEST", 60},
    {"WET", 0},    {"MSK", 180},  {"EST", -300}, {"EDT", -240}, {"CST", -360}, {"CDT", -300}, {"MST", -420},
    {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"HST", -600}, {"JST", 540},  {"IST", 330},
}};

bool equal_in_any_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x & ~0x20) == (y & ~0x20); });
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// custom := "GMT" ("+" | "-") ( h[h] [ ":" mm ] | hhmm | hmm ); up to 23:59. Anything else with a sign, such
// as
// "+08:00", is no name of Java's.
bool is_custom(std::string_view id) {
  if (!id.starts_with("GMT") || id.size() < 5 || (id[3] != '+' && id[3] != '-')) return false;
  const std::string_view offset = id.substr(4);
  const std::size_t colon = offset.find(':');
  const std::string_view minutes = colon == std::string_view::npos ? "00" : offset.substr(colon + 1);
  const std::string_view hours = offset.substr(0, colon);
  const bool digits = std::ranges::all_of(hours, is_digit) && std::ranges::all_of(minutes, is_digit);
  return digits && minutes.size() == 2 && !hours.empty() &&
         hours.size() <= (colon == std::string_view::npos ? 4 : 2);
}

// "GMT+830" as "GMT+8:30", which has one meaning.
std::string with_colon(std::string_view custom) {
  if (custom.size() <= 6 || custom.find(':') != std::string_view::npos) return std::string(custom);
  const std::size_t hours = custom.size() - 2;
  return fmt::format("{}:{}", custom.substr(0, hours), custom.substr(hours));
}

}  // namespace

Zone java_time_zone(std::string_view id) {
  const auto old = std::ranges::find(kOldNames, id, &OldName::id);
  if (old != kOldNames.end()) return Zone::find(old->zone).value_or(Zone());
  const bool sign =
      id.find_first_of("+-") == 0 || id.starts_with("UTC") || id.starts_with("UT+") || id.starts_with("UT-");
  if (is_custom(id)) return Zone::find(with_colon(id)).value_or(Zone());
  if (sign || id.starts_with("GMT+") || id.starts_with("GMT-")) return {};
  return Zone::find(id).value_or(Zone());
}

std::string zone_abbreviation(const Zone& zone, std::int64_t utc, std::int64_t offset) {
  if (zone.is_utc()) return "UTC";
  absl::TimeZone rules;
  const std::string name = zone.name();
  if (absl::LoadTimeZone(name, &rules)) {
    const std::string text = rules.At(absl::FromUnixMicros(utc)).zone_abbr;
    if (!text.empty() && text[0] != '+' && text[0] != '-') return text;
  }
  const std::int64_t minutes = std::abs(offset / kMicrosPerMinute);
  return fmt::format("GMT{}{:02}:{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::optional<std::int64_t> take_zone_abbreviation(std::string_view& text) {
  for (const auto& [name, minutes] : kAbbreviations) {
    if (!equal_in_any_case(text.substr(0, name.size()), name)) continue;
    text.remove_prefix(name.size());
    return minutes * kMicrosPerMinute;
  }
  return std::nullopt;
}

}  // namespace leat::functions
