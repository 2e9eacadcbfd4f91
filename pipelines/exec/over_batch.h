// OVER in batch mode: keeps all rows, and when the input has ended gives them out, partition by partition,
// with the values of the calls behind them. Its output's watermark stands still until then, so that nothing
// behind takes a row for late. Values are given out as they are made, a few thousand rows at a time, or fewer
// where each may hold the whole partition (ARRAY_AGG): what is held beside the rows is one partition.
//
// State, under the node's fingerprint: the rows (row_store.h) with the tag "r"; their mark is the intake
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/exec/operator.h"
#include "pipelines/exec/partition_calls.h"
#include "pipelines/exec/row_store.h"

namespace leat::exec {

class OverBatch final : public Operator {
 public:
  /// `memory_max` as in DataflowOptions: to go by between two batches that are given out.
  OverBatch(const plan::OverBatchNode& node, std::uint64_t memory_max);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override { rows_.save(fingerprint_, changes); }
  Status load(std::string_view key, std::string_view value) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return rows_.size(); }

 private:
  using Handles = std::vector<RowStore::Handle>;

  Status give_rows(Output& out);
  /// All rows, in the order of their arrival.
  [[nodiscard]] Handles arrived() const;
  /// The rows of each partition, in the order of their arrival.
  [[nodiscard]] std::vector<Handles> partitions(const Handles& all) const;
  [[nodiscard]] OverPartition sorted(const Handles& rows) const;
  Status give_partition(const OverPartition& partition, std::int64_t intake_time, Output& out);
  /// Gives out the rows `given_` with `results_`.
  Status emit_given(std::int64_t intake_time, Output& out);
  /// Errors: exhausted.
  [[nodiscard]] Status check_memory() const;

  std::string fingerprint_;
  std::vector<std::size_t> passed_;
  std::vector<std::size_t> partition_by_;
  std::vector<plan::SortKey> order_;
  std::optional<std::size_t> arrival_;  // As in OverBatchNode.
  std::vector<std::size_t> needed_;     // Columns that calls and the order read.
  RowStore rows_;
  std::vector<std::unique_ptr<PartitionCall>> calls_;
  std::vector<ColumnBuilder> results_;  // One per call, of the rows `given_`.
  Handles given_;
  std::size_t partition_bytes_ = 0;  // Of the partition that is being given out.
  bool holds_rows_ = false;          // Some result may hold as much as its whole frame.
  std::uint64_t memory_max_;
  OperatorCounters counters_;
};

}  // namespace leat::exec
