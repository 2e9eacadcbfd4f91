// Where partitions begin and end by the options, asked of the brokers. On the source's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/kafka/kafka_consumer.h"
#include "sources/kafka/kafka_source_options.h"

namespace leat::sources {

/// What is known of partitions that are taken now.
enum class Appeared : std::uint8_t {
  kAtFirst,  ///< They were there when the source first looked, ever.
  kLater,
};

class OffsetRules {
 public:
  /// `consumer` outlives it. Of valid options.
  OffsetRules(KafkaConsumer& consumer, const KafkaSourceOptions& options);

  /// Where these partitions begin. Errors: unavailable (no answer, try again), not found (there is no such
  /// offset and no rule for that: somebody must decide).
  Result<KafkaOffsets> beginnings(std::span<const KafkaPartition> partitions, Appeared appeared);
  /// Where they end; a partition that has no end is not read at all. Errors: as above.
  Result<KafkaOffsets> ends(std::span<const KafkaPartition> partitions);
  [[nodiscard]] bool bounded() const { return bounded_ != OffsetRule::kUnbounded; }

  /// Where to go on in a partition of which the broker has nothing at `wanted`. Errors: as above.
  struct Jump {
    std::uint64_t to = 0;
    std::uint64_t gone = 0;  ///< So many messages at most were between.
  };
  Result<Jump> go_on(const KafkaPartition& partition, std::uint64_t wanted);

 private:
  Result<KafkaOffsets> of_group(std::span<const KafkaPartition> partitions);
  Result<KafkaOffsets> at_edge(std::span<const KafkaPartition> partitions, OffsetReset edge);
  Result<KafkaOffsets> of_time(std::span<const KafkaPartition> partitions, std::int64_t timestamp);
  /// Adds those that `known` lacks, at that edge.
  Status complete(KafkaOffsets& known, std::span<const KafkaPartition> partitions, OffsetReset edge);

  KafkaConsumer& consumer_;
  const std::string group_;
  const OffsetReset reset_;
  const OffsetRule startup_;
  const PartitionOffsets startup_offsets_;
  const std::int64_t startup_timestamp_;
  const OffsetRule bounded_;
  const PartitionOffsets bounded_offsets_;
  const std::int64_t bounded_timestamp_;
};

}  // namespace leat::sources
