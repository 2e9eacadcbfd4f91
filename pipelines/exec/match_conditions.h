// The conditions of DEFINE that look beyond the row at hand. Which earlier rows they name is kept with each
// partial match as a few row numbers (slots): for each set of variables that is named, its last and its first
// rows, as many as the offsets reach.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipelines/exec/evaluate.h"
#include "pipelines/exec/match_aggregates.h"
#include "pipelines/exec/match_partition.h"
#include "pipelines/plan/match_node.h"

namespace leat::exec {

/// A row that may go to a variable, behind the rows of a partial match.
struct MatchCandidate {
  const MatchPartition* partition = nullptr;
  const RowNumber* slots = nullptr;  ///< Of the partial match.
  std::optional<PathId> path = {};   ///< Of the partial match; none: the row would begin one.
  RowNumber start = 0;
  RowNumber row = 0;
  std::uint32_t variable = 0;
  const std::byte* aggregates = nullptr;  ///< With this row; null if there are none.
  std::int64_t intake_time = 0;
};

class MatchConditions {
 public:
  /// All outlive it.
  MatchConditions(const plan::MatchNode& node, MatchRows& rows, const MatchPaths& paths,
                  const MatchAggregates& aggregates);

  /// True if variable `variable` asks for more than the row alone.
  [[nodiscard]] bool looks_back(std::uint32_t variable) const {
    return definitions_[variable].fast || definitions_[variable].general;
  }
  /// True if the condition is TRUE. `error` is set if it fails.
  bool hold(const MatchCandidate& candidate, std::string& error);

  [[nodiscard]] std::size_t slot_count() const { return slot_count_; }
  /// `slots` of a partial match, with row `row` added, which goes to `variable`.
  void add(RowNumber* slots, RowNumber row, std::uint32_t variable) const;
  /// True if two partial matches that stand at one position and have equal slots have equal futures,
  /// wherever they began.
  [[nodiscard]] bool forget_start() const { return forget_start_; }
  /// The same for two with one beginning.
  [[nodiscard]] bool forget_path() const { return forget_path_; }

  [[nodiscard]] std::size_t cell_count() const { return cell_columns_.size(); }
  /// Fills the cells of a row that comes into a partition.
  void read_cells(const MatchRows::Cells& row, RowCell* cells) const;

 private:
  struct Group {
    plan::VariableSet variables = 0;
    std::uint32_t lasts = 0;
    std::uint32_t firsts = 0;
    std::size_t slot = 0;  // The lasts, the nearest first; then the firsts.
  };
  struct Reference {
    plan::MatchReference what;
    std::size_t group = 0;  // Unless it is over all variables.
    std::uint32_t cell = 0;
  };
  struct Source {
    bool own_row = true;
    std::uint32_t cell = 0;
    std::size_t reference = 0;
  };
  struct Definition {
    std::optional<RowExpr> fast;
    std::vector<Source> sources;  // Of `fast`.
    std::optional<Evaluator> general;
    std::string name;                // Of the variable.
    std::vector<std::size_t> reads;  // Of `general`.
  };

  void add_reference(const plan::MatchReference& reference);
  void add_definition(const plan::MatchVariable& variable);
  std::uint32_t cell_of_column(std::size_t column);
  [[nodiscard]] RowNumber row_of(const Reference& reference, const MatchCandidate& candidate) const;
  [[nodiscard]] RowCell value(const Source& source, const MatchCandidate& candidate) const;
  [[nodiscard]] RowCell value_of(std::size_t reference, const MatchCandidate& candidate) const;
  [[nodiscard]] ColumnPtr column(std::size_t index, const MatchCandidate& candidate);
  [[nodiscard]] ColumnPtr reference_column(std::size_t index, const MatchCandidate& candidate);
  [[nodiscard]] std::string_view classifier(const MatchCandidate& candidate, RowNumber row) const;
  bool hold_general(const Definition& definition, const MatchCandidate& candidate, std::string& error);

  const plan::MatchNode& node_;
  MatchRows& rows_;
  const MatchPaths& paths_;
  const MatchAggregates& aggregates_;
  std::size_t width_;
  plan::VariableSet all_ = 0;
  std::vector<Group> groups_;
  std::vector<Reference> references_;
  std::vector<Definition> definitions_;
  std::vector<std::size_t> cell_columns_;
  std::size_t slot_count_ = 0;
  bool forget_start_ = true;
  bool forget_path_ = true;
  std::vector<RowCell> scratch_;
  std::vector<ColumnPtr> columns_;
};

}  // namespace leat::exec
