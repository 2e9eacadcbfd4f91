// A listening socket on loopback that nobody answers at.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace leat::contract {

class SilentServer {
 public:
  SilentServer() {
    socklen_t size = sizeof address_;
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, generic(), size) != 0 || ::listen(listener_, 0) != 0 ||
        ::getsockname(listener_, generic(), &size) != 0)
      throw std::runtime_error("cannot listen");
  }
  ~SilentServer() {
    for (const int client : fillers_) ::close(client);
    ::close(listener_);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  [[nodiscard]] std::string address() const {
    return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port));
  }
  [[nodiscard]] bool somebody_is_there() const {
    pollfd ready{listener_, POLLIN, 0};
    return ::poll(&ready, 1, 0) == 1;
  }
  /// From now on nobody's connection comes about: the queue is full, the kernel drops what asks for more.
  void fill() {
    constexpr int kMoreThanTheQueue = 4;
    for (int i = 0; i < kMoreThanTheQueue; ++i) {
      fillers_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(fillers_.back(), generic(), sizeof address_);
    }
  }

 private:
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }

  int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address_{};
  std::vector<int> fillers_;
};

}  // namespace leat::contract
