// Upper and lower case of characters: Latin, Greek and Cyrillic letters. Others have no case here.
#pragma once

#include <string>
#include <string_view>

namespace leat::functions {

char32_t to_upper(char32_t code);
char32_t to_lower(char32_t code);

/// Whole texts, as in Java: 'ß' becomes "SS" in upper case, a sigma at the end of a word 'ς' in lower case.
std::string upper_text(std::string_view text);
std::string lower_text(std::string_view text);
/// The first character of each word in upper case, the others in lower case. As in Flink, words are made of
/// ASCII's letters and digits; every other character stays and ends a word.
std::string initcap_text(std::string_view text);

}  // namespace leat::functions
