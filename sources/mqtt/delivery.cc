#include "sources/mqtt/delivery.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "pipelines/base/bytes.h"

namespace leat::sources {
namespace {

constexpr std::uint8_t kQosBits = 3;
constexpr std::uint8_t kRetainedBit = 4;
constexpr std::uint8_t kDuplicateBit = 8;
constexpr std::uint8_t kCutBit = 16;
constexpr std::uint8_t kOpensSessionBit = 32;

}  // namespace

void encode_delivery(const MqttDelivery& delivery, std::string& out) {
  const auto bit = [](bool set, std::uint8_t value) { return set ? value : std::uint8_t{0}; };
  out.clear();
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(
      delivery.qos | bit(delivery.retained, kRetainedBit) | bit(delivery.duplicate, kDuplicateBit) |
      bit(delivery.whole_bytes > 0, kCutBit) | bit(delivery.opens_session, kOpensSessionBit)));
  writer.varint(delivery.packet_id);
  if (delivery.whole_bytes > 0) writer.varint(delivery.whole_bytes);
  writer.raw(delivery.topic);
}

MqttDelivery decode_delivery(std::string_view attributes) {
  ByteReader reader(attributes);
  const std::uint8_t flags = reader.u8();
  const auto packet_id = static_cast<std::uint16_t>(reader.varint());
  const std::uint64_t whole_bytes = (flags & kCutBit) != 0 ? reader.varint() : 0;
  return {.topic = reader.rest(),
          .qos = static_cast<std::uint8_t>(flags & kQosBits),
          .retained = (flags & kRetainedBit) != 0,
          .duplicate = (flags & kDuplicateBit) != 0,
          .opens_session = (flags & kOpensSessionBit) != 0,
          .packet_id = packet_id,
          .whole_bytes = whole_bytes};
}

DeliveryIdentity identity_of(const MqttDelivery& delivery, std::string_view payload) {
  return {delivery.packet_id, fingerprint_of(delivery.topic, payload, delivery.qos)};
}

std::uint64_t fingerprint_of(std::string_view topic, std::string_view payload, int qos) {
  const std::uint64_t head =
      XXH3_64bits_withSeed(topic.data(), topic.size(), static_cast<std::uint64_t>(qos));
  return XXH3_64bits_withSeed(payload.data(), payload.size(), head);
}

}  // namespace leat::sources
