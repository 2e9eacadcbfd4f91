// The explicit list of all sinks: a new one is a folder, a line here and its tests.
#include <algorithm>
#include <array>
#include <chrono>

#include "sinks/blackhole/blackhole_sink.h"
#include "sinks/filesystem/filesystem_sink.h"
#include "sinks/http/http_sink.h"
#include "sinks/kafka/kafka_sink.h"
#include "sinks/mqtt/mqtt_sink.h"
#include "sinks/print/print_sink.h"
#include "sinks/sink.h"
#include "sinks/sqlite/sqlite_sink.h"
#include "sinks/stream/stream_sink.h"

namespace leat::sinks {

std::span<const SinkConnector> all_sinks() {
  static const std::array<SinkConnector, 9> sinks{
      blackhole_connector(), filesystem_connector(), http_connector(),
      kafka_connector(),     mqtt_connector(),       print_connector(),
      sqlite_connector(),    stream_connector(),     upsert_kafka_connector()};
  return sinks;
}

const SinkConnector* find_sink(std::string_view name) {
  const auto sinks = all_sinks();
  const auto found = std::find_if(sinks.begin(), sinks.end(),
                                  [&](const SinkConnector& sink) { return sink.info.name == name; });
  return found == sinks.end() ? nullptr : &*found;
}

std::optional<LeftOpen> find_left_open(std::string_view sink_state, const SinkContext& context) {
  for (const SinkConnector& sink : all_sinks()) {
    if (!sink.left_open) continue;
    if (auto open = sink.left_open(sink_state, context)) return open;
  }
  return std::nullopt;
}

std::int64_t wall_clock_micros() {
  return std::chrono::duration_cast<Micros>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace leat::sinks
