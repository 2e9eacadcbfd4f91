#include "sources/listen/tls_keys.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "pipelines/base/time.h"
#include "sources/clients/file_stamps.h"

namespace leat::listen {
namespace {

constexpr std::int64_t kLookEvery = 10 * kMicrosPerSecond;

/// What OpenSSL has last complained of, and nothing of it stays behind.
std::string complaint() {
  std::array<char, 256> text{};
  unsigned long last = 0;
  for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) last = code;
  ERR_error_string_n(last, text.data(), text.size());
  const char* const reason = ERR_reason_error_string(last);
  return reason != nullptr ? reason : text.data();
}

Status readable(const std::string& key, const std::string& path) {
  if (::access(path.c_str(), R_OK) == 0) return {};
  return fail(ErrorCode::kIo, fmt::format("{}: '{}' cannot be read: {}", key, path, std::strerror(errno)));
}

tl::unexpected<Error> wrong(const std::string& key, const std::string& path, std::string_view what) {
  return fail(ErrorCode::kInvalid, fmt::format("{}: '{}' is no {} in PEM: {}", key, path, what, complaint()));
}

/// A key with a passphrase must not ask the terminal for it.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

Status load_own(SSL_CTX* context, const TlsFiles& files, const TlsNames& names) {
  LEAT_TRY(readable(names.certificate, files.certificate));
  LEAT_TRY(readable(names.key, files.key));
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return wrong(names.certificate, files.certificate, "certificate");
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return wrong(names.key, files.key, "private key without a passphrase that fits the certificate");
  if (SSL_CTX_check_private_key(context) != 1)
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: '{}' is not the key of '{}'", names.key, files.key, files.certificate));
  return {};
}

Status load_clients(SSL_CTX* context, const std::string& path, const std::string& name) {
  if (path.empty()) return {};
  LEAT_TRY(readable(name, path));
  if (SSL_CTX_load_verify_locations(context, path.c_str(), nullptr) != 1)
    return wrong(name, path, "certificate");
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(path.c_str()));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsKeys>> TlsKeys::load(const TlsFiles& files, const TlsNames& names) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return fail(ErrorCode::kInternal, "OpenSSL: " + complaint());
  const std::shared_ptr<const TlsKeys> keys(new TlsKeys(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  LEAT_TRY(load_own(context, files, names));
  LEAT_TRY(load_clients(context, files.client_ca, names.client_ca));
  return keys;
}

TlsKeys::~TlsKeys() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<RenewedTls>> RenewedTls::open(const TlsFiles& files, TlsNames names,
                                                     Surroundings surroundings) {
  LEAT_ASSIGN(auto keys, TlsKeys::load(files, names));
  return std::unique_ptr<RenewedTls>(
      new RenewedTls(files, std::move(names), std::move(surroundings), std::move(keys)));
}

RenewedTls::RenewedTls(TlsFiles files, TlsNames names, Surroundings surroundings,
                       std::shared_ptr<const TlsKeys> keys)
    : files_(std::move(files)),
      names_(std::move(names)),
      surroundings_(std::move(surroundings)),
      looked_(surroundings_.monotonic()),
      stamps_(stamps()),
      keys_(std::move(keys)) {}

std::vector<std::int64_t> RenewedTls::stamps() const {
  return clients::file_stamps({files_.certificate, files_.key, files_.client_ca});
}

std::shared_ptr<const TlsKeys> RenewedTls::keys() {
  const std::scoped_lock lock(mutex_);
  if (surroundings_.monotonic() - looked_ < kLookEvery) return keys_;
  looked_ = surroundings_.monotonic();
  std::vector<std::int64_t> seen = stamps();
  if (seen == stamps_) return keys_;
  stamps_ = std::move(seen);
  auto renewed = TlsKeys::load(files_, names_);
  surroundings_.renewed(renewed ? Status() : Status(tl::unexpected<Error>(renewed.error())));
  if (renewed) keys_ = *std::move(renewed);
  return keys_;
}

}  // namespace leat::listen
