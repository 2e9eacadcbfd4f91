// From a request as it came to the answer of a route, with the guards that stand before every route. No
// sockets: the server hands in what it read, tests what they like.
//
// The API asks for no password, and any page that a browser on this machine shows may send requests to
// loopback. So:
//   - The Host must be a loopback address or "localhost": a page whose name was made to resolve to 127.0.0.1
//     (DNS rebinding) has its own name there.
//   - An Origin, where one is given, must be ours; for what changes something Sec-Fetch-Site must say the
//     same. Browsers send these by themselves and pages cannot forge them; curl and `leat` send none.
//   - What changes something is a PUT, a DELETE, or a POST of application/json, which no form can send.
#pragma once

#include <map>
#include <optional>
#include <regex>
#include <span>
#include <string>
#include <vector>

#include "daemon/api/routes.h"

namespace leat::api {

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
  std::string accept_encoding;
  std::string if_none_match;
};

/// Immutable, so that any number of threads may ask it.
class Dispatcher {
 public:
  /// The routes outlive it.
  explicit Dispatcher(std::span<const Route> routes);

  /// Never fails: what is refused gets a problem that says why.
  [[nodiscard]] Response dispatch(const ApiContext& context, const Incoming& incoming) const;

 private:
  struct Compiled {
    const Route* route;
    std::regex pattern;
  };
  [[nodiscard]] std::optional<Response> find_route(const Incoming& incoming, std::optional<Method> method,
                                                   const Route*& route, Request& request) const;

  std::vector<Compiled> routes_;
};

}  // namespace leat::api
