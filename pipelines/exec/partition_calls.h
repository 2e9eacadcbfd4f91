// What the calls of OVER in an order of values give for the rows of a partition: aggregates of frames, ranks,
// and the values of other rows.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "pipelines/column/column_builder.h"
#include "pipelines/exec/accumulators.h"
#include "pipelines/exec/over_partition.h"

namespace leat::exec {

/// One call of a node. Holds nothing between partitions.
class PartitionCall {
 public:
  virtual ~PartitionCall() = default;
  /// Begins with a partition, which lives until the last `append` of its values.
  virtual void open(const OverPartition& partition) { (void)partition; }
  /// Appends one value of the call's type for each of the rows `rows`, which are behind those of the last
  /// `append`.
  virtual void append(const OverPartition& partition, RowSpan rows, ColumnBuilder& out) = 0;
  /// Bytes that the call holds of the partition, beside the partition itself.
  [[nodiscard]] virtual std::size_t memory_bytes() const { return 0; }
};

std::unique_ptr<PartitionCall> make_partition_call(const plan::OrderedOverCall& call,
                                                   const std::vector<plan::SortKey>& order);

/// An aggregate of rows that come in at the end and leave at the begin, each once. What leaves is subtracted.
/// Where it cannot be, or where fractions would not cancel out, the rows are a queue of two stacks: the front
/// one holds aggregates of all its rows from each row on, the back one the aggregate of all rows that came
/// since. That is no way for states that grow with their rows (a set of distinct values): those are made
/// anew from the rows of each frame.
class SlidingAggregate {
 public:
  explicit SlidingAggregate(const plan::AggregateCall& call);
  ~SlidingAggregate();
  SlidingAggregate(const SlidingAggregate&) = delete;
  SlidingAggregate& operator=(const SlidingAggregate&) = delete;

  /// Begins anew at row `begin` of `rows`, which lives until the next `open`.
  void open(const Batch& rows);
  /// Makes `span` the rows of the aggregate; neither edge is before that of the last one.
  void move_to(RowSpan span);
  void append_result(ColumnBuilder& out);
  /// The results of frames that all end with the last row, `begins` by row. The rows come in from the last
  /// one on, so no state is needed but one; for aggregates that do not depend on the order.
  ColumnPtr results_from_end(std::span<const RowSpan> begins, const Type& type);

  [[nodiscard]] bool makes_anew() const { return leaving_ == Leaving::kMadeAnew; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  enum class Leaving : std::uint8_t { kSubtracted, kQueued, kMadeAnew };

  static Leaving leaving_of(const plan::AggregateCall& call);
  void restart(std::uint32_t begin);
  void enter(std::uint32_t row);
  void subtract_until(std::uint32_t begin);
  void pop_until(std::uint32_t begin);
  void leave_until(std::uint32_t begin);
  void turn_queue();

  const Batch* rows_ = nullptr;
  Accumulators sums_;
  StateArena arena_;  // Refers to `sums_`.
  Leaving leaving_;
  std::vector<std::byte*> front_;  // Of the rows [begin_, middle), the one of `begin_` last.
  std::byte* back_ = nullptr;      // Of the rows [middle, end_); all of them if rows are subtracted.
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
};

}  // namespace leat::exec
