#include "pipelines/exec/over_rowtime.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsPerEmission = 8192;
constexpr std::size_t kFewKeys = 1024;
constexpr char kProgressTag = 'm';
constexpr char kPendingTag = 'p';
constexpr char kKeyTag = 'k';
constexpr char kPutOffTag = 'o';

constexpr std::int64_t whole_milliseconds(std::int64_t micros) {
  return micros - micros % kMicrosPerMilli;
}

std::vector<std::size_t> all_columns(const Schema& schema) {
  std::vector<std::size_t> columns(schema.size());
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

Status damaged() {
  return fail(ErrorCode::kCorrupt, "the saved state of OVER is damaged");
}

}  // namespace

OverRowtime::OverRowtime(const plan::OverNode& node, OperatorContext context)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      input_schema_(node.inputs[0]->schema),
      passed_(node.passed),
      time_column_(node.time_column),
      lateness_(node.lateness),
      windows_(node),
      pending_(types_of(input_schema_), all_columns(input_schema_), kPendingTag),
      lifetimes_(node.key_ttl()) {}

Status OverRowtime::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    sweep();
    windows_.look_up(batch, key_ids_);
    keys_.resize(std::max(keys_.size(), windows_.keys().id_limit()));
    const std::uint32_t segment = pending_.open(batch);
    for (std::size_t row = 0; row < batch.size; ++row) {
      if (batch.watermarks[row] > watermark_)
        LEAT_TRY(
            fire_until(batch.watermarks[row], row > 0 ? batch.intake_times[row - 1] : intake_time_, out));
      take_row(batch, row, segment);
    }
    pending_.settle(segment);
    intake_time_ = batch.intake_times.back();
    progress_changed_ = true;
    if (!late_rows_.empty()) context_.rejects->late(context_.name, input_schema_, batch, late_rows_);
    counters_.late += late_rows_.size();
    late_rows_.clear();
  }
  LEAT_TRY(fire_until(batch.watermark_after, intake_time_, out));
  return flush(out, batch.watermark_after);
}

Status OverRowtime::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  LEAT_TRY(fire_until(watermark, now, out));
  if (!events_.empty()) LEAT_TRY(flush(out, last_label_));
  return out.advance(watermark, now);
}

bool OverRowtime::is_late(const Key& key, std::int64_t time) const {
  return time <= (lateness_ == plan::OverNode::Lateness::kWatermark ? watermark_ : key.last_time);
}

void OverRowtime::take_row(const Batch& batch, std::size_t row, std::uint32_t segment) {
  const Column& times = *batch.columns[time_column_];
  if (times.is_null(row)) {
    ++counters_.filtered;
    return;
  }
  const std::int64_t time = times.values<std::int64_t>()[row];
  const KeyId id = key_ids_[row];
  lifetimes_.pass_row(
      id, batch.intake_times[row], [this](KeyId key) { return keys_[key].waiting > 0; },
      [this](KeyId expired) { forget(expired, watermark_); });
  if (is_late(keys_[id], time)) {
    late_rows_.push_back(static_cast<std::uint32_t>(row));
    return;
  }
  const RowLog::Ref ref = pending_.hold(segment, row);
  waiting_.push({time, pending_.sequence(ref), ref, id});
  ++keys_[id].waiting;
  if (windows_.expires()) arm(id, time);
  ++counters_.applied;
}

/// Not at every row: only when the time that is set would come too early for this one. The frame and its half
/// are whole milliseconds, as in Flink.
void OverRowtime::arm(KeyId id, std::int64_t time) {
  const std::int64_t range = whole_milliseconds(windows_.longest());
  const std::int64_t behind = saturating_add(time, range + kMicrosPerMilli);
  Key& key = keys_[id];
  if (key.forget_at != kNever && key.forget_at >= behind) return;
  if (key.forget_at != kNever) unsaved_put_offs_.insert({key.forget_at, id});
  key.forget_at = saturating_add(behind, whole_milliseconds(range / 2));
  forgetting_.push({key.forget_at, id});
  touch(id);
}

void OverRowtime::touch(KeyId id) {
  if (!keys_[id].dirty) dirty_.push_back(id);
  keys_[id].dirty = true;
}

// ---- Firing ----------------------------------------------------------------------------------------------

Status OverRowtime::fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out) {
  if (watermark <= watermark_) return {};
  const std::int64_t before = std::exchange(watermark_, watermark);
  ++run_;
  while (!waiting_.empty() && waiting_.top().time <= watermark) {
    const Waiting row = waiting_.top();
    if (!events_.empty() && events_.back().time != row.time) {
      ++run_;
      if (events_.size() >= kRowsPerEmission) LEAT_TRY(flush(out, last_label_));
    }
    forget_due(row.time);
    waiting_.pop();
    fire_row(row, before, intake_time);
  }
  forget_due(watermark);
  return {};
}

void OverRowtime::fire_row(const Waiting& row, std::int64_t watermark_before, std::int64_t intake_time) {
  progress_changed_ = true;
  OverEvent event;
  event.key = row.key;
  event.row = static_cast<std::uint32_t>(fired_.size());
  event.run = run_;
  event.time = row.time;
  events_.push_back(event);
  fired_.push_back(row.ref);
  last_label_ = std::max({last_label_, watermark_before, saturating_add(row.time, -1)});
  fired_watermarks_.push_back(last_label_);
  fired_intakes_.push_back(intake_time);
  Key& key = keys_[row.key];
  key.last_time = row.time;
  --key.waiting;
  lifetimes_.touch(row.key);
  touch(row.key);
}

void OverRowtime::forget_due(std::int64_t time) {
  while (!forgetting_.empty() && forgetting_.top().time <= time) {
    const Forgetting due = forgetting_.top();
    forgetting_.pop();
    if (keys_[due.key].forget_at == due.time)
      forget(due.key, due.time);
    else
      pass_put_off(due);
  }
}

void OverRowtime::pass_put_off(const Forgetting& due) {
  if (unsaved_put_offs_.erase(due) == 0) erased_.add(put_off_entry(due));
  keys_[due.key].last_time = due.time;
  touch(due.key);
}

void OverRowtime::forget(KeyId id, std::int64_t time) {
  Key& key = keys_[id];
  key.forget_at = kNever;
  key.last_time = 0;
  if (key.saved) erased_.add(key_entry(id, kKeyTag));
  key.saved = false;
  lifetimes_.erase(id, windows_.keys());
  OverEvent event;
  event.kind = OverEvent::Kind::kForget;
  event.key = id;
  event.time = time;
  events_.push_back(event);
  ++run_;
}

Batch OverRowtime::gather_fired() {
  Batch batch;
  batch.size = fired_.size();
  for (std::size_t column = 0; column < input_schema_.size(); ++column) {
    ColumnBuilder builder(input_schema_.fields[column].type);
    builder.reserve(fired_.size());
    for (const RowLog::Ref ref : fired_) builder.append_cell(*pending_.batch(ref).columns[column], ref.row);
    batch.columns.push_back(builder.finish());
  }
  for (const RowLog::Ref ref : fired_) pending_.release(ref);
  fired_.clear();
  return batch;
}

Status OverRowtime::flush(Output& out, std::int64_t watermark_after) {
  Batch result;
  result.watermark_after = watermark_after;
  if (!events_.empty()) {
    const Batch rows = gather_fired();
    std::vector<ColumnPtr> computed = windows_.run(rows, events_);
    events_.clear();
    result.size = rows.size;
    if (rows.size > 0) {
      for (const std::size_t column : passed_) result.columns.push_back(rows.columns[column]);
      std::ranges::move(computed, std::back_inserter(result.columns));
    }
    result.watermarks = std::exchange(fired_watermarks_, {});
    result.intake_times = std::exchange(fired_intakes_, {});
    counters_.rows_out += result.size;
  }
  return out.emit(std::move(result));
}

/// Keys of which nothing is known any more make room when there are many.
void OverRowtime::sweep() {
  KeyMap& keys = windows_.keys();
  const auto in_use = [this](KeyId id) {
    return id < keys_.size() && (keys_[id].waiting > 0 || keys_[id].forget_at != kNever || keys_[id].dirty);
  };
  lifetimes_.sweep(keys, in_use);
  if (!windows_.expires() || keys.size() < kFewKeys + 2 * forgetting_.size()) return;
  std::vector<std::uint32_t> uses(keys.id_limit());
  for (KeyId id = 0; id < uses.size(); ++id) uses[id] = in_use(id) ? 1 : 0;
  keys.sweep(uses);
}

// ---- State -----------------------------------------------------------------------------------------------

std::string OverRowtime::key_entry(KeyId id, char tag) const {
  std::string key(1, tag);
  ByteWriter writer(key);
  windows_.keys().write(id, writer);
  return key;
}

std::string OverRowtime::put_off_entry(const Forgetting& put_off) const {
  std::string key = key_entry(put_off.key, kPutOffTag);
  ByteWriter(key).zigzag(put_off.time);
  return key;
}

void OverRowtime::save(StateChanges& changes) {
  erased_.drain([&](const std::string& key) { changes.erase(fingerprint_, key); });
  pending_.save(fingerprint_, changes);
  windows_.save(fingerprint_, changes);
  lifetimes_.save(fingerprint_, windows_.keys(), changes);
  EntryBuffer value;
  for (const KeyId id : dirty_) {
    Key& key = keys_[id];
    key.dirty = false;
    if (lateness_ == plan::OverNode::Lateness::kWatermark && !windows_.expires()) continue;
    if (key.last_time == 0 && key.forget_at == kNever) continue;
    ByteWriter& writer = value.begin();
    writer.zigzag(key.last_time);
    writer.zigzag(key.forget_at);
    changes.put(fingerprint_, key_entry(id, kKeyTag), value.bytes());
    key.saved = true;
  }
  dirty_.clear();
  for (const Forgetting& put_off : unsaved_put_offs_) changes.put(fingerprint_, put_off_entry(put_off), {});
  unsaved_put_offs_.clear();
  if (!std::exchange(progress_changed_, false)) return;
  ByteWriter& writer = value.begin();
  writer.zigzag(watermark_);
  writer.zigzag(intake_time_);
  changes.put(fingerprint_, std::string_view(&kProgressTag, 1), value.bytes());
}

Status OverRowtime::load(std::string_view key, std::string_view value) {
  if (windows_.owns(key)) return windows_.load(key, value);
  if (pending_.owns(key)) return pending_.load(key, value);
  if (lifetimes_.owns(key)) return lifetimes_.load(key, value, windows_.keys());
  ByteReader key_reader(key);
  ByteReader reader(value);
  const char tag = static_cast<char>(key_reader.u8());
  if (tag == kProgressTag) {
    watermark_ = reader.zigzag();
    intake_time_ = reader.zigzag();
    return reader.ok() ? Status() : damaged();
  }
  if (tag == kPutOffTag) return load_put_off(key_reader);
  return tag == kKeyTag ? load_key(key_reader, reader) : damaged();
}

Status OverRowtime::load_key(ByteReader& key, ByteReader& value) {
  LEAT_ASSIGN(const KeyId id, windows_.keys().read(key));
  keys_.resize(std::max<std::size_t>(keys_.size(), id + 1));
  Key& kept = keys_[id];
  kept.last_time = value.zigzag();
  kept.forget_at = value.zigzag();
  kept.saved = true;
  if (kept.forget_at != kNever) forgetting_.push({kept.forget_at, id});
  if (value.ok() && !value.rest().empty()) touch(id);
  while (value.ok() && !value.rest().empty()) {
    loading_.push_back({value.zigzag(), id});
    unsaved_put_offs_.insert(loading_.back());
  }
  return value.ok() ? Status() : damaged();
}

Status OverRowtime::load_put_off(ByteReader& key) {
  LEAT_ASSIGN(const KeyId id, windows_.keys().read(key));
  keys_.resize(std::max<std::size_t>(keys_.size(), id + 1));
  loading_.push_back({key.zigzag(), id});
  return key.ok() ? Status() : damaged();
}

Status OverRowtime::loaded() {
  LEAT_TRY(windows_.loaded());
  LEAT_ASSIGN(const std::vector<RowLog::Ref> refs, pending_.loaded());
  for (std::size_t begin = 0; begin < refs.size();) {
    const Batch& batch = pending_.batch(refs[begin]);
    windows_.look_up(batch, key_ids_);
    keys_.resize(std::max(keys_.size(), windows_.keys().id_limit()));
    if (batch.columns[time_column_]->may_have_nulls()) {
      for (std::size_t row = 0; row < batch.size; ++row)
        if (batch.columns[time_column_]->is_null(row)) return damaged();
    }
    const auto times = batch.columns[time_column_]->values<std::int64_t>();
    for (std::size_t row = 0; row < batch.size; ++row, ++begin) {
      waiting_.push({times[row], pending_.sequence(refs[begin]), refs[begin], key_ids_[row]});
      ++keys_[key_ids_[row]].waiting;
    }
  }
  for (const Forgetting& put_off : std::exchange(loading_, {})) {
    const std::int64_t forget_at = keys_[put_off.key].forget_at;
    if (forget_at == kNever || put_off.time >= forget_at) return damaged();
    forgetting_.push(put_off);
  }
  keys_.resize(std::max(keys_.size(), windows_.keys().id_limit()));
  for (KeyId id = 0; id < windows_.keys().id_limit(); ++id) lifetimes_.adopt(id);
  return {};
}

std::size_t OverRowtime::memory_bytes() const {
  constexpr std::size_t kNodeBytes = 4 * sizeof(void*);  // Of a tree, beside what it holds.
  return windows_.memory_bytes() + pending_.memory_bytes() + waiting_.size() * sizeof(Waiting) +
         forgetting_.size() * sizeof(Forgetting) +
         unsaved_put_offs_.size() * (sizeof(Forgetting) + kNodeBytes) + keys_.capacity() * sizeof(Key) +
         erased_.memory_bytes() + lifetimes_.memory_bytes();
}

}  // namespace leat::exec
