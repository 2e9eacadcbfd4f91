#include "pipelines/column/utf8.h"

namespace leat {

std::size_t utf8_length(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at += utf8_width(text, at)) ++count;
  return count;
}

std::size_t utf8_offset(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (count > 0 && at < text.size()) {
    at += utf8_width(text, at);
    --count;
  }
  return at;
}

std::string_view utf8_prefix(std::string_view text, std::size_t count) {
  // As many bytes as characters never hold more of them.
  if (text.size() <= count) return text;
  return text.substr(0, utf8_offset(text, count));
}

char32_t utf8_decode(std::string_view text, std::size_t at) {
  const std::size_t width = utf8_width(text, at);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  if (width == 1) return byte(0);
  char32_t code = byte(0) & (0xFFU >> (width + 1));
  for (std::size_t i = 1; i < width; ++i) code = (code << 6) | (byte(i) & 0x3FU);
  return code;
}

void utf8_append(char32_t code, std::string& out) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace leat
