#include "sources/clients/socket_cutter.h"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

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

}  // namespace

std::set<SocketCutter::Socket> SocketCutter::sockets() {
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

void SocketCutter::remember_others() {
  others_ = sockets();
}

void SocketCutter::find_own(std::uint16_t port) {
  own_.clear();
  for (const Socket& socket : sockets())
    if (!others_.contains(socket) && peer_port(socket.first) == port) own_.push_back(socket);
}

void SocketCutter::cut() const {
  for (const auto& [descriptor, inode] : own_)
    if (socket_inode(descriptor) == inode) ::shutdown(descriptor, SHUT_RDWR);
}

}  // namespace leat::sources
