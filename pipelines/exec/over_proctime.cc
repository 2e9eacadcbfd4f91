#include "pipelines/exec/over_proctime.h"

namespace leat::exec {

OverProctime::OverProctime(const plan::OverNode& node)
    : fingerprint_(node.fingerprint), passed_(node.passed), windows_(node) {}

Status OverProctime::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(batch);
  windows_.look_up(batch, key_ids_);
  events_.clear();
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    OverEvent event;
    event.key = key_ids_[row];
    event.row = row;
    event.run = row;
    event.time = batch.intake_times[row];
    events_.push_back(event);
  }
  std::vector<ColumnPtr> computed = windows_.run(batch, events_);
  Batch result = batch;
  result.columns.clear();
  for (const std::size_t column : passed_) result.columns.push_back(batch.columns[column]);
  result.columns.insert(result.columns.end(), computed.begin(), computed.end());
  counters_.rows_in += batch.size;
  counters_.applied += batch.size;
  counters_.rows_out += batch.size;
  return out.emit(std::move(result));
}

Status OverProctime::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

Status OverProctime::load(std::string_view key, std::string_view value) {
  if (windows_.owns(key)) return windows_.load(key, value);
  return fail(ErrorCode::kCorrupt, "the saved state of OVER is damaged");
}

}  // namespace leat::exec
