// OVER in batch mode: keeps all rows, and when the input has ended gives them out, partition by partition,
// with the values of the calls behind them. Its output's watermark stands still until then, so that nothing
// behind takes a row for late.
//
// State, under the node's fingerprint: the rows (row_store.h) with the tag "r"; their mark is the intake
// time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipelines/exec/operator.h"
#include "pipelines/exec/partition_calls.h"
#include "pipelines/exec/row_store.h"

namespace leat::exec {

class OverBatch final : public Operator {
 public:
  explicit OverBatch(const plan::OverBatchNode& node);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override { rows_.save(fingerprint_, changes); }
  Status load(std::string_view key, std::string_view value) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override { return rows_.memory_bytes(); }
  [[nodiscard]] std::size_t key_count() const override { return rows_.size(); }

 private:
  using Handles = std::vector<RowStore::Handle>;

  Status give_rows(Output& out);
  /// The rows of each partition, in the order of their arrival.
  [[nodiscard]] std::vector<Handles> partitions(const Handles& all) const;
  [[nodiscard]] OverPartition sorted(const Handles& rows) const;
  /// Gives out the rows `given_` with `results_`.
  Status emit_given(std::int64_t intake_time, Output& out);

  std::string fingerprint_;
  std::vector<std::size_t> passed_;
  std::vector<std::size_t> partition_by_;
  std::vector<plan::SortKey> order_;
  std::vector<std::size_t> needed_;  // Columns that calls and the order read.
  RowStore rows_;
  std::vector<std::unique_ptr<PartitionCall>> calls_;
  std::vector<ColumnBuilder> results_;  // One per call, of the rows `given_`.
  Handles given_;
  OperatorCounters counters_;
};

}  // namespace leat::exec
