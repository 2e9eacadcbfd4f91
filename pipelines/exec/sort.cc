#include "pipelines/exec/sort.h"

#include <algorithm>
#include <iterator>

#include "pipelines/base/time.h"
#include "pipelines/column/schema_types.h"
#include "pipelines/exec/changelog_rows.h"
#include "pipelines/exec/state_entries.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsPerEmission = 8192;
constexpr char kProgressTag = 'm';

}  // namespace

Sort::Sort(const plan::SortNode& node, OperatorContext context)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      input_schema_(node.inputs[0]->schema),
      passed_(node.passed),
      at_end_(node.when == plan::SortNode::When::kAtEnd),
      wanted_(node.wanted),
      time_column_(at_end_ ? 0 : node.order[0].column),
      writer_(node.order),
      rows_(types_of(input_schema_), 'r') {
  for (const Type& type : types_of(input_schema_)) fired_.emplace_back(type);
}

Status Sort::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    for (std::size_t row = 0; row < batch.size; ++row) {
      LEAT_TRY(fire_until(batch.watermarks[row], row > 0 ? batch.intake_times[row - 1] : intake_time_, out));
      take_row(batch, row);
    }
    intake_time_ = batch.intake_times.back();
    progress_changed_ = true;
    if (!late_rows_.empty()) context_.rejects->late(context_.name, input_schema_, batch, late_rows_);
    counters_.late += late_rows_.size();
    late_rows_.clear();
  }
  LEAT_TRY(fire_until(batch.watermark_after, intake_time_, out));
  return out.emit(take_fired(batch.watermark_after));
}

Status Sort::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  LEAT_TRY(fire_until(watermark, now, out));
  if (!fired_watermarks_.empty()) LEAT_TRY(out.emit(take_fired(last_label_)));
  return out.advance(watermark, now);
}

void Sort::take_row(const Batch& batch, std::size_t row) {
  Waiting waiting;
  if (!at_end_) {
    const Column& times = *batch.columns[time_column_];
    if (times.is_null(row)) {
      ++counters_.filtered;
      return;
    }
    waiting.time = times.values<std::int64_t>()[row];
    if (waiting.time <= last_time_) {
      late_rows_.push_back(static_cast<std::uint32_t>(row));
      return;
    }
  }
  ++counters_.applied;
  writer_.write(batch.columns, row, scratch_);
  if (takes_back(batch.kind(row))) return take_back(batch, row);
  if (is_unwanted()) return;
  waiting.row = rows_.add(batch.columns, row);
  key_bytes_ += scratch_.size();
  waiting_.emplace(Place(scratch_, rows_.sequence(waiting.row)), waiting);
  drop_unwanted();
}

/// Of equal keys the one that came first counts.
bool Sort::is_unwanted() const {
  if (!wanted_ || waiting_.size() < *wanted_) return false;
  return waiting_.empty() || scratch_ >= waiting_.rbegin()->first.first;
}

void Sort::drop_unwanted() {
  if (!wanted_ || waiting_.size() <= *wanted_) return;
  const auto last = std::prev(waiting_.end());
  rows_.erase(last->second.row);
  key_bytes_ -= last->first.first.size();
  waiting_.erase(last);
}

/// The first waiting row with the same cells goes; a row that is not there is ignored.
void Sort::take_back(const Batch& batch, std::size_t row) {
  for (auto place = waiting_.lower_bound(Place(scratch_, 0));
       place != waiting_.end() && place->first.first == scratch_; ++place) {
    if (!rows_.equals(place->second.row, batch.columns, row)) continue;
    rows_.erase(place->second.row);
    key_bytes_ -= scratch_.size();
    waiting_.erase(place);
    return;
  }
}

bool Sort::is_due(std::int64_t time) const {
  return at_end_ ? watermark_ == kMaxWatermark : time <= watermark_;
}

Status Sort::fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out) {
  if (watermark <= watermark_) return {};
  const std::int64_t before = std::exchange(watermark_, watermark);
  while (!waiting_.empty() && is_due(waiting_.begin()->second.time)) {
    const auto first = waiting_.begin();
    rows_.append(first->second.row, fired_);
    last_label_ = std::max(last_label_, before);
    if (!at_end_) {
      last_time_ = first->second.time;
      last_label_ = std::max(last_label_, saturating_add(last_time_, -1));
    }
    fired_watermarks_.push_back(last_label_);
    fired_intakes_.push_back(intake_time);
    rows_.erase(first->second.row);
    key_bytes_ -= first->first.first.size();
    waiting_.erase(first);
    progress_changed_ = true;
    ++counters_.rows_out;
    if (fired_watermarks_.size() >= kRowsPerEmission) LEAT_TRY(out.emit(take_fired(last_label_)));
  }
  return {};
}

Batch Sort::take_fired(std::int64_t watermark_after) {
  Batch batch;
  batch.watermark_after = watermark_after;
  batch.size = fired_watermarks_.size();
  if (batch.size == 0) return batch;
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : fired_) columns.push_back(builder.finish());
  for (const std::size_t column : passed_) batch.columns.push_back(columns[column]);
  batch.watermarks = std::exchange(fired_watermarks_, {});
  batch.intake_times = std::exchange(fired_intakes_, {});
  return batch;
}

// ---- State -----------------------------------------------------------------------------------------------

void Sort::save(StateChanges& changes) {
  rows_.save(fingerprint_, changes);
  if (!std::exchange(progress_changed_, false)) return;
  EntryBuffer value;
  ByteWriter& writer = value.begin();
  writer.zigzag(watermark_);
  writer.zigzag(last_time_);
  writer.zigzag(intake_time_);
  changes.put(fingerprint_, std::string_view(&kProgressTag, 1), value.bytes());
}

Status Sort::load(std::string_view key, std::string_view value) {
  if (rows_.owns(key)) return rows_.load(key, value).map([](RowStore::Handle) {});
  ByteReader reader(value);
  watermark_ = reader.zigzag();
  last_time_ = reader.zigzag();
  intake_time_ = reader.zigzag();
  if (key == std::string_view(&kProgressTag, 1) && reader.ok()) return {};
  return fail(ErrorCode::kCorrupt, "the saved state of a sort is damaged");
}

Status Sort::loaded() {
  constexpr std::size_t kRowsAtOnce = 4096;
  const std::vector<RowStore::Handle> all = rows_.in_sequence();
  for (std::size_t begin = 0; begin < all.size(); begin += kRowsAtOnce) {
    const auto some = std::span(all).subspan(begin, std::min(kRowsAtOnce, all.size() - begin));
    const std::vector<ColumnPtr> columns = rows_.gather(some);
    for (std::size_t row = 0; row < some.size(); ++row) {
      Waiting waiting{some[row]};
      if (!at_end_ && columns[time_column_]->is_null(row))
        return fail(ErrorCode::kCorrupt, "a saved row of a sort has no time");
      if (!at_end_) waiting.time = columns[time_column_]->values<std::int64_t>()[row];
      writer_.write(columns, row, scratch_);
      key_bytes_ += scratch_.size();
      waiting_.emplace(Place(scratch_, rows_.sequence(some[row])), waiting);
    }
  }
  return {};
}

std::size_t Sort::memory_bytes() const {
  constexpr std::size_t kLinks = 32;
  return rows_.memory_bytes() + key_bytes_ + waiting_.size() * (sizeof(Place) + sizeof(Waiting) + kLinks);
}

}  // namespace leat::exec
