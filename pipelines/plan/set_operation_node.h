// INTERSECT [ALL] and EXCEPT [ALL]: how many times a row is in the result follows from how many times each of
// two inputs of equal columns holds it. UNION needs no node of its own: it is UNION ALL and DISTINCT.
#pragma once

#include "pipelines/plan/group_aggregate_node.h"
#include "pipelines/plan/operator_node.h"

namespace leat::plan {

enum class SetOperator : std::uint8_t {
  kIntersect,     ///< Once, if both have it.
  kIntersectAll,  ///< As often as the one that has it less often.
  kExcept,        ///< Once, if only the first has it.
  kExceptAll,     ///< As often as the first has it more often than the second.
};

struct SetOperationNode final : OperatorNode {
  SetOperationNode() : OperatorNode(NodeKind::kSetOperation) {}

  SetOperator op = SetOperator::kIntersect;
  Micros state_ttl{0};  ///< 'table.exec.state.ttl'; 0: rows are kept for ever.

  [[nodiscard]] std::string_view operator_name() const override { return "set operation"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
  [[nodiscard]] std::optional<std::vector<std::size_t>> upsert_key() const override;
};

/// `left` and `right` have the same types; the names are those of `left`.
NodePtr make_set_operation(SetOperator op, NodePtr left, NodePtr right, Micros state_ttl);

}  // namespace leat::plan
