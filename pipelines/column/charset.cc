#include "pipelines/column/charset.h"

#include <algorithm>
#include <utility>

#include "pipelines/column/utf8.h"

namespace leat {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

// Bytes of the well-formed character at `at`; 0: there is none (overlong, a surrogate, beyond U+10FFFF, cut).
std::size_t valid_width(std::string_view bytes, std::size_t at) {
  const auto lead = static_cast<unsigned char>(bytes[at]);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t width = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (utf8_width(bytes, at) != width) return 0;
  const char32_t code = utf8_decode(bytes, at);
  const bool overlong = (width == 3 && code < 0x800) || (width == 4 && code < 0x10000);
  return overlong || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF ? 0 : width;
}

void append_unit(std::uint32_t unit, Charset charset, std::string& out) {
  const char high = static_cast<char>(unit >> 8);
  const char low = static_cast<char>(unit & 0xFF);
  if (charset == Charset::kUtf16Little)
    (out += low) += high;
  else
    (out += high) += low;
}

void append_in(char32_t code, Charset charset, std::string& out) {
  const char32_t most = charset == Charset::kAscii ? 0x7F : 0xFF;
  switch (charset) {
    case Charset::kAscii:
    case Charset::kLatin1:
      out += code > most ? '?' : static_cast<char>(code);
      return;
    case Charset::kUtf8:
      return utf8_append(code, out);
    default:
      break;
  }
  if (code < 0x10000) return append_unit(code, charset, out);
  append_unit(0xD800 + ((code - 0x10000) >> 10), charset, out);
  append_unit(0xDC00 + ((code - 0x10000) & 0x3FF), charset, out);
}

std::string decode_utf16(std::string_view bytes, bool little) {
  const auto unit_at = [&](std::size_t at) {
    const auto a = static_cast<unsigned char>(bytes[at]);
    const auto b = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<char32_t>(little ? b << 8 | a : a << 8 | b);
  };
  std::string out;
  std::size_t at = 0;
  while (at + 1 < bytes.size()) {
    char32_t code = unit_at(at);
    at += 2;
    const bool high = code >= 0xD800 && code < 0xDC00;
    if (high && at + 1 < bytes.size() && unit_at(at) >= 0xDC00 && unit_at(at) < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (unit_at(at) - 0xDC00);
      at += 2;
    } else if (code >= 0xD800 && code < 0xE000) {
      code = kReplacement;
    }
    utf8_append(code, out);
  }
  if (at < bytes.size()) utf8_append(kReplacement, out);
  return out;
}

}  // namespace

bool is_valid_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t width = valid_width(bytes, at);
    if (width == 0) return false;
    at += width;
  }
  return true;
}

std::string make_valid_utf8(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t width = valid_width(bytes, at);
    if (width == 0)
      utf8_append(kReplacement, out);
    else
      out += bytes.substr(at, width);
    at += std::max<std::size_t>(width, 1);
  }
  return out;
}

Result<Charset> find_charset(std::string_view name) {
  constexpr std::pair<std::string_view, Charset> kNames[] = {
      {"US-ASCII", Charset::kAscii}, {"ASCII", Charset::kAscii},       {"ISO-8859-1", Charset::kLatin1},
      {"LATIN1", Charset::kLatin1},  {"UTF-8", Charset::kUtf8},        {"UTF8", Charset::kUtf8},
      {"UTF-16", Charset::kUtf16},   {"UTF-16BE", Charset::kUtf16Big}, {"UTF-16LE", Charset::kUtf16Little}};
  const std::string wanted = upper(name);
  for (const auto& [known, charset] : kNames)
    if (known == wanted) return charset;
  return fail(ErrorCode::kInvalid,
              "unknown character set '" + std::string(name) +
                  "'; there are US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE, UTF-16LE");
}

std::string encode_text(std::string_view text, Charset charset) {
  std::string out;
  // Java's UTF-16 writes its byte order, which is the big one.
  if (charset == Charset::kUtf16 && !text.empty()) append_unit(0xFEFF, charset, out);
  for (std::size_t at = 0; at < text.size(); at += utf8_width(text, at))
    append_in(utf8_decode(text, at), charset, out);
  return out;
}

std::string decode_text(std::string_view bytes, Charset charset) {
  if (charset == Charset::kUtf8) return make_valid_utf8(bytes);
  if (charset == Charset::kUtf16Little) return decode_utf16(bytes, true);
  if (charset == Charset::kUtf16Big) return decode_utf16(bytes, false);
  if (charset == Charset::kUtf16) {
    const bool little = bytes.starts_with("\xFF\xFE");
    const bool marked = little || bytes.starts_with("\xFE\xFF");
    return decode_utf16(bytes.substr(marked ? 2 : 0), little);
  }
  std::string out;
  for (const char c : bytes) {
    const auto code = static_cast<unsigned char>(c);
    utf8_append(charset == Charset::kAscii && code > 0x7F ? kReplacement : code, out);
  }
  return out;
}

}  // namespace leat
