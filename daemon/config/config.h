// The daemon's configuration: every key has a default, an empty file (or none) runs. layers.h says where it
// comes from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/log/log.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "sources/listen/address.h"

namespace leat::config {

struct Config {
  std::string data_dir = "/var/lib/leat";
  std::string pipelines_dir = "/etc/leat/pipelines";
  std::string gateway_id;  ///< [gateway] id; empty: derived from the store's id.

  // [api]: who reaches the API, how, and how much of it. daemon/api says what each means.
  std::string api_listen = "127.0.0.1:8463";  ///< "" : not over TCP.
  std::string api_listen_place;  ///< Where it was set, for what is found wrong with it later; no key.
  std::optional<std::string> api_socket;  ///< Unset: `socket_path` decides; "" turns it off.
  std::vector<std::string> api_names;     ///< Names, besides its addresses, that the gateway is asked by.
  std::string api_tls_cert;               ///< PEM, the chain; with the key: TLS and nothing else.
  std::string api_tls_key;
  std::string api_tls_client_ca;             ///< PEM; set: every peer must have a certificate of it.
  std::string api_tls_client_role = "read";  ///< Of a peer with such a certificate.
  std::vector<std::string> api_tls_admins;   ///< Common names of those that are admins.
  std::uint64_t api_max_connections = 300;   ///< Over TCP; as many over the socket.
  std::optional<std::uint64_t>
      api_requests_per_second;       ///< Per peer; unset: only other machines are bounded.
  std::uint64_t api_max_tails = 64;  ///< Live views of rows at once, each with a connection.
  ByteSize api_max_header{32ULL << 10};
  ByteSize api_max_body{1ULL << 20};
  Micros api_request_timeout{30 * kMicrosPerSecond};  ///< For the whole of a request.

  std::string log_level = "info";                  ///< [log] level
  std::string log_format = "auto";                 ///< [log] format: auto, text, json
  Micros stop_timeout{20 * kMicrosPerSecond};      ///< How long a stop may drain before it commits and goes.
  ByteSize dead_letters_max_bytes{16ULL << 20};    ///< [dead_letters] max_bytes
  std::uint64_t dead_letters_max_count = 100'000;  ///< [dead_letters] max_count
  std::optional<ByteSize> store_max_bytes;         ///< [store] max_bytes; unset: no bound.
};

/// Dotted key, type, default and meaning of every key, in the order of documentation.
std::vector<OptionDoc> config_docs();

using listen::is_loopback;
using ListenAddress = listen::Address;
/// "127.0.0.1:8463", "[::1]:0", "gateway.example:8463". Errors: invalid; they name api.listen.
Result<ListenAddress> parse_listen(std::string_view text);

/// The default place of the API's socket: systemd makes its folder for the service.
inline constexpr const char* kDefaultSocket = "/run/leat/leat.sock";
/// [api] socket; without the key the default place when its folder is there and data_dir is the service's, so
/// that a second daemon is not taken for it; empty: there is no socket.
std::string socket_path(const Config& config);

}  // namespace leat::config
