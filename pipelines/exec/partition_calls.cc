#include "pipelines/exec/partition_calls.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace leat::exec {

// ---- Aggregates ------------------------------------------------------------------------------------------

namespace {

/// True if a value that is taken out leaves no trace: all but sums of fractions and what is made of them.
bool cancels_exactly(const plan::AggregateCall& call) {
  return !call.function->result_type().is_approximate() || call.kind.starts_with("PERCENTILE") ||
         std::ranges::none_of(call.function->argument_types(), &Type::is_approximate);
}

}  // namespace

SlidingAggregate::Leaving SlidingAggregate::leaving_of(const plan::AggregateCall& call) {
  if (call.function->retractable() && cancels_exactly(call)) return Leaving::kSubtracted;
  return call.function->has_parts() ? Leaving::kMadeAnew : Leaving::kQueued;
}

SlidingAggregate::SlidingAggregate(const plan::AggregateCall& call)
    : sums_({call}, Accumulators::Input::kInsertOnly), arena_(sums_), leaving_(leaving_of(call)) {}

SlidingAggregate::~SlidingAggregate() = default;

void SlidingAggregate::open(const Batch& rows) {
  rows_ = &rows;
  sums_.open(rows);
  restart(0);
}

void SlidingAggregate::move_to(RowSpan span) {
  if (span.begin >= end_)
    restart(span.begin);
  else if (span.begin > begin_)
    leave_until(span.begin);
  while (end_ < span.end) enter(end_);
}

void SlidingAggregate::leave_until(std::uint32_t begin) {
  switch (leaving_) {
    case Leaving::kSubtracted:
      return subtract_until(begin);
    case Leaving::kQueued:
      return pop_until(begin);
    case Leaving::kMadeAnew:
      return restart(begin);
  }
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

ColumnPtr SlidingAggregate::results_from_end(std::span<const RowSpan> begins, const Type& type) {
  ColumnBuilder last_first(type);
  std::uint32_t begin = static_cast<std::uint32_t>(rows_->size);
  for (auto span = begins.rbegin(); span != begins.rend(); ++span) {
    while (begin > span->begin) sums_.apply_one(*rows_, --begin, back_);
    append_result(last_first);
  }
  std::vector<std::uint32_t> order(begins.size());
  std::iota(order.rbegin(), order.rend(), 0);
  return gather(last_first.finish(), order);
}

std::size_t SlidingAggregate::memory_bytes() const {
  std::size_t bytes = arena_.memory_bytes() + front_.capacity() * sizeof(std::byte*);
  if (back_ != nullptr) bytes += sums_.heap_bytes(back_);
  // The one that holds all others' rows is the greatest.
  if (!front_.empty()) bytes += front_.size() * sums_.heap_bytes(front_.back());
  return bytes;
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
      : spans_(call.frame, order),
        aggregate_(call.call),
        type_(call.type),
        from_end_(aggregate_.makes_anew() && call.frame.lower.kind != plan::FrameEdge::Kind::kUnbounded &&
                  call.frame.upper.kind == plan::FrameEdge::Kind::kUnbounded) {}

  void open(const OverPartition& partition) override {
    aggregate_.open(partition.rows);
    spans_of_rows_ = spans_.of(partition);
    if (from_end_) results_ = aggregate_.results_from_end(spans_of_rows_, type_);
  }

  void append(const OverPartition& partition, RowSpan rows, ColumnBuilder& out) override {
    (void)partition;
    for (std::uint32_t row = rows.begin; row < rows.end; ++row) {
      if (from_end_) {
        out.append_cell(*results_, row);
        continue;
      }
      aggregate_.move_to(spans_of_rows_[row]);
      aggregate_.append_result(out);
    }
  }

  [[nodiscard]] std::size_t memory_bytes() const override {
    return aggregate_.memory_bytes() + spans_of_rows_.size() * sizeof(RowSpan);
  }

 private:
  FrameSpans spans_;
  SlidingAggregate aggregate_;
  Type type_;
  bool from_end_;
  // Of the partition.
  std::span<const RowSpan> spans_of_rows_;
  ColumnPtr results_;  // If `from_end_`.
};

// ---- Ranks -----------------------------------------------------------------------------------------------

class RankOfRow final : public PartitionCall {
 public:
  explicit RankOfRow(Kind kind) : kind_(kind) {}

  void open(const OverPartition& partition) override {
    (void)partition;
    dense_ = 0;
    counted_ = 0;
  }

  void append(const OverPartition& partition, RowSpan rows, ColumnBuilder& out) override {
    for (; counted_ < rows.end; ++counted_) {
      const RowSpan peers = partition.peers[counted_];
      if (peers.begin == counted_) ++dense_;
      if (counted_ >= rows.begin) append_rank(counted_, peers, dense_, partition.size(), out);
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
  std::int64_t dense_ = 0;  // Of the rows before `counted_`.
  std::uint32_t counted_ = 0;
};

class ArrivalOfRow final : public PartitionCall {
 public:
  void append(const OverPartition& partition, RowSpan rows, ColumnBuilder& out) override {
    for (std::uint32_t row = rows.begin; row < rows.end; ++row)
      out.append<std::int64_t>(partition.arrivals[row]);
  }
};

/// NTILE: the first groups have one row more where the rows cannot be divided evenly.
class GroupOfRow final : public PartitionCall {
 public:
  explicit GroupOfRow(std::int64_t groups) : groups_(groups) {}

  void append(const OverPartition& partition, RowSpan rows, ColumnBuilder& out) override {
    const std::int64_t least = partition.size() / groups_;
    const std::int64_t larger = partition.size() % groups_;
    const std::int64_t in_larger = larger * (least + 1);
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const std::int64_t group =
          row < in_larger ? row / (least + 1) : larger + (row - in_larger) / std::max<std::int64_t>(1, least);
      out.append<std::int32_t>(static_cast<std::int32_t>(group + 1));
    }
  }

 private:
  std::int64_t groups_;
};

// ---- Other rows ------------------------------------------------------------------------------------------

class ValueOfNeighbour final : public PartitionCall {
 public:
  explicit ValueOfNeighbour(const plan::OrderedOverCall& call) : call_(call) {}

  void open(const OverPartition& partition) override {
    if (call_.nulls == plan::OrderedOverCall::Nulls::kIgnore)
      find_values(*partition.rows.columns[call_.call.arguments[0]], partition.size());
  }

  void append(const OverPartition& partition, RowSpan rows, ColumnBuilder& out) override {
    const std::vector<ColumnPtr>& columns = partition.rows.columns;
    const Column& values = *columns[call_.call.arguments[0]];
    const Column* const fallbacks =
        call_.call.arguments.size() > 1 ? columns[call_.call.arguments[1]].get() : nullptr;
    for (std::uint32_t row = rows.begin; row < rows.end; ++row) {
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

  [[nodiscard]] std::size_t memory_bytes() const override {
    return values_at_.capacity() * sizeof(std::uint32_t) + values_until_.capacity() * sizeof(std::int64_t);
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
  if (call.kind == Kind::kArrival) return std::make_unique<ArrivalOfRow>();
  if (call.kind == Kind::kNtile) return std::make_unique<GroupOfRow>(call.number);
  if (call.kind == Kind::kNeighbour) return std::make_unique<ValueOfNeighbour>(call);
  return std::make_unique<RankOfRow>(call.kind);
}

}  // namespace leat::exec
