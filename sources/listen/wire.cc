#include "sources/listen/wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace leat::listen {
namespace {

int millis_until(Moment until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
}

/// Until the socket is ready for `events`.
Wired wait_for(int socket, short events, Moment until) {
  while (true) {
    pollfd watched{socket, events, 0};
    const int ready = ::poll(&watched, 1, millis_until(until));
    if (ready > 0) return Wired::kDone;  // Also when it is broken: the next call says so.
    if (ready == 0) return Wired::kLate;
    if (errno != EINTR) return Wired::kClosed;
  }
}

bool peer_is_there(int socket) {
  pollfd watched{socket, POLLRDHUP, 0};
  return ::poll(&watched, 1, 0) == 0;
}

class PlainWire final : public Wire {
 public:
  explicit PlainWire(int socket) : socket_(socket) {}

  Wired read(char* to, std::size_t size, Moment until, std::size_t& done) override {
    return move(POLLIN, until, done, [&] { return ::recv(socket_, to, size, 0); });
  }
  Wired write(const char* from, std::size_t size, Moment until, std::size_t& done) override {
    return move(POLLOUT, until, done, [&] { return ::send(socket_, from, size, MSG_NOSIGNAL); });
  }
  Wired wait(Moment until) override { return wait_for(socket_, POLLIN, until); }
  [[nodiscard]] bool is_alive() const override { return peer_is_there(socket_); }

 private:
  template <class Call>
  Wired move(short events, Moment until, std::size_t& done, const Call& call) {
    while (true) {
      const ssize_t moved = call();
      if (moved > 0) {
        done = static_cast<std::size_t>(moved);
        return Wired::kDone;
      }
      if (moved == 0) return Wired::kClosed;
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return Wired::kClosed;
      if (const Wired ready = wait_for(socket_, events, until); ready != Wired::kDone) return ready;
    }
  }

  const int socket_;
};

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Ssl = std::unique_ptr<SSL, SslDeleter>;

/// Calls until it is done or OpenSSL can go no further.
template <class Call>
Wired drive(SSL* ssl, int socket, Moment until, const Call& call) {
  while (true) {
    ERR_clear_error();
    const int done = call();
    if (done > 0) return Wired::kDone;
    const int why = SSL_get_error(ssl, done);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return Wired::kClosed;
    const short events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    if (const Wired ready = wait_for(socket, events, until); ready != Wired::kDone) return ready;
  }
}

class TlsWire final : public Wire {
 public:
  TlsWire(Ssl ssl, int socket) : ssl_(std::move(ssl)), socket_(socket) {}
  ~TlsWire() override { SSL_shutdown(ssl_.get()); }  // Says goodbye; the answer is not waited for.

  Wired read(char* to, std::size_t size, Moment until, std::size_t& done) override {
    return drive(ssl_.get(), socket_, until, [&] { return SSL_read_ex(ssl_.get(), to, size, &done); });
  }
  Wired write(const char* from, std::size_t size, Moment until, std::size_t& done) override {
    return drive(ssl_.get(), socket_, until, [&] { return SSL_write_ex(ssl_.get(), from, size, &done); });
  }
  Wired wait(Moment until) override {
    return SSL_pending(ssl_.get()) > 0 ? Wired::kDone : wait_for(socket_, POLLIN, until);
  }
  [[nodiscard]] bool is_alive() const override { return peer_is_there(socket_); }

 private:
  const Ssl ssl_;
  const int socket_;
};

std::optional<std::string> common_name_of(SSL* ssl) {
  const std::unique_ptr<X509, CertificateDeleter> certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return std::nullopt;
  const X509_NAME* const subject = X509_get_subject_name(certificate.get());
  const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  const ASN1_STRING* const text =
      index < 0 ? nullptr : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
  if (text == nullptr) return "";
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  std::string name =
      size < 0 ? "" : std::string(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  // "alice\0.evil" is not alice.
  return name.find('\0') == std::string::npos ? name : "";
}

}  // namespace

std::unique_ptr<Wire> plain_wire(int socket) {
  return std::make_unique<PlainWire>(socket);
}

std::unique_ptr<Wire> tls_wire(int socket, const TlsKeys& keys, Moment until,
                               std::optional<std::string>& common_name) {
  Ssl ssl(SSL_new(keys.context()));
  if (!ssl || SSL_set_fd(ssl.get(), socket) != 1) return nullptr;
  if (drive(ssl.get(), socket, until, [&] { return SSL_accept(ssl.get()); }) != Wired::kDone) {
    ERR_clear_error();
    return nullptr;
  }
  common_name = common_name_of(ssl.get());
  return std::make_unique<TlsWire>(std::move(ssl), socket);
}

}  // namespace leat::listen
