// Text by characters: one code point is one character, as in Flink's string functions. Bytes that are no
// UTF-8 count one each, so no function here fails or reads beyond the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leat {

/// Bytes of the character that begins at text[at].
inline std::size_t utf8_width(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t width = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 1;
  if (width == 1 || at + width > text.size()) return 1;
  for (std::size_t i = 1; i < width; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 1;
  return width;
}

std::size_t utf8_length(std::string_view text);
/// Byte offset of character number `count` (from 0); the end if there are fewer.
std::size_t utf8_offset(std::string_view text, std::size_t count);
/// At most `count` characters from the front.
std::string_view utf8_prefix(std::string_view text, std::size_t count);
/// Character number `at` (a byte offset) as a code point; a stray byte as itself.
char32_t utf8_decode(std::string_view text, std::size_t at);
void utf8_append(char32_t code, std::string& out);

}  // namespace leat
