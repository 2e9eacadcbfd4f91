#include "sources/clients/mqtt_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace leat::sources {
namespace {

/// What is added to a clock, in nanoseconds, must not run over.
constexpr Micros kLongestInterval{36'500 * kMicrosPerDay};
constexpr std::int64_t kLongestKeepAlive = 65535 * kMicrosPerSecond;  // MQTT 5, section 3.1.2.10

bool is_encrypted(std::string_view paho_url) {
  return paho_url.starts_with("ssl://") || paho_url.starts_with("wss://");
}

/// "host", "host:port", "[address]" or "[address]:port".
bool has_good_port(std::string_view authority) {
  const std::size_t host = authority.starts_with('[') ? authority.find(']') : 0;
  const std::size_t colon = host == std::string_view::npos ? host : authority.find(':', host);
  if (colon == std::string_view::npos) return true;
  const std::string_view digits = authority.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && port > 0;
}

/// What stands behind the host: `paho_url` is one of Paho's schemes.
void check_place(std::string_view paho_url, std::vector<OptionError>& errors) {
  const std::size_t begin = paho_url.find("://") + 3;
  const std::size_t end = std::min(paho_url.find_first_of("/?#", begin), paho_url.size());
  const std::string_view authority = paho_url.substr(begin, end - begin);
  const std::string_view path = paho_url.substr(end);
  if (authority.find('@') != std::string_view::npos)
    wrong_mqtt_value(errors, "url",
                     "a user and a password do not belong here: use 'username' and 'password'");
  else if (!has_good_port(authority))
    wrong_mqtt_value(errors, "url", "expected a port from 1 to 65535, as in mqtt://host:1883");
  else if (!paho_url.starts_with("ws") && !path.empty() && path != "/")
    wrong_mqtt_value(
        errors, "url",
        fmt::format("'{}' behind the host means nothing: only ws:// and wss:// have a path", path));
}

void check_url(const OptionMap& map, const MqttConnectionOptions& options, std::vector<OptionError>& errors) {
  const auto url = paho_url(options.url);
  if (!url) return wrong_mqtt_value(errors, "url", url.error().message);
  check_place(*url, errors);
  if (is_encrypted(*url)) {
    if (!options.tls_key_file.empty() && options.tls_certificate_file.empty())
      wrong_mqtt_value(errors, "tls.key-file", "needs 'tls.certificate-file', too");
    return;
  }
  for (const auto& [key, value] : map)
    if (key.starts_with("tls."))
      errors.push_back({key, OptionError::Part::kKey,
                        fmt::format("option '{}' needs an encrypted connection (mqtts:// or wss://), the URL "
                                    "is '{}'",
                                    key, options.url)});
}

}  // namespace

void wrong_mqtt_value(std::vector<OptionError>& errors, std::string key, const std::string& message) {
  errors.push_back({key, OptionError::Part::kValue, fmt::format("option '{}': {}", key, message)});
}

void check_mqtt_interval(const std::string& key, Micros interval, std::vector<OptionError>& errors) {
  if (interval.count() <= 0 || interval > kLongestInterval)
    wrong_mqtt_value(errors, key,
                     fmt::format("expected more than 0, and at most {}", format_duration(kLongestInterval)));
}

void check_mqtt_connection(const OptionMap& map, const MqttConnectionOptions& options,
                           std::vector<OptionError>& errors) {
  check_url(map, options, errors);
  if (options.keep_alive.count() < kMicrosPerSecond || options.keep_alive.count() > kLongestKeepAlive)
    wrong_mqtt_value(errors, "keep-alive", "expected a duration between 1 s and 65535 s");
  check_mqtt_interval("reconnect.min-delay", options.reconnect_min, errors);
  check_mqtt_interval("reconnect.max-delay", options.reconnect_max, errors);
  if (options.reconnect_max < options.reconnect_min)
    wrong_mqtt_value(errors, "reconnect.max-delay", "expected at least 'reconnect.min-delay'");
  check_mqtt_interval("connect-timeout", options.connect_timeout, errors);
}

MqttClientOptions client_options_of(const MqttConnectionOptions& options,
                                    const std::string& default_client_id) {
  MqttClientOptions client{
      .url = options.url,
      .client_id = options.client_id.value_or(default_client_id),
      .version = options.version,
      .keep_alive = options.keep_alive,
      .connect_timeout = options.connect_timeout,
      .username = options.username,
      .password = options.password,
      .backoff_min = options.reconnect_min,
      .backoff_max = options.reconnect_max,
  };
  if (is_encrypted(paho_url(options.url).value_or("")))
    client.tls = MqttTls{.ca_file = options.tls_ca_file,
                         .ca_path = options.tls_ca_path,
                         .certificate_file = options.tls_certificate_file,
                         .key_file = options.tls_key_file,
                         .key_password = options.tls_key_password,
                         .alpn = options.tls_alpn,
                         .peer = options.tls_verify ? PeerCheck::kVerify : PeerCheck::kAcceptAnything};
  return client;
}

}  // namespace leat::sources
