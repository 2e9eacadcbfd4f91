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

}  // namespace

void encode_delivery(const MqttMessage& message, std::uint64_t whole_bytes, std::string& out) {
  out.clear();
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(message.qos | (message.retained ? kRetainedBit : 0) |
                                      (message.duplicate ? kDuplicateBit : 0) |
                                      (whole_bytes > 0 ? kCutBit : 0)));
  writer.varint(message.packet_id);
  if (whole_bytes > 0) writer.varint(whole_bytes);
  writer.raw(message.topic);
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
          .packet_id = packet_id,
          .whole_bytes = whole_bytes};
}

std::uint64_t fingerprint_of(std::string_view topic, std::string_view payload, int qos,
                             std::uint16_t packet_id) {
  const std::uint64_t seed = static_cast<std::uint64_t>(packet_id) << 2 | static_cast<std::uint64_t>(qos);
  const std::uint64_t head = XXH3_64bits_withSeed(topic.data(), topic.size(), seed);
  return XXH3_64bits_withSeed(payload.data(), payload.size(), head);
}

}  // namespace leat::sources
