// Aggregates over the rows before each row: agg(x) OVER (PARTITION BY … ORDER BY time …). One node serves all
// windows of a SELECT that share their partition and order, however many frames they have: the rows of a key
// are kept once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/plan/passing_node.h"

namespace leat::plan {

/// The rows that a call sees: those from `preceding` rows or microseconds before the current row on, or all
/// before it. It ends with the current row; a frame of times includes all rows of the same time.
struct OverFrame {
  enum class Unit : std::uint8_t { kRows, kRange };
  Unit unit = Unit::kRange;
  std::optional<std::int64_t> preceding;  ///< None: unbounded.

  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const OverFrame& a, const OverFrame& b) = default;
};

struct OverCall {
  AggregateCall call;
  OverFrame frame;
};

struct OverNode final : PassingNode {
  OverNode() : PassingNode(NodeKind::kOver) {}

  /// What makes a row late. Flink judges by the watermark where a frame is unbounded, and by the last row
  /// that was given out for the key where it is bounded; see semantics of OVER in exec/over_rowtime.h.
  enum class Lateness : std::uint8_t { kWatermark, kKey };

  std::vector<std::size_t> partition_by;
  std::size_t time_column = 0;
  TimeAttribute time = TimeAttribute::kRowTime;
  Lateness lateness = Lateness::kWatermark;
  std::vector<OverCall> calls;  ///< One own column each.
  Micros state_ttl{0};          ///< 'table.exec.state.ttl'; 0: keys live for ever.

  /// How long a key lives behind its last row; 0: for ever. Where all frames are of times the rows' own times
  /// say when nothing is left of a key.
  [[nodiscard]] Micros key_ttl() const;

  [[nodiscard]] std::string_view operator_name() const override { return "over"; }
  [[nodiscard]] bool drops_late_rows() const override { return true; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<OverNode>(*this);
  }

 protected:
  [[nodiscard]] std::vector<Type::Field> own_columns() const override;
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
};

}  // namespace leat::plan
