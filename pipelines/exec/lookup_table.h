// Tables outside of the engine in which operators look rows up: declared here, had by whoever runs the
// dataflow. All calls are the dataflow's thread's, and none may block for long.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/column/column.h"
#include "pipelines/plan/lookup_node.h"

namespace leat::exec {

/// What an operator may keep of the answers, until `version` changes.
struct LookupCaching {
  bool enabled = false;
  std::uint64_t max_rows = 0;  ///< Rows, and keys without any, that are kept at most.
  bool missing_keys = true;    ///< Keys without rows are kept, too.
};

class LookupTable {
 public:
  virtual ~LookupTable() = default;

  /// Another number than before when rows may have changed. Cheap: it is asked before each batch.
  [[nodiscard]] virtual std::uint64_t version() const = 0;
  [[nodiscard]] virtual LookupCaching caching() const = 0;

  struct Matches {
    std::vector<std::uint32_t> keys;  ///< For each row, which of the keys it has; ascending.
    std::vector<ColumnPtr> columns;   ///< The node's columns.
  };
  /// The rows that have one of `count` different keys, at one moment not before the last `version`. Rows of
  /// one key come in the table's order. Errors fail the pipeline.
  virtual Result<Matches> find(std::span<const ColumnPtr> keys, std::size_t count) = 0;
};

class LookupTables {
 public:
  virtual ~LookupTables() = default;
  /// The right side of `join`, to be asked by its keys. Errors: invalid, io.
  virtual Result<std::unique_ptr<LookupTable>> open(const plan::LookupJoinNode& join) = 0;
};

}  // namespace leat::exec
