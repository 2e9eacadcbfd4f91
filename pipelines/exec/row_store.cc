#include "pipelines/exec/row_store.h"

#include <algorithm>

#include "pipelines/column/codec.h"
#include "pipelines/exec/keyed_state.h"

namespace leat::exec {

RowStore::RowStore(std::vector<Type> types, char tag, Times times)
    : types_(std::move(types)), tag_(tag), times_(times) {
  for (const Type& type : types_) columns_.emplace_back(type);
}

RowStore::Handle RowStore::take_slot(std::uint64_t sequence) {
  Handle row = static_cast<Handle>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
    if (times_ == Times::kWritten) written_.push_back(0);
    for (StoredColumn& column : columns_) column.reach(slots_.size());
  } else {
    row = free_.back();
    free_.pop_back();
  }
  slots_[row].sequence = sequence;
  slots_[row].saved = Saved::kNever;
  return row;
}

void RowStore::touch(Handle row) {
  touched_.emplace_back(row, slots_[row].sequence);
}

RowStore::Handle RowStore::add(std::span<const ColumnPtr> columns, std::size_t row, std::int64_t mark) {
  const Handle handle = take_slot(next_sequence_++);
  slots_[handle].mark = mark;
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].set(handle, *columns[i], row);
  touch(handle);
  return handle;
}

void RowStore::erase(Handle row) {
  Slot& slot = slots_[row];
  if (slot.saved != Saved::kNever) gone_.push_back(slot.sequence);
  for (StoredColumn& column : columns_) column.clear(row);
  slot.sequence = 0;
  free_.push_back(row);
}

void RowStore::set_mark(Handle row, std::int64_t mark) {
  Slot& slot = slots_[row];
  if (slot.mark == mark) return;
  slot.mark = mark;
  outdate(row);
}

void RowStore::set_written(Handle row, std::int64_t time) {
  if (written_[row] == time) return;
  written_[row] = time;
  outdate(row);
}

void RowStore::outdate(Handle row) {
  Slot& slot = slots_[row];
  if (slot.saved != Saved::kAsItIs) return;
  slot.saved = Saved::kOutdated;
  touch(row);
}

bool RowStore::equals(Handle handle, std::span<const ColumnPtr> columns, std::size_t row) const {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (!columns_[i].equals(handle, *columns[i], row)) return false;
  return true;
}

void RowStore::append(Handle row, std::span<ColumnBuilder> out) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].append(row, out[i]);
}

std::vector<ColumnPtr> RowStore::gather(std::span<const Handle> rows) const {
  std::vector<ColumnPtr> columns;
  for (const StoredColumn& column : columns_) columns.push_back(column.gather(rows));
  return columns;
}

std::vector<RowStore::Handle> RowStore::in_sequence() const {
  std::vector<Handle> rows;
  rows.reserve(size());
  for (Handle row = 0; row < slots_.size(); ++row)
    if (slots_[row].sequence != 0) rows.push_back(row);
  std::ranges::sort(rows, {}, [this](Handle row) { return slots_[row].sequence; });
  return rows;
}

std::size_t RowStore::memory_bytes() const {
  std::size_t bytes = 0;
  for (const StoredColumn& column : columns_) bytes += column.memory_bytes();
  return bytes + slots_.capacity() * sizeof(Slot) + written_.capacity() * sizeof(written_[0]) +
         free_.capacity() * sizeof(Handle) + touched_.capacity() * sizeof(touched_[0]) +
         gone_.capacity() * sizeof(gone_[0]);
}

// ---- State -----------------------------------------------------------------------------------------------

std::string RowStore::key_of(std::uint64_t sequence) const {
  std::string key(9, tag_);
  for (std::size_t i = 8; i > 0; --i, sequence >>= 8) key[i] = static_cast<char>(sequence & 0xff);
  return key;
}

void RowStore::forget_changes() {
  touched_.clear();
  gone_.clear();
}

void RowStore::save(std::string_view node, StateChanges& changes) {
  for (const std::uint64_t sequence : gone_) changes.erase(node, key_of(sequence));
  gone_.clear();
  std::vector<Handle> rows;
  for (const auto& [row, sequence] : touched_) {
    Slot& slot = slots_[row];
    if (slot.sequence != sequence || slot.saved == Saved::kAsItIs) continue;
    slot.saved = Saved::kAsItIs;
    rows.push_back(row);
  }
  touched_.clear();
  const std::vector<ColumnPtr> columns = gather(rows);
  EntryBuffer value;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ByteWriter& writer = value.begin();
    writer.zigzag(slots_[rows[i]].mark);
    if (times_ == Times::kWritten) writer.zigzag(written_[rows[i]]);
    for (const ColumnPtr& column : columns) write_cell(*column, i, writer);
    changes.put(node, key_of(slots_[rows[i]].sequence), value.bytes());
  }
}

Status RowStore::read_cells(Handle row, std::string_view cells) {
  ByteReader reader(cells);
  for (StoredColumn& column : columns_) {
    ColumnBuilder cell(column.type());
    LEAT_TRY(read_cell(reader, cell));
    column.set(row, *cell.finish(), 0);
  }
  if (!reader.ok() || !reader.at_end()) return fail(ErrorCode::kCorrupt, "a saved row is damaged");
  return {};
}

Result<RowStore::Handle> RowStore::load(std::string_view key, std::string_view value) {
  if (key.size() != 9) return fail(ErrorCode::kCorrupt, "the key of a saved row is damaged");
  std::uint64_t sequence = 0;
  for (std::size_t i = 1; i < 9; ++i) sequence = (sequence << 8) | static_cast<unsigned char>(key[i]);
  ByteReader reader(value);
  const std::int64_t mark = reader.zigzag();
  const std::int64_t written = times_ == Times::kWritten ? reader.zigzag() : 0;
  if (!reader.ok() || sequence == 0) return fail(ErrorCode::kCorrupt, "a saved row is damaged");
  const Handle row = take_slot(sequence);
  slots_[row].mark = mark;
  slots_[row].saved = Saved::kAsItIs;
  if (times_ == Times::kWritten) written_[row] = written;
  LEAT_TRY(read_cells(row, reader.rest()));
  next_sequence_ = std::max(next_sequence_, sequence + 1);
  return row;
}

}  // namespace leat::exec
