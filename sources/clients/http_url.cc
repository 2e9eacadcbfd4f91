#include "sources/clients/http_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace leat::clients {

namespace {

auto wrong(std::string_view what) {
  return fail(ErrorCode::kInvalid, fmt::format("expected a URL such as 'https://host:8443/path', {}", what));
}

Result<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0)
    return wrong("found a port that is no number from 1 to 65535");
  return port;
}

/// Takes "host", "host:port", "[address]" or "[address]:port" apart.
Status parse_authority(std::string_view authority, HttpUrl& url) {
  if (authority.find('@') != std::string_view::npos)
    return wrong("without user and password in it: they have options of their own");
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return wrong("found '[' without ']'");
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (url.host.empty()) return wrong("found no host");
  if (port.empty()) return {};
  if (port.front() != ':') return wrong("found text between host and port");
  LEAT_ASSIGN(url.port, parse_port(port.substr(1)));
  return {};
}

}  // namespace

std::string authority_of(const std::string& host, std::uint16_t port) {
  const bool bare_address = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", bare_address ? "[" : "", host, bare_address ? "]" : "", port);
}

std::string percent_encoded(std::string_view text, std::string_view kept) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos ||
                       kept.find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string HttpUrl::origin() const {
  return (scheme == Scheme::kHttps ? "https://" : "http://") + authority_of(host, port);
}

Result<HttpUrl> parse_http_url(std::string_view text) {
  HttpUrl url;
  if (text.starts_with("https://")) {
    url.scheme = HttpUrl::Scheme::kHttps;
    url.port = 443;
  } else if (!text.starts_with("http://")) {
    return wrong("found neither 'http://' nor 'https://'");
  }
  const auto forbidden = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '#';
  };
  if (std::any_of(text.begin(), text.end(), forbidden))
    return wrong("found a space, a control character or '#' (write them as %XX)");
  text.remove_prefix(text.find("//") + 2);
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  LEAT_TRY(parse_authority(text.substr(0, end), url));
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

}  // namespace leat::clients
