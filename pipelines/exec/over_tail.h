// What OVER a stream gives a row that comes behind all others of its partition: by a running state for each
// partition, so that rows that come in their order cost the same however many were before them.
//
// The states are no part of what is saved: they are made anew from the partition's rows when they are needed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pipelines/exec/accumulators.h"
#include "pipelines/exec/ranked_rows.h"
#include "pipelines/plan/ordered_over_node.h"

namespace leat::exec {

class OverTail {
 public:
  /// `needed`: the columns of the input that calls read.
  OverTail(const plan::OverChangesNode& node, std::vector<std::size_t> needed);
  ~OverTail();
  OverTail(const OverTail&) = delete;
  OverTail& operator=(const OverTail&) = delete;

  /// True if rows that are equal in the order to one that comes behind them keep their values.
  [[nodiscard]] bool peers_stay() const { return peers_stay_; }
  /// Rows to come are those of `batch`.
  void open(const Batch& batch);
  /// Appends the values of the partition's last row, one to each builder. It is row `row` of the batch, and
  /// those of its peers that stood there before keep their values.
  void append(KeyId partition, const RankedRows& rows, const Batch& batch, std::uint32_t row,
              std::span<ColumnBuilder> out);
  /// Other rows of the partition came or went.
  void forget(KeyId partition);

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Running {
    explicit Running(const plan::AggregateCall& call)
        : sums({call}, Accumulators::Input::kInsertOnly), arena(sums) {}
    Accumulators sums;
    StateArena arena;
  };
  struct Tail {
    std::vector<std::byte*> states;  // By call; null but for aggregates.
    std::int64_t dense = 0;          // DENSE_RANK of the last row.
    bool known = false;
  };

  /// Reads the first `count` rows of the partition.
  void read(KeyId partition, const RankedRows& rows, std::size_t count);
  void apply(const Batch& batch, std::uint32_t row, Tail& tail);
  void append_value(std::size_t call, const Tail& tail, std::int64_t rank, std::size_t place,
                    ColumnBuilder& out) const;
  void append_neighbour(const plan::OrderedOverCall& call, std::span<const RankedRows::Handle> before,
                        const RowStore& rows, const Batch& batch, std::uint32_t row,
                        ColumnBuilder& out) const;

  std::vector<plan::OrderedOverCall> calls_;
  std::vector<std::unique_ptr<Running>> running_;  // By call; null but for aggregates.
  std::vector<std::size_t> needed_;
  std::size_t width_;  // Of the input.
  bool peers_stay_ = true;
  std::vector<Tail> tails_;     // By partition.
  std::size_t heap_bytes_ = 0;  // Of all states.
  const Batch* batch_ = nullptr;
};

}  // namespace leat::exec
