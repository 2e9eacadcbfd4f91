// One connection as httplib reads requests from it and writes answers to it, with the bounds that httplib
// lacks: a request has a time and a size as a whole, not per read, and what is refused before its body is
// read is answered and hung up on, so that no byte of the body is taken for a request.
#pragma once

#include <httplib.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sources/listen/answer.h"
#include "sources/listen/events.h"
#include "sources/listen/peer.h"
#include "sources/listen/wire.h"

namespace leat::listen {

struct ExchangeLimits {
  /// How people name the two bounds of sizes: "[api] max_header".
  std::string header_name;
  std::string body_name;
  std::size_t header_bytes = 32 << 10;
  std::size_t body_bytes = 1 << 20;
  std::chrono::microseconds idle{5'000'000};      ///< Between two requests.
  std::chrono::microseconds header{10'000'000};   ///< For the request's line and headers.
  std::chrono::microseconds request{30'000'000};  ///< For all of it.
};

/// Used by the connection's thread alone.
class Exchange final : public httplib::Stream {
 public:
  /// Whether the server ends: then it is not the peer's doing that a request comes to no end.
  using Ending = std::function<bool()>;
  /// Wire and limits outlive it.
  Exchange(Wire& wire, const Peer& peer, const ExchangeLimits& limits, Events& events, Ending ending = {})
      : wire_(wire), peer_(peer), limits_(limits), events_(events), ending_(std::move(ending)) {}

  /// Waits for the next request. False: there is none.
  bool begin_request();
  /// From here on it is the body that is read.
  void headers_are_read();
  [[nodiscard]] bool has_headers() const { return phase_ == Phase::kBody; }
  /// The request's line and headers, as far as they have been read.
  [[nodiscard]] std::string_view head() const { return head_; }
  /// The handler has all of the request, and answers.
  void request_is_read() { whole_ = true; }
  /// True if what follows on the connection is another request.
  [[nodiscard]] bool is_whole() const { return whole_ && !refusal_; }

  /// Nothing more is read, and this is the answer whatever httplib writes.
  void refuse(Answer answer);
  [[nodiscard]] bool is_refused() const { return refusal_.has_value(); }
  /// Sends it and waits a moment for the peer to read it: closing at once would take it back.
  void finish();

  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return !refusal_ && wire_.is_alive(); }
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

 private:
  enum class Phase : std::uint8_t { kHeaders, kBody };
  bool fill();
  bool send(std::string_view text, std::chrono::microseconds time);

  Wire& wire_;
  const Peer& peer_;
  const ExchangeLimits& limits_;
  Events& events_;
  const Ending ending_;
  Phase phase_ = Phase::kHeaders;
  bool whole_ = false;
  std::string head_;
  std::size_t left_ = 0;  ///< Bytes that this phase may still have.
  Moment until_;
  Moment begun_;
  std::optional<Answer> refusal_;
  std::array<char, 16 << 10> buffer_{};
  std::size_t from_ = 0;
  std::size_t to_ = 0;
};

/// An answer outside of httplib, which closes the connection.
std::string closing_answer(const Answer& answer);

/// Problems that say how to do better.
Answer too_slow(std::chrono::microseconds limit);
Answer stopping();

}  // namespace leat::listen
