#include "daemon/config/config.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>

#include "daemon/config/config_keys.h"

namespace leat::config {

const OptionTable<Config>& config_table() {
  static const OptionTable<Config> table{
      option("data_dir", &Config::data_dir, Necessity::kOptional, "Folder of the store and the journals."),
      option("pipelines_dir", &Config::pipelines_dir, Necessity::kOptional,
             "Folder whose *.sql files are run, one pipeline per file."),
      option("stop_timeout", &Config::stop_timeout, Necessity::kOptional,
             "How long a stop may take to drain before it commits and ends."),
      option("gateway.id", &Config::gateway_id, Necessity::kOptional,
             "Name of this gateway in headers, keys and metrics; default: from the store's id."),
      option("api.listen", &Config::api_listen, Necessity::kOptional,
             "Address and port of the REST API; port 0 picks a free one; empty: no TCP. Another address than "
             "loopback needs a token ('leat token create') or tls_client_ca."),
      option(
          "api.socket", &Config::api_socket, Necessity::kOptional,
          "Unix socket of the API, for the admins that its file lets in (mode 0660); empty: none. Default: "
          "/run/leat/leat.sock where /run/leat is there and data_dir is not set."),
      option("api.names", &Config::api_names, Necessity::kOptional,
             "Names that browsers may ask the API by, besides its addresses, such as [\"gateway.example\"]."),
      option("api.tls_cert", &Config::api_tls_cert, Necessity::kOptional,
             "Certificate chain (PEM): with it and tls_key the address speaks https only."),
      option("api.tls_key", &Config::api_tls_key, Necessity::kOptional, "Private key of tls_cert (PEM)."),
      option("api.tls_client_ca", &Config::api_tls_client_ca, Necessity::kOptional,
             "Certificates (PEM) of who may sign for clients: then no client gets in without a certificate."),
      option("api.tls_client_role", &Config::api_tls_client_role, Necessity::kOptional,
             "What a client may by its certificate alone: read or admin."),
      option("api.tls_admins", &Config::api_tls_admins, Necessity::kOptional,
             "Common names of client certificates whose role is admin, whatever tls_client_role says."),
      option("api.max_connections", &Config::api_max_connections, Necessity::kOptional,
             "Connections at once over TCP, and as many over the socket, 8 to 4000; more are answered with "
             "503."),
      option("api.requests_per_second", &Config::api_requests_per_second, Necessity::kOptional,
             "Requests per second of one peer over TCP; more are answered with 429. Default: 200 for other "
             "machines, no bound for this one."),
      option("api.max_tails", &Config::api_max_tails, Necessity::kOptional,
             "Live views of rows at once (tails), 1 to 1000; more are answered with 503."),
      option("api.max_header", &Config::api_max_header, Necessity::kOptional,
             "Bytes of a request's line and headers, 1 kb to 1 mb."),
      option("api.max_body", &Config::api_max_body, Necessity::kOptional,
             "Bytes of a request's body, 1 kb to 64 mb; some paths take less."),
      option("api.request_timeout", &Config::api_request_timeout, Necessity::kOptional,
             "How long a peer may take to send a request, all of it."),
      option("log.level", &Config::log_level, Necessity::kOptional, "debug, info, warn or error."),
      option("log.format", &Config::log_format, Necessity::kOptional,
             "text, json or auto (journald's form under systemd, else text)."),
      option("dead_letters.max_bytes", &Config::dead_letters_max_bytes, Necessity::kOptional,
             "Dead letters above this push out the oldest, which are counted."),
      option("dead_letters.max_count", &Config::dead_letters_max_count, Necessity::kOptional,
             "As do dead letters above this number."),
      option("store.max_bytes", &Config::store_max_bytes, Necessity::kOptional,
             "What the store may hold; at least 1 mb. Sinks that may drop make room, the oldest results "
             "first; pipelines whose sinks block wait. Default: no bound.")};
  return table;
}

namespace {

constexpr std::uint64_t kLeastStore = 1 << 20;

using Refuse = std::function<void(const std::string& key, const std::string& message)>;

/// Keys of TLS belong together.
void check_tls(const Config& config, const Refuse& refuse) {
  const bool cert = !config.api_tls_cert.empty();
  if (cert && config.api_tls_key.empty())
    refuse("api.tls_cert", "api.tls_cert needs api.tls_key, the private key of the certificate");
  if (!cert && !config.api_tls_key.empty())
    refuse("api.tls_key", "api.tls_key needs api.tls_cert, the certificate of the key");
  if (!cert && !config.api_tls_client_ca.empty())
    refuse("api.tls_client_ca",
           "api.tls_client_ca needs api.tls_cert and api.tls_key: without TLS no client "
           "shows a certificate");
  if (config.api_tls_client_role != "read" && config.api_tls_client_role != "admin")
    refuse("api.tls_client_role", fmt::format("api.tls_client_role: expected 'read' or 'admin', found '{}'",
                                              config.api_tls_client_role));
  if (config.api_tls_client_ca.empty() && !config.api_tls_admins.empty())
    refuse("api.tls_admins", "api.tls_admins needs api.tls_client_ca, which says whose certificates count");
}

void check_api_limits(const Config& config, const Refuse& refuse) {
  const auto within = [&](const std::string& key, std::uint64_t value, std::uint64_t least,
                          std::uint64_t most, std::string_view text) {
    if (value < least || value > most) refuse(key, fmt::format("{}: expected {}", key, text));
  };
  within("api.max_connections", config.api_max_connections, 8, 4000, "8 to 4000");
  within("api.requests_per_second", config.api_requests_per_second.value_or(1), 1, 1'000'000, "1 to 1000000");
  within("api.max_tails", config.api_max_tails, 1, 1000, "1 to 1000");
  within("api.max_header", config.api_max_header.bytes, 1 << 10, 1 << 20, "1 kb to 1 mb");
  within("api.max_body", config.api_max_body.bytes, 1 << 10, 64 << 20, "1 kb to 64 mb");
  within("api.request_timeout", static_cast<std::uint64_t>(config.api_request_timeout.count()),
         kMicrosPerSecond, 3600 * kMicrosPerSecond, "1 s to 1 h");
}

void check_socket(const Config& config, const Refuse& refuse) {
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  const std::string socket = config.api_socket.value_or("");
  if (!socket.empty() && (socket.front() != '/' || socket.size() > kLongest))
    refuse("api.socket", fmt::format("api.socket: expected an absolute path of at most {} bytes, found '{}'",
                                     kLongest, socket));
}

void check_folders(const Config& config, const Refuse& refuse) {
  if (config.data_dir.empty()) refuse("data_dir", "data_dir: expected the path of a folder, found ''");
  if (config.pipelines_dir.empty())
    refuse(
        "pipelines_dir",
        "pipelines_dir: expected the path of a folder, found ''; one that holds no *.sql file is right, too");
}

void check_names(const Config& config, const Refuse& refuse) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; };
  for (const std::string& name : config.api_names)
    if (name.empty() || !std::all_of(name.begin(), name.end(), plain))
      refuse("api.names",
             fmt::format("api.names: expected names such as 'gateway.example', without a port, found '{}'",
                         name));
}

}  // namespace

void check_words(const Config& config, std::vector<OptionError>& errors) {
  const Refuse refuse = [&](const std::string& key, const std::string& message) {
    errors.push_back({key, OptionError::Part::kValue, message});
  };
  if (const auto level = log::parse_level(config.log_level); !level)
    refuse("log.level", "log.level: " + level.error().message);
  if (config.log_format != "auto" && config.log_format != "text" && config.log_format != "json")
    refuse("log.format",
           fmt::format("log.format: expected 'auto', 'text' or 'json', found '{}'", config.log_format));
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  if (!std::all_of(config.gateway_id.begin(), config.gateway_id.end(), plain))
    refuse("gateway.id",
           "gateway.id: only letters, digits, '-', '_' and '.' are allowed, as it travels in headers");
  if (config.store_max_bytes && config.store_max_bytes->bytes < kLeastStore)
    refuse("store.max_bytes", "store.max_bytes: expected 1 mb or more, as the store's own tables need room");
  check_folders(config, refuse);
  check_tls(config, refuse);
  check_api_limits(config, refuse);
  check_socket(config, refuse);
  check_names(config, refuse);
  if (config.api_listen.empty()) return;
  if (const auto address = parse_listen(config.api_listen); !address)
    refuse("api.listen", address.error().message);
}

std::vector<OptionDoc> config_docs() {
  return config_table().docs();
}

Result<ListenAddress> parse_listen(std::string_view text) {
  auto address = listen::parse_address(text);
  if (!address) return fail(address.error(), "api.listen");
  return address;
}

std::string socket_path(const Config& config) {
  if (config.api_socket) return *config.api_socket;
  if (config.data_dir != Config{}.data_dir) return "";
  std::error_code error;
  const auto folder = std::filesystem::path(kDefaultSocket).parent_path();
  return std::filesystem::is_directory(folder, error) ? kDefaultSocket : "";
}

}  // namespace leat::config
