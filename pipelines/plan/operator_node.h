// Nodes that speak for themselves: every kind behind NodeKind::kSink (joins, ranks, OVER, patterns …). The
// rewrites, EXPLAIN and the fingerprints reach them through this interface alone, so a new kind is a header
// with its struct, its binder, and one line in exec/operator_table.cc that makes its operator.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/plan/node.h"

namespace leat::plan {

/// Which columns of a node somebody needs; one per column.
using Needs = std::vector<bool>;

/// A node without the columns that nobody needs, and where each of the old ones is now.
struct Pruned {
  NodePtr node;
  std::vector<std::size_t> new_index;
};
/// A column that is gone.
inline constexpr std::size_t kDropped = static_cast<std::size_t>(-1);

struct OperatorNode : Node {
  using Node::Node;

  /// "join", "match": what the operator is called in metrics and in the API, with a number behind it.
  [[nodiscard]] virtual std::string_view operator_name() const = 0;
  /// EXPLAIN's line without the schema: "Join INNER on(l.id = r.id)".
  [[nodiscard]] virtual std::string line() const = 0;

  /// Marks the columns of each input that are needed to give out the columns `own`.
  virtual void add_needs(const Needs& own, std::span<Needs> inputs) const = 0;
  /// Itself over inputs that have lost columns. Gives out at least the columns `own`; may keep others.
  [[nodiscard]] virtual Pruned prune(const Needs& own, std::span<const Pruned> inputs) const = 0;

  /// Everything that makes its state what it is, beside the inputs' relations: keys, bounds, expressions, and
  /// the types of kept columns. `columns[i][c]` is what column c of input i is in terms of the tables' own
  /// columns. Two nodes of equal inputs and equal identities may take over each other's state.
  [[nodiscard]] virtual std::string identity(std::span<const std::vector<std::string>> columns) const = 0;
  [[nodiscard]] virtual bool has_state() const { return true; }
  /// True if rows behind the watermark are refused and given to Rejects::late, with their input's schema.
  [[nodiscard]] virtual bool drops_late_rows() const { return false; }

  /// Columns whose values name a row of the table that its changes describe: there is at most one such row at
  /// any time. None: unknown, and for rows that are never updated not needed.
  [[nodiscard]] virtual std::optional<std::vector<std::size_t>> upsert_key() const { return std::nullopt; }

  /// A copy to which `with_inputs` gives other inputs of the same shape.
  [[nodiscard]] virtual std::shared_ptr<OperatorNode> clone() const = 0;
};

inline bool is_operator_node(const Node& node) {
  return node.kind > NodeKind::kSink;
}
inline const OperatorNode& as_operator_node(const Node& node) {
  return static_cast<const OperatorNode&>(node);
}

// ---- What implementations share --------------------------------------------------------------------------

void need(Needs& needs, std::size_t column);
void need(Needs& needs, const Expr& expr);
void need(Needs& needs, std::span<const std::size_t> columns);
/// Indexes of `columns` after pruning.
std::vector<std::size_t> moved(std::span<const std::size_t> columns, std::span<const std::size_t> new_index);
/// Calls `keep` for each needed column in order; gives the new places.
template <class Keep>
std::vector<std::size_t> keep_needed(const Needs& needs, const Keep& keep) {
  std::vector<std::size_t> new_index(needs.size(), kDropped);
  std::size_t next = 0;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    if (!needs[i]) continue;
    new_index[i] = next++;
    keep(i);
  }
  return new_index;
}
/// The needed columns of a pruned branch and no others, in their order.
NodePtr picked(const Pruned& branch, const Needs& needs);
/// "a, b": names of columns, for `line`.
std::string names_of(const Schema& schema, std::span<const std::size_t> columns);
/// Columns as an identity has them: "text:TYPE; …".
std::string typed_columns(const Schema& schema, std::span<const std::string> texts);
std::string typed_columns(const Schema& schema, std::span<const std::string> texts,
                          std::span<const std::size_t> columns);
/// An expression over columns with these texts, literals with their types.
std::string expr_identity(const Expr& expr, std::span<const std::string> columns);

}  // namespace leat::plan
