#include "pipelines/sql/source_span.h"

#include <utility>

namespace leat::sql {
namespace {

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// How many bytes follow this lead byte in valid UTF-8; 0 for a byte that leads nothing.
std::size_t continuations_of(char byte) {
  const auto lead = static_cast<unsigned char>(byte);
  if (lead >= 0xF0 && lead <= 0xF4) return 3;
  if (lead >= 0xE0) return lead < 0xF0 ? 2 : 0;
  return lead >= 0xC2 ? 1 : 0;
}

/// Overlong forms, surrogates and code points beyond U+10FFFF show in the second byte (RFC 3629, section 4).
bool is_forbidden(char first, char second) {
  const auto lead = static_cast<unsigned char>(first);
  const auto next = static_cast<unsigned char>(second);
  return (lead == 0xE0 && next < 0xA0) || (lead == 0xED && next > 0x9F) || (lead == 0xF0 && next < 0x90) ||
         (lead == 0xF4 && next > 0x8F);
}

}  // namespace

std::size_t character_length(std::string_view text) {
  const std::size_t wanted = continuations_of(text.front());
  if (wanted + 1 > text.size()) return 1;
  for (std::size_t i = 1; i <= wanted; ++i) {
    if (!is_continuation(text[i])) return 1;
  }
  return wanted > 0 && is_forbidden(text[0], text[1]) ? 1 : wanted + 1;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(character_length(text));
  return count;
}

std::size_t valid_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = character_length(text.substr(at));
    if (length == 1 && static_cast<unsigned char>(text[at]) >= 0x80) break;
    at += length;
  }
  return at;
}

SourceText::SourceText(std::string file, std::string_view text) : file_(std::move(file)), text_(text) {
  line_starts_.push_back(0);
  for (std::size_t at = 0; (at = text_.find('\n', at)) != std::string_view::npos;) {
    line_starts_.push_back(static_cast<std::uint32_t>(++at));
  }
}

std::string_view SourceText::at(SourceSpan span) const {
  const std::size_t begin = std::min<std::size_t>(span.begin, text_.size());
  const std::size_t end = std::clamp<std::size_t>(span.end, begin, text_.size());
  return text_.substr(begin, end - begin);
}

SourcePosition SourceText::position(std::uint32_t offset) const {
  const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(offset, text_.size()));
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), end);
  const auto line = static_cast<std::size_t>(after - line_starts_.begin());
  const std::uint32_t begin = line_starts_[line - 1];
  return {line, 1 + count_characters(text_.substr(begin, end - begin))};
}

std::string_view SourceText::line(std::size_t number) const {
  if (number == 0 || number > line_starts_.size()) return {};
  const std::size_t begin = line_starts_[number - 1];
  const std::size_t end = number < line_starts_.size() ? line_starts_[number] - 1 : text_.size();
  std::string_view line = text_.substr(begin, end - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::uint32_t SourceText::line_begin(std::size_t number) const {
  if (number == 0) return 0;
  if (number > line_starts_.size()) return static_cast<std::uint32_t>(text_.size());
  return line_starts_[number - 1];
}

}  // namespace leat::sql
