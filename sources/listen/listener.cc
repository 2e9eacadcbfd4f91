#include "sources/listen/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "sources/listen/address.h"

namespace leat::listen {
namespace {

constexpr int kBacklog = 512;
constexpr std::chrono::seconds kGrace{2};
constexpr int kNoDescriptorsMillis = 50;
constexpr std::size_t kMostRefused = 32;  ///< At once.

tl::unexpected<Error> io_error(const std::string& what) {
  return fail(ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(errno)));
}

/// "192.0.2.7"; an IPv4 address that comes in over IPv6 is one.
std::string text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) != 0)
      ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
    else
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

using NameOf = int (*)(int, sockaddr*, socklen_t*);

/// What `getpeername` or `getsockname` say of a TCP socket.
std::string address_of(int socket, NameOf name_of) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (name_of(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  return text_of(address);
}

/// Who is at the other end of a Unix socket.
std::string user_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unknown";
  passwd user{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  ::getpwuid_r(peer.uid, &user, buffer.data(), buffer.size(), &found);
  return found != nullptr ? std::string(found->pw_name) : std::to_string(peer.uid);
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

bool somebody_answers(const std::string& path) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return true;  // Not known: nothing is removed.
  const sockaddr_un address = unix_address(path);
  const int done = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool dead = done != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return !dead;
}

/// Only a socket that nobody listens on is removed.
Status remove_stale(const std::string& path) {
  LEAT_TRY(check_socket_path(path));
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (somebody_answers(path))
    return fail(ErrorCode::kConflict,
                fmt::format("another program answers at '{}'; stop it, or choose another path", path));
  if (::unlink(path.c_str()) != 0) return io_error(fmt::format("removing '{}'", path));
  return {};
}

void prepare(int socket, Peer::Way way) {
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  const int yes = 1;
  if (way != Peer::Way::kSocket) ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

}  // namespace

// ---- The socket ------------------------------------------------------------------------------------------

Status check_socket_path(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!std::filesystem::is_directory(folder, failed))
    return fail(ErrorCode::kIo, fmt::format("'{}' cannot be made: its folder '{}' is {}", path,
                                            folder.string(), failed ? failed.message() : "no folder"));
  if (std::filesystem::exists(path, failed) && !std::filesystem::is_socket(path, failed))
    return fail(ErrorCode::kConflict,
                fmt::format("'{}' is there and no socket; delete it, or choose another path", path));
  return {};
}

Result<std::unique_ptr<BoundSocket>> BoundSocket::tcp(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0)
    return fail(ErrorCode::kUnavailable, fmt::format("cannot listen on {}: {}",
                                                     to_string(Address{host, port}), ::gai_strerror(failed)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  int code = EADDRNOTAVAIL;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const int number = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (number < 0) {
      code = errno;
      continue;
    }
    std::unique_ptr<BoundSocket> bound(new BoundSocket(number));
    // Not SO_REUSEPORT: two daemons would share the port without a word.
    const int yes = 1;
    ::setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(number, each->ai_addr, each->ai_addrlen) == 0 && ::listen(number, kBacklog) == 0) {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      ::getsockname(number, reinterpret_cast<sockaddr*>(&address), &size);
      bound->port_ =
          ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);  // The same place in IPv6.
      bound->is_loopback_ = listen::is_loopback(text_of(address));
      return bound;
    }
    code = errno;
  }
  return fail(ErrorCode::kConflict,
              fmt::format("cannot listen on {}: {}", to_string(Address{host, port}), std::strerror(code)));
}

Result<std::unique_ptr<BoundSocket>> BoundSocket::unix_file(const std::string& path) {
  LEAT_TRY(remove_stale(path));
  const int number = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (number < 0) return io_error("a Unix socket");
  std::unique_ptr<BoundSocket> bound(new BoundSocket(number));
  // Never more than that, not for a moment: the file takes the mode of the socket when it is bound.
  ::fchmod(number, 0660);
  const sockaddr_un address = unix_address(path);
  if (::bind(number, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return io_error(
        fmt::format("'{}' cannot be made; its folder must be there and belong to the user "
                    "that Leat runs as",
                    path));
  bound->path_ = path;
  struct stat status {};
  if (::chmod(path.c_str(), 0660) != 0 || ::lstat(path.c_str(), &status) != 0 ||
      ::listen(number, kBacklog) != 0)
    return io_error(fmt::format("'{}'", path));
  bound->inode_ = status.st_ino;
  return bound;
}

BoundSocket::~BoundSocket() {
  ::close(number_);
  struct stat status {};
  // Not the one that another daemon has put in its place.
  if (!path_.empty() && ::lstat(path_.c_str(), &status) == 0 && status.st_ino == inode_)
    ::unlink(path_.c_str());
}

// ---- Connections -----------------------------------------------------------------------------------------

Listener::Listener(std::unique_ptr<BoundSocket> bound, Peer::Way way, Limits limits, Serve serve,
                   Refuse refuse, Events& events)
    : bound_(std::move(bound)),
      way_(way),
      limits_(limits),
      serve_(std::move(serve)),
      refuse_(std::move(refuse)),
      events_(events),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Listener::~Listener() {
  stop();
  if (wake_ >= 0) ::close(wake_);
}

void Listener::start() {
  thread_ = std::thread([this] { accept_all(); });
}

void Listener::accept_all() {
  std::array<pollfd, 2> watched{{{bound_->number(), POLLIN, 0}, {wake_, POLLIN, 0}}};
  while (!stopping_) {
    ::poll(watched.data(), watched.size(), -1);
    if (!stopping_) accept_one();
  }
}

void Listener::accept_one() {
  const int socket = ::accept4(bound_->number(), nullptr, nullptr, SOCK_CLOEXEC);
  if (socket >= 0) return take(socket);
  // A peer that has gone again, or a signal: the next one. Without descriptors, wait for one to become free.
  if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
  events_.takes_none(std::strerror(errno));
  pollfd wake{wake_, POLLIN, 0};
  ::poll(&wake, 1, kNoDescriptorsMillis);
}

/// With the lock.
Listener::Fate Listener::fate_of(const std::string& address) const {
  const auto count = [&](const auto& is) {
    return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(), is));
  };
  const std::size_t refused = count([](const Connection& each) { return each.refused; });
  const bool is_other = way_ != Peer::Way::kSocket && !listen::is_loopback(address);
  const auto same = [&](const Connection& each) { return !each.refused && each.address == address; };
  if (connections_.size() - refused < limits_.connections &&
      (!is_other || count(same) < limits_.of_one_machine))
    return Fate::kServed;
  return refused < kMostRefused ? Fate::kRefused : Fate::kDropped;
}

void Listener::take(int socket) {
  reap();
  prepare(socket, way_);
  Peer peer{.way = way_, .to_loopback = bound_->is_loopback()};
  peer.address = way_ == Peer::Way::kSocket ? user_of(socket) : address_of(socket, ::getpeername);
  if (way_ != Peer::Way::kSocket) peer.asked = address_of(socket, ::getsockname);
  const std::scoped_lock lock(mutex_);
  const Fate fate = fate_of(peer.address);
  if (fate != Fate::kServed) events_.refused(Refused::kConnections);
  if (fate == Fate::kDropped) {
    ::close(socket);
    return;
  }
  Connection& connection = connections_.emplace_back();
  connection.socket = socket;
  connection.address = peer.address;
  connection.refused = fate == Fate::kRefused;
  try {
    connection.thread = std::thread(
        [this, &connection, peer = std::move(peer)]() mutable { run(connection, std::move(peer)); });
  } catch (const std::system_error& failed) {
    events_.takes_none(failed.what());
    connections_.pop_back();
    ::close(socket);
    return;
  }
  events_.connection_opened();
}

void Listener::run(Connection& connection, Peer peer) {
  try {
    connection.refused ? refuse_(connection.socket) : serve_(connection.socket, std::move(peer));
  } catch (
      const std::exception& failed) {  // Of a library, such as no memory; this connection ends, no other.
    events_.failed(failed.what());
  }
  const std::scoped_lock lock(mutex_);
  ::close(connection.socket);
  connection.socket = -1;
  connection.ended = true;
  events_.connection_closed();
  ended_.notify_all();
}

/// Joins the threads that have ended.
void Listener::reap() {
  std::list<Connection> ended;
  {
    const std::scoped_lock lock(mutex_);
    for (auto each = connections_.begin(); each != connections_.end();) {
      const auto next = std::next(each);
      if (each->ended) ended.splice(ended.end(), connections_, each);
      each = next;
    }
  }
  for (Connection& each : ended) each.thread.join();
}

void Listener::shut(int how) {
  for (const Connection& each : connections_)
    if (each.socket >= 0) ::shutdown(each.socket, how);
}

void Listener::stop() {
  if (stopping_.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t woken = ::write(wake_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  {
    std::unique_lock lock(mutex_);
    const auto all_ended = [&] {
      return std::all_of(connections_.begin(), connections_.end(),
                         [](const auto& each) { return each.ended; });
    };
    shut(SHUT_RD);
    if (!ended_.wait_for(lock, kGrace, all_ended)) shut(SHUT_RDWR);
  }
  for (Connection& each : connections_) each.thread.join();
  connections_.clear();
}

}  // namespace leat::listen
