#include "pipelines/exec/partition_calls.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace leat::exec {

// ---- Aggregates ------------------------------------------------------------------------------------------

SlidingAggregate::SlidingAggregate(const plan::AggregateCall& call)
    : sums_({call}, Accumulators::Input::kInsertOnly),
      arena_(sums_),
      subtracts_(call.function->retractable() &&
                 std::ranges::none_of(call.function->argument_types(), &Type::is_approximate)) {}

SlidingAggregate::~SlidingAggregate() = default;

void SlidingAggregate::open(const Batch& rows) {
  rows_ = &rows;
  sums_.open(rows);
  restart(0);
}

void SlidingAggregate::move_to(RowSpan span) {
  if (span.begin >= end_)
    restart(span.begin);
  else if (subtracts_)
    subtract_until(span.begin);
  else
    pop_until(span.begin);
  while (end_ < span.end) enter(end_);
}

void SlidingAggregate::append_result(ColumnBuilder& out) {
  const std::span<ColumnBuilder> builders(&out, 1);
  if (front_.empty()) return sums_.append_results(back_, builders);
  std::byte* const merged = arena_.take();
  sums_.merge(merged, front_.back());
  sums_.merge(merged, back_);
  sums_.append_results(merged, builders);
  arena_.release(merged);
}

void SlidingAggregate::restart(std::uint32_t begin) {
  for (std::byte* const state : front_) arena_.release(state);
  front_.clear();
  if (back_ != nullptr) arena_.release(back_);
  back_ = arena_.take();
  begin_ = end_ = begin;
}

void SlidingAggregate::enter(std::uint32_t row) {
  sums_.apply_one(*rows_, row, back_);
  ++end_;
}

void SlidingAggregate::subtract_until(std::uint32_t begin) {
  for (; begin_ < begin; ++begin_) {
    std::byte* state = back_;
    sums_.take_back(*rows_, std::span(&begin_, 1), std::span(&state, 1));
  }
}

void SlidingAggregate::pop_until(std::uint32_t begin) {
  for (; begin_ < begin && !front_.empty(); ++begin_) {
    arena_.release(front_.back());
    front_.pop_back();
  }
  if (begin_ == begin) return;
  begin_ = begin;
  turn_queue();
}

/// The front is empty: the rows that are left go over to it, the last one first.
void SlidingAggregate::turn_queue() {
  arena_.release(std::exchange(back_, arena_.take()));
  for (std::uint32_t row = end_; row > begin_; --row) {
    std::byte* const made = arena_.take();
    sums_.apply_one(*rows_, row - 1, made);
    if (!front_.empty()) sums_.merge(made, front_.back());
    front_.push_back(made);
  }
}

namespace {

using Kind = plan::OrderedOverCall::Kind;

class AggregateOfFrame final : public PartitionCall {
 public:
  AggregateOfFrame(const plan::OrderedOverCall& call, const std::vector<plan::SortKey>& order)
      : spans_(call.frame, order), aggregate_(call.call) {}

  void append(const OverPartition& partition, ColumnBuilder& out) override {
    aggregate_.open(partition.rows);
    for (const RowSpan& span : spans_.of(partition)) {
      aggregate_.move_to(span);
      aggregate_.append_result(out);
    }
  }

 private:
  FrameSpans spans_;
  SlidingAggregate aggregate_;
};

// ---- Ranks -----------------------------------------------------------------------------------------------

class RankOfRow final : public PartitionCall {
 public:
  explicit RankOfRow(Kind kind) : kind_(kind) {}

  void append(const OverPartition& partition, ColumnBuilder& out) override {
    std::int64_t dense = 0;
    for (std::uint32_t row = 0; row < partition.size(); ++row) {
      const RowSpan peers = partition.peers[row];
      if (peers.begin == row) ++dense;
      append_rank(row, peers, dense, partition.size(), out);
    }
  }

 private:
  void append_rank(std::uint32_t row, RowSpan peers, std::int64_t dense, std::uint32_t size,
                   ColumnBuilder& out) const {
    switch (kind_) {
      case Kind::kRowNumber:
        return out.append<std::int64_t>(std::int64_t{row} + 1);
      case Kind::kRank:
        return out.append<std::int64_t>(std::int64_t{peers.begin} + 1);
      case Kind::kPercentRank:
        return out.append<double>(size > 1 ? double{1} * peers.begin / (size - 1) : 0);
      case Kind::kCumeDist:
        return out.append<double>(double{1} * peers.end / size);
      default:
        return out.append<std::int64_t>(dense);
    }
  }

  Kind kind_;
};

/// NTILE: the first groups have one row more where the rows cannot be divided evenly.
class GroupOfRow final : public PartitionCall {
 public:
  explicit GroupOfRow(std::int64_t groups) : groups_(groups) {}

  void append(const OverPartition& partition, ColumnBuilder& out) override {
    const std::int64_t rows = partition.size();
    const std::int64_t least = rows / groups_;
    const std::int64_t larger = rows % groups_;
    for (std::int64_t group = 0; group < std::min(groups_, rows); ++group) {
      const std::int64_t count = least + (group < larger ? 1 : 0);
      for (std::int64_t i = 0; i < count; ++i) out.append<std::int32_t>(static_cast<std::int32_t>(group + 1));
    }
  }

 private:
  std::int64_t groups_;
};

// ---- Other rows ------------------------------------------------------------------------------------------

class ValueOfNeighbour final : public PartitionCall {
 public:
  explicit ValueOfNeighbour(const plan::OrderedOverCall& call) : call_(call) {}

  void append(const OverPartition& partition, ColumnBuilder& out) override {
    const std::vector<ColumnPtr>& columns = partition.rows.columns;
    const Column& values = *columns[call_.call.arguments[0]];
    const Column* const fallbacks =
        call_.call.arguments.size() > 1 ? columns[call_.call.arguments[1]].get() : nullptr;
    if (call_.nulls == plan::OrderedOverCall::Nulls::kIgnore) find_values(values, partition.size());
    for (std::uint32_t row = 0; row < partition.size(); ++row) {
      const std::optional<std::int64_t> distance = distance_of(partition, row);
      const auto found = distance ? place_of(row, *distance, partition.size()) : std::nullopt;
      if (found)
        out.append_cell(values, *found);
      else if (distance && fallbacks != nullptr)
        out.append_cell(*fallbacks, row);
      else
        out.append_null();
    }
  }

 private:
  /// How many rows to go on from `row`; none: it is NULL.
  [[nodiscard]] std::optional<std::int64_t> distance_of(const OverPartition& partition,
                                                        std::uint32_t row) const {
    if (!call_.number_column) return call_.number;
    const Column& distances = *partition.rows.columns[*call_.number_column];
    if (distances.is_null(row)) return std::nullopt;
    const std::int64_t limit = std::int64_t{partition.size()} + 1;
    return call_.number * std::clamp(distances.values<std::int64_t>()[row], -limit, limit);
  }

  [[nodiscard]] std::optional<std::uint32_t> place_of(std::uint32_t row, std::int64_t distance,
                                                      std::uint32_t size) const {
    const std::int64_t limit = std::int64_t{size} + 1;
    distance = std::clamp(distance, -limit, limit);
    if (call_.nulls == plan::OrderedOverCall::Nulls::kRespect || distance == 0) {
      const std::int64_t place = row + distance;
      if (place < 0 || place >= size) return std::nullopt;
      return static_cast<std::uint32_t>(place);
    }
    // Behind the row the first value counts 1, before it the last one -1.
    const std::int64_t next = distance > 0 ? values_until_[row + 1] - 1 : values_until_[row];
    const std::int64_t place = next + distance;
    if (place < 0 || place >= static_cast<std::int64_t>(values_at_.size())) return std::nullopt;
    return values_at_[static_cast<std::size_t>(place)];
  }

  void find_values(const Column& values, std::uint32_t size) {
    values_at_.clear();
    values_until_.assign(1, 0);
    for (std::uint32_t row = 0; row < size; ++row) {
      if (!values.is_null(row)) values_at_.push_back(row);
      values_until_.push_back(static_cast<std::int64_t>(values_at_.size()));
    }
  }

  plan::OrderedOverCall call_;
  // IGNORE NULLS: the rows that have a value, and how many of them are before each row.
  std::vector<std::uint32_t> values_at_;
  std::vector<std::int64_t> values_until_;
};

}  // namespace

std::unique_ptr<PartitionCall> make_partition_call(const plan::OrderedOverCall& call,
                                                   const std::vector<plan::SortKey>& order) {
  if (call.kind == Kind::kAggregate) return std::make_unique<AggregateOfFrame>(call, order);
  if (call.kind == Kind::kNtile) return std::make_unique<GroupOfRow>(call.number);
  if (call.kind == Kind::kNeighbour) return std::make_unique<ValueOfNeighbour>(call);
  return std::make_unique<RankOfRow>(call.kind);
}

}  // namespace leat::exec
