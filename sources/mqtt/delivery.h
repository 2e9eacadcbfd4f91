// What is kept of an MQTT delivery beside its payload: the attributes of a record in the intake.
//
// Grammar:
//   attributes := flags packet topic
//     flags    u8: bits 0-1 QoS, bit 2 retained, bit 3 duplicate
//     packet   varint: the packet identifier; 0 for QoS 0
//     topic    the remaining bytes
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sources/clients/mqtt_client.h"

namespace leat::sources {

struct MqttDelivery {
  std::string_view topic;
  std::uint8_t qos = 0;
  bool retained = false;
  bool duplicate = false;
  std::uint16_t packet_id = 0;
};

/// Writes over `out`.
void encode_delivery(const MqttMessage& message, std::string& out);
/// Views into `attributes`. They are our own bytes, checked by the journal; wrong ones give an empty topic.
MqttDelivery decode_delivery(std::string_view attributes);

/// What identifies a delivery: topic, payload, QoS and packet identifier, as one number.
std::uint64_t fingerprint_of(std::string_view topic, std::string_view payload, int qos,
                             std::uint16_t packet_id);

}  // namespace leat::sources
