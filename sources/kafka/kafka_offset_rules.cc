#include "sources/kafka/kafka_offset_rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace leat::sources {
namespace {

PartitionOffsets offsets_in(const std::string& text) {
  return parse_partition_offsets(text).value_or(PartitionOffsets{});
}

KafkaOffsets named(std::span<const KafkaPartition> partitions, const PartitionOffsets& offsets) {
  KafkaOffsets found;
  for (const KafkaPartition& partition : partitions)
    if (const auto offset = offsets.find(partition.number); offset != offsets.end())
      found[partition] = offset->second;
  return found;
}

std::vector<KafkaPartition> missing_in(const KafkaOffsets& known,
                                       std::span<const KafkaPartition> partitions) {
  std::vector<KafkaPartition> missing;
  std::ranges::copy_if(partitions, std::back_inserter(missing),
                       [&](const KafkaPartition& partition) { return !known.contains(partition); });
  return missing;
}

std::string name_of(const KafkaPartition& partition) {
  return split_name(partition.topic, partition.number);
}

}  // namespace

OffsetRules::OffsetRules(KafkaConsumer& consumer, const KafkaSourceOptions& options)
    : consumer_(consumer),
      group_(options.group),
      reset_(effective_reset(options)),
      startup_(options.startup),
      startup_offsets_(offsets_in(options.startup_offsets)),
      startup_timestamp_(options.startup_timestamp.value_or(0)),
      bounded_(options.bounded),
      bounded_offsets_(offsets_in(options.bounded_offsets)),
      bounded_timestamp_(options.bounded_timestamp.value_or(0)) {}

Result<KafkaOffsets> OffsetRules::of_group(std::span<const KafkaPartition> partitions) {
  if (group_.empty()) return KafkaOffsets{};
  return consumer_.committed(partitions);
}

Result<KafkaOffsets> OffsetRules::at_edge(std::span<const KafkaPartition> partitions, OffsetReset edge) {
  KafkaOffsets offsets;
  for (const KafkaPartition& partition : partitions) {
    LEAT_ASSIGN(const KafkaBounds bounds, consumer_.bounds(partition));
    offsets[partition] = edge == OffsetReset::kLatest ? bounds.high : bounds.low;
  }
  return offsets;
}

Result<KafkaOffsets> OffsetRules::of_time(std::span<const KafkaPartition> partitions,
                                          std::int64_t timestamp) {
  LEAT_ASSIGN(KafkaOffsets offsets, consumer_.at_time(partitions, timestamp));
  LEAT_TRY(complete(offsets, partitions, OffsetReset::kLatest));
  return offsets;
}

Status OffsetRules::complete(KafkaOffsets& known, std::span<const KafkaPartition> partitions,
                             OffsetReset edge) {
  const std::vector<KafkaPartition> missing = missing_in(known, partitions);
  if (missing.empty()) return {};
  if (edge == OffsetReset::kNone)
    return fail(ErrorCode::kNotFound,
                fmt::format("group '{}' has no offset of {}: say where to begin by 'scan.startup.mode' or "
                            "'properties.auto.offset.reset'",
                            group_, name_of(missing.front())));
  LEAT_ASSIGN(KafkaOffsets edges, at_edge(missing, edge));
  known.merge(edges);
  return {};
}

Result<KafkaOffsets> OffsetRules::beginnings(std::span<const KafkaPartition> partitions, Appeared appeared) {
  if (partitions.empty()) return KafkaOffsets{};
  if (appeared == Appeared::kAtFirst && startup_ == OffsetRule::kTimestamp)
    return of_time(partitions, startup_timestamp_);
  if (appeared == Appeared::kAtFirst && startup_ == OffsetRule::kLatest)
    return at_edge(partitions, OffsetReset::kLatest);
  KafkaOffsets offsets;
  if (appeared == Appeared::kAtFirst && startup_ == OffsetRule::kSpecificOffsets)
    offsets = named(partitions, startup_offsets_);
  if (startup_ == OffsetRule::kGroupOffsets || startup_ == OffsetRule::kSpecificOffsets) {
    const std::vector<KafkaPartition> others = missing_in(offsets, partitions);
    if (!others.empty()) {
      LEAT_ASSIGN(KafkaOffsets committed, of_group(others));
      offsets.merge(committed);
    }
  }
  const bool by_reset = appeared == Appeared::kAtFirst && startup_ == OffsetRule::kGroupOffsets;
  LEAT_TRY(complete(offsets, partitions, by_reset ? reset_ : OffsetReset::kEarliest));
  return offsets;
}

Result<KafkaOffsets> OffsetRules::ends(std::span<const KafkaPartition> partitions) {
  if (partitions.empty()) return KafkaOffsets{};
  switch (bounded_) {
    case OffsetRule::kLatest:
      return at_edge(partitions, OffsetReset::kLatest);
    case OffsetRule::kTimestamp:
      return of_time(partitions, bounded_timestamp_);
    case OffsetRule::kSpecificOffsets:
      return named(partitions, bounded_offsets_);
    case OffsetRule::kGroupOffsets:
      return of_group(partitions);
    default:
      return KafkaOffsets{};
  }
}

Result<OffsetRules::Jump> OffsetRules::go_on(const KafkaPartition& partition, std::uint64_t wanted) {
  LEAT_ASSIGN(const KafkaBounds bounds, consumer_.bounds(partition));
  const bool latest = reset_ == OffsetReset::kLatest;
  if (reset_ == OffsetReset::kNone)
    return fail(
        ErrorCode::kNotFound,
        fmt::format("{}: there is nothing at offset {} (any more), the broker has {} to {}: say where to "
                    "go on by 'properties.auto.offset.reset'",
                    name_of(partition), wanted, bounds.low, bounds.high));
  const std::uint64_t to = latest ? bounds.high : bounds.low;
  return Jump{to, to > wanted ? to - wanted : 0};
}

}  // namespace leat::sources
