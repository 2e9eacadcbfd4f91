// What the formats of lines share.
#pragma once

#include <cstddef>
#include <string_view>

namespace leat::formats {

/// What some editors put before a text.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// It stands at the beginning of a message, or of a file, whose reader takes it off: a payload of lines may
/// begin anywhere in one.
inline std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

inline std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// The first `lines` lines of `bytes`, of which there are `most` bytes at most. Whoever looks for the end of
/// what may run over lines looks no farther: what has no end is looked for again from each line on.
inline std::string_view first_lines(std::string_view bytes, std::size_t lines, std::size_t most) {
  std::size_t end = 0;
  for (; lines > 0 && end < most; --lines) {
    const std::size_t newline = bytes.find('\n', end);
    if (newline == std::string_view::npos) return bytes.substr(0, most);
    end = newline + 1;
  }
  return bytes.substr(0, end < most ? end : most);
}

}  // namespace leat::formats
