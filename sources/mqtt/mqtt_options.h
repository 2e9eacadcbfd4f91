// Options of 'connector' = 'mqtt' as a source.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/formats/compression.h"
#include "sources/clients/mqtt_client.h"
#include "sources/clients/mqtt_connection.h"
#include "sources/journal_options.h"
#include "sources/mqtt/topic_pattern.h"
#include "sources/source.h"

namespace leat::sources {

struct MqttSourceOptions : MqttConnectionOptions, JournalOptions {
  std::vector<std::string> topics;
  std::uint32_t qos = 1;
  bool clean_start = false;
  Micros session_expiry{7LL * 24 * 3600 * kMicrosPerSecond};
  std::uint32_t retain_handling = 1;
  std::uint16_t receive_maximum = 1000;
  ByteSize max_packet{1U << 20};
  std::string topic_pattern;
  formats::Compression payload_compression = formats::Compression::kNone;
  ByteSize max_decompressed{1U << 20};
};

const OptionTable<MqttSourceOptions>& mqtt_source_options();
/// Reads and judges; appends what is wrong. The options are complete only when nothing was appended.
MqttSourceOptions read_mqtt_options(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                    std::vector<OptionError>& errors);
/// For options that were found right before.
MqttSourceOptions read_mqtt_options(const OptionMap& map);

/// Unless it is given, the client id is made from store, pipeline and table: stable, so that the session is
/// found again, and different for each of them.
MqttClientOptions client_options_of(const MqttSourceOptions& options, const SourceContext& context);

}  // namespace leat::sources
