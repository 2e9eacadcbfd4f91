// Rows that wait for their turn in MATCH_RECOGNIZE: until the watermark has reached their time, then in the
// order of time, of the further keys of ORDER BY, and of arrival.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pipelines/exec/key_map.h"
#include "pipelines/exec/match_partition.h"
#include "pipelines/plan/match_node.h"

namespace leat::exec {

struct WaitingRow {
  MatchRow row;
  KeyId key = 0;
  std::string order;  ///< Orders as the further keys do, by its bytes; empty if there are none.
};

/// The further keys of a row as bytes that compare as they do.
std::string order_bytes(std::span<const plan::MatchSortKey> keys, const std::vector<ColumnPtr>& columns,
                        std::size_t row);

class MatchOrder {
 public:
  /// Adds rows in the order of their arrival, behind all that were added before.
  void add(std::vector<WaitingRow>& rows);

  [[nodiscard]] bool has_until(std::int64_t time) const {
    return head_ < rows_.size() && rows_[head_].row.time <= time;
  }
  [[nodiscard]] const WaitingRow& front() const { return rows_[head_]; }
  void pop() { ++head_; }
  /// All that wait, in order.
  [[nodiscard]] std::span<WaitingRow> waiting() { return std::span(rows_).subspan(head_); }
  /// Frees the room of what is gone.
  void compact();

  [[nodiscard]] std::size_t memory_bytes() const { return rows_.capacity() * sizeof(WaitingRow); }

 private:
  std::vector<WaitingRow> rows_;
  std::size_t head_ = 0;
};

}  // namespace leat::exec
