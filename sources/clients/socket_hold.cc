#include "sources/clients/socket_hold.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace leat::sources {
namespace {

/// 0 if the descriptor is no socket.
std::uint64_t socket_inode(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) return 0;
  return status.st_ino;
}

std::uint16_t peer_port(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
  return 0;
}

constexpr int kLookMillis = 100;

/// Until the other side has closed.
void drop_what_comes(int socket, const std::function<bool()>& given_up) {
  std::array<char, 65'536> dropped;
  while (!given_up()) {
    pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, kLookMillis) == 0) continue;
    if (::recv(socket, dropped.data(), dropped.size(), MSG_DONTWAIT) <= 0) return;
  }
}

}  // namespace

std::set<SocketHold::Socket> SocketHold::sockets() {
  std::set<Socket> found;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return found;
  while (const dirent* entry = ::readdir(folder)) {
    const int descriptor = std::atoi(entry->d_name);
    if (const std::uint64_t inode = socket_inode(descriptor); inode != 0) found.emplace(descriptor, inode);
  }
  ::closedir(folder);
  return found;
}

void SocketHold::remember_others() {
  const std::scoped_lock lock(mutex_);
  others_ = sockets();
}

void SocketHold::find_own(std::uint16_t port) {
  const std::scoped_lock lock(mutex_);
  let_go(own_);
  for (const Socket& socket : sockets())
    if (!others_.contains(socket) && peer_port(socket.first) == port)
      own_.push_back({socket, ::fcntl(socket.first, F_DUPFD_CLOEXEC, 0)});
}

bool SocketHold::cut() const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [socket, duplicate] : own_) ::shutdown(duplicate, SHUT_WR);
  return !own_.empty();
}

void SocketHold::see_out(const std::function<bool()>& given_up) {
  std::vector<Own> closed = take_closed();
  for (const auto& [socket, duplicate] : closed) drop_what_comes(duplicate, given_up);
  let_go(closed);
}

std::vector<SocketHold::Own> SocketHold::take_closed() {
  const std::scoped_lock lock(mutex_);
  const auto closed = std::ranges::partition(
      own_, [](const Own& own) { return socket_inode(own.socket.first) == own.socket.second; });
  std::vector<Own> taken(closed.begin(), closed.end());
  own_.erase(closed.begin(), closed.end());
  return taken;
}

void SocketHold::let_go(std::vector<Own>& held) {
  for (const auto& [socket, duplicate] : held) ::close(duplicate);
  held.clear();
}

}  // namespace leat::sources
