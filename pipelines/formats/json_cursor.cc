#include "pipelines/formats/json_cursor.h"

#include "pipelines/formats/read_scalar.h"

namespace leat::formats {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The four hexadecimal digits at the front of `text`, or -1.
std::int32_t read_unit(std::string_view text) {
  if (text.size() < 4) return -1;
  std::int32_t unit = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

void append_utf8(std::uint32_t code, std::string& out) {
  const auto trail = [&](int shift) { out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f))); };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code >> 6)));
    trail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (code >> 12)));
    trail(6);
    trail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | (code >> 18)));
    trail(12);
    trail(6);
    trail(0);
  }
}

/// Takes "XXXX" or "XXXX\uXXXX" from the front of `rest`.
bool take_code_point(std::string_view& rest, std::string& out) {
  const std::int32_t unit = read_unit(rest);
  if (unit < 0) return false;
  rest.remove_prefix(4);
  auto code = static_cast<std::uint32_t>(unit);
  if (code >= 0xdc00 && code < 0xe000) return false;
  if (code >= 0xd800 && code < 0xdc00) {
    const std::int32_t low = rest.starts_with("\\u") ? read_unit(rest.substr(2)) : -1;
    if (low < 0xdc00 || low > 0xdfff) return false;
    rest.remove_prefix(6);
    code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(low) - 0xdc00);
  }
  append_utf8(code, out);
  return true;
}

/// What a one-letter escape stands for; NUL for none.
char simple_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

Outcome skip_string(JsonCursor& in) {
  const std::string_view token = in.token();
  if (token.size() < 2 || token.back() != '"') return Outcome::kMalformed;
  const std::string_view inside = token.substr(1, token.size() - 2);
  if (has_escape(inside)) {
    std::string meaning;
    if (!unescape(inside, meaning)) return Outcome::kMalformed;
  }
  in.advance();
  return Outcome::kOk;
}

Outcome skip_literal(JsonCursor& in) {
  if (in.at_end()) return Outcome::kMalformed;
  const std::string_view token = in.token();
  const char* const end = token.data() + token.size();
  NumberParts parts;
  if (token != "true" && token != "false" && token != "null" && scan_number(token.data(), end, parts) != end)
    return Outcome::kMalformed;
  in.advance();
  return Outcome::kOk;
}

/// Members of an object or elements of an array up to and including `close`; `in` stands behind the opening.
Outcome skip_members(JsonCursor& in, char close, int depth) {
  if (in.peek() == close) {
    in.advance();
    return Outcome::kOk;
  }
  for (;;) {
    if (close == '}') {
      if (in.peek() != '"' || skip_string(in) != Outcome::kOk || in.peek() != ':') return Outcome::kMalformed;
      in.advance();
    }
    if (skip_value(in, depth) != Outcome::kOk) return Outcome::kMalformed;
    const char mark = in.peek();
    if (mark != ',' && mark != close) return Outcome::kMalformed;
    in.advance();
    if (mark == close) return Outcome::kOk;
  }
}

}  // namespace

bool unescape(std::string_view text, std::string& out) {
  out.clear();
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (text.size() < 2) return false;
    const char kind = text[1];
    text.remove_prefix(2);
    if (kind == 'u') {
      if (!take_code_point(text, out)) return false;
      continue;
    }
    const char meaning = simple_escape(kind);
    if (meaning == '\0') return false;
    out.push_back(meaning);
  }
  return true;
}

Outcome skip_value(JsonCursor& in, int depth) {
  if (depth > kDeepestNesting) return Outcome::kMalformed;
  switch (in.peek()) {
    case '"':
      return skip_string(in);
    case '{':
      in.advance();
      return skip_members(in, '}', depth + 1);
    case '[':
      in.advance();
      return skip_members(in, ']', depth + 1);
    default:
      return skip_literal(in);
  }
}

Outcome compact_value(JsonCursor& in, std::string& scratch, std::string_view& out) {
  const JsonCursor::Mark first = in.mark();
  const char* const begin = in.begin();
  if (skip_value(in) != Outcome::kOk) return Outcome::kMalformed;
  const JsonCursor::Mark behind = in.mark();
  scratch.clear();
  const char* end = begin;
  for (in.rewind(first); in.mark() != behind; in.advance()) {
    const std::string_view token = in.token();
    scratch.append(token);
    end = token.data() + token.size();
  }
  const auto length = static_cast<std::size_t>(end - begin);
  out = length == scratch.size() ? std::string_view(begin, length) : std::string_view(scratch);
  return Outcome::kOk;
}

}  // namespace leat::formats
