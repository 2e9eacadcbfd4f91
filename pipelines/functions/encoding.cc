// ENCODE and DECODE, URLs, addresses, hexadecimal digits, UTF-8 that is none: text as other bytes, and back.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "pipelines/column/charset.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// ---- Character sets --------------------------------------------------------------------------------------

Result<std::string> encode(std::string_view text, std::string_view name) {
  LEAT_ASSIGN(const Charset charset, find_charset(name));
  return encode_text(text, charset);
}

Result<std::string> decode(std::string_view bytes, std::string_view name) {
  LEAT_ASSIGN(const Charset charset, find_charset(name));
  return decode_text(bytes, charset);
}

// ---- URLs ------------------------------------------------------------------------------------------------

std::string url_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    const bool plain =
        (code < 0x80 && std::isalnum(code) != 0) || c == '.' || c == '-' || c == '*' || c == '_';
    if (plain)
      out += c;
    else if (c == ' ')
      out += '+';
    else
      out += fmt::format("%{:02X}", static_cast<unsigned>(code));
  }
  return out;
}

std::optional<std::string> url_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return make_valid_utf8(out);
}

// protocol://[userinfo@]host[:port]path[?query][#ref], as java.net.URL takes it apart.
struct Url {
  std::string_view protocol, authority, path;
  std::optional<std::string_view> user, query, ref;
  std::string_view host;
};

std::optional<Url> parse(std::string_view text) {
  Url url;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || text.find('/') < colon) return std::nullopt;
  url.protocol = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    url.ref = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    url.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (text.starts_with("//")) {
    const std::size_t end = std::min(text.find('/', 2), text.size());
    url.authority = text.substr(2, end - 2);
    text.remove_prefix(end);
  }
  url.path = text;
  url.host = url.authority;
  if (const std::size_t at = url.host.rfind('@'); at != std::string_view::npos) {
    url.user = url.host.substr(0, at);
    url.host.remove_prefix(at + 1);
  }
  const std::size_t port = url.host.rfind(':');
  if (port != std::string_view::npos && url.host.find(']', port) == std::string_view::npos)
    url.host = url.host.substr(0, port);
  return url;
}

std::optional<std::string> url_part(std::string_view text, std::string_view part) {
  const std::optional<Url> url = parse(text);
  if (!url) return std::nullopt;
  const auto some = [](const std::optional<std::string_view>& value) {
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  if (part == "PROTOCOL") return std::string(url->protocol);
  if (part == "AUTHORITY") return std::string(url->authority);
  if (part == "HOST") return std::string(url->host);
  if (part == "PATH") return std::string(url->path);
  if (part == "QUERY") return some(url->query);
  if (part == "REF") return some(url->ref);
  if (part == "USERINFO") return some(url->user);
  if (part != "FILE") return std::nullopt;
  return std::string(url->path) + (url->query ? "?" + std::string(*url->query) : "");
}

std::optional<std::string> query_value(std::string_view text, std::string_view part, std::string_view key) {
  const std::optional<Url> url = parse(text);
  if (part != "QUERY" || !url || !url->query) return std::nullopt;
  std::string_view rest = *url->query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == key)
      return std::string(pair.substr(equals + 1));
  }
  return std::nullopt;
}

// ---- Addresses and digits --------------------------------------------------------------------------------

// "a.b.c.d"; with fewer parts the last one fills the bytes that are left.
std::optional<std::int64_t> inet_aton(std::string_view text) {
  std::vector<std::int64_t> parts;
  while (true) {
    const std::string_view part = text.substr(0, text.find('.'));
    std::int64_t number = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), number);
    const bool whole = read.ec == std::errc() && read.ptr == part.data() + part.size();
    if (!whole || part.starts_with('-') || parts.size() == 4) return std::nullopt;
    parts.push_back(number);
    if (part.size() == text.size()) break;
    text.remove_prefix(part.size() + 1);
  }
  std::int64_t address = 0;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] > 255) return std::nullopt;
    address = address << 8 | parts[i];
  }
  const int left = 8 * static_cast<int>(5 - parts.size());
  return parts.back() < std::int64_t{1} << left ? std::optional(address << left | parts.back())
                                                : std::nullopt;
}

std::optional<std::string> inet_ntoa(std::int64_t address) {
  if (address < 0 || address > 0xFFFFFFFF) return std::nullopt;
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

std::optional<std::string> unhex(std::string_view digits) {
  std::string out;
  std::size_t at = 0;
  // Of an odd number of digits the first only makes a null byte, as in Flink.
  if (digits.size() % 2 == 1) {
    if (hex_digit(digits[at++]) < 0) return std::nullopt;
    out += '\0';
  }
  for (; at < digits.size(); at += 2) {
    const int high = hex_digit(digits[at]);
    const int low = hex_digit(digits[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

}  // namespace

ScalarFunctions encoding_functions() {
  const Type text = Type::string();
  const Type bytes = Type::bytes();
  return {
      function("ENCODE", "ENCODE(string, charset)",
               "The text in another character set: US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE, UTF-16LE.",
               "HEX(DECODE(ENCODE('ab', 'UTF-16BE'), 'ISO-8859-1'))", "00610062",
               {of({text, text}, bytes, encode)}),
      function("DECODE", "DECODE(bytes, charset)", "Bytes of a character set as text.",
               "DECODE(ENCODE('ä', 'UTF-16LE'), 'UTF-16LE')", "ä", {of({bytes, text}, text, decode)}),
      function("IS_VALID_UTF8", "IS_VALID_UTF8(bytes)", "True if the bytes are UTF-8.",
               "IS_VALID_UTF8(x'C328')", "FALSE", {of({bytes}, Type::boolean(), is_valid_utf8)}),
      function("MAKE_VALID_UTF8", "MAKE_VALID_UTF8(bytes)",
               "The bytes as text, with U+FFFD for each one that is not UTF-8.", "MAKE_VALID_UTF8(x'41C3')",
               "A\uFFFD", {of({bytes}, text, make_valid_utf8)}),
      function("URL_ENCODE", "URL_ENCODE(string)", "The text as it stands in a URL's query.",
               "URL_ENCODE('a b&c')", "a+b%26c", {of(url_encode)}),
      function("URL_DECODE", "URL_DECODE(string)", "The text of a URL's query; NULL: a % without two digits.",
               "URL_DECODE('a+b%26c')", "a b&c", {of(url_decode)}),
      function("PARSE_URL", "PARSE_URL(url, part [, key])",
               "HOST, PATH, QUERY, REF, PROTOCOL, AUTHORITY, FILE or USERINFO of a URL, or a key's value of "
               "QUERY.",
               "PARSE_URL('http://example.org/a?k=1', 'QUERY', 'k')", "1", {of(url_part), of(query_value)}),
      function("INET_ATON", "INET_ATON(string)", "An IPv4 address as a number; NULL: it is none.",
               "INET_ATON('192.168.0.1')", "3232235521", {of(inet_aton)}),
      function("INET_NTOA", "INET_NTOA(number)", "A number as an IPv4 address.", "INET_NTOA(3232235521)",
               "192.168.0.1", {of(inet_ntoa)}),
      function("UNHEX", "UNHEX(string)", "The bytes of hexadecimal digits; NULL: they are none.",
               "DECODE(UNHEX('6869'), 'UTF-8')", "hi", {of({text}, bytes, unhex)}),
  };
}

}  // namespace leat::functions
