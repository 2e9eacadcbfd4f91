// Rows of a table that keeps one per PRIMARY KEY, as its source gives them (the latest row of a key, or that
// there is none any more), become a changelog: what a row replaces or takes away is in it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipelines/plan/passing_node.h"

namespace leat::plan {

struct NormalizeNode final : PassingNode {
  NormalizeNode() : PassingNode(NodeKind::kNormalize) {}

  std::vector<std::size_t> keys;  ///< Columns of the input.
  std::size_t deletion = 0;       ///< A BOOLEAN of the input: TRUE says that the row of the key is gone.
  Micros state_ttl{0};            ///< 'table.exec.state.ttl'; 0: keys live for ever.

  [[nodiscard]] std::string_view operator_name() const override { return "normalize"; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::optional<std::vector<std::size_t>> upsert_key() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<NormalizeNode>(*this);
  }

 protected:
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
  [[nodiscard]] bool makes_updates() const override { return true; }
};

/// Gives out all columns of `input` but `deletion`.
NodePtr make_normalize(NodePtr input, std::vector<std::size_t> keys, std::size_t deletion, Micros state_ttl);

}  // namespace leat::plan
