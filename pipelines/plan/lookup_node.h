// FOR SYSTEM_TIME AS OF a processing time: rows of a stream meet the rows that a table outside has at that
// moment. The table is no input whose rows flow; the join asks it.
#pragma once

#include "pipelines/plan/join_node.h"

namespace leat::plan {

/// The right side of a lookup join. Its schema is the columns that are wanted of the table.
struct LookupTableNode final : OperatorNode {
  LookupTableNode() : OperatorNode(NodeKind::kLookupTable) {}

  /// The whole table as CREATE TABLE declares it. No scan of the plan: nobody reads it row by row.
  std::shared_ptr<const ScanNode> scan;
  std::vector<std::size_t> columns;  ///< Of `scan->physical`; gives `schema`.

  /// Sets the schema from the other fields.
  void derive();

  [[nodiscard]] std::string_view operator_name() const override { return "lookup table"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] bool has_state() const override { return false; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

/// Each left row meets the rows of the table with its key, as of the moment at which it is processed. The
/// second input is a LookupTableNode. Only INNER and LEFT, over a left side that only gets new rows.
struct LookupJoinNode final : JoinBase {
  LookupJoinNode() : JoinBase(NodeKind::kLookupJoin) {}

  void derive() override;
  [[nodiscard]] const LookupTableNode& table() const {
    return static_cast<const LookupTableNode&>(*inputs[1]);
  }
  [[nodiscard]] std::string_view operator_name() const override { return "lookup join"; }
  [[nodiscard]] bool has_state() const override { return false; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;

 protected:
  [[nodiscard]] std::string own_text(std::span<const std::string> left,
                                     std::span<const std::string> right) const override;
};

}  // namespace leat::plan
