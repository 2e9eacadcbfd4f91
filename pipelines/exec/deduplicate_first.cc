#include "pipelines/exec/deduplicate_first.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

constexpr char kProgressTag = 'm';
constexpr char kKeyTag = 'k';

}  // namespace

DeduplicateFirst::DeduplicateFirst(const plan::DeduplicateNode& node, OperatorContext context)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      input_schema_(node.inputs[0]->schema),
      passed_(node.passed),
      partition_by_(node.partition_by),
      time_column_(node.time_column),
      keys_(types_at(input_schema_, partition_by_)),
      rows_(types_of(input_schema_), 'r'),
      lifetimes_(node.state_ttl) {
  for (const Type& type : types_of(input_schema_)) fired_.emplace_back(type);
}

void DeduplicateFirst::look_up(const Batch& batch) {
  key_columns_.clear();
  for (const std::size_t column : partition_by_) key_columns_.push_back(batch.columns[column]);
  keys_.lookup(key_columns_, batch.size, ids_);
  if (state_.size() < keys_.id_limit()) state_.resize(keys_.id_limit());
}

Status DeduplicateFirst::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    look_up(batch);
    for (std::size_t row = 0; row < batch.size; ++row) {
      fire_until(batch.watermarks[row], row > 0 ? batch.intake_times[row - 1] : intake_time_);
      take_row(batch, row);
    }
    intake_time_ = batch.intake_times.back();
    progress_changed_ = true;
    if (!late_rows_.empty()) context_.rejects->late(context_.name, input_schema_, batch, late_rows_);
    counters_.late += late_rows_.size();
    late_rows_.clear();
    lifetimes_.sweep(keys_, [this](KeyId id) { return state_[id].candidate != kNone; });
  }
  fire_until(batch.watermark_after, intake_time_);
  return out.emit(take_fired(batch.watermark_after));
}

Status DeduplicateFirst::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  fire_until(watermark, now);
  if (!fired_watermarks_.empty()) LEAT_TRY(out.emit(take_fired(last_label_)));
  return out.advance(watermark, now);
}

std::string DeduplicateFirst::entry_of(KeyId id) const {
  std::string entry(1, kKeyTag);
  ByteWriter writer(entry);
  keys_.write(id, writer);
  return entry;
}

void DeduplicateFirst::forget(KeyId id) {
  erased_.add(entry_of(id));
  state_[id] = {};
  lifetimes_.erase(id, keys_);
}

void DeduplicateFirst::take_row(const Batch& batch, std::size_t row) {
  lifetimes_.pass_row(ids_[row], batch.intake_times[row], [this](KeyId expired) { forget(expired); });
  const Column& times = *batch.columns[time_column_];
  if (times.is_null(row)) {
    ++counters_.filtered;
    return;
  }
  const std::int64_t time = times.values<std::int64_t>()[row];
  if (time < watermark_) {
    late_rows_.push_back(static_cast<std::uint32_t>(row));
    return;
  }
  ++counters_.applied;
  Key& key = state_[ids_[row]];
  if (key.done || (key.candidate != kNone && key.time <= time)) return;
  if (key.candidate != kNone) rows_.erase(key.candidate);
  key.candidate = rows_.add(batch.columns, row);
  key.time = time;
  timers_.push({time, rows_.sequence(key.candidate), ids_[row]});
}

void DeduplicateFirst::fire_until(std::int64_t watermark, std::int64_t intake_time) {
  if (watermark <= watermark_) return;
  const std::int64_t before = std::exchange(watermark_, watermark);
  while (!timers_.empty() && timers_.top().time <= watermark) {
    const Timer timer = timers_.top();
    timers_.pop();
    give(timer, before, intake_time);
  }
}

/// A candidate that was replaced leaves its timer behind.
void DeduplicateFirst::give(const Timer& timer, std::int64_t watermark_before, std::int64_t intake_time) {
  Key& key = state_[timer.key];
  if (key.candidate == kNone || rows_.sequence(key.candidate) != timer.sequence) return;
  progress_changed_ = true;
  rows_.append(key.candidate, fired_);
  last_label_ = std::max({last_label_, watermark_before, saturating_add(timer.time, -1)});
  fired_watermarks_.push_back(last_label_);
  fired_intakes_.push_back(intake_time);
  rows_.erase(key.candidate);
  key.candidate = kNone;
  key.done = true;
  lifetimes_.touch(timer.key);
  unsaved_.push_back(timer.key);
  ++counters_.rows_out;
}

Batch DeduplicateFirst::take_fired(std::int64_t watermark_after) {
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

void DeduplicateFirst::save(StateChanges& changes) {
  rows_.save(fingerprint_, changes);
  erased_.drain([&](const std::string& entry) { changes.erase(fingerprint_, entry); });
  for (const KeyId id : unsaved_)
    if (state_[id].done) changes.put(fingerprint_, entry_of(id), {});
  unsaved_.clear();
  lifetimes_.save(fingerprint_, keys_, changes);
  if (!std::exchange(progress_changed_, false)) return;
  EntryBuffer entry;
  ByteWriter& writer = entry.begin();
  writer.zigzag(watermark_);
  writer.zigzag(intake_time_);
  changes.put(fingerprint_, std::string_view(&kProgressTag, 1), entry.bytes());
}

Status DeduplicateFirst::load(std::string_view key, std::string_view value) {
  if (rows_.owns(key)) return rows_.load(key, value).map([](RowStore::Handle) {});
  if (lifetimes_.owns(key)) return lifetimes_.load(key, value, keys_);
  ByteReader reader(key);
  const char tag = static_cast<char>(reader.u8());
  if (tag == kProgressTag) {
    ByteReader progress(value);
    watermark_ = progress.zigzag();
    intake_time_ = progress.zigzag();
    if (progress.ok()) return {};
  }
  if (tag != kKeyTag) return fail(ErrorCode::kCorrupt, "the saved state of a deduplication is damaged");
  LEAT_ASSIGN(const KeyId id, keys_.read(reader));
  if (state_.size() <= id) state_.resize(id + 1);
  state_[id].done = true;
  return {};
}

Status DeduplicateFirst::loaded() {
  constexpr std::size_t kRowsAtOnce = 4096;
  const std::vector<RowStore::Handle> all = rows_.in_sequence();
  for (std::size_t begin = 0; begin < all.size(); begin += kRowsAtOnce) {
    const auto some = std::span(all).subspan(begin, std::min(kRowsAtOnce, all.size() - begin));
    Batch batch;
    batch.size = some.size();
    batch.columns = rows_.gather(some);
    look_up(batch);
    for (std::size_t row = 0; row < some.size(); ++row) {
      if (batch.columns[time_column_]->is_null(row))
        return fail(ErrorCode::kCorrupt, "a saved row of a deduplication has no time");
      const std::int64_t time = batch.columns[time_column_]->values<std::int64_t>()[row];
      state_[ids_[row]] = {false, some[row], time};
      timers_.push({time, rows_.sequence(some[row]), ids_[row]});
    }
  }
  for (KeyId id = 0; id < state_.size(); ++id)
    if (state_[id].done) lifetimes_.adopt(id);
  return {};
}

std::size_t DeduplicateFirst::memory_bytes() const {
  return keys_.memory_bytes() + rows_.memory_bytes() + state_.capacity() * sizeof(Key) +
         timers_.size() * sizeof(Timer) + lifetimes_.memory_bytes();
}

}  // namespace leat::exec
