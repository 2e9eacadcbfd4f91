#include "pipelines/exec/evaluate.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace leat::exec {
namespace {

using functions::Datum;
using functions::RowErrors;

/// Some rows of a frame, gathered: only the columns that the expression reads.
class Subset {
 public:
  Subset(const Frame& frame, std::span<const std::uint32_t> rows, std::span<const std::size_t> reads)
      : columns_(frame.columns.size()) {
    for (const std::size_t column : reads) columns_[column] = gather(frame.columns[column], rows);
    pick(frame.intake_times, rows, intake_times_);
    pick(frame.watermarks, rows, watermarks_);
    frame_ = {rows.size(), columns_, intake_times_, watermarks_};
  }
  [[nodiscard]] const Frame& frame() const { return frame_; }

 private:
  static void pick(std::span<const std::int64_t> from, std::span<const std::uint32_t> rows,
                   std::vector<std::int64_t>& into) {
    if (from.empty()) return;
    into.reserve(rows.size());
    for (const std::uint32_t row : rows) into.push_back(from[row]);
  }

  std::vector<ColumnPtr> columns_;
  std::vector<std::int64_t> intake_times_;
  std::vector<std::int64_t> watermarks_;
  Frame frame_;
};

/// Puts a column together from pieces that were computed for disjoint sets of rows.
class Assembly {
 public:
  Assembly(const Type& type, std::size_t rows) : type_(type), rows_(rows) {}

  /// `piece` has one value for each of `rows`, in that order.
  void put(std::span<const std::uint32_t> rows, const Datum& piece) {
    if (rows.empty()) return;
    if (rows.size() == rows_) {
      whole_ = Datum{retype(piece.column, type_), piece.constant};
      return;
    }
    if (index_.empty()) index_.resize(rows_);
    for (std::size_t i = 0; i < rows.size(); ++i)
      index_[rows[i]] = static_cast<std::uint32_t>(base_ + piece.index(i));
    base_ += piece.column->size();
    pieces_.push_back(retype(piece.column, type_));
  }
  void put_null(std::span<const std::uint32_t> rows) {
    if (!rows.empty()) put(rows, Datum{Column::nulls(type_, 1), true});
  }
  [[nodiscard]] Datum finish() {
    if (whole_.column) return std::move(whole_);
    if (pieces_.empty()) return Datum{Column::nulls(type_, rows_)};
    return Datum{gather(concat(pieces_), index_)};
  }

 private:
  Type type_;
  std::size_t rows_;
  std::size_t base_ = 0;
  std::vector<ColumnPtr> pieces_;
  std::vector<std::uint32_t> index_;
  Datum whole_;
};

enum class Truth : std::uint8_t { kFalse, kTrue, kUnknown };

Truth truth_at(const Datum& datum, std::size_t row) {
  const std::size_t at = datum.index(row);
  if (datum.column->is_null(at)) return Truth::kUnknown;
  return datum.column->values<std::uint8_t>()[at] != 0 ? Truth::kTrue : Truth::kFalse;
}

ColumnPtr column_of(const std::vector<Truth>& truths, const Type& type) {
  Column::Parts parts{.type = type, .size = truths.size(), .values = ValueBuffer(truths.size(), 1)};
  auto* const values = static_cast<std::uint8_t*>(parts.values.data());
  bool unknown = false;
  for (std::size_t i = 0; i < truths.size(); ++i) {
    values[i] = truths[i] == Truth::kTrue ? 1 : 0;
    unknown = unknown || truths[i] == Truth::kUnknown;
  }
  if (unknown) {
    parts.validity.resize(truths.size());
    for (std::size_t i = 0; i < truths.size(); ++i) parts.validity[i] = truths[i] != Truth::kUnknown;
  }
  return std::make_shared<const Column>(std::move(parts));
}

/// `rows` without `taken`; both ascending.
std::vector<std::uint32_t> without(std::span<const std::uint32_t> rows,
                                   std::span<const std::uint32_t> taken) {
  std::vector<std::uint32_t> rest;
  rest.reserve(rows.size() - taken.size());
  std::set_difference(rows.begin(), rows.end(), taken.begin(), taken.end(), std::back_inserter(rest));
  return rest;
}

}  // namespace

Frame frame_of(const Batch& batch) {
  return {batch.size, batch.columns, batch.intake_times, batch.watermarks};
}

std::vector<std::uint32_t> all_rows(std::size_t rows) {
  std::vector<std::uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

std::vector<std::uint32_t> rows_in_both(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) {
  std::vector<std::uint32_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

ColumnPtr expand(const Datum& datum, std::size_t rows) {
  if (!datum.constant) return datum.column;
  return gather(datum.column, std::vector<std::uint32_t>(rows, 0));
}

std::vector<std::uint32_t> rows_where_true(const Datum& datum, std::span<const std::uint32_t> candidates) {
  std::vector<std::uint32_t> rows;
  if (datum.constant) {
    if (truth_at(datum, 0) == Truth::kTrue) rows.assign(candidates.begin(), candidates.end());
    return rows;
  }
  rows.resize(candidates.size());
  std::size_t count = 0;
  const auto values = datum.column->values<std::uint8_t>();
  const auto validity = datum.column->validity();
  if (datum.column->type().layout() == Layout::kNone) return {};
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    rows[count] = candidates[i];
    count += (values[i] != 0 && (validity.empty() || validity[i] != 0)) ? 1 : 0;
  }
  rows.resize(count);
  return rows;
}

Evaluator::Evaluator(plan::ExprPtr expr) : expr_(std::move(expr)) {
  if (expr_->kind == plan::ExprKind::kLiteral) literal_ = Column::constant(expr_->type, expr_->literal, 1);
  if (expr_->kind == plan::ExprKind::kColumn) reads_.push_back(expr_->column);
  for (const plan::ExprPtr& child : expr_->children) {
    const Evaluator& added = children_.emplace_back(child);
    reads_.insert(reads_.end(), added.reads_.begin(), added.reads_.end());
  }
  std::sort(reads_.begin(), reads_.end());
  reads_.erase(std::unique(reads_.begin(), reads_.end()), reads_.end());
}

Datum Evaluator::evaluate(const Frame& frame, RowErrors& errors) const {
  switch (expr_->kind) {
    case plan::ExprKind::kColumn:
      return {frame.columns[expr_->column], false};
    case plan::ExprKind::kLiteral:
      return {literal_, true};
    case plan::ExprKind::kCall:
    case plan::ExprKind::kCast:
      return call(frame, errors);
    case plan::ExprKind::kCase:
      return conditional(frame, errors);
    case plan::ExprKind::kAnd:
    case plan::ExprKind::kOr:
      return junction(frame, errors);
    case plan::ExprKind::kCoalesce:
      return coalesce(frame, errors);
  }
  return {Column::nulls(expr_->type, 1), true};
}

ColumnPtr Evaluator::column(const Frame& frame, RowErrors& errors) const {
  return expand(evaluate(frame, errors), frame.rows);
}

Datum Evaluator::evaluate_at(const Frame& frame, std::span<const std::uint32_t> rows,
                             RowErrors& errors) const {
  if (rows.size() == frame.rows || expr_->kind == plan::ExprKind::kLiteral) return evaluate(frame, errors);
  const Subset subset(frame, rows, reads_);
  RowErrors inner;
  Datum result = evaluate(subset.frame(), inner);
  for (const RowErrors::Entry& entry : inner.entries()) errors.add(rows[entry.row], entry.message);
  return result;
}

Datum Evaluator::call(const Frame& frame, RowErrors& errors) const {
  std::vector<Datum> arguments;
  arguments.reserve(children_.size());
  for (const Evaluator& child : children_) arguments.push_back(child.evaluate(frame, errors));
  const functions::CallContext context{frame.rows, &errors, frame.intake_times, frame.watermarks};
  return {expr_->call.kernel(context, arguments), false};
}

Datum Evaluator::conditional(const Frame& frame, RowErrors& errors) const {
  Assembly assembly(expr_->type, frame.rows);
  std::vector<std::uint32_t> open = all_rows(frame.rows);
  std::size_t i = 0;
  for (; i + 1 < children_.size() && !open.empty(); i += 2) {
    const Datum condition = children_[i].evaluate_at(frame, open, errors);
    const std::vector<std::uint32_t> taken = rows_where_true(condition, open);
    if (taken.empty()) continue;
    assembly.put(taken, children_[i + 1].evaluate_at(frame, taken, errors));
    open = without(open, taken);
  }
  if (open.empty()) return assembly.finish();
  if (children_.size() % 2 == 1)
    assembly.put(open, children_.back().evaluate_at(frame, open, errors));
  else
    assembly.put_null(open);
  return assembly.finish();
}

// AND is decided by the first FALSE, OR by the first TRUE; what is left undecided is UNKNOWN if any child
// was.
Datum Evaluator::junction(const Frame& frame, RowErrors& errors) const {
  const Truth decides = expr_->kind == plan::ExprKind::kAnd ? Truth::kFalse : Truth::kTrue;
  const Truth neutral = expr_->kind == plan::ExprKind::kAnd ? Truth::kTrue : Truth::kFalse;
  std::vector<Truth> truths(frame.rows, neutral);
  std::vector<std::uint32_t> open = all_rows(frame.rows);
  for (const Evaluator& child : children_) {
    if (open.empty()) break;
    const Datum datum = child.evaluate_at(frame, open, errors);
    std::size_t left = 0;
    for (std::size_t i = 0; i < open.size(); ++i) {
      const std::uint32_t row = open[i];
      const Truth truth = truth_at(datum, i);
      if (truth != neutral) truths[row] = truth;
      if (truth != decides) open[left++] = row;
    }
    open.resize(left);
  }
  return {column_of(truths, expr_->type), false};
}

Datum Evaluator::coalesce(const Frame& frame, RowErrors& errors) const {
  Assembly assembly(expr_->type, frame.rows);
  std::vector<std::uint32_t> open = all_rows(frame.rows);
  for (const Evaluator& child : children_) {
    if (open.empty()) break;
    const Datum datum = child.evaluate_at(frame, open, errors);
    std::vector<std::uint32_t> taken;
    std::vector<std::uint32_t> positions;
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (datum.column->is_null(datum.index(i))) continue;
      taken.push_back(open[i]);
      positions.push_back(static_cast<std::uint32_t>(i));
    }
    if (taken.empty()) continue;
    const bool whole = datum.constant || taken.size() == open.size();
    assembly.put(taken, whole ? datum : Datum{gather(datum.column, positions)});
    open = without(open, taken);
  }
  assembly.put_null(open);
  return assembly.finish();
}

}  // namespace leat::exec
