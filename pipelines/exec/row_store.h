// Rows that an operator keeps between batches: the buffers of OVER and MATCH_RECOGNIZE, the sides of a join,
// the candidates of a Top-N. Each row has a sequence number (its arrival at the store, never reused), and a
// mark, a number that the operator may use for what it must remember of the row (matches found, …). A commit
// writes only the rows that came, changed their mark or went since the last one.
//
// Cells are kept column by column as batches have them. Handles are small and reused after `erase`: an
// operator's own index of keys and times holds them, and is built anew after a restart from `in_sequence`.
//
// State, under the node's fingerprint, for the store with the tag t:
//   key   := t fixed64 sequence (big endian)
//   value := zigzag mark, [zigzag written,] cell…        (cells as column/codec.h writes them)
// `written` is there in stores that keep it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/stored_column.h"

namespace leat::exec {

class RowStore {
 public:
  using Handle = std::uint32_t;

  /// Whether the store keeps with each row when it was last written (state_ttl.h).
  enum class Times : std::uint8_t { kNone, kWritten };

  /// `types` are the columns of the rows. `tag` tells the entries of this store from the operator's others.
  RowStore(std::vector<Type> types, char tag, Times times = Times::kNone);

  /// Keeps row `row` of `columns`, which have the store's types.
  Handle add(std::span<const ColumnPtr> columns, std::size_t row, std::int64_t mark = 0);
  void erase(Handle row);
  void set_mark(Handle row, std::int64_t mark);
  /// For Times::kWritten, as is `written`.
  void set_written(Handle row, std::int64_t time);

  [[nodiscard]] std::int64_t mark(Handle row) const { return slots_[row].mark; }
  [[nodiscard]] std::int64_t written(Handle row) const { return written_[row]; }
  /// 0: there is no such row (any more).
  [[nodiscard]] std::uint64_t sequence(Handle row) const { return slots_[row].sequence; }
  /// True if its cells are those of row `row` of `columns`, NULLs included.
  [[nodiscard]] bool equals(Handle handle, std::span<const ColumnPtr> columns, std::size_t row) const;
  /// Appends the row's cells, one to each builder.
  void append(Handle row, std::span<ColumnBuilder> out) const;
  /// In `gather`: a row of NULLs.
  static constexpr Handle kNone = StoredColumn::kNoSlot;
  /// The rows as columns, in this order.
  [[nodiscard]] std::vector<ColumnPtr> gather(std::span<const Handle> rows) const;
  [[nodiscard]] ColumnPtr gather_column(std::size_t column, std::span<const Handle> rows) const {
    return columns_[column].gather(rows);
  }
  [[nodiscard]] const std::vector<Type>& types() const { return types_; }

  /// All rows, in the order of their sequence numbers.
  [[nodiscard]] std::vector<Handle> in_sequence() const;
  [[nodiscard]] std::size_t size() const { return slots_.size() - free_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const;

  void save(std::string_view node, StateChanges& changes);
  /// What came and went since the last save is not to be saved: the rows are a copy of what others keep.
  void forget_changes();
  /// True for the keys of entries of this store.
  [[nodiscard]] bool owns(std::string_view key) const { return !key.empty() && key[0] == tag_; }
  /// Errors: corrupt.
  Result<Handle> load(std::string_view key, std::string_view value);

 private:
  enum class Saved : std::uint8_t { kNever, kOutdated, kAsItIs };
  struct Slot {
    std::uint64_t sequence = 0;  // 0: free.
    std::int64_t mark = 0;
    Saved saved = Saved::kNever;
  };

  Handle take_slot(std::uint64_t sequence);
  void touch(Handle row);
  void outdate(Handle row);
  [[nodiscard]] std::string key_of(std::uint64_t sequence) const;
  Status read_cells(Handle row, std::string_view cells);

  std::vector<Type> types_;
  char tag_;
  Times times_;
  std::vector<StoredColumn> columns_;
  std::vector<Slot> slots_;
  std::vector<std::int64_t> written_;  // By handle, for Times::kWritten.
  std::vector<Handle> free_;
  std::uint64_t next_sequence_ = 1;
  // Since the last save: rows that came or changed (some may be gone again), and saved rows that went.
  std::vector<std::pair<Handle, std::uint64_t>> touched_;
  std::vector<std::uint64_t> gone_;
};

}  // namespace leat::exec
