// Questions about text: length, position, parts, character codes.
#include <algorithm>

#include "pipelines/column/utf8.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

std::int32_t length(std::string_view text) {
  return static_cast<std::int32_t>(utf8_length(text));
}

// Number of the character at a byte offset, from 1.
std::int32_t character_number(std::string_view text, std::size_t offset) {
  return length(text.substr(0, offset)) + 1;
}

std::int32_t position_from(std::string_view part, std::string_view text, std::int32_t from) {
  if (from <= 0) return 0;
  const std::size_t begin = utf8_offset(text, static_cast<std::size_t>(from - 1));
  const std::size_t found = text.find(part, begin);
  return found == std::string_view::npos ? 0 : character_number(text, found);
}

std::int32_t position(std::string_view part, std::string_view text) {
  return position_from(part, text, 1);
}

std::int32_t nth_from_front(std::string_view text, std::string_view part, std::size_t begin,
                            std::int32_t nth) {
  for (std::size_t found = text.find(part, begin); found != std::string_view::npos;
       found = text.find(part, found + 1))
    if (--nth == 0) return character_number(text, found);
  return 0;
}

std::int32_t nth_from_end(std::string_view text, std::string_view part, std::size_t begin, std::int32_t nth) {
  for (std::size_t found = text.rfind(part, begin); found != std::string_view::npos;
       found = text.rfind(part, found - 1)) {
    if (--nth == 0) return character_number(text, found);
    if (found == 0) break;
  }
  return 0;
}

// A start below zero counts from the end and searches towards the front.
Result<std::int32_t> instr_nth(std::string_view text, std::string_view part, std::int32_t start,
                               std::int32_t nth) {
  if (nth <= 0)
    return fail(ErrorCode::kInvalid, "INSTR counts appearances from 1, not " + std::to_string(nth));
  if (start > 0)
    return nth_from_front(text, part, utf8_offset(text, static_cast<std::size_t>(start - 1)), nth);
  const std::int32_t from_front = length(text) + start;
  if (start == 0 || from_front < 0) return 0;
  return nth_from_end(text, part, utf8_offset(text, static_cast<std::size_t>(from_front)), nth);
}

Result<std::int32_t> instr_from(std::string_view text, std::string_view part, std::int32_t start) {
  return instr_nth(text, part, start, 1);
}

std::int32_t instr(std::string_view text, std::string_view part) {
  return position(part, text);
}

std::string replace(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  if (from.empty()) {
    // As in Java: before each character and at the end.
    for (std::size_t at = 0; at < text.size(); at += utf8_width(text, at))
      (out += to) += text.substr(at, utf8_width(text, at));
    return out += to;
  }
  std::size_t begin = 0;
  for (std::size_t found = text.find(from); found != std::string_view::npos; found = text.find(from, begin)) {
    (out += text.substr(begin, found - begin)) += to;
    begin = found + from.size();
  }
  return out += text.substr(begin);
}

// Parts count from 0; nothing beyond the last, and an empty text has no parts.
std::optional<std::string_view> split_index(std::string_view text, std::string_view separator,
                                            std::int32_t index) {
  if (index < 0 || text.empty()) return std::nullopt;
  if (separator.empty()) return index == 0 ? std::optional(text) : std::nullopt;
  while (true) {
    const std::size_t found = text.find(separator);
    if (index == 0) return text.substr(0, found);
    if (found == std::string_view::npos) return std::nullopt;
    text.remove_prefix(found + separator.size());
    --index;
  }
}

std::optional<std::string_view> split_index_at(std::string_view text, std::int32_t code, std::int32_t index) {
  if (code <= 0 || code > 255) return std::nullopt;
  std::string separator;
  utf8_append(static_cast<char32_t>(code), separator);
  return split_index(text, separator, index);
}

std::int32_t ascii(std::string_view text) {
  return text.empty() ? 0 : static_cast<std::int8_t>(text[0]);
}

// The character of the code modulo 256.
std::string chr(std::int64_t code) {
  std::string out;
  if (code >= 0) utf8_append(static_cast<char32_t>(code & 0xFF), out);
  return out;
}

bool starts_with(std::string_view text, std::string_view part) {
  return text.starts_with(part);
}
bool ends_with(std::string_view text, std::string_view part) {
  return text.ends_with(part);
}

/// The same of bytes.
template <bool (*test)(std::string_view, std::string_view)>
Overload of_bytes() {
  return {{Type::bytes(), Type::bytes()}, Type::boolean(), false, [](const Type& type) -> Kernel {
            return [type](const CallContext& context, std::span<const Datum> a) {
              return map_rows<std::string_view, std::string_view>(context, type, a, test);
            };
          }};
}

template <bool (*test)(unsigned char)>
bool every(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return test(static_cast<unsigned char>(c)); });
}

bool is_digit(unsigned char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// number := ["+"|"-"] digits ["." digits], or without the digits before the point
bool is_decimal(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (point == std::string_view::npos) return every<is_digit>(whole);
  return (whole.empty() || every<is_digit>(whole)) && every<is_digit>(text.substr(point + 1));
}

}  // namespace

ScalarFunctions text_search_functions() {
  return {
      function("CHAR_LENGTH", "CHAR_LENGTH(string)", "Number of characters.", "CHAR_LENGTH('hello')", "5",
               {of(length)}),
      function("CHARACTER_LENGTH", "CHARACTER_LENGTH(string)", "Number of characters.",
               "CHARACTER_LENGTH('hello')", "5", {of(length)}),
      function("POSITION", "POSITION(part IN string)", "Where the part begins, from 1; 0: nowhere.",
               "POSITION('aa' IN 'xaa')", "2", {of(position), of(position_from)}),
      function("LOCATE", "LOCATE(part, string [, from])", "Where the part begins, from 1; 0: nowhere.",
               "LOCATE('aa', 'xaa')", "2", {of(position), of(position_from)}),
      function("INSTR", "INSTR(string, part [, start [, nth]])",
               "Where the part appears for the nth time; a negative start searches backwards.",
               "INSTR('Corporate Floor', 'or', -3, 2)", "2", {of(instr), of(instr_from), of(instr_nth)}),
      function("REPLACE", "REPLACE(string, from, to)", "With each appearance replaced.",
               "REPLACE('hello world', 'world', 'leat')", "hello leat", {of(replace)}),
      function("SPLIT_INDEX", "SPLIT_INDEX(string, separator, index)", "The part with that number, from 0.",
               "SPLIT_INDEX('a,b,c', ',', 1)", "b", {of(split_index), of(split_index_at)}),
      function("ASCII", "ASCII(string)",
               "Code of the first byte, which Java counts from -128 to 127; 0 for an empty text.",
               "ASCII('abc')", "97", {of(ascii)}),
      function("CHR", "CHR(code)", "The character of a code modulo 256.", "CHR(97)", "a", {of(chr)}),
      function("STARTSWITH", "STARTSWITH(string or bytes, part)", "True if the text begins with the part.",
               "STARTSWITH('abc', 'ab')", "TRUE", {of(starts_with), of_bytes<starts_with>()}),
      function("ENDSWITH", "ENDSWITH(string or bytes, part)", "True if the text ends with the part.",
               "ENDSWITH('abc', 'bc')", "TRUE", {of(ends_with), of_bytes<ends_with>()}),
      function("IS_ALPHA", "IS_ALPHA(string)", "True if all characters are letters.", "IS_ALPHA('abc')",
               "TRUE", {of(every<is_alpha>)}),
      function("IS_DIGIT", "IS_DIGIT(string)", "True if all characters are digits.", "IS_DIGIT('123')",
               "TRUE", {of(every<is_digit>)}),
      function("IS_DECIMAL", "IS_DECIMAL(string)", "True if the text is a number.", "IS_DECIMAL('11.44')",
               "TRUE", {of(is_decimal)}),
  };
}

}  // namespace leat::functions
