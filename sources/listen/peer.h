// The other end of a connection that came in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace leat::listen {

struct Peer {
  enum class Way : std::uint8_t { kSocket, kHttp, kHttps } way = Way::kHttp;
  std::string address;                                    ///< "192.0.2.7"; of kSocket the user's name.
  std::string asked;                                      ///< The address of ours that it has connected to.
  bool to_loopback = true;                                ///< We listen on loopback only.
  std::optional<std::string> certificate = std::nullopt;  ///< The common name of a client's certificate.
};

}  // namespace leat::listen
