// The rows of many partitions, each partition sorted: what Top-N and OVER a stream keep. Knows orders and
// places only; what follows from a place is its user's.
//
// State, under the node's fingerprint: the rows (row_store.h, tag "r"); places are found anew.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pipelines/exec/key_map.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/exec/sort_key.h"
#include "pipelines/plan/rank_node.h"

namespace leat::exec {

class RankedRows {
 public:
  using Handle = RowStore::Handle;
  enum class Ties : std::uint8_t { kFirstArrival, kLastArrival };

  RankedRows(const Schema& input, std::vector<std::size_t> partition_by, std::vector<plan::SortKey> order,
             Ties ties);
  RankedRows(const plan::NumberingNode& node, Ties ties)
      : RankedRows(node.inputs[0]->schema, node.partition_by, node.order, ties) {}

  /// The partitions of a batch's rows.
  void look_up(const Batch& batch, std::vector<KeyId>& ids);

  /// The place, from 0, that row `row` of `batch` would have.
  std::size_t place_of(KeyId partition, const Batch& batch, std::size_t row);
  /// Inserts that row there.
  void insert(KeyId partition, std::size_t place, const Batch& batch, std::size_t row);
  /// The place of the first row with the same cells; `size(partition)`: there is none.
  std::size_t find(KeyId partition, const Batch& batch, std::size_t row);
  /// The place of the first row that is equal in the order to the one at `place`.
  [[nodiscard]] std::size_t first_equal(KeyId partition, std::size_t place) const;
  /// True if the rows are equal in the order.
  [[nodiscard]] bool equal(Handle a, Handle b) const { return sort_keys_[a] == sort_keys_[b]; }
  void erase(KeyId partition, std::size_t place);
  void clear(KeyId partition);

  /// All partitions with rows are below.
  [[nodiscard]] std::size_t partition_limit() const { return partitions_.size(); }
  [[nodiscard]] std::size_t size(KeyId partition) const { return partitions_[partition].size(); }
  [[nodiscard]] Handle at(KeyId partition, std::size_t place) const { return partitions_[partition][place]; }
  /// All rows of the partition, in order; valid until one comes or goes.
  [[nodiscard]] std::span<const Handle> of(KeyId partition) const { return partitions_[partition]; }
  [[nodiscard]] const RowStore& rows() const { return rows_; }
  KeyMap& keys() { return keys_; }

  void save(std::string_view node, StateChanges& changes) { rows_.save(node, changes); }
  [[nodiscard]] bool owns(std::string_view key) const { return rows_.owns(key); }
  Status load(std::string_view key, std::string_view value);
  /// All entries are loaded: the rows find their places.
  void loaded();
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  void place_loaded(KeyId partition, Handle handle, std::string key);
  [[nodiscard]] std::size_t place_of_key(KeyId partition, const std::string& key) const;
  void remember(Handle handle, std::string key);

  std::vector<std::size_t> partition_by_;
  Ties ties_;
  SortKeyWriter writer_;
  KeyMap keys_;
  RowStore rows_;
  std::vector<std::vector<Handle>> partitions_;
  std::vector<std::string> sort_keys_;  // By handle.
  std::size_t sort_key_bytes_ = 0;
  std::vector<ColumnPtr> key_columns_;
  std::string scratch_;
};

}  // namespace leat::exec
