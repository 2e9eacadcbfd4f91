#include "pipelines/exec/fired_rows.h"

#include <utility>

#include "pipelines/base/time.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsPerEmission = 8192;

}  // namespace

FiredRows::FiredRows(const std::vector<Type>& cells, std::vector<plan::WindowProperty> properties,
                     std::vector<Type> property_types, std::optional<std::size_t> start_cell)
    : properties_(std::move(properties)),
      property_types_(std::move(property_types)),
      start_cell_(start_cell) {
  for (const Type& type : cells) cells_.emplace_back(type);
}

void FiredRows::close_row(std::int64_t start, std::int64_t end, std::int64_t fires_at) {
  close_change(RowKind::kInsert, start, end, saturating_add(fires_at, -1));
}

void FiredRows::close_change(RowKind kind, std::int64_t start, std::int64_t end, std::int64_t watermark) {
  if (kind != RowKind::kInsert) kinds_.resize(ends_.size(), RowKind::kInsert);
  if (kind != RowKind::kInsert || !kinds_.empty()) kinds_.push_back(kind);
  starts_.push_back(start);
  ends_.push_back(end);
  watermarks_.push_back(watermark);
  intake_times_.push_back(intake_time_);
}

ColumnPtr FiredRows::property_column(std::size_t index, WindowClock& clock) const {
  const Type& type = property_types_[index];
  if (properties_[index] == plan::WindowProperty::kStart) return Column::of<std::int64_t>(type, starts_);
  if (properties_[index] == plan::WindowProperty::kEnd) return Column::of<std::int64_t>(type, ends_);
  std::vector<std::int64_t> times(ends_.size());
  for (std::size_t i = 0; i < ends_.size(); ++i)
    times[i] = i > 0 && ends_[i] == ends_[i - 1] ? times[i - 1] : clock.window_time(ends_[i]);
  return Column::of<std::int64_t>(type, times);
}

Batch FiredRows::take(std::int64_t watermark_after, WindowClock& clock) {
  Batch batch;
  batch.watermark_after = watermark_after;
  if (ends_.empty()) return batch;
  batch.size = ends_.size();
  ColumnPtr start;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    ColumnPtr column = cells_[i].finish();
    if (i == start_cell_)
      start = std::move(column);
    else
      batch.columns.push_back(std::move(column));
  }
  for (std::size_t i = 0; i < properties_.size(); ++i) {
    const bool from_cell = start && properties_[i] == plan::WindowProperty::kStart;
    batch.columns.push_back(from_cell ? retype(start, property_types_[i]) : property_column(i, clock));
  }
  batch.watermarks = std::exchange(watermarks_, {});
  batch.intake_times = std::exchange(intake_times_, {});
  batch.kinds = std::exchange(kinds_, {});
  starts_.clear();
  ends_.clear();
  return batch;
}

Status FiredRows::give_out(WindowClock& clock, Output& out) {
  if (size() == 0) return {};
  const std::int64_t reached = last_watermark();
  return out.emit(take(reached, clock));
}

Status FiredRows::give_out_full(WindowClock& clock, Output& out) {
  return size() < kRowsPerEmission ? Status() : give_out(clock, out);
}

std::vector<Type> group_key_types(const plan::WindowAggregateNode& node) {
  std::vector<Type> types;
  for (const std::size_t key : node.keys) types.push_back(node.inputs[0]->schema.fields[key].type);
  return types;
}

FiredRows fired_rows_of(const plan::WindowAggregateNode& node) {
  std::vector<Type> cells = group_key_types(node);
  for (const plan::AggregateCall& call : node.calls) cells.push_back(call.function->result_type());
  std::vector<Type> properties;
  for (std::size_t i = cells.size(); i < node.schema.size(); ++i)
    properties.push_back(node.schema.fields[i].type);
  return {cells, node.properties, std::move(properties), std::nullopt};
}

}  // namespace leat::exec
