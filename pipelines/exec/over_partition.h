// One partition of OVER in an order of values, whole and sorted, and the rows that the frame of each row
// covers.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/exec/sort_key.h"
#include "pipelines/plan/ordered_over_node.h"

namespace leat::exec {

/// Rows [begin, end) of a partition.
struct RowSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct OverPartition {
  std::vector<RowStore::Handle> handles;  ///< In the order of the window.
  Batch rows;                             ///< The same rows; columns that no call needs are null.
  std::vector<RowSpan> peers;             ///< Of each row: the rows that are equal to it in the order.
  std::vector<std::int64_t> arrivals;     ///< Rising with the arrival of the rows; in batch mode.

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(handles.size()); }
};

/// `equals_last(row)`: the row is equal in the order to the one before it.
std::vector<RowSpan> peer_spans(std::uint32_t size, const std::function<bool(std::uint32_t)>& equals_last);
/// Columns of the input that the node's own columns, its order and its partition need.
std::vector<std::size_t> needed_columns(const plan::OrderedOverNode& node);

class FrameSpans {
 public:
  FrameSpans(const plan::OrderedFrame& frame, const std::vector<plan::SortKey>& order);

  /// The frame of each row; empty if it ends where it begins or before. From row to row neither edge goes
  /// back. Valid until the next call.
  std::span<const RowSpan> of(const OverPartition& partition);

 private:
  /// Where the edge is for row `row`; `behind` is 1 for the end of a frame, which is the row behind its last.
  [[nodiscard]] std::uint32_t plain_edge(const plan::FrameEdge& edge, const OverPartition& partition,
                                         std::uint32_t row, std::uint32_t behind) const;
  void write_keys(const OverPartition& partition);
  /// All rows whose value is not NULL.
  [[nodiscard]] RowSpan rows_with_values(const OverPartition& partition) const;
  void set_value_begins(const OverPartition& partition);
  void set_value_ends(const OverPartition& partition);

  plan::OrderedFrame frame_;
  SortKeyWriter values_;  ///< Writes keys of `frame_.value`, `lower_` and `upper_` those of the edges.
  SortKeyWriter lower_;
  SortKeyWriter upper_;
  std::vector<std::string> keys_;  ///< By row.
  std::vector<RowSpan> spans_;
};

}  // namespace leat::exec
