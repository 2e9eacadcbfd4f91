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
  kNone,  ///< The leader alone acknowledges; what it has not replicated may be lost, retries may double.
  kAtLeastOnce,  ///< All replicas acknowledge, and the library's own retries neither double nor reorder.
  kExactlyOnce,  ///< Refused by `check_kafka_options`.
};

enum class KeyFormat : std::uint8_t { kNone, kJson, kRaw };

struct KafkaOptions {
  std::string topic;
  std::string servers;
  SecretMap properties;
  std::vector<std::string> key_fields;
  KeyFormat key_format = KeyFormat::kNone;
  DeliveryGuarantee guarantee = DeliveryGuarantee::kAtLeastOnce;
  std::uint64_t max_rows = 10'000;
  ByteSize max_bytes{1 << 20};
  Micros linger{0};
};

const OptionTable<KafkaOptions>& kafka_options();

/// What the table cannot say: properties, what belongs together, and what this version does not give.
void check_kafka_options(const KafkaOptions& options, const OptionMap& map, std::vector<OptionError>& errors);

/// The library's configuration: Leat's defaults, the user's properties, then what the guarantee needs.
/// `client_id` is used when the user gives none. Errors: invalid.
Result<clients::KafkaConf> producer_conf(const KafkaOptions& options, const std::string& client_id);

}  // namespace leat::sinks
