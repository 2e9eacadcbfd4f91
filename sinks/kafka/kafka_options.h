// The options of 'connector' = 'kafka' as a sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/time.h"
#include "sinks/sink.h"
#include "sources/clients/kafka_client.h"

namespace leat::sinks {

enum class DeliveryGuarantee : std::uint8_t {
  kBest,  ///< Exactly once where the brokers have transactions, else at least once.
  kNone,  ///< The leader alone acknowledges; what it has not replicated may be lost, retries may double.
  kAtLeastOnce,  ///< All replicas acknowledge, and the library's own retries neither double nor reorder.
  kExactlyOnce,  ///< A transaction per shipment (exactly_once.h).
};

enum class KeyFormat : std::uint8_t { kNone, kJson, kRaw };

enum class KafkaKeys : std::uint8_t {
  kIfAny,   ///< A record whose key is empty has none.
  kAlways,  ///< Every record has one, be it empty: a compacted topic takes no others.
};

/// Columns of the value, of a table whose key has columns, too.
enum class ValueFields : std::uint8_t { kAll, kExceptKey };

struct KafkaOptions {
  std::string topic;
  std::string servers;
  SecretMap properties;
  std::vector<std::string> key_fields;
  KeyFormat key_format = KeyFormat::kNone;
  KafkaKeys keys = KafkaKeys::kIfAny;
  std::string value_format;
  ValueFields value_fields = ValueFields::kAll;
  DeliveryGuarantee guarantee = DeliveryGuarantee::kBest;
  std::string transactional_id_prefix = "leat";
  std::uint64_t max_rows = 10'000;
  ByteSize max_bytes{1 << 20};
  Micros linger{0};
};

const OptionTable<KafkaOptions>& kafka_options();
/// Of 'connector' = 'upsert-kafka'.
const OptionTable<KafkaOptions>& upsert_kafka_options();

/// What the tables cannot say: properties, and what belongs together.
void check_kafka_options(const KafkaOptions& options, const OptionMap& map, std::vector<OptionError>& errors);
void check_upsert_kafka_options(const KafkaOptions& options, const OptionMap& map,
                                std::vector<OptionError>& errors);

/// The library's configuration: Leat's defaults, the user's properties, then what the guarantee needs.
/// `id` is the transactional id, and the client id when the user gives none. Errors: invalid.
Result<clients::KafkaConf> producer_conf(const KafkaOptions& options, const std::string& id,
                                         DeliveryGuarantee guarantee);

}  // namespace leat::sinks
