#include "sinks/http/http_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "sinks/connector.h"

namespace leat::sinks {

namespace {

using Part = OptionError::Part;

/// Headers that the sink or the connection writes itself.
constexpr std::array<std::string_view, 9> kOwnHeaders{
    "content-length",  "content-encoding", "transfer-encoding", "connection",     "host",
    "idempotency-key", "leat-gateway",     "leat-attempt",      "accept-encoding"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

/// RFC 9110, 5.6.2: a token.
bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
  });
}

void check_headers(const HttpOptions& options, std::vector<OptionError>& errors) {
  std::set<std::string> seen;
  for (const auto& [name, value] : options.headers) {
    const std::string key = "header." + name;
    if (!is_header_name(name))
      errors.push_back({key, Part::kKey, fmt::format("'{}' is not the name of an HTTP header", name)});
    else if (std::find(kOwnHeaders.begin(), kOwnHeaders.end(), lower(name)) != kOwnHeaders.end())
      errors.push_back({key, Part::kKey, fmt::format("header '{}' is written by the sink itself", name)});
    else if (!seen.insert(lower(name)).second)
      errors.push_back({key, Part::kKey,
                        fmt::format("header '{}' is given twice: upper and lower case mean the same", name)});
    else if (!is_header_value(value.reveal()))
      errors.push_back(
          {key, Part::kValue, fmt::format("the value of '{}' has a control character in it", key)});
  }
}

void check_credentials(const HttpOptions& options, std::vector<OptionError>& errors) {
  const int ways = (options.user.empty() ? 0 : 1) + (options.token.empty() ? 0 : 1) +
                   (gives_header(options, "authorization") ? 1 : 0);
  if (ways > 1)
    errors.push_back({options.token.empty() ? "user" : "token", Part::kKey,
                      "give one of 'user', 'token' and 'header.authorization', not several"});
  if (options.user.empty() && !options.password.empty())
    errors.push_back({"user", Part::kMissing, "'password' needs 'user'"});
  if (!is_header_value(options.token.reveal()))
    errors.push_back({"token", Part::kValue, "the value of 'token' has a control character in it"});
}

void check_tls(const HttpOptions& options, std::vector<OptionError>& errors) {
  if (options.certificate_file.empty() != options.key_file.empty())
    errors.push_back({options.key_file.empty() ? "tls.key-file" : "tls.certificate-file", Part::kMissing,
                      "'tls.certificate-file' and 'tls.key-file' need each other"});
}

void check_body(const HttpOptions& options, const OptionMap& map, std::vector<OptionError>& errors) {
  const bool json_body = options.body == BodyForm::kJsonArray || options.body == BodyForm::kJsonLines;
  const auto format = map.find("format");
  if (!json_body || format == map.end() || format->second == "json") return;
  errors.push_back(
      {"body", map.contains("body") ? Part::kValue : Part::kMissing,
       fmt::format("'body' = '{}' needs 'format' = 'json', found '{}'; use 'lines' or 'single'",
                   options.body == BodyForm::kJsonArray ? "json-array" : "json-lines", format->second)});
}

}  // namespace

bool gives_header(const HttpOptions& options, std::string_view lower_name) {
  return std::any_of(options.headers.begin(), options.headers.end(),
                     [&](const auto& header) { return lower(header.first) == lower_name; });
}

const OptionTable<HttpOptions>& http_options() {
  static const OptionTable<HttpOptions> table{
      option("url", &HttpOptions::url, Necessity::kRequired,
             "Where the requests go, with path and query. Redirects are not followed."),
      choice("method", &HttpOptions::method, {{"POST", HttpMethod::kPost}, {"PUT", HttpMethod::kPut}},
             Necessity::kOptional, "The requests' method."),
      secret_prefix_option("header.", &HttpOptions::headers,
                           "A header of every request: 'header.X-Site' = 'north'. The values never show."),
      choice("body", &HttpOptions::body,
             {{"json-array", BodyForm::kJsonArray},
              {"json-lines", BodyForm::kJsonLines},
              {"lines", BodyForm::kLines},
              {"single", BodyForm::kSingle}},
             Necessity::kOptional,
             "How records lie in a request: all of a shipment in one JSON array, as lines, or one request "
             "each."),
      choice("compression", &HttpOptions::compression,
             {{"none", HttpCompression::kNone}, {"gzip", HttpCompression::kGzip}}, Necessity::kOptional,
             "Compression of the requests' bodies (Content-Encoding)."),
      option("user", &HttpOptions::user, Necessity::kOptional, "User of Basic authentication."),
      option("password", &HttpOptions::password, Necessity::kOptional, "The user's password."),
      option("token", &HttpOptions::token, Necessity::kOptional, "Bearer token (Authorization: Bearer …)."),
      option("connect.timeout", &HttpOptions::connect_timeout, Necessity::kOptional,
             "How long connecting to one address of the host may take."),
      option("request.timeout", &HttpOptions::request_timeout, Necessity::kOptional,
             "How long a request may take, from connecting to the last byte of the response."),
      option("tls.ca-file", &HttpOptions::ca_file, Necessity::kOptional,
             "PEM file of the authorities that are trusted; without it the system's."),
      option("tls.certificate-file", &HttpOptions::certificate_file, Necessity::kOptional,
             "PEM file of the client's certificate chain."),
      option("tls.key-file", &HttpOptions::key_file, Necessity::kOptional, "PEM file of the client's key."),
      choice("tls.verification", &HttpOptions::verification,
             {{"full", clients::PeerVerification::kFull}, {"none", clients::PeerVerification::kNone}},
             Necessity::kOptional, "Whether the server's certificate and name are checked."),
      max_rows_option<HttpOptions>(),
      max_bytes_option<HttpOptions>(),
      linger_option<HttpOptions>()};
  return table;
}

void check_http_options(const HttpOptions& options, const OptionMap& map, std::vector<OptionError>& errors) {
  if (const auto url = clients::parse_http_url(options.url); !url)
    errors.push_back({"url", Part::kValue, "'url': " + url.error().message});
  check_headers(options, errors);
  check_credentials(options, errors);
  check_tls(options, errors);
  check_body(options, map, errors);
}

}  // namespace leat::sinks
