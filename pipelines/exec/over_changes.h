// OVER a stream in an order that is not the time's: a changelog. A row that comes or goes changes the values
// of the rows behind it in the window's order, and of those that are equal to it; each of them whose values
// differ is updated, in that order. A row that comes behind all others is computed by a running state
// (over_tail.h); for any other, and for one that goes, the partition is read anew.
//
// Input rows may be taken back; one that is not there counts as filtered.
//
// State: that of RankedState.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/exec/changelog_rows.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/over_tail.h"
#include "pipelines/exec/partition_calls.h"
#include "pipelines/exec/ranked_state.h"

namespace leat::exec {

class OverChanges final : public Operator {
 public:
  explicit OverChanges(const plan::OverChangesNode& node);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override { state_.save(changes); }
  Status load(std::string_view key, std::string_view value) override { return state_.load(key, value); }
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override {
    return state_.memory_bytes() + tail_.memory_bytes();
  }
  [[nodiscard]] std::size_t key_count() const override { return state_.key_count(); }

 private:
  using Handle = RankedRows::Handle;
  /// One column per call: of the rows from `first` on.
  struct Values {
    std::vector<ColumnPtr> columns;
    std::size_t first = 0;
  };

  void add(KeyId partition, const Batch& batch, std::uint32_t row);
  /// The row at the last place has come, and changes no other.
  void add_last(KeyId partition, const Batch& batch, std::uint32_t row);
  /// False: there is no such row.
  bool remove(KeyId partition, const Batch& batch, std::uint32_t row);
  /// Gives out the changes so far, which rows of `batch` made.
  Status emit_changes(const Batch& batch, std::int64_t watermark_after, Output& out);
  /// The values of the partition's rows from `first` on, as if the row at place `without` were not there.
  [[nodiscard]] Values values_of(KeyId partition, std::size_t first, std::optional<std::size_t> without);
  void change(RowKind kind, Handle handle, const Values& values, std::size_t place, std::uint32_t row);

  std::vector<std::size_t> passed_;
  std::vector<std::size_t> needed_;  // Columns that calls read.
  std::size_t width_;                // Of the input.
  RankedState state_;
  RankedRows& rows_;  // Of the state.
  OverTail tail_;
  std::vector<std::unique_ptr<PartitionCall>> calls_;
  std::vector<ColumnBuilder> results_;  // Scratch, one per call.
  ChangelogRows changes_;               // The input's columns, then the calls'.
  OperatorCounters counters_;
  std::vector<KeyId> ids_;
};

}  // namespace leat::exec
