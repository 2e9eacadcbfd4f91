// The options of 'connector' = 'kafka' and 'upsert-kafka' as sources.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/time.h"
#include "pipelines/formats/compression.h"
#include "pipelines/plan/catalog.h"
#include "sources/clients/kafka_client.h"
#include "sources/kafka/kafka_ranges.h"
#include "sources/source.h"

namespace leat::sources {

/// Where a partition begins that nothing is known of yet, or where the source ends in it.
enum class OffsetRule : std::uint8_t {
  kUnbounded,  ///< As an end: none.
  kEarliest,
  kLatest,
  kGroupOffsets,
  kTimestamp,
  kSpecificOffsets,
};

/// What to do where the broker has nothing at the wanted offset.
enum class OffsetReset : std::uint8_t {
  kByRule,  ///< As follows from where the source begins.
  kEarliest,
  kLatest,
  kNone,  ///< Wait until somebody has decided.
};

enum class ValueColumns : std::uint8_t { kAll, kExceptKey };

struct KafkaSourceOptions {
  std::vector<std::string> topics;
  std::string topic_pattern;
  std::string servers;
  std::string group;
  OffsetReset reset = OffsetReset::kByRule;
  SecretMap properties;
  OffsetRule startup = OffsetRule::kGroupOffsets;
  std::string startup_offsets;
  std::optional<std::int64_t> startup_timestamp;
  OffsetRule bounded = OffsetRule::kUnbounded;
  std::string bounded_offsets;
  std::optional<std::int64_t> bounded_timestamp;
  Micros discovery{300 * kMicrosPerSecond};
  std::string partitions;
  std::string key_format;
  std::vector<std::string> key_fields;
  std::string key_prefix;
  std::string value_format;
  ValueColumns value_columns = ValueColumns::kAll;
  formats::Compression payload_compression = formats::Compression::kNone;
  ByteSize max_decompressed{1U << 20};
};

/// Which of the two connectors.
enum class KafkaTable : std::uint8_t { kAppend, kUpsert };

const OptionTable<KafkaSourceOptions>& kafka_source_options(KafkaTable table);
/// Reads and judges; appends what is wrong. The options are complete only when nothing was appended.
KafkaSourceOptions read_kafka_options(KafkaTable table, const OptionMap& map,
                                      const std::vector<OptionDoc>& foreign,
                                      std::vector<OptionError>& errors);
/// For options that were found right before.
KafkaSourceOptions read_kafka_options(KafkaTable table, const OptionMap& map);

/// What concerns options and columns together.
void check_kafka_columns(KafkaTable table, const OptionMap& map, const plan::TableShape& shape,
                         std::vector<OptionError>& errors);
plan::RecordLayout kafka_record_layout(KafkaTable table, const OptionMap& map, const plan::TableShape& shape);

/// `kByRule` is what Flink takes for the startup mode.
OffsetReset effective_reset(const KafkaSourceOptions& options);

/// The library's configuration: Leat's defaults, the user's properties, then what the source relies on.
/// Errors: invalid.
Result<clients::KafkaConf> consumer_conf(const KafkaSourceOptions& options, const SourceContext& context);

}  // namespace leat::sources
