// The zone in a text as the letters of Java's DateTimeFormatter have it: Z, X and x offsets, O an offset
// behind GMT, V the name of a zone, z that or an abbreviation. Flink passes over it, so only its end is
// looked for.
#pragma once

#include <string_view>

namespace leat::functions {

/// Whether so many of the letter are a pattern. zzzz, the long name of a zone, is none here.
bool is_zone_pattern(char letter, int count);

/// Takes the zone from the front of the text; false: none stands there.
bool skip_zone(std::string_view& text, char letter, int count);

}  // namespace leat::functions
