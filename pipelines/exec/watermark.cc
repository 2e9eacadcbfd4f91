#include "pipelines/exec/watermark.h"

#include <algorithm>
#include <set>

#include "pipelines/column/column_builder.h"

namespace leat::exec {

void MinimumOfMany::put(std::size_t place, Entry entry) {
  heap_[place] = entry;
  places_[entry.id] = static_cast<std::uint32_t>(place + 1);
}

void MinimumOfMany::set(std::uint32_t id, std::int64_t value) {
  if (id >= places_.size()) places_.resize(std::max<std::size_t>(id + 1, places_.size() * 2));
  if (places_[id] == 0) {
    heap_.push_back({value, id});
    places_[id] = static_cast<std::uint32_t>(heap_.size());
  }
  heap_[places_[id] - 1].value = value;
  sift(places_[id] - 1);
}

void MinimumOfMany::remove(std::uint32_t id) {
  const std::size_t place = places_[id] - 1;
  places_[id] = 0;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  put(place, last);
  sift(place);
}

// Moves the entry at `place` up or down until the heap is in order again.
void MinimumOfMany::sift(std::size_t place) {
  const Entry entry = heap_[place];
  while (place > 0 && heap_[(place - 1) / 2].value > entry.value) {
    put(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  for (std::size_t child = 2 * place + 1; child < heap_.size(); child = 2 * place + 1) {
    if (child + 1 < heap_.size() && heap_[child + 1].value < heap_[child].value) ++child;
    if (heap_[child].value >= entry.value) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, entry);
}

void PartitionWatermarks::take(const ColumnPtr& partitions, const Column& values, std::int64_t quiet_clock,
                               std::int64_t& current, std::vector<std::int64_t>& before) {
  keys_.lookup(std::span(&partitions, 1), values.size(), ids_);
  if (partitions_.size() < keys_.id_limit()) partitions_.resize(keys_.id_limit());
  const auto times = values.values<std::int64_t>();
  for (std::size_t row = 0; row < values.size(); ++row) {
    before[row] = current;
    Partition& partition = partitions_[ids_[row]];
    if (!partition.held && declared_ && idle_timeout_.count() == 0) continue;  // Of one that has ended.
    if (!partition.held) partition = {.held = true};
    partition.active_at = quiet_clock;
    if (!partition.dirty) dirty_.push_back(ids_[row]);
    partition.dirty = true;
    if (values.is_null(row) || times[row] <= partition.watermark) continue;
    partition.watermark = times[row];
    watermarks_.set(ids_[row], partition.watermark);
    current = std::max(current, watermarks_.minimum());
  }
}

/// Fills `ids_`.
void PartitionWatermarks::look_up(std::span<const std::string> partitions) {
  ColumnBuilder names(Type::string());
  for (const std::string& partition : partitions) names.append_string(partition);
  const ColumnPtr column = names.finish();
  keys_.lookup(std::span(&column, 1), partitions.size(), ids_);
  if (partitions_.size() < keys_.id_limit()) partitions_.resize(keys_.id_limit());
}

void PartitionWatermarks::open(std::span<const std::string> partitions, std::int64_t quiet_clock) {
  declared_ = true;
  look_up(partitions);
  for (const KeyId id : ids_) {
    Partition& partition = partitions_[id];
    if (!partition.held) partition = {.held = true, .dirty = partition.dirty};
    partition.active_at = quiet_clock;
    watermarks_.set(id, partition.watermark);
  }
}

void PartitionWatermarks::close(std::span<const std::string> partitions) {
  look_up(partitions);
  for (const KeyId id : ids_) forget(id);
}

void PartitionWatermarks::keep_only(std::span<const std::string> partitions) {
  look_up(partitions);
  const std::set<KeyId> kept(ids_.begin(), ids_.end());
  for (KeyId id = 0; id < partitions_.size(); ++id)
    if (partitions_[id].held && !kept.contains(id)) forget(id);
}

std::int64_t PartitionWatermarks::expire(std::int64_t quiet_clock, std::int64_t current) {
  for (KeyId id = 0; id < partitions_.size(); ++id) {
    const Partition& partition = partitions_[id];
    const bool idle = idle_timeout_.count() > 0 && quiet_clock - partition.active_at >= idle_timeout_.count();
    if (partition.held && idle) forget(id);
  }
  return least(current);
}

void PartitionWatermarks::forget(KeyId id) {
  if (partitions_[id].saved) erased_.push_back(entry_key(id));
  if (watermarks_.contains(id)) watermarks_.remove(id);
  partitions_[id] = {.dirty = partitions_[id].dirty};  // Still listed in `dirty_`.
  keys_.erase(id);
}

std::string PartitionWatermarks::entry_key(KeyId id) const {
  std::string key = "p";
  ByteWriter writer(key);
  keys_.write(id, writer);
  return key;
}

void PartitionWatermarks::save(std::string_view node, StateChanges& changes) {
  for (const std::string& key : erased_) changes.erase(node, key);
  erased_.clear();
  for (const KeyId id : dirty_) {
    Partition& partition = partitions_[id];
    partition.dirty = false;
    if (!partition.held) continue;
    std::string value;
    ByteWriter(value).zigzag(partition.watermark);
    changes.put(node, entry_key(id), value);
    partition.saved = true;
  }
  dirty_.clear();
}

Status PartitionWatermarks::load(std::string_view key, std::string_view value) {
  ByteReader key_reader(key);
  ByteReader reader(value);
  LEAT_ASSIGN(const KeyId id, keys_.read(key_reader));
  if (partitions_.size() < keys_.id_limit()) partitions_.resize(keys_.id_limit());
  partitions_[id] = {.watermark = reader.zigzag(), .held = true, .saved = true};
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "the saved watermark of a partition is damaged");
  if (partitions_[id].watermark != kMinWatermark) watermarks_.set(id, partitions_[id].watermark);
  return {};
}

std::size_t PartitionWatermarks::memory_bytes() const {
  return keys_.memory_bytes() + partitions_.capacity() * sizeof(Partition) + watermarks_.memory_bytes();
}

}  // namespace leat::exec
