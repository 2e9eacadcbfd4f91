// GROUPING SETS: each row once per set, with NULL in the keys that the set leaves out. The aggregate above
// groups by these keys and by the number of the set, which keeps a NULL of the data apart from a left out
// key. Output: the input's columns (aggregates read them as they were), the keys, and the set's number.
#pragma once

#include "pipelines/plan/operator_node.h"

namespace leat::plan {

inline constexpr std::string_view kExpandId = "$e";

struct ExpandNode final : OperatorNode {
  ExpandNode() : OperatorNode(NodeKind::kExpand) {}

  std::vector<std::size_t> keys;        ///< Columns of the input.
  std::vector<std::vector<bool>> sets;  ///< Which keys each set has, by their place in `keys`.

  [[nodiscard]] std::string_view operator_name() const override { return "expand"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] bool has_state() const override { return false; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

/// `keys` are columns of `input`.
std::shared_ptr<ExpandNode> make_expand(NodePtr input, std::vector<std::size_t> keys,
                                        std::vector<std::vector<bool>> sets);

}  // namespace leat::plan
