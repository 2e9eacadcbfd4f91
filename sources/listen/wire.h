// The bytes of one connection, plain or over TLS. Every call has a moment at which it must be done: a peer
// that is slow costs a thread for that long and no longer. One thread uses it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "sources/listen/tls_keys.h"

namespace leat::listen {

using Moment = std::chrono::steady_clock::time_point;

/// What became of a read or a write.
enum class Wired : std::uint8_t {
  kDone,    ///< Some bytes went.
  kClosed,  ///< The peer has closed, or the connection broke.
  kLate,    ///< The moment came first.
};

class Wire {
 public:
  virtual ~Wire() = default;
  /// Up to `size` bytes; says how many.
  virtual Wired read(char* to, std::size_t size, Moment until, std::size_t& done) = 0;
  virtual Wired write(const char* from, std::size_t size, Moment until, std::size_t& done) = 0;
  /// Until there is something to read.
  virtual Wired wait(Moment until) = 0;
  /// False when the peer has gone.
  [[nodiscard]] virtual bool is_alive() const = 0;
};

/// The socket, which does not block and stays the caller's.
std::unique_ptr<Wire> plain_wire(int socket);
/// Shakes hands. Null: no TLS came about until then. `common_name` is of the client's certificate, if it has
/// one.
std::unique_ptr<Wire> tls_wire(int socket, const TlsKeys& keys, Moment until,
                               std::optional<std::string>& common_name);

}  // namespace leat::listen
