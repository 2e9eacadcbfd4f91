#include "pipelines/exec/row_store.h"

#include <algorithm>

#include "pipelines/column/codec.h"
#include "pipelines/exec/keyed_state.h"

namespace leat::exec {

RowStore::RowStore(std::vector<Type> types, char tag) : types_(std::move(types)), tag_(tag) {}

RowStore::Handle RowStore::take_slot(std::uint64_t sequence) {
  Handle row = static_cast<Handle>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
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
  Slot& slot = slots_[handle];
  slot.mark = mark;
  ByteWriter writer(slot.cells);
  for (const ColumnPtr& column : columns) write_cell(*column, row, writer);
  cell_bytes_ += slot.cells.capacity();
  touch(handle);
  return handle;
}

void RowStore::erase(Handle row) {
  Slot& slot = slots_[row];
  if (slot.saved != Saved::kNever) gone_.push_back(slot.sequence);
  cell_bytes_ -= slot.cells.capacity();
  slot.cells = {};
  slot.sequence = 0;
  free_.push_back(row);
}

void RowStore::set_mark(Handle row, std::int64_t mark) {
  Slot& slot = slots_[row];
  if (slot.mark == mark) return;
  slot.mark = mark;
  if (slot.saved != Saved::kAsItIs) return;
  slot.saved = Saved::kOutdated;
  touch(row);
}

void RowStore::append(Handle row, std::span<ColumnBuilder> out) const {
  ByteReader reader(slots_[row].cells);
  for (ColumnBuilder& column : out)
    (void)read_cell(reader, column);  // Checked when it was written or loaded.
}

std::vector<ColumnPtr> RowStore::gather(std::span<const Handle> rows) const {
  std::vector<ColumnBuilder> builders;
  for (const Type& type : types_) builders.emplace_back(type).reserve(rows.size());
  for (const Handle row : rows) append(row, builders);
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : builders) columns.push_back(builder.finish());
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
  return cell_bytes_ + slots_.capacity() * sizeof(Slot) + free_.capacity() * sizeof(Handle) +
         touched_.capacity() * sizeof(touched_[0]) + gone_.capacity() * sizeof(gone_[0]);
}

// ---- State -----------------------------------------------------------------------------------------------

std::string RowStore::key_of(std::uint64_t sequence) const {
  std::string key(9, tag_);
  for (std::size_t i = 8; i > 0; --i, sequence >>= 8) key[i] = static_cast<char>(sequence & 0xff);
  return key;
}

void RowStore::save(std::string_view node, StateChanges& changes) {
  for (const std::uint64_t sequence : gone_) changes.erase(node, key_of(sequence));
  gone_.clear();
  EntryBuffer value;
  for (const auto& [row, sequence] : touched_) {
    Slot& slot = slots_[row];
    if (slot.sequence != sequence || slot.saved == Saved::kAsItIs) continue;
    ByteWriter& writer = value.begin();
    writer.zigzag(slot.mark);
    writer.raw(slot.cells);
    changes.put(node, key_of(sequence), value.bytes());
    slot.saved = Saved::kAsItIs;
  }
  touched_.clear();
}

Status RowStore::check_cells(std::string_view cells) const {
  ByteReader reader(cells);
  for (const Type& type : types_) {
    ColumnBuilder builder(type);
    LEAT_TRY(read_cell(reader, builder));
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
  if (!reader.ok() || sequence == 0) return fail(ErrorCode::kCorrupt, "a saved row is damaged");
  LEAT_TRY(check_cells(reader.rest()));
  const Handle row = take_slot(sequence);
  slots_[row].cells = reader.rest();
  slots_[row].mark = mark;
  slots_[row].saved = Saved::kAsItIs;
  cell_bytes_ += slots_[row].cells.capacity();
  next_sequence_ = std::max(next_sequence_, sequence + 1);
  return row;
}

}  // namespace leat::exec
