// What whoever listens hears of its connections: to count, and to tell people.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat::listen {

/// Why a connection, or a request, was turned away before its owner saw it.
enum class Refused : std::uint8_t {
  kConnections,  ///< 503, or nothing over TLS: more connections than there may be.
  kSlow,         ///< 408: the request did not come in time.
  kSize,         ///< 413, 431: its headers or its body are too large.
  kHandshake,    ///< No TLS came about: no certificate, a wrong one, no TLS at all.
};

/// Called from the threads of listeners and connections, several at once. Outlives them.
class Events {
 public:
  virtual ~Events() = default;
  virtual void connection_opened() {}
  virtual void connection_closed() {}
  virtual void refused(Refused why) = 0;
  /// Connections cannot be taken for the moment (no descriptors, no threads).
  virtual void takes_none(std::string_view reason) = 0;
  /// A connection ended by an exception of a library; no other one did.
  virtual void failed(std::string_view reason) = 0;
};

}  // namespace leat::listen
