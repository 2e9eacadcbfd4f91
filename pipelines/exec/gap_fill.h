// GAP_FILL: rows that are missing between two of a key (plan/gap_fill_node.h). The rows come in the order of
// their time; of each key the last one is kept for as long as a row may come that closes a gap behind it.
//
// State, under the node's fingerprint:
//   "r" sequence => the last row of a key (row_store.h); its mark is its time
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/plan/gap_fill_node.h"

namespace leat::exec {

class GapFill final : public Operator {
 public:
  GapFill(const plan::GapFillNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return rows_.size(); }

 private:
  static constexpr RowStore::Handle kNone = RowStore::kNone;
  struct Last {
    std::int64_t time = 0;
    KeyId key = 0;
  };

  [[nodiscard]] std::int64_t held_back(std::int64_t watermark) const;
  Status take_row(const Batch& batch, std::uint32_t row, Output& out);
  /// The rows between `before`, one row, and row `row` of `batch`.
  Status fill(const std::vector<ColumnPtr>& before, const Batch& batch, std::uint32_t row, Output& out);
  void add_filled(const std::vector<ColumnPtr>& before, const Batch& batch, std::uint32_t row,
                  std::int64_t time);
  void forget_until(std::int64_t time);
  void end_row(std::int64_t watermark, std::int64_t intake, bool filled);
  Batch take(std::int64_t watermark_after);

  std::string fingerprint_;
  std::vector<std::size_t> passed_;
  std::vector<std::size_t> key_columns_;
  std::size_t time_column_;
  std::int64_t step_;
  std::int64_t max_gap_;
  bool gives_filled_;
  std::vector<bool> is_linear_;  // By column of the input.
  KeyMap keys_;
  RowStore rows_;
  std::vector<RowStore::Handle> last_;  // By key.
  std::deque<Last> in_order_;           // Of the kept rows; some have been replaced.
  OperatorCounters counters_;

  std::vector<ColumnBuilder> cells_;  // By column of the input, and `filled`.
  std::vector<std::int64_t> watermarks_;
  std::vector<std::int64_t> intakes_;
  std::vector<KeyId> ids_;
  std::vector<ColumnPtr> key_cells_;
};

}  // namespace leat::exec
