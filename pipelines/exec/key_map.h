// From the cells of the key columns to small dense numbers, and back: what every operator with keyed state
// starts from. Numbers are reused after `erase`, so they index plain vectors.
//
// Keys are hashed column-wise for a whole batch, then looked up. A single key column of an integer layout or
// of strings has its own representation; every other key is the bytes of its cells as column/codec.h writes
// them, which makes NULL equal NULL as GROUP BY wants it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pipelines/base/bytes.h"
#include "pipelines/column/column.h"
#include "pipelines/column/column_builder.h"

namespace leat::exec {

using KeyId = std::uint32_t;

class KeyMap {
 public:
  explicit KeyMap(std::vector<Type> types);

  /// The number of each row's key, new keys included. `columns` are the key columns, `rows` long.
  void lookup(std::span<const ColumnPtr> columns, std::size_t rows, std::vector<KeyId>& ids);

  /// Appends the key's cells, one to each builder.
  void append_cells(KeyId id, std::span<ColumnBuilder> out) const;
  /// The key's cells in the grammar of column/codec.h, one after the other.
  void write(KeyId id, ByteWriter& out) const;
  /// The number of the key that `write` wrote. Errors: corrupt.
  Result<KeyId> read(ByteReader& in);

  /// Forgets a key; its number may be given to another one.
  void erase(KeyId id);
  /// Forgets every key that has no uses; `uses` is indexed by number, what lies behind its end has none.
  void sweep(std::span<const std::uint32_t> uses);

  /// Keys held.
  [[nodiscard]] std::size_t size() const { return hashes_.size() - free_.size(); }
  /// All numbers are below this one.
  [[nodiscard]] std::size_t id_limit() const { return hashes_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  enum class Form : std::uint8_t { kInteger, kString, kCells };

  void lookup_integers(const Column& column, std::vector<KeyId>& ids);
  void lookup_strings(const Column& column, std::vector<KeyId>& ids);
  void lookup_cells(std::span<const ColumnPtr> columns, std::size_t rows, std::vector<KeyId>& ids);
  KeyId find_integer(std::int64_t value, std::uint64_t hash);
  KeyId find_text(std::string_view text, std::uint64_t hash);
  KeyId find_null();
  KeyId take_id(std::uint64_t hash);
  void place(KeyId id);
  void make_room();
  [[nodiscard]] std::vector<bool> free_ids() const;

  std::vector<Type> types_;
  Form form_;
  // Open addressing with linear probing: the upper half of the hash, then the number plus one; 0 is free.
  std::vector<std::uint64_t> slots_;
  // By number.
  std::vector<std::uint64_t> hashes_;
  std::vector<std::int64_t> integers_;  // kInteger
  std::vector<std::string> texts_;      // kString, kCells
  std::size_t text_heap_bytes_ = 0;
  std::vector<KeyId> free_;
  KeyId null_id_ = 0;  // The number of the single NULL key plus one; 0: none. Not in `slots_`.
  // Scratch of one lookup.
  std::vector<std::uint64_t> row_hashes_;
  std::string cells_;
};

}  // namespace leat::exec
