// UNNEST: each row once per element of an array, a map or a multiset.
#pragma once

#include "pipelines/plan/operator_node.h"

namespace leat::plan {

/// Gives out columns of the input, then those of the element: the fields of a ROW (one that is NULL is left
/// out unless positions are wanted), key and value of a map, or the element itself; then the position, if
/// wanted.
struct UnnestNode final : OperatorNode {
  UnnestNode() : OperatorNode(NodeKind::kUnnest) {}

  enum class Empty : std::uint8_t {
    kLeftOut,  ///< A row without elements is gone.
    kPadded,   ///< It comes once, with NULLs: LEFT JOIN.
  };
  ExprPtr collection;  ///< Over the input: ARRAY, MAP or MULTISET.
  Empty empty = Empty::kLeftOut;
  /// kPadded: only elements for which it is TRUE are some; over the columns that come out. Null: all are.
  ExprPtr condition;
  bool ordinality = false;          ///< WITH ORDINALITY: the position from 1, INT, is the last column.
  std::vector<std::size_t> passed;  ///< Columns of the input that come out.

  /// The columns that one element has.
  [[nodiscard]] std::vector<Type::Field> element_columns() const;
  /// Sets schema, time attributes and `updating` from the other fields.
  void derive();

  [[nodiscard]] std::string_view operator_name() const override { return "unnest"; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> input_needs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> pruned_inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] bool has_state() const override { return false; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;

 private:
  [[nodiscard]] Needs with_condition(Needs own) const;
  [[nodiscard]] std::vector<std::string> own_columns(std::span<const std::string> input) const;
};

}  // namespace leat::plan
