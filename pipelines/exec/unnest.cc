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
      passed_(node.passed) {}

void Unnest::Rows::add(std::uint32_t row, std::uint32_t element, std::int32_t position) {
  rows.push_back(row);
  elements.push_back(element);
  positions.push_back(position);
}

void Unnest::add_elements(const Column& collections, std::uint32_t row, Rows& rows) const {
  const std::size_t before = rows.rows.size();
  const bool multiset = collections.type().kind() == TypeKind::kMultiset;
  const bool map = collections.type().kind() == TypeKind::kMap;
  const Column& elements = *collections.child(0);
  const bool whole_only = !map && !ordinality_ && elements.type().kind() == TypeKind::kRow;
  std::int32_t position = 0;
  if (!collections.is_null(row)) {
    for (std::uint32_t e = collections.offsets()[row]; e < collections.offsets()[row + 1]; ++e) {
      if (whole_only && elements.is_null(e)) continue;
      const std::int32_t times = multiset ? collections.child(1)->values<std::int32_t>()[e] : 1;
      for (std::int32_t i = 0; i < times; ++i) rows.add(row, e, ++position);
    }
  }
  if (rows.rows.size() == before && empty_ == plan::UnnestNode::Empty::kPadded) rows.add(row, kNoElement, 0);
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

Status Unnest::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  Batch result;
  result.watermark_after = batch.watermark_after;
  if (batch.size == 0) return out.emit(std::move(result));
  functions::RowErrors errors;
  const ColumnPtr collections = collection_.column(frame_of(batch), errors);
  Rejected rejected{.survivors = all_rows(batch.size)};
  if (!errors.empty()) {
    LEAT_ASSIGN(rejected, reject_failed(context_, input_schema_, batch, errors));
  }
  Rows rows;
  for (const std::uint32_t row : rejected.survivors) add_elements(*collections, row, rows);
  const Batch repeated = gather(batch, rows.rows);
  result.size = repeated.size;
  result.kinds = repeated.kinds;
  result.watermarks = repeated.watermarks;
  result.intake_times = repeated.intake_times;
  for (const std::size_t column : passed_) result.columns.push_back(repeated.columns[column]);
  append_elements(*collections, rows, result);
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
