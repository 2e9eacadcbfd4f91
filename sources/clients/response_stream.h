// The bytes of a connection as httplib's client reads a response from them. The head is bounded, which
// httplib's is not; and what it would take for a broken response is passed over: interim responses (RFC 9110,
// section 15.2: 103 Early Hints), and the fields behind a body in chunks (RFC 9112, section 7.1.2).
#pragma once

#include <httplib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace leat::clients {

/// For one request and its response. Reads and writes block until the peer, or whoever closes the socket,
/// ends them.
class ResponseStream final : public httplib::Stream {
 public:
  static constexpr std::size_t kLongestHead = 64 << 10;  ///< Those of interim responses count, too.

  /// `tls` null: none. `head_too_long` is set if it is.
  ResponseStream(socket_t socket, SSL* tls, bool& head_too_long)
      : socket_(socket), tls_(tls), head_too_long_(head_too_long) {}

  [[nodiscard]] bool is_readable() const override { return true; }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override { nobody(ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { nobody(ip, port); }
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  static void nobody(std::string& ip, int& port) {
    ip.clear();
    port = 0;
  }
  /// What follows of a body in chunks; kWhole: it is none.
  enum class Part : std::uint8_t { kWhole, kSize, kData, kDataEnd };

  ssize_t receive(char* to, std::size_t size);
  bool fill();
  bool next(char& byte);
  std::size_t take_buffered(char* to, std::size_t size);
  bool read_head();
  bool take_framing(char byte);
  bool pass_trailer();

  const socket_t socket_;
  SSL* const tls_;
  bool& head_too_long_;
  bool has_head_ = false;
  std::string ready_;  // The head, then what ends a body in chunks.
  std::size_t given_ = 0;
  Part part_ = Part::kWhole;
  std::string line_;         // Between the chunks.
  std::uint64_t chunk_ = 0;  // Bytes that are left of it.
  std::array<char, 4096> buffer_{};
  std::size_t from_ = 0;
  std::size_t to_ = 0;
};

/// A client of httplib's that reads responses so.
template <class Client>
class GuardedClient : public Client {
 public:
  /// `head_too_long` outlives it.
  template <class... Arguments>
  explicit GuardedClient(bool& head_too_long, Arguments&&... arguments)
      : Client(std::forward<Arguments>(arguments)...), head_too_long_(head_too_long) {}

 private:
  bool process_socket(const typename Client::Socket& socket,
                      std::function<bool(httplib::Stream&)> callback) override {
    ResponseStream stream(socket.sock, socket.ssl, head_too_long_);
    return callback(stream);
  }

  bool& head_too_long_;
};

}  // namespace leat::clients
