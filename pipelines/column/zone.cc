#include "pipelines/column/zone.h"

#include <absl/strings/ascii.h>
#include <absl/time/time.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

#include "pipelines/base/time.h"
#include "pipelines/column/zone_names.h"

namespace leat {

struct Zone::Rules {
  absl::TimeZone zone;
  std::string name;
};

namespace {

bool take_number(std::string_view& text, std::size_t max_digits, int& out) {
  const std::size_t length = std::min(text.size(), max_digits);
  const auto [end, error] = std::from_chars(text.data(), text.data() + length, out);
  if (error != std::errc() || out < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// offset := [ "UTC" | "GMT" | "UT" ] ( "+" | "-" ) h[h] [ [":"] mm [ [":"] ss ] ]
std::optional<int> parse_offset(std::string_view text) {
  for (const std::string_view prefix : {"UTC", "GMT", "UT"})
    if (text.starts_with(prefix)) {
      text.remove_prefix(prefix.size());
      break;
    }
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  int parts[3] = {0, 0, 0};
  for (std::size_t i = 0; i < 3 && !text.empty(); ++i) {
    if (i > 0 && text[0] == ':') text.remove_prefix(1);
    if (!take_number(text, 2, parts[i])) return std::nullopt;
  }
  if (!text.empty() || parts[0] > 18 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
}

absl::CivilSecond civil_of(std::int64_t local_seconds) {
  return absl::CivilSecond(1970, 1, 1, 0, 0, 0) + local_seconds;
}

// When the offset changes. `to` is where the new offset begins: unique after a gap, the later half of an
// overlap.
std::int64_t instant_of(const absl::TimeZone& zone, const absl::TimeZone::CivilTransition& transition) {
  return absl::ToUnixMicros(zone.At(transition.to).trans);
}

ZoneExists zone_exists = nullptr;

/// The library opens whatever path a name is, and names come in messages.
bool may_be_zone(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '/' || c == '+' || c == '-';
  };
  return !name.empty() && name.size() <= kLongest && name[0] != '/' && std::ranges::all_of(name, allowed) &&
         (zone_exists == nullptr || zone_exists(name));
}

}  // namespace

void set_zone_exists(ZoneExists exists) {
  zone_exists = exists;
}

Result<Zone> Zone::find(std::string_view name) {
  Zone found;
  if (name == "UTC" || name == "Z" || name == "GMT" || name == "UT" || name == "Etc/UTC") return found;
  absl::TimeZone zone;
  if (const std::optional<int> offset = parse_offset(name)) {
    if (*offset == 0) return found;
    zone = absl::FixedTimeZone(*offset);
  } else if (!may_be_zone(name) || !absl::LoadTimeZone(absl::string_view(name.data(), name.size()), &zone)) {
    return fail(ErrorCode::kInvalid, "unknown time zone '" + std::string(name.substr(0, 64)) + "'");
  }
  found.rules_ = std::make_shared<const Rules>(Rules{zone, std::string(name)});
  return found;
}

std::string Zone::name() const {
  return rules_ ? rules_->name : "UTC";
}

void ZoneClock::find_stretch(std::int64_t utc) {
  const absl::TimeZone& zone = zone_.rules_->zone;
  const absl::Time time = absl::FromUnixMicros(utc);
  offset_ = std::int64_t{zone.At(time).offset} * kMicrosPerSecond;
  absl::TimeZone::CivilTransition transition;
  // PrevTransition looks strictly before, in whole seconds; a transition at `utc` itself begins the stretch.
  begin_ = zone.PrevTransition(time + absl::Seconds(1), &transition)
               ? instant_of(zone, transition)
               : std::numeric_limits<std::int64_t>::min();
  end_ = zone.NextTransition(time, &transition) ? instant_of(zone, transition)
                                                : std::numeric_limits<std::int64_t>::max();
  // A transition that changes the abbreviation only keeps its civil time and may not be told apart.
  if (utc < begin_ || utc >= end_) {
    begin_ = utc;
    end_ = utc + 1;
  }
}

std::int64_t ZoneClock::to_utc(std::int64_t local) {
  if (zone_.is_utc()) return local;
  // Well inside the known stretch (no offset is a day) the answer is unambiguous.
  const std::int64_t guess = local - offset_;
  if (begin_ < end_ && guess >= saturating_add(begin_, kMicrosPerDay) &&
      guess < saturating_add(end_, -kMicrosPerDay))
    return guess;
  const std::int64_t seconds = floor_div(local, kMicrosPerSecond);
  // `pre` uses the offset before the jump: the earlier of two, and beyond the gap by its length.
  const absl::TimeZone::TimeInfo info = zone_.rules_->zone.At(civil_of(seconds));
  const std::int64_t utc =
      absl::ToUnixSeconds(info.pre) * kMicrosPerSecond + floor_mod(local, kMicrosPerSecond);
  find_stretch(utc);
  return utc;
}

}  // namespace leat
