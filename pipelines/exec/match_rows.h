// Where the rows of MATCH_RECOGNIZE lie. While a batch is worked on, its rows are read from its columns; what
// is still needed behind it moves into a RowStore, whose rows are read back as columns, many at once where
// it is known which ones come next.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <deque>
#include <span>
#include <vector>

#include "pipelines/exec/row_store.h"

namespace leat::exec {

struct RowPlace {
  std::uint32_t index = 0;  ///< Row of the batch, or handle in the store.
  bool stored = false;
};

class MatchRows {
 public:
  explicit MatchRows(const std::vector<Type>& types) : store_(types, 'r') {}

  /// The rows to come lie in `columns`, which stay until `end`.
  void begin(const std::vector<ColumnPtr>& columns) { batch_ = &columns; }
  void end();

  /// A row as row `row` of `columns`; valid until `end`.
  struct Cells {
    const std::vector<ColumnPtr>* columns = nullptr;
    std::uint32_t row = 0;
  };
  Cells cells(RowPlace place);
  /// These rows of the store are about to be read.
  void preload(std::span<const RowStore::Handle> rows);

  /// Keeps a row beyond this batch, under `mark`.
  RowPlace keep(RowPlace place, std::int64_t mark);
  /// The row is not needed any more.
  void drop(RowPlace place);

  RowStore& store() { return store_; }
  [[nodiscard]] const RowStore& store() const { return store_; }

 private:
  RowStore store_;
  const std::vector<ColumnPtr>* batch_ = nullptr;
  std::deque<std::vector<ColumnPtr>> decoded_;
  absl::flat_hash_map<RowStore::Handle, Cells> places_;  // In `decoded_`.
};

}  // namespace leat::exec
