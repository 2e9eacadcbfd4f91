// A position among the tokens of one JSON record, and the checks of single tokens. Nothing here looks behind
// the record's end, so that the index may hold many records (lines).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace leat::formats {

/// What became of a value.
enum class Outcome : std::uint8_t {
  kOk,
  kMismatch,   ///< JSON, but not what the column's type takes.
  kMalformed,  ///< Not JSON; the record cannot be read on.
};

/// Nesting beyond this makes a record malformed (Jackson, which Flink reads with, has the same bound).
inline constexpr int kDeepestNesting = 1000;

class JsonCursor {
 public:
  using Mark = const std::uint32_t*;

  /// The record is [tokens' first, stop) of `text`.
  JsonCursor(const char* text, Mark at, std::size_t stop)
      : text_(text), at_(at), stop_(static_cast<std::uint32_t>(stop)) {}

  [[nodiscard]] bool at_end() const { return *at_ >= stop_; }
  /// The current token's first character; NUL at the end.
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[*at_]; }
  void advance() { ++at_; }
  [[nodiscard]] Mark mark() const { return at_; }
  void rewind(Mark mark) { at_ = mark; }

  [[nodiscard]] const char* begin() const { return text_ + std::min(*at_, stop_); }
  /// Where the next token begins, or the record ends: the current one ends there or before, in blanks.
  [[nodiscard]] const char* limit() const { return text_ + std::min(at_[1], stop_); }
  [[nodiscard]] const char* record_end() const { return text_ + stop_; }
  /// The current token without the blanks behind it. Not at the end.
  [[nodiscard]] std::string_view token() const {
    const char* end = limit();
    while (is_blank(end[-1])) --end;  // Stops at the token's own first character at the latest.
    return {begin(), static_cast<std::size_t>(end - begin())};
  }

  static bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

 private:
  const char* text_;  // Of the payload that is being decoded.
  Mark at_;           // In the JsonIndex of the decoder.
  std::uint32_t stop_;
};

/// The eight bytes at `text` as one word, whose zero bytes mark backslashes.
inline std::uint64_t backslashes_as_zero(const char* text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  return word ^ 0x5c5c5c5c5c5c5c5cULL;
}
/// True if one of the word's bytes is zero (Mycroft's test).
inline bool has_zero_byte(std::uint64_t word) {
  return ((word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL) != 0;
}

/// True if there is a backslash in `text`. Most strings are short: the words overlap at the end, so that
/// nothing has to be masked and no byte outside of the text is read.
inline bool has_escape(std::string_view text) {
  constexpr std::size_t kWord = 8;
  constexpr std::size_t kShort = 48;
  if (text.size() < kWord || text.size() > kShort) return text.find('\\') != std::string_view::npos;
  const char* const last = text.data() + text.size() - kWord;
  for (const char* p = text.data(); p < last; p += kWord)
    if (has_zero_byte(backslashes_as_zero(p))) return true;
  return has_zero_byte(backslashes_as_zero(last));
}
/// Replaces `out` by the meaning of a JSON string's inside. False for an unknown or cut escape and for half a
/// surrogate pair.
bool unescape(std::string_view text, std::string& out);

/// Walks over one value with all its grammar checked.
Outcome skip_value(JsonCursor& in, int depth = 0);
/// The value that `in` stands at as JSON text without blanks between its tokens; `in` goes behind it. The
/// view points into the record when there are no such blanks, else into `scratch`.
Outcome compact_value(JsonCursor& in, std::string& scratch, std::string_view& out);

}  // namespace leat::formats
