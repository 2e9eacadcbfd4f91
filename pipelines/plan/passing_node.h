// A node that gives out rows of its input, some of their columns first and perhaps columns of its own behind
// them: OVER, ranks, deduplication, sorting. What all of these share: which columns they need, and how they
// lose those that nobody reads.
#pragma once

#include <string>
#include <vector>

#include "pipelines/plan/operator_node.h"

namespace leat::plan {

struct PassingNode : OperatorNode {
  using OperatorNode::OperatorNode;

  std::vector<std::size_t> passed;  ///< Columns of the input, in the order in which `schema` begins.

  void add_needs(const Needs& own, std::span<Needs> inputs) const final;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const final;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const final;

  /// Passes all columns of the input, and sets `schema`, `time_attributes` and `updating`.
  void pass_all();
  /// The schema that follows from `inputs`, `passed` and the node's own columns.
  void derive_schema();

 protected:
  /// Columns behind the passed ones.
  [[nodiscard]] virtual std::vector<Type::Field> own_columns() const { return {}; }
  /// Needs of the node itself; `own_needed` has one entry per own column.
  virtual void add_own_needs(const Needs& own_needed, Needs& input) const = 0;
  /// Forgets own columns that are not needed, and reads the input's columns at their new places.
  virtual void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) = 0;
  /// What makes the state of the node, in terms of the input's columns `texts`.
  [[nodiscard]] virtual std::string own_identity(std::span<const std::string> texts) const = 0;
  [[nodiscard]] virtual bool makes_updates() const { return inputs[0]->updating; }
};

enum class SortDirection : std::uint8_t { kAscending, kDescending };
enum class NullPlace : std::uint8_t { kFirst, kLast };

/// One key of an order over a node's input.
struct SortKey {
  std::size_t column = 0;
  SortDirection direction = SortDirection::kAscending;
  NullPlace nulls = NullPlace::kFirst;
};

/// "a DESC, b ASC NULLS LAST": NULLs are named where they are not the smallest.
std::string sort_text(std::span<const SortKey> keys, std::span<const std::string> columns);
std::vector<std::string> column_names(const Schema& schema);
void need(Needs& needs, std::span<const SortKey> keys);
void move_keys(std::vector<SortKey>& keys, std::span<const std::size_t> new_index);

}  // namespace leat::plan
