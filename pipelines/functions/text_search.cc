// Questions about text: length, position, parts, character codes.
#include <algorithm>

#include "pipelines/column/utf8.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/parse.h"
#include "pipelines/functions/regex.h"

namespace leat::functions {
namespace {

std::int32_t length(std::string_view text) {
  return static_cast<std::int32_t>(utf8_length(text));
}

// Number of the character at a byte offset, from 1.
std::int32_t character_number(std::string_view text, std::size_t offset) {
  return length(text.substr(0, offset)) + 1;
}

// A place before the first character is the first; an empty part is there always, as in Flink.
std::int32_t position_from(std::string_view part, std::string_view text, std::int32_t from) {
  if (part.empty()) return 1;
  const std::size_t begin = utf8_offset(text, static_cast<std::size_t>(std::max(from, 1) - 1));
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
  // An empty part is where the search comes to an end in Flink, whatever its start.
  if (part.empty()) return start == 0 ? 0 : start > 0 ? 1 : length(text) + 1;
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

// Java's Character.isWhitespace: no-break spaces are none.
bool is_white(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A && code != 0x2007) || code == 0x2028 || code == 0x2029 ||
         code == 0x205F || code == 0x3000;
}

// Each white space parts two, so there are empty parts, too.
std::optional<std::string_view> split_index_by_white(std::string_view text, std::int32_t index) {
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size(); at += utf8_width(text, at)) {
    if (!is_white(utf8_decode(text, at))) continue;
    if (index-- == 0) return text.substr(begin, at - begin);
    begin = at + utf8_width(text, at);
  }
  return index == 0 ? std::optional(text.substr(begin)) : std::nullopt;
}

// Parts count from 0; nothing beyond the last, and an empty text has no parts.
std::optional<std::string_view> split_index(std::string_view text, std::string_view separator,
                                            std::int32_t index) {
  if (index < 0 || text.empty()) return std::nullopt;
  if (separator.empty()) return split_index_by_white(text, index);
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

// Java's Character.isLetter and isDigit see half of a pair beyond U+FFFF, and that is neither.
bool in_basic_plane(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0xF0; });
}

bool is_digits(std::string_view text) {
  static const RE2 digits("\\p{Nd}+");
  return in_basic_plane(text) && RE2::FullMatch(regex_piece(text), digits);
}
bool is_letters(std::string_view text) {
  static const RE2 letters("\\p{L}+");
  return in_basic_plane(text) && RE2::FullMatch(regex_piece(text), letters);
}

// What Java's Double.parseDouble reads; it trims every character up to the blank.
bool is_decimal(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return parse_double(text).has_value();
}

template <bool (*test)(std::string_view)>
ColumnPtr test_texts(const CallContext& context, const Type& type, const Datum& texts) {
  Output<std::uint8_t> out(type, context.rows);
  for (std::size_t row = 0; row < context.rows; ++row) {
    const std::size_t at = texts.index(row);
    out.data()[row] = !texts.column->is_null(at) && test(texts.column->strings()[at]);
  }
  return out.finish({});
}

// IS_ALPHA, IS_DIGIT and IS_DECIMAL answer numbers by their type, NULL or not. A text that is NULL is of no
// kind.
template <bool (*test)(std::string_view), bool of_integer, bool of_fraction>
Binder text_kind(std::string signature) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.size() != 1) return wrong_arguments(signature, arguments);
    const Type from = arguments[0].type;
    const Type type = Type::boolean().with_nullable(false);
    if (!from.is_numeric()) {
      if (!implicitly_castable(from, Type::string())) return wrong_arguments(signature, arguments);
      return BoundScalar{
          type, {Type::string()}, [type](const CallContext& context, std::span<const Datum> a) {
            return test_texts<test>(context, type, a[0]);
          }};
    }
    const bool answer = from.is_integer() ? of_integer : of_fraction;
    return BoundScalar{type, {from}, [type, answer](const CallContext& context, std::span<const Datum>) {
                         Output<std::uint8_t> out(type, context.rows);
                         std::fill_n(out.data(), context.rows, static_cast<std::uint8_t>(answer));
                         return out.finish({});
                       }};
  };
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
      function("SPLIT_INDEX", "SPLIT_INDEX(string, separator, index)",
               "The part with that number, from 0; an empty separator is white space.",
               "SPLIT_INDEX('a,b,c', ',', 1)", "b", {of(split_index), of(split_index_at)}),
      function("ASCII", "ASCII(string)",
               "Code of the first byte, which Java counts from -128 to 127; 0 for an empty text.",
               "ASCII('abc')", "97", {of(ascii)}),
      function("CHR", "CHR(code)", "The character of a code modulo 256.", "CHR(97)", "a", {of(chr)}),
      function("STARTSWITH", "STARTSWITH(string or bytes, part)", "True if the text begins with the part.",
               "STARTSWITH('abc', 'ab')", "TRUE", {of(starts_with), of_bytes<starts_with>()}),
      function("ENDSWITH", "ENDSWITH(string or bytes, part)", "True if the text ends with the part.",
               "ENDSWITH('abc', 'bc')", "TRUE", {of(ends_with), of_bytes<ends_with>()}),
      {"IS_ALPHA", "IS_ALPHA(string)", "True if all characters are letters, of whatever script.",
       "IS_ALPHA('abc')", "TRUE", text_kind<is_letters, false, false>("IS_ALPHA(string)")},
      {"IS_DIGIT", "IS_DIGIT(string or integer)",
       "True if all characters are digits, of whatever script, and of an integer.", "IS_DIGIT('123')", "TRUE",
       text_kind<is_digits, true, false>("IS_DIGIT(string or integer)")},
      {"IS_DECIMAL", "IS_DECIMAL(string or number)",
       "True if the text is a number as Java writes it ('1.5', '1e3', 'NaN'), and of a number.",
       "IS_DECIMAL('11.44')", "TRUE", text_kind<is_decimal, true, true>("IS_DECIMAL(string or number)")},
  };
}

}  // namespace leat::functions
