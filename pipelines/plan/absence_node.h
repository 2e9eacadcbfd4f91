// ABSENCE(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts), timeout => INTERVAL '30' SECOND): says
// which keys have fallen silent, and which are back. The form is that of a process table function, so that a
// cluster can offer the same.
//
// Output: the columns of PARTITION BY; `state`, 'ABSENT' when a key that was seen has had no row for
// `timeout`, or 'BACK' with its first row after that; `last_seen`, the time of its last row before the
// silence; and `rowtime`, when that happened: last_seen + timeout, or the time of the row that came back.
#pragma once

#include "pipelines/plan/operator_node.h"

namespace leat::plan {

struct AbsenceNode final : OperatorNode {
  AbsenceNode() : OperatorNode(NodeKind::kAbsence) {}

  std::vector<std::size_t> keys;
  std::size_t time_column = 0;  ///< A rowtime.
  Micros timeout{0};
  Micros state_ttl{0};  ///< A key that has been absent for so long is forgotten; 0: never.

  [[nodiscard]] std::string_view operator_name() const override { return "absence"; }
  [[nodiscard]] bool drops_late_rows() const override { return true; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

/// Sets what follows from the fields that are already filled, `inputs` among them.
void derive_absence_schema(AbsenceNode& node);

}  // namespace leat::plan
