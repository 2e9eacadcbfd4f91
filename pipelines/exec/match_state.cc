// Partitions of MATCH_RECOGNIZE between batches, and in the store.
#include <algorithm>

#include "pipelines/exec/match.h"
#include "pipelines/exec/state_entries.h"

namespace leat::exec {
namespace {
constexpr char kProgressTag = 'm';
constexpr char kPartitionTag = 'p';

Status damaged() {
  return fail(ErrorCode::kCorrupt, "a state entry of MATCH_RECOGNIZE is damaged");
}
}  // namespace

void Match::change(MatchPartition& partition, KeyId key) {
  if (partition.dirty) return;
  partition.dirty = true;
  dirty_.push_back(key);
}

// Rows of this batch that are still needed move into the store.
void Match::keep_rows() {
  for (WaitingRow& waiting : order_.waiting())
    if (!waiting.row.place.stored) unkept_.push_back(&waiting);
  // By arrival, so that the sequence numbers of the store are those of the arrival.
  std::ranges::sort(unkept_, {}, [](const WaitingRow* waiting) { return waiting->row.place.index; });
  for (WaitingRow* waiting : unkept_) waiting->row.place = rows_.keep(waiting->row.place, 0);
  unkept_.clear();
  for (const KeyId key : touched_) {
    MatchPartition& partition = partitions_[key];
    partition.touched = false;
    for (RowNumber row = std::max(partition.unkept, partition.rows.first()); row < partition.rows.end();
         ++row)
      partition.rows.row(row).place =
          rows_.keep(partition.rows.row(row).place, static_cast<std::int64_t>(row));
  }
  touched_.clear();
}

// Now and then, not at once: a device that was silent comes back.
void Match::sweep() {
  if (keys_.size() < sweep_at_ || !dirty_.empty()) return;
  std::vector<std::uint32_t> uses(partitions_.size());
  for (KeyId key = 0; key < partitions_.size(); ++key)
    uses[key] = partitions_[key].is_empty() && !partitions_[key].timed ? 0 : 1;
  for (const WaitingRow& waiting : order_.waiting()) uses[waiting.key] = 1;
  for (KeyId key = 0; key < partitions_.size(); ++key)
    if (uses[key] == 0) partitions_[key] = {};
  keys_.sweep(uses);
  sweep_at_ = std::max<std::size_t>(1024, keys_.size() * 2);
}

std::string Match::key_text(KeyId key) const {
  std::string text(1, kPartitionTag);
  ByteWriter writer(text);
  keys_.write(key, writer);
  return text;
}

std::size_t Match::memory_bytes() const {
  const RowStore& store = rows_.store();
  return store.memory_bytes() + store.size() * sizeof(MatchRow) + machine_.memory_bytes() +
         order_.memory_bytes() + keys_.memory_bytes() + partitions_.capacity() * sizeof(MatchPartition) +
         timers_.capacity() * sizeof(Timer);
}

// ---- Saving
// ------------------------------------------------------------------------------------------------

void Match::save(StateChanges& changes) {
  rows_.store().save(node_.fingerprint, changes);
  for (const KeyId key : dirty_) save_partition(key, changes);
  dirty_.clear();
  if (!std::exchange(progress_changed_, false)) return;
  EntryBuffer value;
  ByteWriter& writer = value.begin();
  writer.zigzag(watermark_);
  writer.zigzag(intake_time_);
  writer.varint(machine_.given_up());
  changes.put(node_.fingerprint, std::string_view(&kProgressTag, 1), value.bytes());
}

void Match::save_partition(KeyId key, StateChanges& changes) {
  MatchPartition& partition = partitions_[key];
  partition.dirty = false;
  if (partition.is_empty()) {
    if (std::exchange(partition.saved, false)) changes.erase(node_.fingerprint, key_text(key));
    return;
  }
  partition.saved = true;
  EntryBuffer value;
  ByteWriter& writer = value.begin();
  writer.zigzag(partition.matches);
  writer.varint(partition.next);
  writer.varint(partition.rows.first());
  writer.varint(partition.threads.size());
  for (const MatchThread& thread : partition.threads) {
    writer.varint(thread.start);
    writer.varint(thread.end);
    const RowNumber last = thread.end != 0 ? thread.end : partition.next - 1;
    machine_.paths().read(thread.path, last - thread.start + 1, runs_);
    writer.varint(runs_.size());
    for (const PathRun& run : runs_) {
      writer.varint(run.position);
      writer.varint(run.count);
    }
  }
  changes.put(node_.fingerprint, key_text(key), value.bytes());
}

// ---- Loading
// -----------------------------------------------------------------------------------------------

Status Match::load(std::string_view key, std::string_view value) {
  if (rows_.store().owns(key)) return rows_.store().load(key, value).map([](RowStore::Handle) {});
  if (!key.empty() && key[0] == kPartitionTag) return load_partition(key.substr(1), value);
  if (key != std::string_view(&kProgressTag, 1)) return damaged();
  ByteReader reader(value);
  watermark_ = reader.zigzag();
  intake_time_ = reader.zigzag();
  machine_.set_given_up(reader.varint());
  return reader.ok() && reader.at_end() ? Status() : damaged();
}

Status Match::load_partition(std::string_view key, std::string_view value) {
  ByteReader cells(key);
  LEAT_ASSIGN(const KeyId id, keys_.read(cells));
  if (!cells.at_end()) return damaged();
  if (partitions_.size() < keys_.id_limit()) partitions_.resize(keys_.id_limit());
  if (saved_.size() < keys_.id_limit()) saved_.resize(keys_.id_limit());
  ByteReader reader(value);
  partitions_[id].matches = reader.zigzag();
  partitions_[id].saved = true;
  Saved& saved = saved_[id];
  saved.next = reader.varint();
  saved.first = reader.varint();
  const std::uint64_t threads = reader.varint();
  for (std::uint64_t i = 0; i < threads && reader.ok(); ++i) {
    auto& [thread, runs] = saved.threads.emplace_back();
    thread.start = reader.varint();
    thread.end = reader.varint();
    const std::uint64_t count = reader.varint();
    for (std::uint64_t r = 0; r < count && reader.ok(); ++r) {
      const auto position = static_cast<std::uint32_t>(reader.varint());
      if (position >= node_.automaton.positions.size()) return damaged();
      runs.push_back({position, reader.varint()});
      thread.position = position;
    }
  }
  return reader.ok() && reader.at_end() ? Status() : damaged();
}

Status Match::loaded() {
  const std::vector<RowStore::Handle> handles = rows_.store().in_sequence();
  std::vector<std::vector<std::pair<RowNumber, MatchRow>>> kept;
  if (!handles.empty()) {
    const std::vector<ColumnPtr> columns = rows_.store().gather(handles);
    look_up_keys(columns, handles.size());
    kept.resize(keys_.id_limit());
    const std::vector<std::uint64_t> truths = truths_of(columns, handles.size());
    const auto times = columns[node_.time_column]->values<std::int64_t>();
    for (std::size_t i = 0; i < handles.size(); ++i) {
      const MatchRow row{times[i], truths[i], {handles[i], true}};
      if (const std::int64_t mark = rows_.store().mark(handles[i]); mark > 0) {
        kept[key_ids_[i]].emplace_back(static_cast<RowNumber>(mark), row);
        continue;
      }
      WaitingRow& waiting = fresh_.emplace_back();
      waiting.row = row;
      waiting.key = key_ids_[i];
      if (!node_.order_by.empty()) waiting.order = order_bytes(node_.order_by, columns, i);
    }
  }
  order_.add(fresh_);
  LEAT_TRY(place_rows(kept));
  rows_.end();
  return {};
}

Status Match::place_rows(std::vector<std::vector<std::pair<RowNumber, MatchRow>>>& kept) {
  kept.resize(partitions_.size());
  saved_.resize(partitions_.size());
  for (KeyId key = 0; key < partitions_.size(); ++key) LEAT_TRY(place_partition(key, kept[key]));
  saved_ = {};
  return {};
}

Status Match::place_partition(KeyId key, std::vector<std::pair<RowNumber, MatchRow>>& rows) {
  MatchPartition& partition = partitions_[key];
  const Saved& saved = saved_[key];
  std::ranges::sort(rows, {}, [](const auto& row) { return row.first; });
  partition.rows.restart(saved.first);
  partition.next = saved.next;
  for (const auto& [number, row] : rows) {
    if (number != partition.rows.end()) return damaged();
    machine_.push(partition, row);
  }
  const RowNumber end = partition.rows.end();
  if (saved.first > saved.next || saved.next > end || end - saved.next > machine_.lookahead())
    return damaged();
  for (const auto& [thread, runs] : saved.threads) {
    const RowNumber last = thread.end != 0 ? thread.end : partition.next - 1;
    if (last < thread.start || !partition.rows.has(thread.start) || !partition.rows.has(last))
      return damaged();
    std::uint64_t rest = last - thread.start + 1;
    for (const PathRun& run : runs) {
      if (run.count == 0 || run.count > rest) return damaged();
      rest -= run.count;
    }
    if (rest != 0) return damaged();
    machine_.restore(partition, thread, runs);
  }
  if (!partition.threads.empty()) arm(partition, key);
  return {};
}

}  // namespace leat::exec
