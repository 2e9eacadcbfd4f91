// Top-N: a changelog of the rows that have the numbers of the range now. A row that comes or goes shifts
// those behind it: with the number in the output each of them is updated, without it only who enters and who
// leaves.
//
// An insert-only input can never bring back what fell behind the range, so nothing behind it is kept; a
// changelog can, and all rows are kept. A row is taken back by its content; one that is not there is ignored.
//
// Of a sub-query that stands for a value there is one row at most: another one cannot be computed.
//
// State: that of RankedState.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipelines/exec/changelog_rows.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/ranked_state.h"

namespace leat::exec {

class Rank final : public Operator {
 public:
  Rank(const plan::RankNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override { state_.save(changes); }
  Status load(std::string_view key, std::string_view value) override { return state_.load(key, value); }
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override { return state_.memory_bytes(); }
  [[nodiscard]] std::size_t key_count() const override { return state_.key_count(); }

 private:
  using Handle = RankedRows::Handle;

  void apply_row(const Batch& batch, std::uint32_t row, KeyId partition);
  Status reject_further(const Batch& batch);
  void add(KeyId partition, const Batch& batch, std::uint32_t row);
  void remove(KeyId partition, const Batch& batch, std::uint32_t row);
  void tell_added(KeyId partition, std::size_t place, std::uint32_t row);
  void tell_removed(KeyId partition, std::size_t place, std::uint32_t row);
  void change(RowKind kind, Handle handle, std::size_t place, std::uint32_t row);
  void replace(Handle old_row, Handle new_row, std::size_t place, std::uint32_t row);

  OperatorContext context_;
  Schema schema_;
  std::vector<std::size_t> passed_;
  std::size_t width_;
  bool gives_number_;
  bool insert_only_;
  bool fails_further_;
  // Places of the range: [first_, last_).
  std::size_t first_;
  std::size_t last_;
  RankedState state_;
  RankedRows& rows_;  // Of the state.
  ChangelogRows changes_;
  OperatorCounters counters_;
  functions::RowErrors errors_;
  std::vector<KeyId> ids_;
};

/// The types of a node's input, and of the number behind them if it has one.
std::vector<Type> numbered_types(const plan::NumberingNode& node);

}  // namespace leat::exec
