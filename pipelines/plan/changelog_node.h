// TO_CHANGELOG and FROM_CHANGELOG: what a row does to the table, as a column of rows that only come, and
// back. Both keep their input's columns; ToChangelog adds the column of codes behind them.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "pipelines/column/batch.h"
#include "pipelines/plan/operator_node.h"

namespace leat::plan {

struct ToChangelogNode final : OperatorNode {
  ToChangelogNode() : OperatorNode(NodeKind::kToChangelog) {}

  /// The code of each RowKind; none: rows of that kind are left out.
  std::array<std::optional<std::string>, 4> codes;

  [[nodiscard]] std::string_view operator_name() const override { return "to changelog"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] bool has_state() const override { return false; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

/// What becomes of a row whose code says nothing.
enum class UnknownCode : std::uint8_t {
  kFail,  ///< It cannot be computed, like any other row with an error.
  kSkip,  ///< It is left out.
};

struct FromChangelogNode final : OperatorNode {
  FromChangelogNode() : OperatorNode(NodeKind::kFromChangelog) {}

  std::size_t code_column = 0;  ///< Of the input; a text.
  std::map<std::string, RowKind, std::less<>> kinds;
  UnknownCode unknown = UnknownCode::kFail;

  [[nodiscard]] std::string_view operator_name() const override { return "from changelog"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] bool has_state() const override { return false; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

/// Sets what follows from the fields that are already filled, `inputs` among them; `name` is that of the
/// column of codes.
void derive_changelog_schema(ToChangelogNode& node, const std::string& name);
void derive_changelog_schema(FromChangelogNode& node);

}  // namespace leat::plan
