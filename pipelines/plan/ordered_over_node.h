// Functions OVER windows in any order; rows that are equal in it come as they arrived. One node serves all
// calls that share their partition and order.
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

struct OrderedFrame {
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

struct OrderedOverCall {
  enum class Kind : std::uint8_t {
    kAggregate,  ///< Of the rows of the frame. All others take the whole partition.
    kRowNumber,
    kRank,
    kDenseRank,
    kPercentRank,
    kCumeDist,
    kNtile,      ///< Into `number` groups.
    kArrival,    ///< The row's number by its arrival, in batch mode.
    kNeighbour,  ///< LEAD and LAG; arguments: the value, and perhaps what stands for a row that is not there.
  };
  enum class Nulls : std::uint8_t { kRespect, kIgnore };

  Kind kind = Kind::kAggregate;
  AggregateCall call;  ///< The function is null but for aggregates.
  Type type;           ///< Of the result.
  OrderedFrame frame;
  /// kNtile: groups. kNeighbour: rows behind the current one, negative before it; or with `number_column`,
  /// which holds it, 1 or -1, to multiply with.
  std::int64_t number = 0;
  std::optional<std::size_t> number_column;
  Nulls nulls = Nulls::kRespect;
};

struct OrderedOverNode : PassingNode {
  using PassingNode::PassingNode;

  std::vector<std::size_t> partition_by;
  std::vector<SortKey> order;
  std::vector<OrderedOverCall> calls;  ///< One own column each.

 protected:
  [[nodiscard]] std::vector<Type::Field> own_columns() const override;
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
  /// What `line` and the identity share.
  [[nodiscard]] std::string text(std::span<const std::string> columns) const;
};

/// At the end of a bounded, insert-only input ('execution.runtime-mode' = 'batch'), when all rows are there:
/// frames and LEAD may reach behind the row. Gives out the partitions by their first arrival, and the rows of
/// each in the order of the window.
struct OverBatchNode final : OrderedOverNode {
  OverBatchNode() : OrderedOverNode(NodeKind::kOverBatch) {}

  /// Input column by which the rows count as arrived: there was a node for another window before. None: they
  /// do as they come.
  std::optional<std::size_t> arrival;

  [[nodiscard]] std::string_view operator_name() const override { return "over batch"; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<OverBatchNode>(*this);
  }

 protected:
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
};

/// Over a stream: a changelog of the rows with their values now. What a row sees is before it in the order,
/// or equal to it.
struct OverChangesNode final : OrderedOverNode {
  OverChangesNode() : OrderedOverNode(NodeKind::kOverChanges) {}

  Micros state_ttl{0};  ///< 'table.exec.state.ttl'; 0: partitions live for ever.

  [[nodiscard]] std::string_view operator_name() const override { return "over changes"; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<OverChangesNode>(*this);
  }

 protected:
  [[nodiscard]] bool makes_updates() const override { return true; }
};

/// The call as one text over columns of these texts: what makes two calls of a node the same.
std::string to_string(const OrderedOverCall& call, std::span<const std::string> columns);

}  // namespace leat::plan
