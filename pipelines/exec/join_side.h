// One input of a join as the join keeps it: its rows, found by key. The rows of a key are a list in the order
// of their arrival, so what the join gives out has an order that no restart changes.
//
// With a time to live a row is written when it comes and when its mark is set.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pipelines/exec/key_map.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/exec/state_ttl.h"

namespace leat::exec {

class JoinSide {
 public:
  using Handle = RowStore::Handle;
  static constexpr Handle kNone = static_cast<Handle>(-1);

  /// `ttl` is the operator's for this side, and outlives this.
  JoinSide(std::vector<Type> types, char tag, const StateTtl& ttl);

  /// Keeps row `row` of `columns` under `key`.
  Handle add(std::span<const ColumnPtr> columns, std::size_t row, KeyId key, std::int64_t mark);
  /// Takes a row that `load` has read back into the list of its key; in the order of their sequence.
  void enter(Handle row, KeyId key);
  void erase(Handle row);
  void set_mark(Handle row, std::int64_t mark);
  /// The oldest row of `key` with the same cells that has not expired; kNone if there is none.
  [[nodiscard]] Handle find(std::span<const ColumnPtr> columns, std::size_t row, KeyId key) const;

  /// The first row of a key, and the one behind a row; kNone at the end.
  [[nodiscard]] Handle first(KeyId key) const { return key < lists_.size() ? lists_[key].first : kNone; }
  [[nodiscard]] Handle next(Handle row) const { return links_[row].next; }
  /// True if the row counts as gone at the time of `ttl`.
  [[nodiscard]] bool expired(Handle row, const StateTtl& ttl) const {
    return ttl.enabled() && ttl.expired(rows_.written(row));
  }
  /// A row that has expired, to be erased; kNone: there is no more for now.
  [[nodiscard]] Handle next_expired();
  [[nodiscard]] KeyId key_of(Handle row) const { return links_[row].key; }

  RowStore& rows() { return rows_; }
  [[nodiscard]] const RowStore& rows() const { return rows_; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Link {
    Handle next = kNone;
    Handle previous = kNone;
    KeyId key = 0;
  };
  struct List {
    Handle first = kNone;
    Handle last = kNone;
  };

  const StateTtl& ttl_;
  RowStore rows_;
  ExpiryQueue<Handle> expiries_;
  std::vector<Link> links_;  // By handle.
  std::vector<List> lists_;  // By key.
};

}  // namespace leat::exec
