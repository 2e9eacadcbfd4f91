// The parts of an http or https URL that a client needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::clients {

/// "host:8443", an IPv6 address in brackets.
std::string authority_of(const std::string& host, std::uint16_t port);

/// RFC 3986, section 2.1: all but unreserved characters, and those in `kept`, as %XX.
std::string percent_encoded(std::string_view text, std::string_view kept = {});

struct HttpUrl {
  enum class Scheme : std::uint8_t { kHttp, kHttps };
  Scheme scheme = Scheme::kHttp;
  std::string host;  ///< A name or an address, IPv6 without its brackets.
  std::uint16_t port = 80;
  std::string target;  ///< Path and query as written; "/" when there is none.

  /// "https://host:8443", without the target: what messages may show.
  [[nodiscard]] std::string origin() const;
};

/// Errors: invalid. A URL with user and password is refused (they would show in logs and plans), and so is
/// one with a fragment, a space or a control character; the message never repeats the text.
Result<HttpUrl> parse_http_url(std::string_view text);

}  // namespace leat::clients
