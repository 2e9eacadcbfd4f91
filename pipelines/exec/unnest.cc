#include "pipelines/exec/unnest.h"

#include <algorithm>
#include <array>

namespace leat::exec {
namespace {

constexpr std::uint32_t kNoElement = static_cast<std::uint32_t>(-1);

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
  if (node.condition) condition_.emplace(node.condition);
}

void Unnest::Rows::add(std::uint32_t row, std::uint32_t element, std::int32_t position) {
  rows.push_back(row);
  elements.push_back(element);
  positions.push_back(position);
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
  const Batch candidates = rows_out(batch, collections, elements);
  functions::RowErrors failed;
  const functions::Datum holds = condition_->evaluate(frame_of(candidates), failed);
  for (const functions::RowErrors::Entry& entry : failed.entries())
    errors.add(elements.rows[entry.row], entry.message);
  Rows chosen;
  for (const std::uint32_t i : rows_where_true(holds, all_rows(candidates.size)))
    chosen.add(elements.rows[i], elements.elements[i], elements.positions[i]);
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

Batch Unnest::rows_out(const Batch& batch, const Column& collections, const Rows& rows) const {
  const Batch repeated = gather(batch, rows.rows);
  Batch result;
  result.watermark_after = batch.watermark_after;
  result.size = repeated.size;
  result.kinds = repeated.kinds;
  result.watermarks = repeated.watermarks;
  result.intake_times = repeated.intake_times;
  for (const std::size_t column : passed_) result.columns.push_back(repeated.columns[column]);
  append_elements(collections, rows, result);
  return result;
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
  Batch result = rows_out(batch, *collections, joined(rejected.survivors, elements));
  counters_.rows_in += batch.size;
  counters_.dead += rejected.dead;
  counters_.filtered += rejected.taken_back;
  counters_.passed += rejected.survivors.size();
  counters_.rows_out += result.size;
  return out.emit(std::move(result));
}

Status Unnest::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

}  // namespace leat::exec
