// A server's certificate, its key and whose client certificates it takes, as OpenSSL holds them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "pipelines/base/result.h"

struct ssl_ctx_st;

namespace leat::listen {

/// PEM files.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;  ///< Empty: clients show no certificate.
  bool operator==(const TlsFiles&) const = default;
};

/// How people name the three, for messages: "api.tls_cert".
struct TlsNames {
  std::string certificate;
  std::string key;
  std::string client_ca;
};

/// What connections are made with; lives as long as one of them.
class TlsKeys {
 public:
  /// TLS 1.2 and newer. Errors: io, invalid (which file, and why).
  static Result<std::shared_ptr<const TlsKeys>> load(const TlsFiles& files, const TlsNames& names);
  ~TlsKeys();
  TlsKeys(const TlsKeys&) = delete;
  TlsKeys& operator=(const TlsKeys&) = delete;

  [[nodiscard]] ssl_ctx_st* context() const { return context_; }

 private:
  explicit TlsKeys(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* const context_;
};

/// The files again when they have changed, as a renewed certificate should need no restart. When files are
/// wrong, the old ones stay. Any thread may ask it.
class RenewedTls {
 public:
  struct Surroundings {
    std::function<std::int64_t()> monotonic;          ///< A clock, in microseconds.
    std::function<void(const Status& read)> renewed;  ///< The files were read again; an error: in vain.
  };
  /// Errors: of TlsKeys.
  static Result<std::unique_ptr<RenewedTls>> open(const TlsFiles& files, TlsNames names,
                                                  Surroundings surroundings);
  std::shared_ptr<const TlsKeys> keys();

 private:
  RenewedTls(TlsFiles files, TlsNames names, Surroundings surroundings, std::shared_ptr<const TlsKeys> keys);
  [[nodiscard]] std::vector<std::int64_t> stamps() const;

  const TlsFiles files_;
  const TlsNames names_;
  const Surroundings surroundings_;
  std::mutex mutex_;
  std::int64_t looked_;
  std::vector<std::int64_t> stamps_;
  std::shared_ptr<const TlsKeys> keys_;
};

}  // namespace leat::listen
