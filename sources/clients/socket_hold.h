// The hold that a library does not give on its connection. Paho acknowledges a QoS 1 message when the
// callback returns, whatever it answers; the one way to prevent that is that the socket does not take the
// acknowledgement any more. And it closes with messages unread, which resets the connection: what the broker
// had not read yet of our acknowledgements is gone with it, and all of it comes again. mosquitto 2.0 reads
// one packet of a client a round, and sends on beyond the receive maximum after a reconnect, so it has
// thousands to send again under load; measured over 60 pauses of 300 messages each, 2,017 were in flight
// afterwards.
//
// Paho does not give the socket away, so it is found as the one that appeared while the client was
// connecting, and leads to the broker's port; a duplicate of it stays open until the broker has closed its
// side. Should another client of this process have been connecting to the same port at the same moment, both
// sockets are remembered and both would be cut: that costs the other one a reconnect, and no message. Only
// one that its owner has closed is read from.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

namespace leat::sources {

/// Any thread; one that waits in `see_out` holds up nobody.
class SocketHold {
 public:
  SocketHold() = default;
  SocketHold(const SocketHold&) = delete;
  SocketHold& operator=(const SocketHold&) = delete;
  ~SocketHold() { let_go(own_); }

  /// Before connecting.
  void remember_others();
  /// When connected: what is new and leads to `port`.
  void find_own(std::uint16_t port);
  /// Nothing is sent any more, and the broker sees the end; nothing happens if it is closed already. False:
  /// no socket has been found.
  bool cut() const;
  /// When the library has closed: reads and drops until the broker has closed, too, having read all that was
  /// sent to it, or until `given_up`, which is asked some times a second.
  void see_out(const std::function<bool()>& given_up);

 private:
  using Socket = std::pair<int, std::uint64_t>;  // Descriptor and inode: a number may be used again.
  struct Own {
    Socket socket;
    int duplicate;  // Ours.
  };
  static std::set<Socket> sockets();
  static void let_go(std::vector<Own>& held);
  std::vector<Own> take_closed();

  mutable std::mutex mutex_;
  std::set<Socket> others_;
  std::vector<Own> own_;
};

}  // namespace leat::sources
