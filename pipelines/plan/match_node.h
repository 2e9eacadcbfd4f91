// MATCH_RECOGNIZE, bound: per partition, rows in the order of time run through the pattern's automaton.
//
// Conditions and measures are expressions over references: values of the row that LAST(A.x, 1) and its like
// name. What a condition asks of the row at hand alone stands below the node as a BOOLEAN column, computed
// for whole batches.
#pragma once

#include "pipelines/plan/match_pattern.h"
#include "pipelines/plan/operator_node.h"

namespace leat::plan {

/// A value of the match so far, or of a row of it: of the rows that went to `variables`, the `offset`-th from
/// the first or the last one, moved by `physical` rows. NULL where there is no such row.
struct MatchReference {
  enum class Kind : std::uint8_t {
    kColumn,      ///< `column` of that row.
    kPresent,     ///< TRUE if there is that row.
    kClassifier,  ///< The name of the row's variable.
    kNumber,      ///< MATCH_NUMBER(): the match's number in its partition, from 1.
    kAggregate,   ///< `aggregate` over all rows of `variables`.
  };
  enum class From : std::uint8_t { kFirst, kLast };
  /// For the rows of ALL ROWS PER MATCH: the match up to this row, or all of it.
  enum class Extent : std::uint8_t { kRunning, kFinal };

  Kind kind = Kind::kColumn;
  VariableSet variables = 0;
  From from = From::kLast;
  std::uint32_t offset = 0;
  std::int64_t physical = 0;  ///< PREV: below 0; NEXT: above.
  Extent extent = Extent::kRunning;
  std::size_t column = 0;
  std::size_t aggregate = 0;  ///< Index into MatchExpressions::aggregates.
  Type type;
};

/// What a set of expressions refers to.
struct MatchReferences {
  std::vector<MatchReference> references;
  std::vector<AggregateCall> aggregates;  ///< Arguments are columns of the input.
};

struct MatchVariable {
  std::string name;
  /// BOOLEAN column of the input: what the definition asks of the row itself. None: nothing.
  std::optional<std::size_t> row_condition;
  /// What else it asks: column i is the row's own, column width + r is reference r of the conditions. Null:
  /// nothing.
  ExprPtr condition;
};

/// A column of the output: one of the input's, of the match's last row or of each of its rows, or a measure.
struct MatchOutput {
  enum class Kind : std::uint8_t { kColumn, kMeasure };
  Kind kind = Kind::kColumn;
  std::size_t index = 0;
};

struct MatchSortKey {
  enum class Direction : std::uint8_t { kAscending, kDescending };
  enum class Nulls : std::uint8_t { kFirst, kLast };
  std::size_t column = 0;
  Direction direction = Direction::kAscending;
  Nulls nulls = Nulls::kFirst;
};

struct MatchNode final : OperatorNode {
  MatchNode() : OperatorNode(NodeKind::kMatch) {}

  enum class RowsPerMatch : std::uint8_t { kOne, kAll };
  /// Where the search goes on behind a match.
  enum class Skip : std::uint8_t { kPastLastRow, kToNextRow, kToFirst, kToLast };

  std::vector<std::size_t> partition_by;
  std::size_t time_column = 0;         ///< A rowtime.
  std::vector<MatchSortKey> order_by;  ///< Behind the time.
  MatchAutomaton automaton;
  std::string pattern;  ///< As text.
  std::vector<MatchVariable> variables;
  MatchReferences conditions;
  std::optional<Micros> within;
  Skip skip = Skip::kPastLastRow;
  VariableSet skip_to = 0;
  RowsPerMatch rows = RowsPerMatch::kOne;
  MatchReferences measured;
  std::vector<ExprPtr> measures;  ///< Column r is reference r of `measured`.
  std::vector<MatchOutput> outputs;
  std::uint64_t max_partial_matches = 0;  ///< 'leat.match.max-partial-matches', per partition.

  /// True if MATCH_NUMBER() is used, which costs a counter for each partition, for ever.
  [[nodiscard]] bool counts_matches() const;

  [[nodiscard]] std::string_view operator_name() const override { return "match"; }
  [[nodiscard]] bool drops_late_rows() const override { return true; }
  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;
};

}  // namespace leat::plan
