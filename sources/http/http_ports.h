// The addresses that a daemon's http sources listen on: one listener for each, which knows its tables by
// their paths. So tables share an address, and each has its own token and its own journal.
//
// Threads: `open` and the end of a route on any thread, one at a time for a route; receivers are called from
// the threads of connections.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "pipelines/base/result.h"
#include "pipelines/base/time.h"
#include "sources/listen/address.h"
#include "sources/listen/answer.h"
#include "sources/listen/events.h"
#include "sources/listen/peer.h"
#include "sources/listen/tls_keys.h"

namespace httplib {
struct Request;
}

namespace leat::sources {

/// What all tables of an address have in common.
struct HttpPortSettings {
  listen::Address address;
  listen::TlsFiles tls;
  std::uint64_t max_body = 1U << 20;
  std::uint32_t max_connections = 64;
  Micros request_timeout{30 * kMicrosPerSecond};
  bool operator==(const HttpPortSettings&) const = default;
};

/// Who takes the requests of a path.
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  /// The headers are there, the body is not. An answer: the request is refused, its body not read. May change
  /// the headers.
  virtual std::optional<listen::Answer> judge(httplib::Request& request, const listen::Peer& peer) = 0;
  /// The whole request.
  virtual listen::Answer take(const httplib::Request& request, const listen::Peer& peer) = 0;
  /// What the address has turned away before a path was known, or on its way here.
  virtual void turned_away(const std::string& why) = 0;
};

class HttpPorts {
 public:
  HttpPorts();
  ~HttpPorts();

  /// The path is served as long as it lives; when it has ended, its receiver is not called any more.
  class Route {
   public:
    Route() = default;
    virtual ~Route() = default;
    Route(const Route&) = delete;
    Route& operator=(const Route&) = delete;
    /// What was asked for, or what was found for port 0.
    [[nodiscard]] virtual std::uint16_t port() const = 0;
  };
  /// Errors: conflict (the address is somebody else's, or its tables have other settings, or one of them has
  /// the path), unavailable (no such name now), invalid and io (TLS files; an address that is not loopback
  /// although its name says so). Ports and receiver outlive the route.
  Result<std::unique_ptr<Route>> open(const HttpPortSettings& settings, const std::string& path,
                                      HttpReceiver& receiver);

 private:
  class Port;
  class OpenRoute;
  Result<std::shared_ptr<Port>> port_at(const HttpPortSettings& settings);

  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Port>> ports_;  // By address; with port 0 each is its own.
};

}  // namespace leat::sources
