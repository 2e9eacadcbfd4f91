// What is kept of an MQTT delivery beside its payload: the attributes of a record in the intake.
//
// Grammar:
//   attributes := flags packet [whole] topic
//     flags    u8: bits 0-1 QoS, bit 2 retained, bit 3 duplicate, bit 4 cut,
//              bit 5 first of a new session
//     packet   varint: the packet identifier; 0 for QoS 0
//     whole    varint, if cut: bytes of the whole payload, of which the beginning was kept
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
  bool opens_session = false;  ///< The packet identifiers before it belong to a session that is gone.
  std::uint16_t packet_id = 0;
  std::uint64_t whole_bytes = 0;  ///< Of a payload that was cut; 0: it was not.
};

/// Writes over `out` what `decode_delivery` reads.
void encode_delivery(const MqttDelivery& delivery, std::string& out);
/// Views into `attributes`. They are our own bytes, checked by the journal; wrong ones give an empty topic.
MqttDelivery decode_delivery(std::string_view attributes);

/// What tells a delivery of QoS 1 or 2 from others.
struct DeliveryIdentity {
  std::uint16_t packet_id = 0;
  std::uint64_t fingerprint = 0;  ///< As of `fingerprint_of`.
  bool operator==(const DeliveryIdentity&) const = default;
};
DeliveryIdentity identity_of(const MqttDelivery& delivery, std::string_view payload);

/// Topic, payload and QoS as one number.
std::uint64_t fingerprint_of(std::string_view topic, std::string_view payload, int qos);

}  // namespace leat::sources
