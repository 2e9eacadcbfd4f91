#include "sinks/http/http_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>

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
                   (options.token_url.empty() ? 0 : 1) + (gives_header(options, "authorization") ? 1 : 0);
  if (ways > 1)
    errors.push_back(
        {!options.token_url.empty() ? "oauth2.token-url"
         : options.token.empty()    ? "user"
                                    : "token",
         Part::kKey,
         "give one of 'user', 'token', 'oauth2.token-url' and 'header.authorization', not several"});
  if (options.user.empty() && !options.password.empty())
    errors.push_back({"user", Part::kMissing, "'password' needs 'user'"});
  if (!is_header_value(options.token.reveal()))
    errors.push_back({"token", Part::kValue, "the value of 'token' has a control character in it"});
}

void check_url(const std::string& key, const std::string& url, std::vector<OptionError>& errors) {
  if (const auto parsed = clients::parse_http_url(url); !parsed)
    errors.push_back({key, Part::kValue, fmt::format("'{}': {}", key, parsed.error().message)});
}

void check_oauth(const HttpOptions& options, std::vector<OptionError>& errors) {
  const std::pair<const char*, bool> parts[] = {{"oauth2.client-id", !options.client_id.empty()},
                                                {"oauth2.client-secret", !options.client_secret.empty()},
                                                {"oauth2.scope", !options.scope.empty()},
                                                {"oauth2.audience", !options.audience.empty()}};
  if (options.token_url.empty()) {
    for (const auto& [key, given] : parts)
      if (given)
        errors.push_back(
            {"oauth2.token-url", Part::kMissing, fmt::format("'{}' needs 'oauth2.token-url'", key)});
    return;
  }
  check_url("oauth2.token-url", options.token_url, errors);
  for (const auto& [key, given] : std::span(parts).first(2))
    if (!given) errors.push_back({key, Part::kMissing, fmt::format("'oauth2.token-url' needs '{}'", key)});
}

void check_proxy(const HttpOptions& options, std::vector<OptionError>& errors) {
  if (options.proxy_url.empty()) {
    if (!options.proxy_user.empty())
      errors.push_back({"proxy.url", Part::kMissing, "'proxy.user' needs 'proxy.url'"});
  } else {
    check_url("proxy.url", options.proxy_url, errors);
    const auto url = clients::parse_http_url(options.proxy_url);
    if (url && (url->scheme != clients::HttpUrl::Scheme::kHttp || url->target != "/"))
      errors.push_back({"proxy.url", Part::kValue,
                        "'proxy.url': a proxy is reached by http, without a path; expected "
                        "a form such as 'http://proxy:3128'"});
  }
  if (options.proxy_user.empty() && !options.proxy_password.empty())
    errors.push_back({"proxy.user", Part::kMissing, "'proxy.password' needs 'proxy.user'"});
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
      option(
          "oauth2.token-url", &HttpOptions::token_url, Necessity::kOptional,
          "Where tokens are asked for by OAuth 2.0's client credentials. One is used until shortly before it "
          "expires, or until the server refuses it. 'tls.*' and 'proxy.*' count for this server, too."),
      option("oauth2.client-id", &HttpOptions::client_id, Necessity::kOptional, "Who asks for tokens."),
      option("oauth2.client-secret", &HttpOptions::client_secret, Necessity::kOptional,
             "The client's secret."),
      option("oauth2.scope", &HttpOptions::scope, Necessity::kOptional,
             "What the token shall allow, separated by spaces."),
      option("oauth2.audience", &HttpOptions::audience, Necessity::kOptional,
             "For whom the token shall be, where the server wants to know."),
      choice("oauth2.credentials", &HttpOptions::credentials,
             {{"header", clients::OAuthOptions::Credentials::kHeader},
              {"body", clients::OAuthOptions::Credentials::kBody}},
             Necessity::kOptional,
             "Where the client's id and secret stand: as Basic authentication, or in the form."),
      option("proxy.url", &HttpOptions::proxy_url, Necessity::kOptional,
             "A proxy that all requests go through: 'http://proxy:3128'; https by CONNECT. The environment's "
             "http_proxy "
             "does not count."),
      option("proxy.user", &HttpOptions::proxy_user, Necessity::kOptional,
             "User of Basic authentication at the proxy."),
      option("proxy.password", &HttpOptions::proxy_password, Necessity::kOptional, "That user's password."),
      option("connect.timeout", &HttpOptions::connect_timeout, Necessity::kOptional,
             "How long connecting to one address of the host may take."),
      option("request.timeout", &HttpOptions::request_timeout, Necessity::kOptional,
             "How long a request may take, from connecting to the last byte of the response."),
      option("tls.ca-file", &HttpOptions::ca_file, Necessity::kOptional,
             "PEM file of the authorities that are trusted; without it the system's."),
      option("tls.certificate-file", &HttpOptions::certificate_file, Necessity::kOptional,
             "PEM file of the client's certificate chain. Renewed files count from the next request on."),
      option("tls.key-file", &HttpOptions::key_file, Necessity::kOptional, "PEM file of the client's key."),
      choice("tls.verification", &HttpOptions::verification,
             {{"full", clients::PeerVerification::kFull}, {"none", clients::PeerVerification::kNone}},
             Necessity::kOptional, "Whether the server's certificate and name are checked."),
      max_rows_option<HttpOptions>(),
      max_bytes_option<HttpOptions>(),
      linger_option<HttpOptions>()};
  return table;
}

clients::HttpClientOptions client_options(const HttpOptions& options, const std::string& url) {
  clients::HttpClientOptions client{.url = clients::parse_http_url(url).value_or(clients::HttpUrl{}),
                                    .connect_timeout = options.connect_timeout,
                                    .request_timeout = options.request_timeout,
                                    .ca_file = options.ca_file,
                                    .certificate_file = options.certificate_file,
                                    .key_file = options.key_file,
                                    .verification = options.verification};
  if (options.proxy_url.empty()) return client;
  const clients::HttpUrl proxy = clients::parse_http_url(options.proxy_url).value_or(clients::HttpUrl{});
  client.proxy = {proxy.host, proxy.port, options.proxy_user, options.proxy_password};
  return client;
}

clients::OAuthOptions oauth_options(const HttpOptions& options) {
  return {.endpoint = client_options(options, options.token_url),
          .client_id = options.client_id,
          .client_secret = options.client_secret,
          .scope = options.scope,
          .audience = options.audience,
          .credentials = options.credentials};
}

void check_http_options(const HttpOptions& options, const OptionMap& map, std::vector<OptionError>& errors) {
  check_url("url", options.url, errors);
  check_headers(options, errors);
  check_credentials(options, errors);
  check_oauth(options, errors);
  check_proxy(options, errors);
  check_tls(options, errors);
  check_body(options, map, errors);
}

}  // namespace leat::sinks
