// Who asks, and whether the daemon is what they meant to ask: the guards that need to know how the API is
// reached.
//
//   over the Unix socket       admin: the file's permissions have let the peer in
//   a token                    its role; a wrong one is refused wherever it is shown
//   a client certificate       [api] tls_client_role, admin for those in tls_admins
//   loopback, no token exists  admin: every user of the machine, as a daemon without tokens was always asked
//   anything else              nobody: only what serves anyone
//
// And against pages that a browser shows, which may send requests to any address that it reaches:
//   - The Host must be a name of ours: a loopback address or "localhost", the address that was connected to,
//   one of
//     [api] names. A page whose name was made to resolve to our address (DNS rebinding) has its own name
//     there.
//   - An Origin, where one is given, must be ours; for what changes something Sec-Fetch-Site must say the
//   same.
//     Browsers send these by themselves and pages cannot forge them; curl and `leat` send none.
//   - What changes something is a PUT, a DELETE, or a POST of application/json, which no form can send; and
//   there
//     are no cookies, so that a token never travels with a request that its owner did not make.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daemon/api/counters.h"
#include "daemon/api/rate_limit.h"
#include "daemon/api/routes.h"
#include "daemon/api/token_book.h"
#include "daemon/config/config.h"
#include "sources/listen/peer.h"

namespace leat::api {

using listen::Peer;

/// A request before anything of it is believed. Headers that were not given are empty.
struct Incoming {
  std::string method;
  std::string path;  ///< Decoded, without the query.
  std::multimap<std::string, std::string> query;
  std::string body;
  std::string content_type;
  std::string host;
  std::string origin;
  std::string fetch_site;  ///< Sec-Fetch-Site
  std::string authorization;
  std::string accept_encoding;
  std::string if_none_match;
  Peer peer;
};

/// Any thread may ask it.
class Access {
 public:
  /// Everything outlives it; `tokens` null: there are none.
  Access(const config::Config& config, TokenBook* tokens, const loop::Clock& clock, Counters& counters);

  /// A problem when the peer sends more than it may; counted once per call.
  std::optional<Response> refuse_rate(const Peer& peer);
  /// A problem when a page, or a name of somebody else's, brought this request.
  std::optional<Response> refuse_stranger(const Incoming& incoming);
  /// The caller, or a problem for a wrong token.
  std::variant<Caller, Response> identify(const Incoming& incoming);
  /// A problem when the caller's role is not enough for the route's.
  std::optional<Response> refuse_role(const Caller& caller, Role needed);

 private:
  [[nodiscard]] bool is_our_name(const std::string& name, const Peer& peer) const;
  Response refuse_token(const Peer& peer, const std::string& why);

  const std::vector<std::string> names_;
  const Role certificate_role_;
  const std::vector<std::string> admins_;
  const bool bounds_this_machine_;
  TokenBook* const tokens_;
  Counters& counters_;
  RateLimit requests_;
  RateLimit failures_;
};

/// An error when the API would listen for other machines and let anyone in: the reason and what to do.
Status check_exposure(const config::Config& config);

/// What one peer's requests are counted under: an IPv4 address, the /64 of an IPv6 one.
std::string rate_key(const std::string& address);

}  // namespace leat::api
