// Where in a pipeline file something stands. Every node of the AST has a span, so that an error found much
// later, in the binder say, still points at the user's text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leat::sql {

/// Half-open range of byte offsets into the text of one file. `begin == end` marks a place between two bytes.
struct SourceSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] std::uint32_t size() const { return end - begin; }
  friend bool operator==(const SourceSpan&, const SourceSpan&) = default;
};

/// The smallest span that holds both.
inline SourceSpan join(SourceSpan a, SourceSpan b) {
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

/// What an editor shows: both from 1; the column counts characters (UTF-8 code points; a byte that is no part
/// of valid UTF-8 counts as one), a tab is one character.
struct SourcePosition {
  std::size_t line = 1;
  std::size_t column = 1;
  friend bool operator==(const SourcePosition&, const SourcePosition&) = default;
};

/// Bytes of the UTF-8 character that `text` (not empty) begins with; 1 for a byte that is no valid character.
std::size_t character_length(std::string_view text);
/// Characters of a text, invalid bytes counted as one each.
std::size_t count_characters(std::string_view text);
/// How many bytes from the beginning are valid UTF-8; the text's size if all are.
std::size_t valid_prefix(std::string_view text);

/// A file's name and text, with an index of its lines. Borrows the text: the caller keeps it alive.
/// Immutable; a line ends at "\n", "\r\n" or the end of the text.
class SourceText {
 public:
  /// `file` is a name for messages: a path, or "<command line>".
  SourceText(std::string file, std::string_view text);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  /// The bytes of a span; a span beyond the end is cut there.
  [[nodiscard]] std::string_view at(SourceSpan span) const;
  /// Line and column of an offset; offsets beyond the end count as the end.
  [[nodiscard]] SourcePosition position(std::uint32_t offset) const;
  /// Text of a line (from 1) without its line break; empty beyond the last line.
  [[nodiscard]] std::string_view line(std::size_t number) const;
  /// Byte offset at which a line (from 1) begins.
  [[nodiscard]] std::uint32_t line_begin(std::size_t number) const;

 private:
  std::string file_;
  std::string_view text_;
  std::vector<std::uint32_t> line_starts_;
};

}  // namespace leat::sql
