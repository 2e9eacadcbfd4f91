// The state of a window aggregate with early and late results: what it writes at a commit, and how it finds
// itself again.
#include <algorithm>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/column/codec.h"
#include "pipelines/exec/emit_aggregate.h"

namespace leat::exec {
namespace {

constexpr char kProgressTag = 'm';
constexpr char kTimeTag = 't';
constexpr char kWindowTag = 'w';

enum Flag : std::uint8_t { kEnded = 1, kEarlyFrom = 2, kLateFrom = 4, kDue = 8, kGiven = 16 };

Status corrupt_entry() {
  return fail(ErrorCode::kCorrupt, "a state entry of a window aggregate with early results is damaged");
}

std::optional<std::int64_t> read_time(std::uint8_t flags, Flag flag, ByteReader& reader) {
  constexpr std::int64_t kLatest = std::int64_t{1} << 62;
  if ((flags & flag) == 0) return std::nullopt;
  return std::clamp<std::int64_t>(reader.zigzag(), 0, kLatest);  // Damaged ones harm no sum.
}

}  // namespace

void EmitAggregate::write_key(const WindowResult& result, ByteWriter& out) const {
  out.u8(static_cast<std::uint8_t>(kWindowTag));
  out.zigzag(result.end);
  state_.keys().write(result.key, out);
}

void EmitAggregate::write_result(const WindowResult& result, ByteWriter& out) {
  unsigned flags = result.ended ? unsigned{kEnded} : 0U;
  if (result.early_from) flags |= kEarlyFrom;
  if (result.late_from) flags |= kLateFrom;
  if (result.due) flags |= kDue;
  if (result.given) flags |= kGiven;
  out.varint(result.arrival);
  out.u8(static_cast<std::uint8_t>(flags));
  for (const auto& time : {result.early_from, result.late_from, result.due})
    if (time) out.zigzag(*time);
  if (result.given) out.string(*result.given);
  state_.accumulators().save(result.state, out);
}

void EmitAggregate::save(StateChanges& changes) {
  erased_.drain([&](const std::string& key) { changes.erase(fingerprint_, key); });
  EntryBuffer key;
  EntryBuffer value;
  for (const ResultId id : dirty_) {
    WindowResult& result = results_[id];
    // Dropped, or written already under its second mention.
    if (!std::exchange(result.dirty, false)) continue;
    write_key(result, key.begin());
    write_result(result, value.begin());
    changes.put(fingerprint_, key.bytes(), value.bytes());
    state_.accumulators().save_parts(result.state, {fingerprint_, key.bytes()}, changes);
    result.saved = true;
  }
  dirty_.clear();
  if (!std::exchange(progress_changed_, false)) return;
  ByteWriter& writer = value.begin();
  writer.zigzag(watermark_);
  writer.zigzag(intake_time_);
  changes.put(fingerprint_, {&kProgressTag, 1}, value.bytes());
  write_time(changes);
}

void EmitAggregate::save_time(StateChanges& changes) {
  if (time_.now() != saved_time_) write_time(changes);
}

void EmitAggregate::write_time(StateChanges& changes) {
  saved_time_ = time_.now();
  EntryBuffer value;
  time_.write(value.begin());
  changes.put(fingerprint_, {&kTimeTag, 1}, value.bytes());
}

Status EmitAggregate::load(std::string_view key, std::string_view value) {
  ByteReader key_reader(key);
  ByteReader reader(value);
  switch (static_cast<char>(key_reader.u8())) {
    case kProgressTag:
      watermark_ = reader.zigzag();
      intake_time_ = reader.zigzag();
      return reader.ok() ? Status() : corrupt_entry();
    case kTimeTag:
      if (!time_.read(reader)) return corrupt_entry();
      saved_time_ = time_.now();
      return {};
    case kWindowTag:
      return load_window(key_reader, value);
    default:
      return corrupt_entry();
  }
}

// A part may come before the entry of its window.
Status EmitAggregate::load_window(ByteReader& key, std::string_view value) {
  const std::int64_t end = key.zigzag();
  LEAT_ASSIGN(const KeyId key_id, state_.keys().read(key));
  if (!key.ok()) return corrupt_entry();
  Window& window = windows_[end];
  const auto found = window.find(key_id);
  const ResultId id = found == window.end() ? make_result(window, end, key_id) : found->second;
  WindowResult& result = results_[id];
  result.saved = true;
  if (!key.at_end()) return state_.accumulators().load_part(result.state, key, value);
  ByteReader reader(value);
  return load_result(result, reader);
}

Status EmitAggregate::load_result(WindowResult& result, ByteReader& reader) {
  result.arrival = reader.varint();
  const std::uint8_t flags = reader.u8();
  result.ended = (flags & kEnded) != 0;
  result.early_from = read_time(flags, kEarlyFrom, reader);
  result.late_from = read_time(flags, kLateFrom, reader);
  result.due = read_time(flags, kDue, reader);
  if ((flags & kGiven) != 0) result.given = reader.string();
  if (!reader.ok()) return corrupt_entry();
  if (result.given) {
    LEAT_TRY(check_given(*result.given));
    given_bytes_ += result.given->size();
  }
  next_arrival_ = std::max(next_arrival_, result.arrival + 1);
  return state_.accumulators().load(result.state, reader);
}

Status EmitAggregate::check_given(std::string_view cells) {
  ByteReader reader(cells);
  Status whole;
  for (ColumnBuilder& builder : builders_) {
    if (whole) whole = read_cell(reader, builder);
    builder.truncate(0);
  }
  return whole && !reader.at_end() ? corrupt_entry() : whole;
}

// What the watermark makes due is not saved: it follows from the windows.
Status EmitAggregate::loaded() {
  for (ResultId id = 0; id < results_.size(); ++id) {
    const WindowResult& result = results_[id];
    if (result.state == nullptr) continue;
    if (result.arrival == 0) return corrupt_entry();
    if (result.due) due_.emplace(*result.due, result.end, result.arrival, id);
  }
  for (const auto& [end, window] : windows_)
    if (clock_.fires_at(end) > watermark_) open_ends_.insert(end);
  find_next_event();
  return {};
}

std::size_t EmitAggregate::memory_bytes() const {
  constexpr std::size_t kNodeBytes = 4 * sizeof(void*);  // Of a tree, beside what it holds.
  std::size_t bytes = state_.memory_bytes() + results_.capacity() * sizeof(WindowResult) + given_bytes_ +
                      (dirty_.capacity() + free_.capacity()) * sizeof(ResultId) + erased_.memory_bytes() +
                      due_.size() * (sizeof(Due) + kNodeBytes);
  for (const auto& [end, window] : windows_)
    bytes += sizeof(window) + kNodeBytes + window.capacity() * (sizeof(Window::value_type) + 1);
  return bytes;
}

void EmitAggregate::measure_heap(std::size_t rows) {
  if (!state_.heap_measure_due(rows)) return;
  std::size_t bytes = 0;
  for (const WindowResult& result : results_)
    if (result.state != nullptr) bytes += state_.accumulators().heap_bytes(result.state);
  state_.set_heap_bytes(bytes);
}

}  // namespace leat::exec
