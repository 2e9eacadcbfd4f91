// A listening socket, TCP or Unix, and a thread for each connection that comes in, up to a bound. It knows
// nothing of HTTP: the owner says what a connection is for.
//
// Not httplib's own loop: that has a fixed number of threads, which quiet readers would take up, and ends for
// good when one accept fails.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "pipelines/base/result.h"
#include "sources/listen/events.h"
#include "sources/listen/peer.h"

namespace leat::listen {

/// Whether a Unix socket can be made there, as far as that is known before: its folder is there, and nothing
/// but a socket has its name. Errors: io, conflict.
Status check_socket_path(const std::string& path);

/// A bound socket; closes itself, and a Unix socket's file goes with it.
class BoundSocket {
 public:
  /// Port 0 picks a free one. Errors: conflict (taken, or not of this machine), unavailable (a name that
  /// is not known now): "cannot listen on HOST:PORT: why".
  static Result<std::unique_ptr<BoundSocket>> tcp(const std::string& host, std::uint16_t port);
  /// A file of mode 0660. One that a dead daemon has left is removed. Errors: conflict (somebody answers
  /// there, or it is no socket), io; the message begins with the path.
  static Result<std::unique_ptr<BoundSocket>> unix_file(const std::string& path);
  ~BoundSocket();
  BoundSocket(const BoundSocket&) = delete;
  BoundSocket& operator=(const BoundSocket&) = delete;

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool is_loopback() const { return is_loopback_; }
  [[nodiscard]] bool is_unix() const { return !path_.empty(); }

 private:
  explicit BoundSocket(int number) : number_(number) {}

  const int number_;
  std::uint16_t port_ = 0;
  bool is_loopback_ = true;
  std::string path_;
  std::uint64_t inode_ = 0;  ///< Of the file at `path_`.
};

class Listener {
 public:
  struct Limits {
    std::size_t connections = 300;
    std::size_t of_one_machine = 150;  ///< Of one other than this.
  };
  /// Serves one connection until it ends, on its thread; `socket` does not block and is closed afterwards.
  using Serve = std::function<void(int socket, Peer peer)>;
  /// Tells a connection that it is one too many, in a moment, on a thread of its own.
  using Refuse = std::function<void(int socket)>;

  Listener(std::unique_ptr<BoundSocket> bound, Peer::Way way, Limits limits, Serve serve, Refuse refuse,
           Events& events);
  ~Listener();

  void start();
  /// No new connections; those that wait for a request end, answers are given two seconds more. Idempotent.
  void stop();
  [[nodiscard]] bool is_stopping() const { return stopping_; }
  [[nodiscard]] const BoundSocket& bound() const { return *bound_; }

 private:
  struct Connection {
    int socket = -1;
    std::string address;
    bool refused = false;
    std::thread thread;
    bool ended = false;
  };
  enum class Fate : std::uint8_t {
    kServed,
    kRefused,  ///< One too many: it is told so.
    kDropped,  ///< There are too many to tell.
  };
  void accept_all();
  void accept_one();
  void take(int socket);
  [[nodiscard]] Fate fate_of(const std::string& address) const;
  void run(Connection& connection, Peer peer);
  void reap();
  void shut(int how);

  const std::unique_ptr<BoundSocket> bound_;
  const Peer::Way way_;
  const Limits limits_;
  const Serve serve_;
  const Refuse refuse_;
  Events& events_;
  std::atomic<bool> stopping_ = false;
  int wake_ = -1;  ///< An eventfd that ends the wait for connections.
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<Connection> connections_;
};

}  // namespace leat::listen
