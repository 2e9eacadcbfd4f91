// Partitions and offsets as options write them. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::sources {

/// Offsets by partition.
using PartitionOffsets = std::map<std::int32_t, std::uint64_t>;

/// "partition:0,offset:42;partition:1,offset:300", as Flink writes it. Errors: invalid.
Result<PartitionOffsets> parse_partition_offsets(std::string_view text);

/// Which partitions of each topic are read here.
class PartitionShare {
 public:
  /// "0-3,7"; empty: all. Errors: invalid.
  static Result<PartitionShare> parse(std::string_view text);
  [[nodiscard]] bool has(std::int32_t partition) const;
  /// The first that it names and that is not among these.
  [[nodiscard]] std::optional<std::int32_t> first_absent(const std::set<std::int32_t>& there) const;

 private:
  std::vector<std::pair<std::int32_t, std::int32_t>> ranges_;  // First and last; none: all.
};

}  // namespace leat::sources
