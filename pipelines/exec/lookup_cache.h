// Rows that a lookup join has been told of, by key, so that not every batch asks again. Bounded: what has not
// been asked for the longest time goes first. It is emptied when the table changes, so it is never wrong; no
// part of it is saved.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <vector>

#include "pipelines/exec/join_keys.h"
#include "pipelines/exec/lookup_table.h"
#include "pipelines/exec/row_store.h"

namespace leat::exec {

class LookupCache {
 public:
  LookupCache(const plan::LookupJoinNode& node, LookupCaching caching);

  /// The keys of the left rows, as JoinKeys numbers them.
  std::span<const KeyId> keys_of(std::span<const ColumnPtr> columns, std::size_t rows) {
    return keys_.lookup(0, columns, rows);
  }
  /// False: the table must be asked for it. Marks it as used.
  bool knows(KeyId key);
  /// The answer to `asked`, one of whose keys each match has. Their columns are the table's.
  void add(std::span<const KeyId> asked, const LookupTable::Matches& matches);
  [[nodiscard]] std::span<const RowStore::Handle> rows_of(KeyId key) const { return entries_[key].rows; }
  [[nodiscard]] const RowStore& rows() const { return rows_; }

  /// A batch is over: keeps within the bounds. Key numbers are void.
  void shrink();
  void clear();

  [[nodiscard]] std::size_t size() const { return recent_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Entry {
    bool known = false;
    std::vector<RowStore::Handle> rows;
    std::list<KeyId>::iterator place;
  };
  void forget(KeyId key);
  [[nodiscard]] bool over() const;

  LookupCaching caching_;
  JoinKeys keys_;
  RowStore rows_;
  std::vector<Entry> entries_;  // By key.
  std::list<KeyId> recent_;     // Known keys, the one that was asked for last in front.
  std::uint64_t weight_ = 0;    // Rows, and keys without any.
};

}  // namespace leat::exec
