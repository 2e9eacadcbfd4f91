// Time zones as java.util.TimeZone names them, which CONVERT_TZ takes: IANA's names, "GMT+8:00", and the old
// abbreviations of three letters ("PST", "CTT"). What it does not know is GMT there, so it is here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipelines/column/zone.h"

namespace leat::functions {

Zone java_time_zone(std::string_view id);

/// What Java's pattern letter z prints: "CET", "CEST", "GMT+03:00". `offset` is the zone's at `utc`; both in
/// microseconds.
std::string zone_abbreviation(const Zone& zone, std::int64_t utc, std::int64_t offset);
/// Takes an abbreviation with one meaning from the front ("UTC", "PDT", "CEST"), in any case. Its offset in
/// microseconds; nothing if there is none.
std::optional<std::int64_t> take_zone_abbreviation(std::string_view& text);

}  // namespace leat::functions
