#include "pipelines/exec/sparkplug_topic.h"

#include <algorithm>
#include <array>

namespace leat::exec {
namespace {

constexpr std::string_view kNamespace = "spBv1.0";
constexpr auto kNames =
    std::to_array<std::string_view>({"NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"});

/// Cuts the first level off; empty behind the last one.
std::string_view take_level(std::string_view& topic) {
  const std::size_t end = std::min(topic.find('/'), topic.size());
  const std::string_view level = topic.substr(0, end);
  topic.remove_prefix(std::min(end + 1, topic.size()));
  return level;
}

}  // namespace

std::string_view name_of(SparkplugMessage message) {
  return kNames[static_cast<std::size_t>(message)];
}

bool read_topic(std::string_view text, SparkplugTopic& topic) {
  if (take_level(text) != kNamespace) return false;
  topic.group = take_level(text);
  const auto found = std::ranges::find(kNames, take_level(text));
  if (found == kNames.end()) return false;
  topic.message = static_cast<SparkplugMessage>(found - kNames.begin());
  topic.node = take_level(text);
  topic.device = take_level(text);
  const bool of_device = found->front() == 'D';
  return text.empty() && !topic.group.empty() && !topic.node.empty() && topic.device.empty() != of_device;
}

}  // namespace leat::exec
