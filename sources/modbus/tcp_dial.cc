#include "sources/modbus/tcp_dial.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "sources/clients/connect_diagnosis.h"

namespace leat::sources {
namespace {

/// 0: connected within the time; errno otherwise.
int wait_connected(int socket, Micros timeout) {
  pollfd waiting{.fd = socket, .events = POLLOUT, .revents = 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(timeout.count() / kMicrosPerMilli));
  if (ready == 0) return ETIMEDOUT;
  if (ready < 0) return errno;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

int connect_within(int socket, const addrinfo& address, Micros timeout) {
  if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
  return errno == EINPROGRESS ? wait_connected(socket, timeout) : errno;
}

/// The socket, or -1 with what went wrong in `error`.
int try_address(const addrinfo& address, Micros timeout, CutPoint& cut, int& error) {
  const int kind = address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const int socket = ::socket(address.ai_family, kind, address.ai_protocol);
  if (socket < 0) {
    error = errno;
    return -1;
  }
  error = cut.guard(socket) ? connect_within(socket, address, timeout) : ECANCELED;
  cut.release();
  if (error == 0) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return socket;
  }
  ::close(socket);
  return -1;
}

}  // namespace

Result<int> dial_tcp(const TcpPlace& place, Micros timeout, CutPoint& cut) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int unknown =
          ::getaddrinfo(place.host.c_str(), std::to_string(place.port).c_str(), &hints, &found);
      unknown != 0)
    return fail(ErrorCode::kUnavailable,
                fmt::format("the name '{}' cannot be resolved: {}", place.host, ::gai_strerror(unknown)));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  int error = 0;
  for (const addrinfo* each = found; each != nullptr && !cut.is_cut(); each = each->ai_next)
    if (const int socket = try_address(*each, timeout, cut, error); socket >= 0) return socket;
  if (cut.is_cut()) return fail(ErrorCode::kCancelled, "stopped");
  return fail(ErrorCode::kUnavailable, connect_error(error, place.host, place.port));
}

}  // namespace leat::sources
