// One HTTP connection to one server, kept alive between requests; a wrapper of cpp-httplib that adds what it
// lacks: a limit on the whole of a request, and interruption at any point after the name is resolved.
//
// Threads: `send` from one thread at a time; `interrupt` from any. A watching thread lives from the first
// `send` on; it shuts the socket down when time is up. (cpp-httplib's own time-outs are per read: a server
// that drips bytes would hold a delivery for ever.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/base/time.h"
#include "sources/clients/http_url.h"
#include "sources/clients/proxy_tunnel.h"

namespace leat::clients {

enum class PeerVerification : std::uint8_t {
  kFull,  ///< The certificate's chain and its host name.
  kNone,  ///< Anybody is believed; for trying out only.
};

struct HttpClientOptions {
  HttpUrl url;
  Micros connect_timeout{10 * kMicrosPerSecond};  ///< Per address of the host.
  Micros request_timeout{30 * kMicrosPerSecond};  ///< From connecting to the last byte of the response.
  std::string ca_file;                            ///< PEM; empty: the system's.
  std::string certificate_file;                   ///< PEM chain of the client; empty: none.
  std::string key_file;
  PeerVerification verification = PeerVerification::kFull;
  HttpProxy proxy = {};               ///< All requests go through it; those to https in a tunnel.
  std::size_t kept_body_bytes = 512;  ///< So much of a response's body is kept; the rest is read and dropped.
};

struct HttpRequest {
  std::string method;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string target = {};  ///< Path and query; empty: the URL's.
};

struct HttpResponse {
  int status = 0;
  std::string retry_after;  ///< The header's text; empty: none.
  std::string location;     ///< Of a redirect; redirects are never followed.
  std::string body;         ///< Its beginning, for messages.
};

class HttpClient {
 public:
  /// Touches nothing. Certificates are read when connecting; when their files have changed, the next request
  /// connects anew with them, so that renewed ones need no restart.
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// One request and its whole response. A response that breaks off is an error, whatever its status said.
  /// Errors: unavailable (no connection, broken off, out of time), invalid (certificates: a human is needed),
  /// cancelled (`interrupt`).
  Result<HttpResponse> send(const HttpRequest& request);

  /// Ends a `send` under way, and every later one, with cancelled. (A name server that is asked at this
  /// moment still has its own time-out.)
  void interrupt();

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

/// The value of an Authorization header for a user and password.
std::string basic_authorization(const std::string& user, const std::string& password);

}  // namespace leat::clients
