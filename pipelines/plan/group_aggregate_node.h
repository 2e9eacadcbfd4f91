// GROUP BY without a window: one row per key, which changes with every row of the group. SELECT DISTINCT is
// the same without calls. Output: keys, then calls.
#pragma once

#include "pipelines/plan/operator_node.h"

namespace leat::plan {

/// When an operator that updates its rows gives them out.
enum class Results : std::uint8_t {
  kChangelog,  ///< Every change at once.
  kFinal,      ///< Once, at the end of the input: 'execution.runtime-mode' = 'batch'.
};

struct GroupAggregateNode final : OperatorNode {
  GroupAggregateNode() : OperatorNode(NodeKind::kGroupAggregate) {}

  std::vector<std::size_t> keys;  ///< Columns of the input; none: all rows are one group.
  std::vector<AggregateCall> calls;
  Micros state_ttl{0};  ///< 'table.exec.state.ttl'; 0: groups live for ever.
  Results results = Results::kChangelog;

  [[nodiscard]] std::string_view operator_name() const override { return "group aggregate"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
  [[nodiscard]] std::optional<std::vector<std::size_t>> upsert_key() const override;
};

/// Sets what follows from the fields that are already filled, `inputs` among them.
void derive_group_schema(GroupAggregateNode& node);

}  // namespace leat::plan
