// The explicit list of all sources. Adding one is its folder, a line here, a line in CMakeLists.txt and its
// tests.
#include <algorithm>
#include <array>

#include "sources/datagen/datagen_source.h"
#include "sources/filesystem/filesystem_source.h"
#include "sources/http/http_source.h"
#include "sources/kafka/kafka_source.h"
#include "sources/modbus/modbus_source.h"
#include "sources/mqtt/mqtt_source.h"
#include "sources/source.h"
#include "sources/sqlite/sqlite_source.h"
#include "sources/stream/stream_source.h"

namespace leat::sources {

std::span<const SourceConnector> all_sources() {
  static const std::array<SourceConnector, 9> sources = {
      datagen_connector(),       filesystem_connector(),    http_source_connector(),
      kafka_source_connector(),  modbus_source_connector(), mqtt_connector(),
      sqlite_source_connector(), stream_source_connector(), upsert_kafka_source_connector()};
  return sources;
}

const SourceConnector* find_source(std::string_view name) {
  const auto sources = all_sources();
  const auto found = std::find_if(sources.begin(), sources.end(),
                                  [&](const SourceConnector& source) { return source.info.name == name; });
  return found == sources.end() ? nullptr : &*found;
}

std::string_view to_string(SourceHealth::Link link) {
  switch (link) {
    case SourceHealth::Link::kIdle:
      return "idle";
    case SourceHealth::Link::kConnecting:
      return "connecting";
    case SourceHealth::Link::kConnected:
      return "connected";
    case SourceHealth::Link::kPaused:
      return "paused";
    case SourceHealth::Link::kLost:
      return "lost";
    case SourceHealth::Link::kUnreadable:
      return "unreadable";
    case SourceHealth::Link::kEnded:
      return "ended";
    case SourceHealth::Link::kFailed:
      return "failed";
  }
  return "";
}

}  // namespace leat::sources
