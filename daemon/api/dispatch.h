// From a request as it came to the answer of a route: the guards of access.h, the route, its role, its body.
// No sockets: the server hands in what it read, tests what they like.
//
// Every request to a route of admins, also one that was not allowed, leaves a line in the log: who, what, and
// how it ended; never its body.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "daemon/api/access.h"
#include "daemon/api/routes.h"

namespace re2 {
class RE2;
}

namespace leat::api {

/// Immutable, so that any number of threads may ask it.
class Dispatcher {
 public:
  /// Routes and access outlive it.
  Dispatcher(std::span<const Route> routes, Access& access);
  ~Dispatcher();

  /// How a request is refused for what its line and headers say, before anybody reads its body of `size`
  /// bytes (none: it does not say).
  [[nodiscard]] std::optional<Response> refuse_early(const Incoming& incoming,
                                                     std::optional<std::size_t> size) const;
  /// Never fails: what is refused gets a problem that says why.
  [[nodiscard]] Response dispatch(const ApiContext& context, const Incoming& incoming) const;

 private:
  struct Compiled {
    const Route* route;
    std::unique_ptr<const re2::RE2> pattern;
  };
  /// Who may ask for what.
  struct Admitted {
    const Route* route = nullptr;
    Request request;
  };
  [[nodiscard]] std::variant<Admitted, Response> admit(const Incoming& incoming) const;
  [[nodiscard]] std::optional<Response> find_route(const Incoming& incoming, std::optional<Method> method,
                                                   const Route*& route, Request& request) const;

  std::vector<Compiled> routes_;
  Access& access_;
};

}  // namespace leat::api
