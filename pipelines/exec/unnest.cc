#include "pipelines/exec/unnest.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace leat::exec {
namespace {

constexpr std::uint32_t kNoElement = static_cast<std::uint32_t>(-1);
/// A row is repeated for each of its elements, with the collections that it passes on: more cells than these
/// are not made at once, so that a long collection takes its length of memory and not the square of it.
constexpr std::size_t kPieceCells = 1 << 20;

std::size_t cells_between(const Column& column, std::size_t begin, std::size_t end) {
  const Layout layout = column.type().layout();
  if (layout != Layout::kList && layout != Layout::kStruct) return end - begin;
  if (layout == Layout::kList) {
    begin = column.offsets()[begin];
    end = column.offsets()[end];
  }
  std::size_t cells = 1;
  for (std::size_t c = 0; c < column.child_count(); ++c) cells += cells_between(*column.child(c), begin, end);
  return cells;
}

/// The elements' values in this order; NULL where there is none, or where `rows` has one.
ColumnPtr pick(const ColumnPtr& values, const Type& type, std::vector<std::uint32_t> elements,
               const Column* rows) {
  bool padded = false;
  for (std::uint32_t& element : elements) {
    if (element != kNoElement && !(rows != nullptr && rows->is_null(element))) continue;
    element = static_cast<std::uint32_t>(values->size());
    padded = true;
  }
  if (!padded) return gather(values, elements);
  const std::array<ColumnPtr, 2> parts = {retype(values, type), Column::nulls(type, 1)};
  return gather(concat(parts), elements);
}

}  // namespace

Unnest::Unnest(const plan::UnnestNode& node, OperatorContext context)
    : context_(std::move(context)),
      input_schema_(node.inputs[0]->schema),
      schema_(node.schema),
      collection_(node.collection),
      empty_(node.empty),
      ordinality_(node.ordinality),
      passed_(node.passed) {
  all_passed_.resize(passed_.size());
  std::iota(all_passed_.begin(), all_passed_.end(), std::size_t{0});
  if (!node.condition) return;
  condition_.emplace(node.condition);
  for (const std::size_t column : plan::columns_of(*node.condition))
    if (column < passed_.size()) condition_reads_.push_back(column);
}

void Unnest::Rows::add(std::uint32_t row, std::uint32_t element, std::int32_t position) {
  rows.push_back(row);
  elements.push_back(element);
  positions.push_back(position);
}

Unnest::Rows Unnest::Rows::part(std::size_t begin, std::size_t end) const {
  const auto cut = [&](const auto& values) {
    return std::vector(values.begin() + static_cast<std::ptrdiff_t>(begin),
                       values.begin() + static_cast<std::ptrdiff_t>(end));
  };
  return {cut(rows), cut(elements), cut(positions)};
}

void Unnest::add_elements(const Column& collections, std::uint32_t row, Rows& rows) const {
  if (collections.is_null(row)) return;
  const bool multiset = collections.type().kind() == TypeKind::kMultiset;
  const bool map = collections.type().kind() == TypeKind::kMap;
  const Column& elements = *collections.child(0);
  const bool whole_only = !map && !ordinality_ && elements.type().kind() == TypeKind::kRow;
  std::int32_t position = 0;
  for (std::uint32_t e = collections.offsets()[row]; e < collections.offsets()[row + 1]; ++e) {
    if (whole_only && elements.is_null(e)) continue;
    const std::int32_t times = multiset ? collections.child(1)->values<std::int32_t>()[e] : 1;
    for (std::int32_t i = 0; i < times; ++i) rows.add(row, e, ++position);
  }
}

/// The elements for which the condition is TRUE. Where it fails, the row of the batch has failed.
Unnest::Rows Unnest::where_true(const Batch& batch, const Column& collections, const Rows& elements,
                                functions::RowErrors& errors) const {
  Rows chosen;
  std::uint32_t last_failed = kNoElement;
  for (std::size_t begin = 0, end = 0; begin < elements.rows.size(); begin = end) {
    end = end_of_piece(batch, elements, begin, condition_reads_);
    const Rows part = elements.part(begin, end);
    const Batch candidates = rows_out(batch, collections, part, condition_reads_);
    functions::RowErrors failed;
    const functions::Datum holds = condition_->evaluate(frame_of(candidates), failed);
    for (const functions::RowErrors::Entry& entry : failed.entries()) {
      const std::uint32_t row = part.rows[entry.row];
      if (std::exchange(last_failed, row) != row) errors.add(row, entry.message);
    }
    for (const std::uint32_t i : rows_where_true(holds, all_rows(candidates.size)))
      chosen.add(part.rows[i], part.elements[i], part.positions[i]);
  }
  return chosen;
}

/// The elements of these rows, and where that is wanted one of NULLs for each row without.
Unnest::Rows Unnest::joined(std::span<const std::uint32_t> batch_rows, const Rows& elements) const {
  Rows rows;
  std::size_t next = 0;
  for (const std::uint32_t row : batch_rows) {
    while (next < elements.rows.size() && elements.rows[next] < row) ++next;
    const std::size_t before = next;
    for (; next < elements.rows.size() && elements.rows[next] == row; ++next)
      rows.add(row, elements.elements[next], elements.positions[next]);
    if (next == before && empty_ == plan::UnnestNode::Empty::kPadded) rows.add(row, kNoElement, 0);
  }
  return rows;
}

void Unnest::append_elements(const Column& collections, const Rows& rows, Batch& out) const {
  std::size_t column = passed_.size();
  const auto append = [&](const ColumnPtr& values, const Column* element_rows) {
    out.columns.push_back(pick(values, schema_.fields[column++].type, rows.elements, element_rows));
  };
  const ColumnPtr& elements = collections.child(0);
  if (collections.type().kind() == TypeKind::kMap) {
    append(elements, nullptr);
    append(collections.child(1), nullptr);
  } else if (elements->type().kind() == TypeKind::kRow) {
    for (std::size_t f = 0; f < elements->child_count(); ++f) append(elements->child(f), elements.get());
  } else {
    append(elements, nullptr);
  }
  if (!ordinality_) return;
  ColumnBuilder positions(schema_.fields[column].type);
  for (const std::int32_t position : rows.positions) {
    if (position > 0)
      positions.append(position);
    else
      positions.append_null();
  }
  out.columns.push_back(positions.finish());
}

/// Of the columns that are passed on, those in `wanted`; the others are missing.
Batch Unnest::rows_out(const Batch& batch, const Column& collections, const Rows& rows,
                       std::span<const std::size_t> wanted) const {
  Batch passed;
  passed.size = batch.size;
  passed.kinds = batch.kinds;
  passed.watermarks = batch.watermarks;
  passed.intake_times = batch.intake_times;
  for (const std::size_t place : wanted) passed.columns.push_back(batch.columns[passed_[place]]);
  Batch result = gather(passed, rows.rows);
  std::vector<ColumnPtr> columns(passed_.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) columns[wanted[i]] = std::move(result.columns[i]);
  result.columns = std::move(columns);
  result.watermark_after = batch.watermark_after;
  append_elements(collections, rows, result);
  return result;
}

std::size_t Unnest::end_of_piece(const Batch& batch, const Rows& rows, std::size_t begin,
                                 std::span<const std::size_t> wanted) const {
  std::vector<const Column*> nested;
  for (const std::size_t place : wanted)
    if (const Column& column = *batch.columns[passed_[place]]; column.type().is_nested())
      nested.push_back(&column);
  std::size_t cells = 0;
  std::size_t end = begin;
  for (; end < rows.rows.size() && (end == begin || cells < kPieceCells); ++end) {
    cells += wanted.size() + 1 - nested.size();
    for (const Column* const column : nested)
      cells += cells_between(*column, rows.rows[end], rows.rows[end] + 1);
  }
  return end;
}

Status Unnest::emit(const Batch& batch, const Column& collections, const Rows& rows, Output& out) {
  if (rows.rows.empty()) return out.emit(only_time(batch.watermark_after));
  for (std::size_t begin = 0, end = 0; begin < rows.rows.size(); begin = end) {
    end = end_of_piece(batch, rows, begin, all_passed_);
    Batch piece = rows_out(batch, collections, rows.part(begin, end), all_passed_);
    if (end < rows.rows.size() && !batch.watermarks.empty())
      piece.watermark_after = batch.watermarks[rows.rows[end]];
    LEAT_TRY(out.go_on());
    LEAT_TRY(out.emit(std::move(piece)));
  }
  return {};
}

Status Unnest::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  functions::RowErrors errors;
  const ColumnPtr collections = collection_.column(frame_of(batch), errors);
  Rows elements;
  for (std::uint32_t row = 0; row < batch.size; ++row) add_elements(*collections, row, elements);
  if (condition_) elements = where_true(batch, *collections, elements, errors);
  Rejected rejected{.survivors = all_rows(batch.size)};
  if (!errors.empty()) {
    LEAT_ASSIGN(rejected, reject_failed(context_, input_schema_, batch, errors));
  }
  const Rows rows = joined(rejected.survivors, elements);
  counters_.rows_in += batch.size;
  counters_.dead += rejected.dead;
  counters_.filtered += rejected.taken_back;
  counters_.passed += rejected.survivors.size();
  counters_.rows_out += rows.rows.size();
  return emit(batch, *collections, rows, out);
}

Status Unnest::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

}  // namespace leat::exec
