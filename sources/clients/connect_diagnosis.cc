#include "sources/clients/connect_diagnosis.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace leat::sources {
namespace {

/// errno of an attempt to connect; 0: it succeeded.
int try_address(const addrinfo& address, std::chrono::milliseconds timeout) {
  const int number = ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, address.ai_protocol);
  if (number < 0) return errno;
  constexpr std::int64_t kMillisPerSecond = 1'000;
  const timeval limit{static_cast<time_t>(timeout.count() / kMillisPerSecond),
                      static_cast<suseconds_t>(timeout.count() % kMillisPerSecond * kMillisPerSecond)};
  ::setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int error = ::connect(number, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  ::close(number);
  return error;
}

}  // namespace

std::string connect_error(int error, const std::string& host, std::uint16_t port) {
  switch (error) {
    case ECONNREFUSED:
      return fmt::format("nobody listens on port {} of {}", port, host);
    case ENETUNREACH:
    case EHOSTUNREACH:
      return fmt::format("there is no way to {} from here (network or route)", host);
    case EINPROGRESS:
    case EAGAIN:
    case ETIMEDOUT:
      return fmt::format("{} does not answer on port {}", host, port);
    default:
      return fmt::format("{}, port {}: {}", host, port, std::strerror(error));
  }
}

std::string diagnose_connection(const std::string& host, std::uint16_t port,
                                std::chrono::milliseconds timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int unknown = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      unknown != 0)
    return fmt::format("the name '{}' cannot be resolved: {}", host, ::gai_strerror(unknown));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  int error = 0;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    error = try_address(*each, timeout);
    if (error == 0) return {};
  }
  return connect_error(error, host, port);
}

}  // namespace leat::sources
