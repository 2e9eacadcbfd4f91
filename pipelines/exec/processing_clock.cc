#include "pipelines/exec/processing_clock.h"

#include <algorithm>

#include "pipelines/base/bytes.h"
#include "pipelines/base/time.h"

namespace leat::exec {
namespace {

constexpr std::string_view kTimeKey = "m";

std::int64_t whole_millis(std::int64_t micros) {
  return micros - micros % 1000;
}

}  // namespace

void ProcessingClock::move_to(std::int64_t now) {
  constexpr std::int64_t kLongestStep = 10 * kMicrosPerSecond;
  if (now >= clock_plausible_from_) {
    unset_ = 0;
  } else {
    if (unset_ != 0 && now < last_) last_ += std::clamp<std::int64_t>(now - unset_, 0, kLongestStep);
    unset_ = now;
  }
  last_ = std::max(last_, now);
}

Status ProcessingClock::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  counters_.rows_in += batch.size;
  counters_.passed += batch.size;
  counters_.rows_out += batch.size;
  Batch result = batch;
  std::vector<std::int64_t> times(batch.size);
  for (std::size_t row = 0; row < batch.size; ++row) {
    move_to(batch.intake_times[row]);
    times[row] = whole_millis(last_);
    result.watermarks[row] = times[row] - 1000;
  }
  if (batch.size > 0) {
    const ColumnPtr& column = batch.columns[time_column_];
    result.columns[time_column_] = Column::of<std::int64_t>(column->type(), times);
    changed_by_rows_ = true;
  }
  if (batch.watermark_after != kMaxWatermark)
    result.watermark_after = last_ == 0 ? kMinWatermark : whole_millis(last_) - 1000;
  return out.emit(std::move(result));
}

Status ProcessingClock::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return watermark == kMaxWatermark ? out.advance(kMaxWatermark, now) : Status{};
}

Status ProcessingClock::tick(std::int64_t now, Output& out) {
  move_to(now);
  return out.advance(whole_millis(last_) - 1000, now);
}

void ProcessingClock::save(StateChanges& changes) {
  if (!changed_by_rows_) return;
  changed_by_rows_ = false;
  std::string value;
  ByteWriter writer(value);
  writer.zigzag(last_);
  if (unset_ != 0) writer.zigzag(unset_);
  changes.put(fingerprint_, kTimeKey, value);
}

Status ProcessingClock::load(std::string_view key, std::string_view value) {
  ByteReader reader(value);
  last_ = reader.zigzag();
  if (!reader.at_end()) unset_ = reader.zigzag();
  if (key != kTimeKey || !reader.ok() || !reader.at_end())
    return fail(ErrorCode::kCorrupt, "the saved state of " + context_.name + " is damaged");
  return {};
}

}  // namespace leat::exec
