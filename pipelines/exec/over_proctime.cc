#include "pipelines/exec/over_proctime.h"

#include "pipelines/base/time.h"

namespace leat::exec {

OverProctime::OverProctime(const plan::OverNode& node)
    : fingerprint_(node.fingerprint),
      passed_(node.passed),
      windows_(node),
      lifetimes_(windows_.expires() ? Micros(saturating_add(windows_.longest(), 1)) : node.key_ttl()) {}

Status OverProctime::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  windows_.look_up(batch, key_ids_);
  events_.clear();
  for (std::uint32_t row = 0; row < batch.size; ++row) add_row(batch, row);
  std::vector<ColumnPtr> computed = windows_.run(batch, events_);
  lifetimes_.sweep(windows_.keys(), [](KeyId) { return false; });
  Batch result = batch;
  result.columns.clear();
  for (const std::size_t column : passed_) result.columns.push_back(batch.columns[column]);
  result.columns.insert(result.columns.end(), computed.begin(), computed.end());
  counters_.rows_in += batch.size;
  counters_.applied += batch.size;
  counters_.rows_out += batch.size;
  return out.emit(std::move(result));
}

void OverProctime::add_row(const Batch& batch, std::uint32_t row) {
  OverEvent event;
  event.key = key_ids_[row];
  event.row = row;
  event.time = batch.intake_times[row];
  lifetimes_.pass_row(event.key, event.time, [this](KeyId expired) { forget(expired); });
  lifetimes_.touch(event.key);
  event.run = run_++;
  events_.push_back(event);
}

void OverProctime::forget(KeyId key) {
  lifetimes_.erase(key, windows_.keys());
  OverEvent event;
  event.kind = OverEvent::Kind::kForget;
  event.key = key;
  event.run = run_++;
  events_.push_back(event);
}

Status OverProctime::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

void OverProctime::save(StateChanges& changes) {
  windows_.save(fingerprint_, changes);
  lifetimes_.save(fingerprint_, windows_.keys(), changes);
}

Status OverProctime::load(std::string_view key, std::string_view value) {
  if (windows_.owns(key)) return windows_.load(key, value);
  if (lifetimes_.owns(key)) return lifetimes_.load(key, value, windows_.keys());
  return fail(ErrorCode::kCorrupt, "the saved state of OVER is damaged");
}

Status OverProctime::loaded() {
  LEAT_TRY(windows_.loaded());
  for (KeyId key = 0; key < windows_.keys().id_limit(); ++key) lifetimes_.adopt(key);
  return {};
}

}  // namespace leat::exec
