// Topics of Sparkplug B (specification 3.0.0, section 4.1): spBv1.0/group/type/node[/device].
#pragma once

#include <cstdint>
#include <string_view>

namespace leat::exec {

/// What an edge node publishes of itself and its devices.
enum class SparkplugMessage : std::uint8_t {
  kNodeBirth,
  kDeviceBirth,
  kNodeData,
  kDeviceData,
  kNodeDeath,
  kDeviceDeath,
};
/// "NBIRTH".
std::string_view name_of(SparkplugMessage message);

struct SparkplugTopic {
  std::string_view group;
  std::string_view node;
  std::string_view device;  ///< Empty: of the edge node itself.
  SparkplugMessage message = SparkplugMessage::kNodeBirth;
};

/// Views into `text`. False: it is another topic (a command, STATE, no Sparkplug), or its levels do not fit
/// its message.
bool read_topic(std::string_view text, SparkplugTopic& topic);

}  // namespace leat::exec
