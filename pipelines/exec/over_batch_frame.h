// One partition of OVER in batch mode, whole and in its order, and the rows that the frame of each row
// covers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/exec/sort_key.h"
#include "pipelines/plan/over_batch_node.h"

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

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(handles.size()); }
};

class FrameSpans {
 public:
  FrameSpans(const plan::BatchFrame& frame, const std::vector<plan::SortKey>& order);

  /// The frame of each row; empty if it ends where it begins or before. From row to row neither edge goes
  /// back. Valid until the next call.
  std::span<const RowSpan> of(const OverPartition& partition);

 private:
  /// Where the edge is for row `row`; `behind` is 1 for the end of a frame, which is the row behind its last.
  [[nodiscard]] std::uint32_t plain_edge(const plan::FrameEdge& edge, const OverPartition& partition,
                                         std::uint32_t row, std::uint32_t behind) const;
  void write_keys(const OverPartition& partition);
  void set_value_begins(const OverPartition& partition);
  void set_value_ends(const OverPartition& partition);

  plan::BatchFrame frame_;
  SortKeyWriter values_;  ///< Writes keys of `frame_.value`, `lower_` and `upper_` those of the edges.
  SortKeyWriter lower_;
  SortKeyWriter upper_;
  std::vector<std::string> keys_;  ///< By row.
  std::vector<RowSpan> spans_;
};

}  // namespace leat::exec
