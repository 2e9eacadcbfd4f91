// What the calls of OVER in an order of values give for the rows of a partition: aggregates of frames, ranks,
// and the values of other rows.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "pipelines/column/column_builder.h"
#include "pipelines/exec/accumulators.h"
#include "pipelines/exec/over_partition.h"

namespace leat::exec {

/// One call of a node. Holds nothing between partitions.
class PartitionCall {
 public:
  virtual ~PartitionCall() = default;
  /// Appends one value of the call's type for each row of the partition, in its order.
  virtual void append(const OverPartition& partition, ColumnBuilder& out) = 0;
};

std::unique_ptr<PartitionCall> make_partition_call(const plan::OrderedOverCall& call,
                                                   const std::vector<plan::SortKey>& order);

/// An aggregate of rows that come in at the end and leave at the begin, each once. What leaves is subtracted,
/// or, where it cannot be or where fractions would not cancel out, the rows are a queue of two stacks: the
/// front one holds aggregates of all its rows from each row on, the back one the aggregate of all rows that
/// came since.
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

 private:
  void restart(std::uint32_t begin);
  void enter(std::uint32_t row);
  void subtract_until(std::uint32_t begin);
  void pop_until(std::uint32_t begin);
  void turn_queue();

  const Batch* rows_ = nullptr;
  Accumulators sums_;
  StateArena arena_;  // Refers to `sums_`.
  bool subtracts_;
  std::vector<std::byte*> front_;  // Of the rows [begin_, middle), the one of `begin_` last.
  std::byte* back_ = nullptr;      // Of the rows [middle, end_); all of them if rows are subtracted.
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
};

}  // namespace leat::exec
