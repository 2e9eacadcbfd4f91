#include "pipelines/exec/limit.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "pipelines/exec/state_entries.h"

namespace leat::exec {

Limit::Limit(const plan::LimitNode& node)
    : fingerprint_(node.fingerprint),
      passed_(node.passed),
      offset_(static_cast<std::uint64_t>(node.offset)),
      end_(node.count ? offset_ + static_cast<std::uint64_t>(*node.count)
                      : std::numeric_limits<std::uint64_t>::max()) {}

Status Limit::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < batch.size && seen_ < end_; ++row, ++seen_) {
    changed_ = true;
    if (seen_ >= offset_) rows.push_back(row);
  }
  counters_.rows_in += batch.size;
  counters_.passed += rows.size();
  counters_.filtered += batch.size - rows.size();
  counters_.rows_out += rows.size();
  Batch result = batch;
  if (batch.size > 0) {
    result.columns.clear();
    for (const std::size_t column : passed_) result.columns.push_back(batch.columns[column]);
  }
  if (rows.size() != batch.size) result = gather(result, rows);
  if (sated()) result.watermark_after = kMaxWatermark;
  return out.emit(std::move(result));
}

Status Limit::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(sated() ? kMaxWatermark : watermark, now);
}

void Limit::save(StateChanges& changes) {
  if (!std::exchange(changed_, false)) return;
  EntryBuffer value;
  value.begin().varint(seen_);
  changes.put(fingerprint_, "m", value.bytes());
}

Status Limit::load(std::string_view key, std::string_view value) {
  ByteReader reader(value);
  seen_ = std::min(reader.varint(), end_);
  if (key == "m" && reader.ok()) return {};
  return fail(ErrorCode::kCorrupt, "the saved state of a limit is damaged");
}

}  // namespace leat::exec
