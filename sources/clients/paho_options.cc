#include "sources/clients/paho_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace leat::sources {
namespace {

using std::chrono::ceil;
using std::chrono::seconds;

/// Paho counts in milliseconds, in an int: behind that it would give up at once.
constexpr seconds kPahosLongestTimeout{std::numeric_limits<int>::max() / 1'000};

struct Scheme {
  std::string_view ours;
  std::string_view pahos;
  std::uint16_t port;
};
constexpr Scheme kSchemes[] = {{"tcp://", "tcp://", 1883}, {"mqtt://", "tcp://", 1883},
                               {"ssl://", "ssl://", 8883}, {"mqtts://", "ssl://", 8883},
                               {"ws://", "ws://", 80},     {"wss://", "wss://", 443}};

/// An empty text that is there: without one OpenSSL asks for the password on the terminal.
const std::string kNoPassword(1, '\0');

void set_tls(const MqttTls& tls, mqtt::ssl_options& ssl) {
  if (!tls.ca_file.empty()) ssl.set_trust_store(tls.ca_file);
  if (!tls.ca_path.empty()) ssl.ca_path(tls.ca_path);
  if (!tls.certificate_file.empty()) ssl.set_key_store(tls.certificate_file);
  if (!tls.key_file.empty()) ssl.set_private_key(tls.key_file);
  ssl.set_private_key_password(tls.key_password.empty() ? kNoPassword : tls.key_password.reveal());
  if (!tls.alpn.empty()) ssl.set_alpn_protos(tls.alpn);
  const bool verify = tls.peer == PeerCheck::kVerify;
  ssl.set_enable_server_cert_auth(verify);
  ssl.set_verify(verify);
}

mqtt::properties connect_properties(const MqttClientOptions& options) {
  mqtt::properties properties;
  // Without an expiry a session ends with its connection, whatever clean start says.
  const auto expiry = std::min<std::int64_t>(ceil<seconds>(options.session_expiry).count(), 0xFFFFFFFF);
  properties.add({mqtt::property::SESSION_EXPIRY_INTERVAL, static_cast<std::int32_t>(expiry)});
  properties.add({mqtt::property::RECEIVE_MAXIMUM, options.receive_maximum});
  properties.add({mqtt::property::MAXIMUM_PACKET_SIZE, static_cast<std::int32_t>(options.max_packet)});
  return properties;
}

/// How many bytes a length has that takes as many as it needs (MQTT 5, section 1.5.5).
std::size_t bytes_of_length(std::size_t length) {
  constexpr std::size_t kBitsOfByte = 7;
  std::size_t bytes = 1;
  while ((length >>= kBitsOfByte) > 0) ++bytes;
  return bytes;
}

void set_session(const MqttClientOptions& options, mqtt::connect_options& connect) {
  const bool clean = options.clean_start == CleanStart::kClean;
  // The version first: it clears the flag of the other protocol.
  connect.set_mqtt_version(static_cast<int>(options.version));
  if (options.version == MqttVersion::k5) {
    connect.set_clean_start(clean);
    connect.set_properties(connect_properties(options));
  } else {
    connect.set_clean_session(clean);
  }
}

}  // namespace

Result<std::string> paho_url(std::string_view url) {
  for (const Scheme& scheme : kSchemes) {
    if (!url.starts_with(scheme.ours)) continue;
    std::string rest(url.substr(scheme.ours.size()));
    if (rest.empty() || rest.front() == ':' || rest.front() == '/')
      return fail(ErrorCode::kInvalid, "the URL '" + std::string(url) + "' names no host");
    // Paho reads host:port up to the path; a path belongs to websockets only.
    return std::string(scheme.pahos) + rest;
  }
  return fail(ErrorCode::kInvalid,
              "the URL '" + std::string(url) +
                  "' must begin with tcp://, mqtt://, ssl://, mqtts://, ws:// or wss://");
}

std::uint16_t url_port(std::string_view paho_url) {
  std::uint16_t port = 0;
  for (const Scheme& scheme : kSchemes)
    if (paho_url.starts_with(scheme.pahos)) port = scheme.port;
  const std::size_t authority = paho_url.find("://") + 3;
  const std::string_view host = paho_url.substr(authority, paho_url.find('/', authority) - authority);
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return port;
  std::uint64_t written = 0;
  if (option_text::read(host.substr(colon + 1), written)) port = static_cast<std::uint16_t>(written);
  return port;
}

TlsPeer tls_peer_of(const MqttClientOptions& options, std::string_view paho_url) {
  const std::size_t authority = paho_url.find("://") + 3;
  std::string_view host = paho_url.substr(authority, paho_url.find('/', authority) - authority);
  const bool bracketed = host.starts_with('[');
  const std::size_t end = bracketed ? host.find(']') : host.rfind(':');
  host = host.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  TlsPeer peer{.host = std::string(host), .port = url_port(paho_url)};
  if (!options.tls) return peer;
  peer.ca_file = options.tls->ca_file;
  peer.ca_path = options.tls->ca_path;
  peer.certificate_file = options.tls->certificate_file;
  peer.key_file = options.tls->key_file;
  if (!options.tls->key_password.empty()) peer.key_password = options.tls->key_password.reveal();
  peer.verify = options.tls->peer == PeerCheck::kVerify ? TlsPeer::Verify::kYes : TlsPeer::Verify::kNo;
  return peer;
}

mqtt::create_options paho_create_options(const MqttClientOptions& options) {
  // The version is given here and when connecting: Paho's default may fall back to MQTT 3.1.
  mqtt::create_options create(static_cast<int>(options.version));
  create.set_max_buffered_messages(options.max_inflight);
  return create;
}

mqtt::connect_options paho_connect_options(const MqttClientOptions& options, mqtt::ssl_options& ssl) {
  mqtt::connect_options connect;
  set_session(options, connect);
  connect.set_automatic_reconnect(false);
  connect.set_keep_alive_interval(ceil<seconds>(options.keep_alive));
  connect.set_connect_timeout(std::min(ceil<seconds>(options.connect_timeout), kPahosLongestTimeout));
  connect.set_max_inflight(options.max_inflight);
  if (!options.username.empty()) connect.set_user_name(options.username);
  if (!options.password.empty()) connect.set_password(options.password.reveal());
  if (options.tls) {
    set_tls(*options.tls, ssl);
    connect.set_ssl(ssl);
  }
  if (const auto& will = options.will) set_paho_will(*will, will->payload, connect);
  return connect;
}

void set_paho_will(const MqttWill& will, const std::string& payload, mqtt::connect_options& connect) {
  connect.set_will(mqtt::will_options(will.topic, payload, will.qos, will.retained));
}

mqtt::const_message_ptr paho_message(const MqttPublication& message, MqttVersion version) {
  mqtt::properties properties;
  if (version == MqttVersion::k5)
    for (const auto& [name, value] : message.properties)
      properties.add({mqtt::property::USER_PROPERTY, name, value});
  return mqtt::message::create(mqtt::string(message.topic), message.payload.data(), message.payload.size(),
                               message.qos, message.retained, properties);
}

std::size_t packet_bytes(const MqttPublication& message, MqttVersion version) {
  constexpr std::size_t kLength = 2;  // Before a text; an identifier has as many.
  std::size_t properties = 0;
  for (const auto& [name, value] : message.properties)
    properties += 1 + kLength + name.size() + kLength + value.size();
  std::size_t bytes = kLength + message.topic.size() + message.payload.size();
  if (message.qos > 0) bytes += kLength;
  if (version == MqttVersion::k5) bytes += bytes_of_length(properties) + properties;
  return 1 + bytes_of_length(bytes) + bytes;
}

std::uint32_t largest_packet(const mqtt::connect_response& answer) {
  const mqtt::properties& properties = answer.get_properties();
  if (!properties.contains(mqtt::property::MAXIMUM_PACKET_SIZE)) return UINT32_MAX;
  return mqtt::get<std::uint32_t>(properties, mqtt::property::MAXIMUM_PACKET_SIZE);
}

ErrorCode publish_error(int reason_code) {
  constexpr int kFirstFailure = 0x80;
  switch (reason_code) {  // MQTT 5, sections 3.4.2.1 and 3.5.2.1
    case 0x87:            // Not authorized
      return ErrorCode::kConflict;
    case 0x90:  // Topic name invalid
    case 0x95:  // Packet too large
    case 0x99:  // Payload format invalid
      return ErrorCode::kInvalid;
    case 0x91:  // Packet identifier in use
    case 0x97:  // Quota exceeded
      return ErrorCode::kExhausted;
    case mqtt::ReasonCode::MQTTPP_V3_CODE:
      return ErrorCode::kUnavailable;
    default:  // Without a failure's code it is no answer: the connection has ended.
      return reason_code < kFirstFailure ? ErrorCode::kUnavailable : ErrorCode::kIo;
  }
}

std::string describe_reason(int reason_code, const std::string& client_id) {
  const std::string words = mqtt::exception::reason_code_str(reason_code);
  switch (reason_code) {  // MQTT 5, section 2.4
    case 0x85:
      return fmt::format("{}: the broker does not take '{}', set 'client-id' to one that it takes", words,
                         client_id);
    case 0x86:
      return fmt::format("{}: check 'username' and 'password'", words);
    case 0x87:
      return fmt::format("{}: check 'username' and 'password', and what the broker allows this user", words);
    case 0x8E:
      return fmt::format(
          "another client has connected as '{}' and taken its session: give each of the two a "
          "'client-id' of its own",
          client_id);
    default:
      return words;
  }
}

std::string paho_reason(int return_code, int reason_code, const std::string& client_id) {
  // Of MQTT 3.1.1 there is no reason code; a refused CONNECT of MQTT 5 comes with it in place of the return
  // code.
  if (reason_code == mqtt::ReasonCode::MQTTPP_V3_CODE) reason_code = 0;
  if (reason_code < 0x80 && return_code >= 0x80) reason_code = return_code;
  if (reason_code >= 0x80) return describe_reason(reason_code, client_id);
  switch (return_code) {  // CONNACK codes of MQTT 3.1.1, section 3.2.2.3
    case 1:
      return "unacceptable protocol version: try another 'protocol-version'";
    case 2:
      return fmt::format("the broker does not take the client id '{}': set 'client-id' to one that it takes",
                         client_id);
    case 3:
      return "server unavailable";
    case 4:
      return "bad user name or password: check 'username' and 'password'";
    case 5:
      return "not authorized: check 'username' and 'password', and what the broker allows this user";
    case -1:
      return std::string(kNoConnection);
    default:
      return mqtt::exception::error_str(return_code);
  }
}

}  // namespace leat::sources
