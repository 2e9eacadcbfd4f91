// Evaluation of bound expressions over batches, column-wise.
//
// An Evaluator is made once per expression when the dataflow is built and is used by its operator for every
// batch. Columns pass through without a copy, literals stay one value for all rows. CASE, AND, OR and
// COALESCE run a branch only on the rows that reach it, so that a division by zero behind `x <> 0 AND …` is
// no error.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/functions/scalar.h"
#include "pipelines/plan/expr.h"

namespace leat::exec {

/// The rows that an expression sees; points into a batch, which outlives it.
struct Frame {
  std::size_t rows = 0;
  std::span<const ColumnPtr> columns;
  std::span<const std::int64_t> intake_times;  ///< One per row.
  std::span<const std::int64_t> watermarks;    ///< One per row: before the row.
};
Frame frame_of(const Batch& batch);

class Evaluator {
 public:
  explicit Evaluator(plan::ExprPtr expr);

  /// One value per row of `frame`, or one constant. Rows that fail are NULL and listed in `errors`; a row may
  /// be listed more than once, its first message counts.
  functions::Datum evaluate(const Frame& frame, functions::RowErrors& errors) const;
  /// The same, as a column of `frame.rows` rows.
  ColumnPtr column(const Frame& frame, functions::RowErrors& errors) const;

  [[nodiscard]] const plan::Expr& expr() const { return *expr_; }

 private:
  functions::Datum evaluate_at(const Frame& frame, std::span<const std::uint32_t> rows,
                               functions::RowErrors& errors) const;
  functions::Datum call(const Frame& frame, functions::RowErrors& errors) const;
  functions::Datum conditional(const Frame& frame, functions::RowErrors& errors) const;
  functions::Datum junction(const Frame& frame, functions::RowErrors& errors) const;
  functions::Datum coalesce(const Frame& frame, functions::RowErrors& errors) const;

  plan::ExprPtr expr_;
  ColumnPtr literal_;  // kLiteral: its value as a column of one row.
  std::vector<Evaluator> children_;
  std::vector<std::size_t> reads_;  // Columns that it or its children read, ascending.
};

/// `datum` as a column of `rows` rows.
ColumnPtr expand(const functions::Datum& datum, std::size_t rows);

/// The rows of `candidates` where the BOOLEAN `datum` is TRUE; `datum` has one value per candidate.
std::vector<std::uint32_t> rows_where_true(const functions::Datum& datum,
                                           std::span<const std::uint32_t> candidates);
/// The rows that are in both; ascending, as `a` and `b` are.
std::vector<std::uint32_t> rows_in_both(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b);
/// 0, 1, 2, …
std::vector<std::uint32_t> all_rows(std::size_t rows);

}  // namespace leat::exec
