// A way through an HTTP proxy to one server (CONNECT; RFC 9110, section 9.3.6), for whoever speaks TLS with
// that server. cpp-httplib's own waits for itself for ever when the proxy's answer says that it closes the
// connection.
#pragma once

#include <cstdint>
#include <string>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace leat::clients {

/// A proxy that takes requests for others.
struct HttpProxy {
  std::string host;  ///< Empty: none.
  std::uint16_t port = 0;
  std::string user;  ///< Of Basic authentication; empty: none.
  Secret password;

  /// "proxy:3128", IPv6 in brackets.
  [[nodiscard]] std::string authority() const;
};

/// What is asked of a proxy for a way to `authority` ("host:443").
std::string tunnel_request(const HttpProxy& proxy, const std::string& authority);
/// Reads the first line of its answer. Errors: invalid (it refuses: a human is needed), unavailable (it
/// cannot reach the server at present, or answers nonsense). Pure.
Status read_tunnel_answer(std::string_view head);

/// Asks over a socket that is connected with the proxy, and reads the answer's head and no byte more. Blocks
/// until somebody shuts the socket down, or its own time-out. Errors: of `read_tunnel_answer`, unavailable
/// (it closes).
Status open_tunnel(int socket, const HttpProxy& proxy, const std::string& authority);

}  // namespace leat::clients
