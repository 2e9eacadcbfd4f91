// What the API counts about itself; the metrics show it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "sources/listen/events.h"

namespace leat::api {

/// Why a request, or a connection, was turned away.
enum class Turned : std::uint8_t {
  kToken,        ///< 401: no token where one is asked for, or a wrong one.
  kRole,         ///< 403: the token's role is too small.
  kStranger,     ///< 403: another name than ours in Host, or a page of another origin.
  kRate,         ///< 429: more requests, or failed attempts, than a peer may have.
  kConnections,  ///< 503, or nothing over TLS: more connections than there may be.
  kSlow,         ///< 408: the request did not come in time.
  kSize,         ///< 413, 431: its headers or its body are too large.
  kHandshake,    ///< No TLS came about: no certificate, a wrong one, no TLS at all.
};
inline constexpr std::array<std::string_view, 8> kTurnedNames{"token",       "role", "stranger", "rate",
                                                              "connections", "slow", "size",     "handshake"};

/// Written by every connection's thread.
struct Counters final : listen::Events {
  std::atomic<std::uint64_t> requests = 0;
  std::array<std::atomic<std::uint64_t>, kTurnedNames.size()> turned{};
  std::atomic<std::int64_t> connections = 0;  ///< Now, over TCP and the socket.

  void turn(Turned why) { turned[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed); }

  // What the connections tell; people are told in the log.
  void connection_opened() override { connections.fetch_add(1, std::memory_order_relaxed); }
  void connection_closed() override { connections.fetch_sub(1, std::memory_order_relaxed); }
  void refused(listen::Refused why) override;
  void takes_none(std::string_view reason) override;
  void failed(std::string_view reason) override;
};

}  // namespace leat::api
