// The beginning of a dataflow: what happens to the rows of one table before any operator sees them.
//
// Two steps, so that the caller can merge several bounded tables by row time in between. `prepare` computes
// the table's columns; `process` takes the watermark of each row, then applies the pushed-down filter (which
// thereby hides no row from the watermark), then drops the columns that nobody reads. Rows without a rowtime,
// and rows further ahead of their intake time than 'scan.watermark.max-ahead', go to the dead letters and
// move no watermark.
//
// State, under the node's fingerprint: key "m", value := zigzag watermark; and the partitions' entries
// (watermark.h). Quiet time is not saved: a start counts anew. A watermark that rose in quiet time alone is
// saved with the next row; what fired by it has its own watermark in the state of the operator that fired.
#pragma once

#include <optional>
#include <vector>

#include "pipelines/exec/dataflow.h"
#include "pipelines/exec/evaluate.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/watermark.h"

namespace leat::exec {

class Scan final : public Operator {
 public:
  /// `clock_plausible_from`: see DataflowOptions.
  Scan(const plan::ScanNode& node, OperatorContext context, std::int64_t clock_plausible_from);

  /// The decoded batch's table columns; see Dataflow::prepare. Row times stay valid until the next call.
  Result<Prepared> prepare(Batch batch);
  /// See Dataflow::restamp.
  void restamp(Batch& prepared) const;
  /// A prepared batch.
  Status process(std::size_t input, const Batch& batch, Output& out) override;
  /// The watermark rises to `watermark`: the idle rules, or the end of the input.
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;

  /// See Dataflow::change_splits. Gives the watermark that the splits let through now.
  std::int64_t change_splits(const SplitChanges& changes);

  /// Time passed. The source was connected with an empty queue (`quiet`) or not. Gives the watermark that its
  /// idle partitions let through; `advance` makes it so.
  std::int64_t pass_time(std::int64_t elapsed, SourceStatus status);
  /// How long beyond its idle time-out the source has been quiet; nothing if it is not idle.
  [[nodiscard]] std::optional<std::int64_t> idle_for() const;
  [[nodiscard]] bool has_watermark() const { return spec_.has_value(); }
  [[nodiscard]] std::int64_t watermark() const { return watermark_; }

  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return partitions_ ? partitions_->size() : 0; }

 private:
  Result<Batch> reject_bad_times(const Batch& batch);
  void find_bad_times(const Batch& batch, functions::RowErrors& errors) const;
  [[nodiscard]] bool is_deletion(const Batch& batch, std::size_t row) const;
  Result<Batch> take_watermarks(Batch batch);
  Result<std::vector<std::uint32_t>> apply_filter(const Batch& batch);
  Result<std::vector<std::uint32_t>> reject(const Schema& schema, const Batch& batch,
                                            const functions::RowErrors& errors);

  OperatorContext context_;
  std::string fingerprint_;
  Schema decoded_schema_;
  Schema row_schema_;
  std::vector<Evaluator> rows_;
  std::optional<plan::WatermarkSpec> spec_;
  std::optional<Evaluator> watermark_expr_;
  std::optional<Evaluator> filter_;
  std::optional<std::size_t> deletion_;
  std::vector<std::size_t> output_;
  std::int64_t clock_plausible_from_ = 0;
  OperatorCounters counters_;

  std::int64_t watermark_ = kMinWatermark;
  bool changed_ = false;  // Since the last save.
  std::optional<PartitionWatermarks> partitions_;
  std::int64_t quiet_clock_ = 0;  // Quiet time since the start; what partitions are judged by.
  std::int64_t quiet_for_ = 0;    // Quiet time since the last row or disconnection.
  // Scratch.
  std::vector<std::int64_t> rowtimes_;
  std::vector<std::int64_t> no_watermarks_;  // kMinWatermark for each row: CURRENT_WATERMARK in `rows_`.
};

}  // namespace leat::exec
