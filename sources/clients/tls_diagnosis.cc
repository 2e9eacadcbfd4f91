#include "sources/clients/tls_diagnosis.h"

#include <fmt/format.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "pipelines/base/time.h"

namespace leat::sources {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* connection) const { SSL_free(connection); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

class Socket {
 public:
  explicit Socket(int number) : number_(number) {}
  ~Socket() {
    if (number_ >= 0) ::close(number_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

/// A blocking socket whose calls end with the time-out; -1: nobody is reached.
int connect_to(const TlsPeer& peer, std::chrono::milliseconds timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(peer.host.c_str(), std::to_string(peer.port).c_str(), &hints, &found) != 0) return -1;
  const Owned<addrinfo> addresses(found);
  const int number =
      ::socket(addresses->ai_family, addresses->ai_socktype | SOCK_CLOEXEC, addresses->ai_protocol);
  if (number < 0) return -1;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(timeout).count();
  const timeval limit{static_cast<time_t>(micros / kMicrosPerSecond),
                      static_cast<suseconds_t>(micros % kMicrosPerSecond)};
  ::setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(number, addresses->ai_addr, addresses->ai_addrlen) == 0) return number;
  ::close(number);
  return -1;
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unknown time";
  return format_rfc3339(Timestamp(std::chrono::seconds(::timegm(&parts))));
}

std::string now_text() {
  return format_rfc3339(Timestamp(std::chrono::seconds(std::time(nullptr))));
}

std::string name_text(const X509_NAME* name) {
  const Owned<BIO> text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string expired(const std::string& whose, const X509* certificate, const std::string& where) {
  return fmt::format("{} has expired on {} (this machine's clock says {}): renew it {}, or set the clock",
                     whose, time_text(X509_get0_notAfter(certificate)), now_text(), where);
}

std::string not_yet(const std::string& whose, const X509* certificate) {
  return fmt::format("{} is valid from {} on, and this machine's clock says {}: set the clock", whose,
                     time_text(X509_get0_notBefore(certificate)), now_text());
}

/// The client's own certificate; the other side says little about one that it does not like.
std::string judge_own(const TlsPeer& peer) {
  if (peer.certificate_file.empty()) return {};
  const Owned<BIO> file(BIO_new_file(peer.certificate_file.c_str(), "r"));
  const Owned<X509> certificate(file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate)
    return fmt::format("'tls.certificate-file' '{}' holds no certificate that can be read",
                       peer.certificate_file);
  const std::string whose = fmt::format("the client certificate '{}'", peer.certificate_file);
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0)
    return expired(whose, certificate.get(), "there");
  if (X509_cmp_current_time(X509_get0_notBefore(certificate.get())) > 0)
    return not_yet(whose, certificate.get());
  return {};
}

std::string judge_own_key(const TlsPeer& peer) {
  if (peer.certificate_file.empty()) return {};
  return judge_key(peer.key_file.empty() ? peer.certificate_file : peer.key_file, peer.key_password);
}

/// Gives the password that is set, and notes that one was wanted.
struct Password {
  const std::string& text;
  bool wanted = false;

  static int give(char* buffer, int size, int /*writing*/, void* self) {
    auto& password = *static_cast<Password*>(self);
    password.wanted = true;
    const std::size_t length = std::min(password.text.size(), static_cast<std::size_t>(size));
    std::memcpy(buffer, password.text.data(), length);
    return static_cast<int>(length);
  }
};

std::string judge_peer(SSL* connection, const TlsPeer& peer) {
  const long verdict = SSL_get_verify_result(connection);
  const Owned<X509> certificate(SSL_get1_peer_certificate(connection));
  if (verdict == X509_V_OK || !certificate) return {};
  const std::string whose = fmt::format("the certificate of {}:{} ({})", peer.host, peer.port,
                                        name_text(X509_get_subject_name(certificate.get())));
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return expired(whose, certificate.get(), "at the server");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return not_yet(whose, certificate.get());
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("{} is not for the name '{}': use a name that it is for in 'url'", whose, peer.host);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format(
          "{} comes from an authority that is not trusted ({}): name its certificate in "
          "'tls.ca-file'",
          whose, name_text(X509_get_issuer_name(certificate.get())));
    default:
      return fmt::format("{} is refused: {}", whose, X509_verify_cert_error_string(verdict));
  }
}

/// `error_number`: errno of the failed call.
std::string judge_handshake(SSL* connection, int error_number) {
  const unsigned long error = ERR_peek_error();
  const bool timed_out = error == 0 && (error_number == EAGAIN || error_number == EWOULDBLOCK);
  if (BIO_number_read(SSL_get_rbio(connection)) == 0 && !timed_out)
    return "what answers speaks no TLS, or hangs up at once: check the port, or use a URL without "
           "encryption";
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return {};
  if (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER)
    return "what answers speaks no TLS: check the port, or use a URL without encryption";
  return fmt::format("the TLS handshake failed: {}", ERR_reason_error_string(error));
}

/// With TLS 1.3 the server says after the handshake only that it wants a certificate.
std::string judge_silence(SSL* connection, const TlsPeer& peer, int socket) {
  constexpr timeval kPatience{0, 500'000};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  char byte = 0;
  if (SSL_peek(connection, &byte, 1) > 0) return {};
  const unsigned long error = ERR_peek_error();
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return {};
  if (ERR_GET_REASON(error) == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED && peer.certificate_file.empty())
    return "the server wants a client certificate: set 'tls.certificate-file' and 'tls.key-file'";
  return fmt::format("the server ends the connection: {}", ERR_reason_error_string(error));
}

/// The authorities that the peer is judged by.
std::string judge_authorities(SSL_CTX* context, const TlsPeer& peer) {
  const char* const file = peer.ca_file.empty() ? nullptr : peer.ca_file.c_str();
  const char* const path = peer.ca_path.empty() ? nullptr : peer.ca_path.c_str();
  if (file == nullptr && path == nullptr) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  if (file != nullptr && SSL_CTX_load_verify_locations(context, file, nullptr) != 1)
    return fmt::format("'tls.ca-file' '{}' holds no certificate that can be read", peer.ca_file);
  if (path != nullptr &&
      (SSL_CTX_load_verify_locations(context, nullptr, path) != 1 || ::access(path, R_OK | X_OK) != 0))
    return fmt::format("'tls.ca-path' '{}' is no folder that can be read", peer.ca_path);
  return {};
}

void expect_name(SSL* connection, const std::string& host) {
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(connection);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1) return;
  SSL_set_tlsext_host_name(connection, host.c_str());
  SSL_set1_host(connection, host.c_str());
}

}  // namespace

std::string judge_key(const std::string& file, const std::string& password) {
  const Owned<BIO> bytes(BIO_new_file(file.c_str(), "r"));
  if (!bytes) return fmt::format("'tls.key-file' '{}' cannot be read: {}", file, std::strerror(errno));
  Password given{password};
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bytes.get(), nullptr, Password::give, &given));
  ERR_clear_error();
  if (key) return {};
  if (!given.wanted) return fmt::format("'tls.key-file' '{}' holds no key that can be read", file);
  return password.empty()
             ? fmt::format("'tls.key-file' '{}' is encrypted: set 'tls.key-password', or decrypt it", file)
             : fmt::format("'tls.key-password' does not open 'tls.key-file' '{}'", file);
}

std::string diagnose_tls(const TlsPeer& peer, std::chrono::milliseconds timeout) {
  if (std::string own = judge_own(peer); !own.empty()) return own;
  if (std::string key = judge_own_key(peer); !key.empty()) return key;
  const Owned<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  if (!context) return {};
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);  // To its end: the verdict is read afterwards.
  if (std::string authorities = judge_authorities(context.get(), peer); !authorities.empty())
    return authorities;
  const Socket socket(connect_to(peer, timeout));
  if (socket.number() < 0) return {};
  const Owned<SSL> connection(SSL_new(context.get()));
  if (!connection || SSL_set_fd(connection.get(), socket.number()) != 1) return {};
  expect_name(connection.get(), peer.host);
  ERR_clear_error();
  errno = 0;
  const bool shaken = SSL_connect(connection.get()) == 1;
  const int error_number = errno;
  std::string found = peer.verify == TlsPeer::Verify::kYes ? judge_peer(connection.get(), peer) : "";
  if (found.empty() && !shaken) found = judge_handshake(connection.get(), error_number);
  if (found.empty() && shaken) found = judge_silence(connection.get(), peer, socket.number());
  ERR_clear_error();
  return found;
}

}  // namespace leat::sources
