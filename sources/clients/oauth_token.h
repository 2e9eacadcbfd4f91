// Access tokens by OAuth 2.0's client credentials (RFC 6749, section 4.4): asked for once, kept until shortly
// before they expire. One thread at a time, but for `interrupt`.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "sources/clients/http_client.h"

namespace leat::clients {

struct OAuthOptions {
  HttpClientOptions endpoint;  ///< Its URL is the token endpoint's.
  std::string client_id;
  Secret client_secret;
  std::string scope;     ///< Empty: none is asked for.
  std::string audience;  ///< Empty: none; some servers want one.
  enum class Credentials : std::uint8_t {
    kHeader,  ///< By Basic authentication, which every server must take (section 2.3.1).
    kBody,    ///< As client_id and client_secret of the form, for servers that take nothing else.
  };
  Credentials credentials = Credentials::kHeader;
};

/// What a token endpoint has granted.
struct AccessToken {
  Secret value;
  std::optional<std::chrono::seconds> lifetime;  ///< None: the server does not tell.
};

/// The form that is posted. Pure.
std::string token_request(const OAuthOptions& options);
/// Reads the answer of status 200. Errors: invalid (no token in it, or of a type other than Bearer). Pure.
Result<AccessToken> read_token(std::string_view body);

class OAuthTokens {
 public:
  using Clock = std::chrono::steady_clock;

  explicit OAuthTokens(OAuthOptions options);

  /// The value of an Authorization header. Blocks for a request where there is no token that lasts. Errors:
  /// of HttpClient::send; unavailable (the endpoint is overloaded), invalid (it refuses us, or answers with
  /// no token: a human is needed).
  Result<std::string> authorization(Clock::time_point now);
  /// The resource refuses the token. True: another one will be asked for; false: this one was just granted.
  bool forget();
  /// What the endpoint's last answer had for Retry-After; empty: nothing.
  [[nodiscard]] const std::string& retry_after() const { return retry_after_; }
  void interrupt() { client_.interrupt(); }

 private:
  Status renew(Clock::time_point now);

  OAuthOptions options_;
  HttpClient client_;
  Secret token_;
  Clock::time_point expires_{};
  bool used_ = false;  // Since it was granted.
  std::string retry_after_;
};

}  // namespace leat::clients
