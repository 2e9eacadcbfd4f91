// The window join: rows of both inputs wait until their window ends, then those of equal keys meet. A row
// whose window has ended before it came is late. Rows of a window come out in the order of the left rows'
// arrival, then the right rows that have met none.
//
// State: the rows of both inputs, as exec/row_store.h has them, under the tags 'l' and 'r'; their window is
// one of their columns.
#pragma once

#include <array>
#include <map>

#include "pipelines/exec/input_clock.h"
#include "pipelines/exec/join_condition.h"
#include "pipelines/exec/join_keys.h"
#include "pipelines/exec/join_output.h"
#include "pipelines/exec/window_clock.h"

namespace leat::exec {

class WindowJoin final : public MultiInputOperator {
 public:
  /// Errors: invalid (unknown time zone).
  static Result<std::unique_ptr<WindowJoin>> make(const plan::WindowJoinNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  Status set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  /// Windows that wait for their end.
  [[nodiscard]] std::size_t key_count() const override { return windows_.size(); }

 private:
  /// The rows of one window, by side, in the order of their arrival.
  using Rows = std::array<std::vector<RowStore::Handle>, 2>;

  WindowJoin(const plan::WindowJoinNode& node, OperatorContext context, WindowClock clock);

  void take_row(std::size_t side, std::uint32_t row, const Batch& batch);
  Status fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out);
  Status fire(const Rows& rows, std::int64_t watermark, std::int64_t intake_time, Output& out);
  /// Rows of the right side, by key.
  using ByKey = std::vector<std::vector<RowStore::Handle>>;
  ByKey rights_by_key(const Rows& rows);
  void emit(const Batch& lefts, std::uint32_t begin, std::uint32_t end, const JoinPairs& pairs);
  void emit_unmatched(const Batch& lefts, const Rows& rows);
  Status flush(const Batch& lefts, Output& out);
  Status pass_time(std::int64_t now, Output& out);

  OperatorContext context_;
  std::string fingerprint_;
  std::array<Schema, 2> schemas_;
  plan::JoinType type_;
  std::array<std::size_t, 2> end_columns_;
  WindowClock window_clock_;
  JoinKeys keys_;
  JoinCondition condition_;
  std::array<RowStore, 2> stores_;
  std::map<std::int64_t, Rows> windows_;  // By end, in local time.
  InputClock clock_{2};
  JoinOutput output_;
  OperatorCounters counters_;
  std::vector<std::uint32_t> late_rows_;  // Scratch of one batch.
};

}  // namespace leat::exec
