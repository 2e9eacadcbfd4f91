// The options of 'connector' = 'http' as a sink.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/time.h"
#include "sinks/http/http_body.h"
#include "sources/clients/http_client.h"
#include "sources/clients/oauth_token.h"

namespace leat::sinks {

enum class HttpMethod : std::uint8_t { kPost, kPut };
enum class HttpCompression : std::uint8_t { kNone, kGzip };

struct HttpOptions {
  std::string url;
  HttpMethod method = HttpMethod::kPost;
  SecretMap headers;
  BodyForm body = BodyForm::kJsonArray;
  HttpCompression compression = HttpCompression::kNone;
  std::string user;
  Secret password;
  Secret token;
  std::string token_url;  // OAuth 2.0: empty without it.
  std::string client_id;
  Secret client_secret;
  std::string scope;
  std::string audience;
  clients::OAuthOptions::Credentials credentials = clients::OAuthOptions::Credentials::kHeader;
  std::string proxy_url;
  std::string proxy_user;
  Secret proxy_password;
  Micros connect_timeout{10 * kMicrosPerSecond};
  Micros request_timeout{30 * kMicrosPerSecond};
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  clients::PeerVerification verification = clients::PeerVerification::kFull;
  std::uint64_t max_rows = 1000;
  ByteSize max_bytes{512 << 10};  // Half of what web servers take by default.
  Micros linger{0};
};

const OptionTable<HttpOptions>& http_options();

/// True if the user gives this header; names of headers are the same in upper and lower case.
bool gives_header(const HttpOptions& options, std::string_view lower_name);

/// How to reach the servers; the options are valid.
clients::HttpClientOptions client_options(const HttpOptions& options, const std::string& url);
clients::OAuthOptions oauth_options(const HttpOptions& options);

/// What the table cannot say: the URLs' form, header names, credentials given twice, forms of body and
/// formats.
void check_http_options(const HttpOptions& options, const OptionMap& map, std::vector<OptionError>& errors);

}  // namespace leat::sinks
