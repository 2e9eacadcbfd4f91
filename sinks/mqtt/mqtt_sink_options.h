// The options of 'connector' = 'mqtt' as a sink.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "sinks/mqtt/topic_template.h"
#include "sinks/sink.h"
#include "sources/clients/mqtt_connection.h"

namespace leat::sinks {

struct MqttSinkOptions : sources::MqttConnectionOptions {
  std::string topic;
  std::uint32_t qos = 1;
  bool retained = false;
  std::uint16_t max_inflight = 100;
  Micros publish_timeout{30 * kMicrosPerSecond};
  std::string birth_topic;
  std::string birth_payload = "online";
  bool birth_retained = true;
  std::string will_topic;
  std::string will_payload = "offline";
  bool will_retained = true;
  std::uint64_t max_rows = 1000;
  ByteSize max_bytes{1 << 20};
  Micros linger{0};
};

const OptionTable<MqttSinkOptions>& mqtt_sink_options();

/// What the table cannot say: topics, ranges, keys that need each other.
void check_mqtt_sink_options(const MqttSinkOptions& options, const OptionMap& map,
                             std::vector<OptionError>& errors);

/// The columns of the topic must be columns of the table, and single values.
void check_mqtt_table(const OptionMap& map, const plan::TableShape& table, std::vector<OptionError>& errors);

/// Unless it is given, the client id is made from store, pipeline and table: another one than a source's.
sources::MqttClientOptions client_options_of(const MqttSinkOptions& options, const SinkContext& context);

}  // namespace leat::sinks
