// The interval join: rows meet whose times differ by no more than a range. Pairs come out when their second
// row arrives. A row is kept until the watermark has passed all times that it can meet; one that has met
// nothing until then comes out alone (LEFT, RIGHT, FULL; ANTI), at that point in time, however the input was
// cut into batches. A row behind the watermark still meets what is kept; what it could meet and was forgotten
// is lost to it. If it cannot be kept and comes out neither way, it counts as late.
//
// The watermark behind the join is held back by the range and one microsecond more: then neither the earlier
// row of a pair nor a row that comes out alone is late behind it.
//
// State: the rows of both inputs, as exec/row_store.h has them, under the tags 'l' and 'r'; the mark of a row
// is 1 if it has met one.
#pragma once

#include <array>

#include "pipelines/exec/input_clock.h"
#include "pipelines/exec/interval_side.h"
#include "pipelines/exec/join_condition.h"
#include "pipelines/exec/join_keys.h"
#include "pipelines/exec/join_output.h"

namespace leat::exec {

class IntervalJoin final : public MultiInputOperator {
 public:
  IntervalJoin(const plan::IntervalJoinNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  Status set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return keys_.size(); }

 private:
  [[nodiscard]] std::int64_t held_back(std::int64_t watermark) const;
  std::uint32_t collect_pairs(std::size_t side, std::uint32_t begin, const Batch& batch);
  /// What became of a row, if no pair of it failed.
  enum class Fate : std::uint8_t { kApplied, kLate, kFiltered };
  Status apply_run(std::size_t side, std::uint32_t begin, std::uint32_t end, const Batch& batch);
  Fate apply(std::size_t side, std::uint32_t row, std::span<const RowStore::Handle> partners,
             const Batch& batch);
  void keep(std::size_t side, std::uint32_t row, std::int64_t time, bool matched, const Batch& batch);
  void match(std::size_t side, std::uint32_t row, RowStore::Handle partner, const Batch& batch);
  void expire_until(std::int64_t watermark, std::size_t side, std::int64_t intake_time);
  void expire_one(std::size_t expiring, std::size_t side, std::int64_t intake_time);
  Status flush(std::size_t side, std::span<const ColumnPtr> columns, std::int64_t watermark, Output& out);
  Status pass_time(std::int64_t now, Output& out);

  OperatorContext context_;
  std::string fingerprint_;
  std::array<Schema, 2> schemas_;
  plan::JoinType type_;
  std::array<std::size_t, 2> time_columns_;
  std::array<bool, 2> comes_alone_;  // Rows of this side come out without a match, too.
  std::int64_t delay_;
  JoinKeys keys_;
  JoinCondition condition_;
  std::array<IntervalSide, 2> sides_;
  InputClock clock_{2};
  JoinOutput output_;
  OperatorCounters counters_;
  // Scratch of one batch.
  std::span<const KeyId> ids_;
  std::span<const std::int64_t> times_;
  JoinPairs pairs_;
  std::array<std::vector<RowStore::Handle>, 2> expired_;  // To be erased when the output is made.
  std::vector<std::uint32_t> late_rows_;
};

}  // namespace leat::exec
