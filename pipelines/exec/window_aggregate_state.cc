// The state of a window aggregate: what it writes at a commit, and how it finds itself again.

#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/exec/window_aggregate.h"

namespace leat::exec {
namespace {

constexpr char kProgressTag = 'm';
constexpr char kSliceTag = 's';
constexpr char kRunningTag = 'c';
constexpr std::uint64_t kUnknownArrival = 0;

Status corrupt_entry() {
  return fail(ErrorCode::kCorrupt, "a state entry of a window aggregate is damaged");
}

}  // namespace

void WindowAggregate::write_key(char tag, std::int64_t end, KeyId key, ByteWriter& out) const {
  out.u8(static_cast<std::uint8_t>(tag));
  out.zigzag(end);
  state_.keys().write(key, out);
}

void WindowAggregate::save_groups(char tag, std::int64_t end, SliceGroups& groups, StateChanges& changes) {
  EntryBuffer key;
  EntryBuffer value;
  groups.drain_dirty([&](const Group& group) {
    write_key(tag, end, group.key, key.begin());
    ByteWriter& writer = value.begin();
    writer.varint(group.arrival);
    state_.accumulators().save(group.state, writer);
    changes.put(fingerprint_, key.bytes(), value.bytes());
    state_.accumulators().save_parts(group.state, {fingerprint_, key.bytes()}, changes);
  });
}

void WindowAggregate::save(StateChanges& changes) {
  erased_.drain([&](const std::string& key) { changes.erase(fingerprint_, key); });
  for (auto& [end, groups] : open_) save_groups(kSliceTag, end, groups, changes);
  for (auto& [end, groups] : running_) save_groups(kRunningTag, end, groups, changes);
  if (!std::exchange(progress_changed_, false)) return;
  EntryBuffer progress;
  ByteWriter& writer = progress.begin();
  writer.zigzag(watermark_);
  writer.zigzag(intake_time_);
  changes.put(fingerprint_, std::string_view(&kProgressTag, 1), progress.bytes());
}

Status WindowAggregate::load(std::string_view key, std::string_view value) {
  ByteReader key_reader(key);
  ByteReader reader(value);
  const char tag = static_cast<char>(key_reader.u8());
  if (tag == kProgressTag) {
    watermark_ = reader.zigzag();
    intake_time_ = reader.zigzag();
    return reader.ok() ? Status() : corrupt_entry();
  }
  if (tag != kSliceTag && tag != kRunningTag) return corrupt_entry();
  const std::int64_t end = key_reader.zigzag();
  LEAT_ASSIGN(const KeyId id, state_.keys().read(key_reader));
  if (!key_reader.ok()) return corrupt_entry();
  SliceGroups& groups = (tag == kSliceTag ? open_ : running_)[end];
  Group* group = groups.find(id);
  // A part may come before the entry of its group, which then brings the arrival.
  if (group == nullptr) group = &groups.add(id, state_.take(id), kUnknownArrival);
  group->saved = true;
  if (!key_reader.at_end()) return state_.accumulators().load_part(group->state, key_reader, value);
  group->arrival = reader.varint();
  next_arrival_ = std::max(next_arrival_, group->arrival + 1);
  return state_.accumulators().load(group->state, reader);
}

// Timers are not saved: they follow from the slices and the watermark.
Status WindowAggregate::loaded() {
  for (const Slices* const slices : {&open_, &running_})
    for (const auto& [end, groups] : *slices)
      for (const Group& group : groups.groups())
        if (group.arrival == kUnknownArrival) return corrupt_entry();
  for (const auto& [end, groups] : open_)
    timers_.insert(first_unfired(slices_.first_window(end), slices_.last_window(end), watermark_));
  for (const auto& [end, groups] : running_)
    timers_.insert(first_unfired(slices_.window_start(end) + slices_.step(), end, watermark_));
  if (!timers_.empty()) next_fire_ = clock_.fires_at(*timers_.begin());
  return {};
}

std::size_t WindowAggregate::memory_bytes() const {
  std::size_t bytes = state_.memory_bytes() + erased_.memory_bytes();
  for (const Slices* const slices : {&open_, &running_})
    for (const auto& [end, groups] : *slices) bytes += groups.memory_bytes();
  if (sliding_) bytes += sliding_->memory_bytes();
  for (const SliceGroups& groups : spare_) bytes += groups.memory_bytes();
  return bytes;
}

void WindowAggregate::measure_heap(std::size_t rows) {
  if (!state_.heap_measure_due(rows)) return;
  std::size_t bytes = 0;
  for (const Slices* const slices : {&open_, &running_})
    for (const auto& [end, groups] : *slices)
      for (const Group& group : groups.groups()) bytes += state_.accumulators().heap_bytes(group.state);
  state_.set_heap_bytes(bytes);
}

}  // namespace leat::exec
