// Ranked rows and the lifetimes of their partitions: the whole state of Top-N and of OVER a stream in an
// order of values. A partition of which no row came or went for the time to live is forgotten without a word.
//
// State, under the node's fingerprint: that of RankedRows and, with a time to live, of KeyLifetimes.
#pragma once

#include <string>
#include <utility>

#include "pipelines/exec/key_lifetimes.h"
#include "pipelines/exec/ranked_rows.h"

namespace leat::exec {

class RankedState {
 public:
  RankedState(RankedRows rows, Micros ttl, std::string fingerprint)
      : rows_(std::move(rows)), lifetimes_(ttl), fingerprint_(std::move(fingerprint)) {}

  [[nodiscard]] RankedRows& rows() { return rows_; }
  [[nodiscard]] const RankedRows& rows() const { return rows_; }

  /// A row of `partition` has come in at `intake_time`. `expired(id)` is told of each partition that is
  /// forgotten, its rows gone; `partition` may be among them.
  template <class Expired>
  void pass_row(KeyId partition, std::int64_t intake_time, Expired expired) {
    lifetimes_.pass_row(partition, intake_time, [&](KeyId id) {
      forget(id);
      expired(id);
    });
  }

  /// Inserts row `row` of `batch` at `place`.
  void insert(KeyId partition, std::size_t place, const Batch& batch, std::size_t row);
  /// Takes the row at `place` back.
  void take_back(KeyId partition, std::size_t place);
  /// Lets go of the numbers of partitions that are gone, when there are many.
  void sweep();

  void save(StateChanges& changes);
  /// Errors: corrupt.
  Status load(std::string_view key, std::string_view value);
  void loaded();
  [[nodiscard]] std::size_t memory_bytes() const { return rows_.memory_bytes() + lifetimes_.memory_bytes(); }
  /// Partitions that have rows.
  [[nodiscard]] std::size_t key_count() const { return held_; }

 private:
  void forget(KeyId partition);

  RankedRows rows_;
  KeyLifetimes lifetimes_;
  std::string fingerprint_;
  std::size_t held_ = 0;
};

}  // namespace leat::exec
