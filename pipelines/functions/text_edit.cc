// Text made from text: case, parts, padding, trimming, concatenation. By characters.
#include <algorithm>

#include "pipelines/column/utf8.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"
#include "pipelines/functions/text_case.h"

namespace leat::functions {
namespace {

// Beyond this a padded or repeated text is a row error rather than the end of the memory.
constexpr std::size_t kMaxMadeText = 64UL << 20;

// Positions count from 1, below zero from the end; 0 is 1.
std::string_view substring_from(std::string_view text, std::int32_t position) {
  if (position >= 0)
    return text.substr(utf8_offset(text, static_cast<std::size_t>(std::max(position, 1) - 1)));
  const auto length = static_cast<std::int64_t>(utf8_length(text));
  if (length + position < 0) return {};
  return text.substr(utf8_offset(text, static_cast<std::size_t>(length + position)));
}

std::optional<std::string_view> substring(std::string_view text, std::int32_t position, std::int32_t length) {
  if (length < 0) return std::nullopt;
  return utf8_prefix(substring_from(text, position), static_cast<std::size_t>(length));
}

std::string_view left(std::string_view text, std::int32_t count) {
  return count <= 0 ? std::string_view() : utf8_prefix(text, static_cast<std::size_t>(count));
}

std::string_view right(std::string_view text, std::int32_t count) {
  if (count <= 0) return {};
  const std::size_t length = utf8_length(text);
  const auto wanted = static_cast<std::size_t>(count);
  return wanted >= length ? text : text.substr(utf8_offset(text, length - wanted));
}

std::string reverse(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t end = text.size();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t width = utf8_width(text, at);
    end -= width;
    std::copy_n(text.data() + at, width, out.data() + end);
    at += width;
  }
  return out;
}

Result<std::string> repeat(std::string_view text, std::int32_t count) {
  std::string out;
  if (count <= 0) return out;
  if (text.size() * static_cast<std::size_t>(count) > kMaxMadeText)
    return fail(ErrorCode::kInvalid, "REPEAT makes a text beyond 64 MB");
  for (std::int32_t i = 0; i < count; ++i) out += text;
  return out;
}

// The padding itself, `count` characters of `pad` over and over.
std::string padding(std::string_view pad, std::size_t count) {
  std::string out;
  const std::size_t width = utf8_length(pad);
  for (; count >= width; count -= width) out += pad;
  out += utf8_prefix(pad, count);
  return out;
}

enum class Side : std::uint8_t { kLeft, kRight };

// NULL for a negative length, and for nothing to fill with.
template <Side side>
Result<std::optional<std::string>> pad(std::string_view text, std::int32_t length, std::string_view with) {
  if (length < 0 || with.empty()) return std::nullopt;
  const auto wanted = static_cast<std::size_t>(length);
  const std::size_t have = utf8_length(text);
  if (have >= wanted) return std::string(utf8_prefix(text, wanted));
  if (wanted > kMaxMadeText) return fail(ErrorCode::kInvalid, "LPAD or RPAD makes a text beyond 64 MB");
  const std::string fill = padding(with, wanted - have);
  return side == Side::kLeft ? fill + std::string(text) : std::string(text) + fill;
}

bool holds_character(std::string_view set, std::string_view character) {
  for (std::size_t at = 0; at < set.size(); at += utf8_width(set, at))
    if (set.substr(at, utf8_width(set, at)) == character) return true;
  return false;
}

std::string_view trim_left(std::string_view text, std::string_view set) {
  while (!text.empty() && holds_character(set, text.substr(0, utf8_width(text, 0))))
    text.remove_prefix(utf8_width(text, 0));
  return text;
}

std::string_view trim_right(std::string_view text, std::string_view set) {
  while (!text.empty()) {
    std::size_t width = 1;
    while (width < 4 && width < text.size() &&
           (static_cast<unsigned char>(text[text.size() - width]) & 0xC0) == 0x80)
      ++width;
    if (!holds_character(set, text.substr(text.size() - width))) break;
    text.remove_suffix(width);
  }
  return text;
}

std::string_view trim_both(std::string_view text, std::string_view set) {
  return trim_right(trim_left(text, set), set);
}

Result<std::string_view> trim_where(std::string_view where, std::string_view set, std::string_view text) {
  if (where == "BOTH") return trim_both(text, set);
  if (where == "LEADING") return trim_left(text, set);
  if (where == "TRAILING") return trim_right(text, set);
  return fail(ErrorCode::kInvalid, "TRIM knows BOTH, LEADING and TRAILING, not '" + std::string(where) + "'");
}

std::string overlay(std::string_view text, std::string_view with, std::int32_t start, std::int32_t length) {
  const auto count = static_cast<std::int32_t>(utf8_length(text));
  if (start <= 0 || start > count) return std::string(text);
  std::string out(utf8_prefix(text, static_cast<std::size_t>(start - 1)));
  out += with;
  if (length > 0 && start + length <= count)
    out += text.substr(utf8_offset(text, static_cast<std::size_t>(start - 1 + length)));
  return out;
}

std::string overlay_all(std::string_view text, std::string_view with, std::int32_t start) {
  return overlay(text, with, start, static_cast<std::int32_t>(utf8_length(with)));
}

// ---- Concatenation ---------------------------------------------------------------------------------------

bool all_text(Arguments arguments) {
  return std::all_of(arguments.begin(), arguments.end(), [](const ArgumentInfo& argument) {
    return implicitly_castable(argument.type, Type::string());
  });
}

Binder concatenation(std::string signature) {
  return [=](Arguments arguments, const Session&) -> Result<BoundScalar> {
    if (arguments.empty() || !all_text(arguments)) return wrong_arguments(signature, arguments);
    const Type type = nullable_like(Type::string(), arguments);
    return BoundScalar{type, std::vector(arguments.size(), Type::string()),
                       [type](const CallContext& context, std::span<const Datum> a) {
                         Collector<std::string> out(context, type, strict_validity(context.rows, a));
                         std::string text;
                         for (std::size_t row = 0; row < context.rows; ++row) {
                           text.clear();
                           for (const Datum& part : a) text += part.column->strings()[part.index(row)];
                           if (out.valid(row))
                             out.put(row, text);
                           else
                             out.put_null(row);
                         }
                         return out.finish(a);
                       }};
  };
}

// NULLs after the separator are left out; a NULL separator gives NULL.
Result<BoundScalar> bind_concat_ws(Arguments arguments, const Session&) {
  if (arguments.empty() || !all_text(arguments))
    return wrong_arguments("CONCAT_WS(separator, string, …)", arguments);
  const Type type = nullable_like(Type::string(), arguments.first(1));
  return BoundScalar{type, std::vector(arguments.size(), Type::string()),
                     [type](const CallContext& context, std::span<const Datum> a) {
                       Collector<std::string> out(context, type, strict_validity(context.rows, a.first(1)));
                       const Reader<std::string_view> separator(a[0]);
                       std::string text;
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         text.clear();
                         bool first = true;
                         for (const Datum& part : a.subspan(1)) {
                           if (part.column->is_null(part.index(row))) continue;
                           if (!first) text += separator[row];
                           first = false;
                           text += part.column->strings()[part.index(row)];
                         }
                         if (out.valid(row))
                           out.put(row, text);
                         else
                           out.put_null(row);
                       }
                       return out.finish(a);
                     }};
}

}  // namespace

ScalarFunctions text_edit_functions() {
  return {
      {"||", "a || b", "Both texts, one after the other.", "'test' || 'string'", "teststring",
       concatenation("a || b")},
      {"CONCAT", "CONCAT(string, …)", "All texts, one after the other; NULL if one is NULL.",
       "CONCAT('AA', 'BB', 'CC')", "AABBCC", concatenation("CONCAT(string, …)")},
      {"CONCAT_WS", "CONCAT_WS(separator, string, …)",
       "All texts that are not NULL, with the separator between.", "CONCAT_WS('~', 'AA', 'BB')", "AA~BB",
       bind_concat_ws},
      function("UPPER", "UPPER(string)", "The text in upper case.", "UPPER('string')", "STRING",
               {of(upper_text)}),
      function("LOWER", "LOWER(string)", "The text in lower case.", "LOWER('STRING')", "string",
               {of(lower_text)}),
      function("INITCAP", "INITCAP(string)", "Each word with a capital letter, the rest in lower case.",
               "INITCAP('hello WORLD')", "Hello World", {of(initcap_text)}),
      function("SUBSTRING", "SUBSTRING(string, start [, length])",
               "The part from the start (1 is the first character, -1 the last) on.",
               "SUBSTRING('hello', 2, 3)", "ell", {of(substring_from), of(substring)}),
      function("SUBSTR", "SUBSTR(string, start [, length])", "The same as SUBSTRING.", "SUBSTR('hello', 2)",
               "ello", {of(substring_from), of(substring)}),
      function("LEFT", "LEFT(string, count)", "So many characters from the front.", "LEFT('hello', 2)", "he",
               {of(left)}),
      function("RIGHT", "RIGHT(string, count)", "So many characters from the end.", "RIGHT('hello', 2)", "lo",
               {of(right)}),
      function("REVERSE", "REVERSE(string)", "The characters from last to first.", "REVERSE('abc')", "cba",
               {of(reverse)}),
      function("REPEAT", "REPEAT(string, count)", "The text so many times.", "REPEAT('ab', 2)", "abab",
               {of(repeat)}),
      function("LPAD", "LPAD(string, length, padding)", "Padded on the left, or cut, to so many characters.",
               "LPAD('hi', 4, '?!')", "?!hi", {of(pad<Side::kLeft>)}),
      function("RPAD", "RPAD(string, length, padding)", "Padded on the right, or cut, to so many characters.",
               "RPAD('hi', 4, '?!')", "hi?!", {of(pad<Side::kRight>)}),
      function("TRIM", "TRIM([BOTH | LEADING | TRAILING] [characters] [FROM] string)",
               "Without blanks, or any of the characters, at the ends.", "TRIM(LEADING 'x' FROM 'xxabcx')",
               "abcx", {of(+[](std::string_view text) { return trim_both(text, " "); }), of(trim_where)}),
      function("LTRIM", "LTRIM(string [, characters])",
               "Without blanks, or any of the characters, at the front.", "LTRIM('  ab ')", "ab ",
               {of(+[](std::string_view text) { return trim_left(text, " "); }), of(trim_left)}),
      function("RTRIM", "RTRIM(string [, characters])",
               "Without blanks, or any of the characters, at the end.", "RTRIM('abcc', 'c')", "ab",
               {of(+[](std::string_view text) { return trim_right(text, " "); }), of(trim_right)}),
      function("BTRIM", "BTRIM(string [, characters])",
               "Without blanks, or any of the characters, at both ends.", "BTRIM('xabx', 'x')", "ab",
               {of(+[](std::string_view text) { return trim_both(text, " "); }), of(trim_both)}),
      function("OVERLAY", "OVERLAY(string PLACING replacement FROM start [FOR length])",
               "With the replacement in place of a part.",
               "OVERLAY('This is old' PLACING 'new' FROM 9 FOR 3)", "This is new",
               {of(overlay_all), of(overlay)}),
  };
}

}  // namespace leat::functions
