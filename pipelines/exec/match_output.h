// From complete matches to rows. What the measures refer to is looked up as each match is found, into
// columns; the measures themselves are computed over these columns for many matches at once.
#pragma once

#include <optional>
#include <vector>

#include "pipelines/exec/evaluate.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/match_aggregates.h"
#include "pipelines/exec/match_partition.h"
#include "pipelines/plan/match_node.h"

namespace leat::exec {

/// A complete match, before its rows are dropped.
struct FoundMatch {
  const MatchPartition* partition = nullptr;
  RowNumber start = 0;
  const std::vector<PathRun>* runs = nullptr;
  std::int64_t watermark = 0;    ///< In force for the rows of its output, …
  std::int64_t intake_time = 0;  ///< … and when the row or tick that ends it came.
};

class MatchOutput {
 public:
  /// Both outlive it.
  MatchOutput(const plan::MatchNode& node, MatchRows& rows);

  void add(const FoundMatch& match);
  [[nodiscard]] std::size_t size() const { return watermarks_.size(); }
  [[nodiscard]] std::int64_t last_watermark() const { return watermarks_.back(); }
  /// The rows so far. Those whose measures fail go to the dead letters; they are counted in `dead`.
  /// Errors: invalid (the policy is to fail).
  Result<Batch> take(std::int64_t watermark_after, const OperatorContext& context, std::uint64_t& dead);

 private:
  /// The match up to a row.
  struct View {
    const FoundMatch* match = nullptr;
    std::span<const PathRun> runs;
    std::uint64_t rows = 0;  ///< Of `runs`, all together.
  };

  void add_row(const View& running, const View& whole, RowNumber row, const std::byte* aggregates);
  void append(std::size_t index, const View& view, const std::byte* aggregates);
  void append_column(ColumnBuilder& out, const View& view, std::size_t column, RowNumber row);
  [[nodiscard]] std::uint64_t position_of(const plan::MatchReference& reference, const View& view) const;
  [[nodiscard]] std::uint32_t variable_of(const PathRun& run) const {
    return node_.automaton.positions[run.position].variable;
  }
  [[nodiscard]] std::string_view classifier(const View& view, std::uint64_t position) const;
  void add_all_rows(const View& whole);
  void aggregate(std::byte* states, const View& view);

  const plan::MatchNode& node_;
  MatchRows& rows_;
  MatchAggregates aggregates_;
  std::byte* final_ = nullptr;  // Aggregates of the whole match, while its rows are added.
  std::vector<Evaluator> measures_;
  std::vector<std::size_t> passed_on_;     // Columns of the input that are outputs.
  std::vector<ColumnBuilder> passed_;      // Their values.
  std::vector<ColumnBuilder> references_;  // By reference.
  Schema reference_schema_;                // What dead letters show.
  std::vector<std::int64_t> watermarks_;
  std::vector<std::int64_t> intake_times_;
};

}  // namespace leat::exec
