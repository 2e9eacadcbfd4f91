// Nodes at the end of a changelog, before its sink. All keep the columns of their input.
#pragma once

#include "pipelines/plan/operator_node.h"

namespace leat::plan {

/// A batch run's end: takes in all changes and gives out the rows that are left, when the input has ended.
struct FinalRowsNode final : OperatorNode {
  FinalRowsNode() : OperatorNode(NodeKind::kFinalRows) {}

  [[nodiscard]] std::string_view operator_name() const override { return "final rows"; }
  [[nodiscard]] std::string line() const override { return "FinalRows"; }
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

/// How changes become those of a table that keeps one row per key: +I, +U and -D.
enum class UpsertForm : std::uint8_t {
  kSameKey,      ///< The query keeps one row per key, too: -U goes, or is a -D if no +U of the key follows.
  kMaterialize,  ///< It may hold several: all are kept, and the one that came last is the table's.
  kFirst,  ///< It may hold several: the first one is the table's until it is taken back, others are left out.
  kOnly,   ///< The same, but others are errors of their rows.
};

struct UpsertNode final : OperatorNode {
  UpsertNode() : OperatorNode(NodeKind::kUpsert) {}

  UpsertForm form = UpsertForm::kSameKey;
  std::vector<std::size_t> keys;  ///< The sink's PRIMARY KEY, columns of the input.

  [[nodiscard]] std::string_view operator_name() const override { return "upsert"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] bool has_state() const override { return form != UpsertForm::kSameKey; }
  [[nodiscard]] std::optional<std::vector<std::size_t>> upsert_key() const override { return keys; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

NodePtr make_final_rows(NodePtr input);
NodePtr make_upsert(NodePtr input, UpsertForm form, std::vector<std::size_t> keys);

/// Each a set of columns of `node` whose values name a row of the table that its changes describe; none:
/// unknown. A window is named by its start as well as by its end.
std::vector<std::vector<std::size_t>> upsert_keys_of(const Node& node);

}  // namespace leat::plan
