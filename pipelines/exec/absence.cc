#include "pipelines/exec/absence.h"

#include <algorithm>
#include <utility>

#include "pipelines/exec/state_entries.h"

namespace leat::exec {
namespace {

constexpr char kProgressTag = 'm';
constexpr char kKeyTag = 'k';

std::vector<Type> key_types(const plan::AbsenceNode& node) {
  std::vector<Type> types;
  for (const std::size_t key : node.keys) types.push_back(node.inputs[0]->schema.fields[key].type);
  return types;
}

}  // namespace

Absence::Absence(const plan::AbsenceNode& node, OperatorContext context)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      input_schema_(node.inputs[0]->schema),
      key_columns_(node.keys),
      time_column_(node.time_column),
      timeout_(node.timeout.count()),
      state_ttl_(node.state_ttl.count()),
      keys_(key_types(node)) {
  for (const Type::Field& field : node.schema.fields) cells_.emplace_back(field.type);
}

Status Absence::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  counters_.rows_in += batch.size;
  key_cells_.clear();
  if (batch.size > 0) {
    for (const std::size_t column : key_columns_) key_cells_.push_back(batch.columns[column]);
    keys_.lookup(key_cells_, batch.size, key_ids_);
    watched_.resize(std::max(watched_.size(), keys_.id_limit()));
    progress_changed_ = true;
  }
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    const Column& times = *batch.columns[time_column_];
    watermark_ = std::max(watermark_, batch.watermarks[row]);
    fire_until(watermark_);
    intake_ = rose_at_ = batch.intake_times[row];
    if (times.is_null(row)) {
      ++counters_.filtered;
    } else if (saturating_add(times.values<std::int64_t>()[row], timeout_) <= time_) {
      late_.push_back(row);
    } else {
      ++counters_.applied;
      take_row(key_ids_[row], times.values<std::int64_t>()[row]);
      fire_until(watermark_);
    }
  }
  if (!late_.empty()) {
    counters_.late += late_.size();
    context_.rejects->late(context_.name, input_schema_, batch, late_);
    late_.clear();
  }
  ended_ = ended_ || batch.watermark_after == kMaxWatermark;
  if (!ended_) watermark_ = std::max(watermark_, batch.watermark_after);
  fire_until(ended_ ? latest_row() : watermark_);
  return out.emit(take(batch.watermark_after));
}

/// The latest time that a row has told of.
std::int64_t Absence::latest_row() const {
  std::int64_t latest = time_;
  for (const Watched& watched : watched_)
    if (!watched.spans.empty()) latest = std::max(latest, watched.spans.back().last);
  return latest;
}

// The end of the input is no silence, but what its rows have told of has been.
Status Absence::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  intake_ = now;
  ended_ = ended_ || watermark == kMaxWatermark;
  if (ended_) {
    fire_until(latest_row());
  } else if (watermark > watermark_) {
    watermark_ = watermark;
    rose_at_ = now;
    fire_until(watermark);
  }
  if (!stamps_.empty()) LEAT_TRY(out.emit(take(stamps_.back())));
  return out.advance(watermark, now);
}

Status Absence::tick(std::int64_t now, Output& out) {
  if (ended_ || watermark_ == kMinWatermark || rose_at_ == 0 || now <= rose_at_) return {};
  intake_ = now;
  fire_until(saturating_add(watermark_, now - rose_at_));
  if (stamps_.empty()) return {};
  return out.emit(take(watermark_));
}

// ---- Keys
// --------------------------------------------------------------------------------------------------

void Absence::take_row(KeyId key, std::int64_t time) {
  Watched& watched = watched_[key];
  if (watched.number == 0) watched.number = ++seen_;
  add_time(watched, time);
  change(key);
  arm(key);
}

void Absence::add_time(Watched& watched, std::int64_t time) const {
  std::vector<Span>& spans = watched.spans;
  auto behind = std::ranges::find_if(spans, [&](const Span& span) { return span.first > time; });
  const auto joins = [&](const Span& span) {
    return time < saturating_add(span.last, timeout_) && span.first < saturating_add(time, timeout_);
  };
  const bool joins_behind = behind != spans.end() && joins(*behind);
  if (behind != spans.begin() && joins(*(behind - 1))) {
    Span& before = *(behind - 1);
    before.last = std::max(before.last, time);
    if (!joins_behind) return;
    before.last = std::max(before.last, behind->last);
    spans.erase(behind);
  } else if (joins_behind) {
    behind->first = time;
  } else {
    spans.insert(behind, {time, time});
  }
}

/// When an absent key is forgotten: unless it is back before.
bool Absence::is_forgotten_at(const Watched& watched, std::int64_t& at) const {
  if (!watched.absent || state_ttl_ == 0) return false;
  at = saturating_add(saturating_add(watched.last_seen, timeout_), state_ttl_);
  return watched.spans.empty() || at <= watched.spans[0].first;
}

bool Absence::next_event(const Watched& watched, std::int64_t& at) const {
  if (is_forgotten_at(watched, at)) return true;
  if (watched.spans.empty()) return false;
  at = watched.absent ? watched.spans[0].first : saturating_add(watched.spans[0].last, timeout_);
  return true;
}

// A timer that stands too early costs one look; the common row only moves its key's silence away.
void Absence::arm(KeyId key) {
  Watched& watched = watched_[key];
  std::int64_t at = 0;
  const bool wanted = next_event(watched, at);
  if (watched.timed && wanted && watched.timer <= at) return;
  if (watched.timed) timers_.erase({watched.timer, watched.number});
  watched.timed = wanted;
  watched.timer = at;
  if (wanted) timers_.emplace(std::pair(at, watched.number), key);
}

void Absence::fire_until(std::int64_t time) {
  while (!timers_.empty() && timers_.begin()->first.first <= time) {
    const std::int64_t due = timers_.begin()->first.first;
    const KeyId key = timers_.begin()->second;
    Watched& watched = watched_[key];
    timers_.erase(timers_.begin());
    watched.timed = false;
    std::int64_t at = 0;
    if (next_event(watched, at) && at <= due) happen(key, at);
    if (watched.number != 0) arm(key);
  }
  time_ = std::max(time_, time);
}

void Absence::happen(KeyId key, std::int64_t at) {
  Watched& watched = watched_[key];
  progress_changed_ = true;
  std::int64_t forgotten_at = 0;
  if (is_forgotten_at(watched, forgotten_at)) {
    if (watched.spans.empty()) return forget(key);
    watched.absent = false;  // Its next row is that of a new key.
  } else if (watched.absent) {
    watched.absent = false;
    emit(key, "BACK", watched.last_seen, at);
  } else {
    watched.absent = true;
    watched.last_seen = watched.spans[0].last;
    watched.spans.erase(watched.spans.begin());
    emit(key, "ABSENT", watched.last_seen, at);
  }
  change(key);
}

void Absence::forget(KeyId key) {
  if (watched_[key].saved) forgotten_.push_back(key_text(key));
  watched_[key] = {};
  keys_.erase(key);
}

// ---- Rows
// --------------------------------------------------------------------------------------------------

void Absence::emit(KeyId key, std::string_view state, std::int64_t last_seen, std::int64_t at) {
  const std::size_t width = key_columns_.size();
  keys_.append_cells(key, std::span(cells_).first(width));
  cells_[width].append_string(state);
  cells_[width + 1].append(last_seen);
  cells_[width + 2].append(at);
  // Never late behind the operator, unless the row that brings the key back was behind the watermark itself.
  stamp_ = std::max({stamp_, std::min(at - 1, watermark_), time_ > watermark_ ? kMinWatermark : time_});
  stamps_.push_back(stamp_);
  intake_times_.push_back(intake_);
}

Batch Absence::take(std::int64_t watermark_after) {
  Batch batch;
  batch.watermark_after = watermark_after;
  stamp_ = std::max(stamp_, watermark_after == kMaxWatermark ? stamp_ : watermark_after);
  if (stamps_.empty()) return batch;
  batch.size = stamps_.size();
  for (ColumnBuilder& builder : cells_) batch.columns.push_back(builder.finish());
  batch.watermarks = std::exchange(stamps_, {});
  batch.intake_times = std::exchange(intake_times_, {});
  counters_.rows_out += batch.size;
  return batch;
}

// ---- State
// -------------------------------------------------------------------------------------------------

void Absence::change(KeyId key) {
  if (std::exchange(watched_[key].dirty, true)) return;
  dirty_.push_back(key);
}

std::string Absence::key_text(KeyId key) const {
  std::string text(1, kKeyTag);
  ByteWriter writer(text);
  keys_.write(key, writer);
  return text;
}

std::size_t Absence::memory_bytes() const {
  constexpr std::size_t kTimerBytes = 72;  // A node of the map.
  return keys_.memory_bytes() + watched_.capacity() * (sizeof(Watched) + sizeof(Span)) +
         timers_.size() * kTimerBytes;
}

void Absence::save(StateChanges& changes) {
  for (const std::string& key : forgotten_) changes.erase(fingerprint_, key);
  forgotten_.clear();
  EntryBuffer value;
  for (const KeyId key : dirty_) {
    Watched& watched = watched_[key];
    if (!watched.dirty) continue;  // Forgotten since.
    watched.dirty = false;
    watched.saved = true;
    ByteWriter& writer = value.begin();
    writer.varint(watched.number);
    writer.u8(watched.absent ? 1 : 0);
    writer.zigzag(watched.last_seen);
    writer.varint(watched.spans.size());
    for (const Span& span : watched.spans) {
      writer.zigzag(span.first);
      writer.zigzag(span.last);
    }
    changes.put(fingerprint_, key_text(key), value.bytes());
  }
  dirty_.clear();
  if (!std::exchange(progress_changed_, false)) return;
  ByteWriter& writer = value.begin();
  writer.zigzag(time_);
  writer.zigzag(rose_at_);
  writer.varint(seen_);
  changes.put(fingerprint_, std::string_view(&kProgressTag, 1), value.bytes());
}

Status Absence::load(std::string_view key, std::string_view value) {
  ByteReader reader(value);
  if (key == std::string_view(&kProgressTag, 1)) {
    time_ = reader.zigzag();
    rose_at_ = reader.zigzag();
    seen_ = reader.varint();
  } else if (!key.empty() && key[0] == kKeyTag) {
    ByteReader cells(key.substr(1));
    LEAT_ASSIGN(const KeyId id, keys_.read(cells));
    watched_.resize(std::max(watched_.size(), keys_.id_limit()));
    Watched& watched = watched_[id];
    watched.saved = true;
    watched.number = reader.varint();
    watched.absent = reader.u8() != 0;
    watched.last_seen = reader.zigzag();
    for (std::uint64_t i = reader.varint(); i > 0 && reader.ok(); --i) {
      Span& span = watched.spans.emplace_back();
      span.first = reader.zigzag();
      span.last = reader.zigzag();
    }
  } else {
    return fail(ErrorCode::kCorrupt, "a state entry of ABSENCE is damaged");
  }
  if (reader.ok() && reader.at_end()) return {};
  return fail(ErrorCode::kCorrupt, "a state entry of ABSENCE is damaged");
}

Status Absence::loaded() {
  for (KeyId key = 0; key < watched_.size(); ++key)
    if (watched_[key].number != 0) arm(key);
  return {};
}

}  // namespace leat::exec
