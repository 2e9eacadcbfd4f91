#include "pipelines/exec/window_assign.h"

#include "pipelines/base/time.h"

namespace leat::exec {
namespace {

std::vector<Type> property_types(const plan::WindowAssignNode& node) {
  std::vector<Type> types;
  for (std::size_t i = node.inputs[0]->schema.size(); i < node.schema.size(); ++i)
    types.push_back(node.schema.fields[i].type);
  return types;
}

}  // namespace

Result<std::unique_ptr<Operator>> WindowAssign::make(const plan::WindowAssignNode& node) {
  LEAT_ASSIGN(WindowClock clock, WindowClock::make(node.window));
  LEAT_ASSIGN(const WindowSlices slices, WindowSlices::make(node.window));
  return std::unique_ptr<Operator>(new WindowAssign(node, std::move(clock), slices));
}

WindowAssign::WindowAssign(const plan::WindowAssignNode& node, WindowClock clock, WindowSlices slices)
    : time_column_(node.window.time_column),
      property_types_(property_types(node)),
      clock_(std::move(clock)),
      slices_(slices) {}

namespace {
constexpr std::size_t kRowsPerEmission = 64 * 1024;
}  // namespace

// In Flink's order: HOP from the latest window to the earliest, CUMULATE from the shortest to the longest.
void WindowAssign::add_windows(std::uint32_t row, std::int64_t local) {
  const std::int64_t slice = slices_.slice_of(local);
  const std::int64_t first = slices_.first_window(slice);
  const std::int64_t last = slices_.last_window(slice);
  const bool backwards = slices_.kind() == plan::WindowKind::kHop;
  for (std::int64_t i = 0, count = (last - first) / slices_.step() + 1; i < count; ++i) {
    const std::int64_t end = backwards ? last - i * slices_.step() : first + i * slices_.step();
    rows_.push_back(row);
    starts_.push_back(slices_.window_start(end));
    ends_.push_back(end);
  }
}

Status WindowAssign::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  const Column& time = *batch.columns[time_column_];
  const auto values = time.values<std::int64_t>();
  std::size_t without_time = 0;
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    if (time.is_null(row))
      ++without_time;
    else
      add_windows(row, clock_.to_local(values[row]));
    if (rows_.size() < kRowsPerEmission || row + 1 == batch.size) continue;
    LEAT_TRY(emit_rows(batch, batch.watermarks[row + 1], out));
  }
  counters_.rows_in += batch.size;
  counters_.filtered += without_time;
  counters_.passed += batch.size - without_time;
  return emit_rows(batch, batch.watermark_after, out);
}

/// The rows so far: there are many windows per row, so a batch of them goes out in pieces.
Status WindowAssign::emit_rows(const Batch& batch, std::int64_t watermark_after, Output& out) {
  counters_.rows_out += rows_.size();
  Batch result = gather(batch, rows_);
  result.columns.push_back(Column::of<std::int64_t>(property_types_[0], starts_));
  result.columns.push_back(Column::of<std::int64_t>(property_types_[1], ends_));
  std::vector<std::int64_t>& window_times = ends_;
  for (std::int64_t& end : window_times) end = clock_.window_time(end);
  result.columns.push_back(Column::of<std::int64_t>(property_types_[2], window_times));
  result.watermark_after = watermark_after;
  rows_.clear();
  starts_.clear();
  ends_.clear();
  return out.emit(std::move(result));
}

}  // namespace leat::exec
