// Our options as Paho's. Internal to the MQTT client, and the one place that includes Paho's C++ headers.
#pragma once

// The C++ wrapper has the packet identifier of a received message, but shows it to its own tests only: by an
// inline accessor behind this macro, which changes nothing else. Telling a repeated delivery from a new one
// with the same content depends on it.
#define UNIT_TESTS
#include <mqtt/async_client.h>
#undef UNIT_TESTS

#include <string>
#include <string_view>

#include "sources/clients/mqtt_client.h"
#include "sources/clients/tls_diagnosis.h"

namespace leat::sources {

mqtt::create_options paho_create_options(const MqttClientOptions& options);
/// `ssl` is filled and must outlive the result and all its copies: they point to its CA folder.
mqtt::connect_options paho_connect_options(const MqttClientOptions& options, mqtt::ssl_options& ssl);
/// `payload` in place of the will's own.
void set_paho_will(const MqttWill& will, const std::string& payload, mqtt::connect_options& connect);
mqtt::const_message_ptr paho_message(const MqttPublication& message, MqttVersion version);
/// Bytes of its packet.
std::size_t packet_bytes(const MqttPublication& message, MqttVersion version);
/// What a broker of MQTT 5 has said in its CONNACK; without it, and before MQTT 5, UINT32_MAX.
std::uint32_t largest_packet(const mqtt::connect_response& answer);
/// What the reason code of a refused publication means (MqttClient::publish).
ErrorCode publish_error(int reason_code);
/// What Paho says of every connection that there is none of.
inline constexpr std::string_view kNoConnection = "no connection";
/// "connection refused", "bad user name or password: check …" of a token or an exception.
std::string paho_reason(int return_code, int reason_code, const std::string& client_id);
/// A reason code of MQTT 5 in words, with what to do where that is known.
std::string describe_reason(int reason_code, const std::string& client_id);
/// Whom a connection is made to, over TLS or not.
TlsPeer tls_peer_of(const MqttClientOptions& options, std::string_view paho_url);

}  // namespace leat::sources
