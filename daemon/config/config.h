// leat.toml: every key has a default, an empty file (or none) runs. Unknown keys are refused with the nearest
// name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/log/log.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace leat::config {

struct Config {
  std::string data_dir = "/var/lib/leat";
  std::string pipelines_dir = "/etc/leat/pipelines";
  std::string gateway_id;  ///< [gateway] id; empty: derived from the store's id.
  std::string api_listen =
      "127.0.0.1:8463";             ///< [api] listen: loopback only in this version; "" turns the API off.
  std::string log_level = "info";   ///< [log] level
  std::string log_format = "auto";  ///< [log] format: auto, text, json
  Micros stop_timeout{20 * kMicrosPerSecond};      ///< How long a stop may drain before it commits and goes.
  ByteSize dead_letters_max_bytes{16ULL << 20};    ///< [dead_letters] max_bytes
  std::uint64_t dead_letters_max_count = 100'000;  ///< [dead_letters] max_count
  std::optional<ByteSize> store_max_bytes;         ///< [store] max_bytes; unset: no bound.
};

/// Dotted key, type, default and meaning of every key, in the order of documentation.
std::vector<OptionDoc> config_docs();

/// Reads the file at `path`. Errors: not found, invalid (with file:line:column of each wrong key).
Result<Config> read_config(const std::string& path);
/// From text; `name` is for messages.
Result<Config> parse_config(std::string_view text, const std::string& name);

/// "localhost", "::1" or an IPv4 address of 127.0.0.0/8; not a name that only begins like one.
bool is_loopback(std::string_view host);

struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
};
/// "127.0.0.1:8463", "[::1]:0". Errors: invalid; an address that is not loopback is refused, as the API has
/// no authentication yet.
Result<ListenAddress> parse_listen(std::string_view text);

}  // namespace leat::config
