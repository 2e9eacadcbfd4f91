// The order of rows as bytes: keys that compare byte by byte as ORDER BY wants the rows. Ties are the user's.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/plan/passing_node.h"

namespace leat::exec {

class SortKeyWriter {
 public:
  explicit SortKeyWriter(std::vector<plan::SortKey> keys) : keys_(std::move(keys)) {}

  /// Replaces `key` by that of row `row` of `columns`.
  ///   key  := cell…
  ///   cell := u8 (NULL or value, in the order that is asked for), then for a value, all bits turned when it
  ///           is descending: integers big endian from the least; floats by their order, NaN last; text
  ///           with each 00 as 00 ff, then 00 00
  void write(std::span<const ColumnPtr> columns, std::size_t row, std::string& key) const;

 private:
  std::vector<plan::SortKey> keys_;
};

}  // namespace leat::exec
