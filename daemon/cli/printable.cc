#include "daemon/cli/printable.h"

#include <fmt/format.h>

#include <algorithm>

namespace leat::cli {
namespace {

/// Bytes of the character that `text` begins with; 0: it is none that may be shown (RFC 3629, section 4; C0
/// and C1 controls).
std::size_t character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first >= 0x20 && first < 0x7F) return 1;
  if (first >= 0xC2 && first < 0xE0) return follows(1) && !(first == 0xC2 && byte(1) < 0xA0) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first < 0xF0 || first > 0xF4) return 0;
  const bool overlong = first == 0xF0 && byte(1) < 0x90;
  const bool beyond = first == 0xF4 && byte(1) >= 0x90;
  return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
}

std::string escaped(char c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      return fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = character(bytes);
    if (bytes.front() == '\\')
      text += "\\\\";
    else if (length > 0)
      text += bytes.substr(0, length);
    else
      text += escaped(bytes.front());
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

std::string printable_lines(const std::string& text) {
  std::string all;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    all += (all.empty() ? "" : "\n") + printable(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

std::string text_of(const nlohmann::ordered_json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? printable(value.get<std::string>()) : value.dump();
}

void print_json(const nlohmann::ordered_json& body) {
  fmt::print("{}\n", body.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace leat::cli
