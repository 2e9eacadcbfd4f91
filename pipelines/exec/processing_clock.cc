#include "pipelines/exec/processing_clock.h"

#include <utility>

#include "pipelines/base/bytes.h"
#include "pipelines/base/time.h"
#include "pipelines/exec/state_entries.h"

namespace leat::exec {
namespace {

constexpr std::string_view kTimeKey = "m";

std::int64_t whole_millis(std::int64_t micros) {
  return micros - micros % 1000;
}

}  // namespace

Status ProcessingClock::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  counters_.rows_in += batch.size;
  counters_.passed += batch.size;
  counters_.rows_out += batch.size;
  Batch result = batch;
  std::vector<std::int64_t> times(batch.size);
  for (std::size_t row = 0; row < batch.size; ++row) {
    time_.move_to(batch.intake_times[row]);
    times[row] = whole_millis(time_.now());
    result.watermarks[row] = times[row] - 1000;
  }
  if (batch.size > 0) {
    const ColumnPtr& column = batch.columns[time_column_];
    result.columns[time_column_] = Column::of<std::int64_t>(column->type(), times);
    changed_by_rows_ = true;
  }
  if (batch.watermark_after != kMaxWatermark)
    result.watermark_after = time_.now() == 0 ? kMinWatermark : whole_millis(time_.now()) - 1000;
  return out.emit(std::move(result));
}

Status ProcessingClock::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return watermark == kMaxWatermark ? out.advance(kMaxWatermark, now) : Status{};
}

Status ProcessingClock::tick(std::int64_t now, Output& out) {
  time_.move_to(now);
  return out.advance(whole_millis(time_.now()) - 1000, now);
}

void ProcessingClock::save(StateChanges& changes) {
  if (std::exchange(changed_by_rows_, false)) write_time(changes);
}

void ProcessingClock::save_time(StateChanges& changes) {
  if (time_.now() != saved_) write_time(changes);
}

void ProcessingClock::write_time(StateChanges& changes) {
  saved_ = time_.now();
  EntryBuffer value;
  time_.write(value.begin());
  changes.put(fingerprint_, kTimeKey, value.bytes());
}

Status ProcessingClock::load(std::string_view key, std::string_view value) {
  ByteReader reader(value);
  if (key != kTimeKey || !time_.read(reader))
    return fail(ErrorCode::kCorrupt, "the saved state of " + context_.name + " is damaged");
  saved_ = time_.now();
  return {};
}

}  // namespace leat::exec
