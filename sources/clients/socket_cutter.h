// Cuts a connection whose library offers no way to leave a message unacknowledged. Paho acknowledges a QoS 1
// message when the callback returns, whatever it answers; the one way to prevent that is that the socket does
// not take the acknowledgement any more. Paho does not give the socket away either, so it is found as the one
// that appeared while the client was connecting, and leads to the broker's port.
//
// Should another client of this process have been connecting to the same port at the same moment, both
// sockets are remembered and both would be cut: that costs the other one a reconnect, and no message.
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace leat::sources {

class SocketCutter {
 public:
  /// Before connecting.
  void remember_others();
  /// When connected: what is new and leads to `port`.
  void find_own(std::uint16_t port);
  [[nodiscard]] bool found() const { return !own_.empty(); }
  /// Shuts the connection down in both directions; nothing happens if it is closed already.
  void cut() const;

 private:
  using Socket = std::pair<int, std::uint64_t>;  // Descriptor and inode: a number may be used again.
  static std::set<Socket> sockets();

  std::set<Socket> others_;
  std::vector<Socket> own_;
};

}  // namespace leat::sources
