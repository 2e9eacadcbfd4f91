// Functions OVER windows at the end of a bounded input: 'execution.runtime-mode' = 'batch'. All rows are
// there, so any order, any frame and rows behind the current one are possible. One node serves all calls that
// share their partition and order. It gives out the partitions by their first arrival, and the rows of each
// in the order of the window, equal ones in that of their arrival.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/plan/passing_node.h"

namespace leat::plan {

/// Where a frame begins or ends, seen from the current row.
struct FrameEdge {
  enum class Kind : std::uint8_t {
    kUnbounded,   ///< The partition's edge.
    kCurrentRow,  ///< The row; in a frame of values all rows that are equal in the order.
    kOffset,
  };
  Kind kind = Kind::kUnbounded;
  /// kOffset: how many rows behind the current one, negative before it. In a frame of values only its sign
  /// counts, and only for rows whose value is NULL.
  std::int64_t offset = 0;
  /// kOffset in a frame of values: the column that holds the value at the edge.
  std::size_t column = 0;
};

struct BatchFrame {
  enum class Unit : std::uint8_t {
    kRows,   ///< By the number of rows.
    kRange,  ///< By the values of the order: with offsets there is one key.
  };
  Unit unit = Unit::kRange;
  FrameEdge lower;
  FrameEdge upper = {.kind = FrameEdge::Kind::kCurrentRow};
  /// kRange with an offset: the column of the order's key, in the type of the edges' columns.
  std::size_t value = 0;

  [[nodiscard]] bool has_value_edges() const {
    return unit == Unit::kRange &&
           (lower.kind == FrameEdge::Kind::kOffset || upper.kind == FrameEdge::Kind::kOffset);
  }
};

struct BatchOverCall {
  enum class Kind : std::uint8_t {
    kAggregate,  ///< Of the rows of the frame. All others take the whole partition.
    kRowNumber,
    kRank,
    kDenseRank,
    kPercentRank,
    kCumeDist,
    kNtile,      ///< Into `number` groups.
    kNeighbour,  ///< LEAD and LAG; arguments: the value, and perhaps what stands for a row that is not there.
  };
  enum class Nulls : std::uint8_t { kRespect, kIgnore };

  Kind kind = Kind::kAggregate;
  AggregateCall call;  ///< The function is null but for aggregates.
  Type type;           ///< Of the result.
  BatchFrame frame;
  /// kNtile: groups. kNeighbour: rows behind the current one, negative before it; or with `number_column`,
  /// which holds it, 1 or -1, to multiply with.
  std::int64_t number = 0;
  std::optional<std::size_t> number_column;
  Nulls nulls = Nulls::kRespect;
};

struct OverBatchNode final : PassingNode {
  OverBatchNode() : PassingNode(NodeKind::kOverBatch) {}

  std::vector<std::size_t> partition_by;
  std::vector<SortKey> order;
  std::vector<BatchOverCall> calls;  ///< One own column each.

  [[nodiscard]] std::string_view operator_name() const override { return "over batch"; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<OverBatchNode>(*this);
  }

 protected:
  [[nodiscard]] std::vector<Type::Field> own_columns() const override;
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
};

/// The call as one text over columns of these texts: what makes two calls of a node the same.
std::string to_string(const BatchOverCall& call, std::span<const std::string> columns);

}  // namespace leat::plan
