// The rows that a window operator makes when windows fire, collected into batches.
//
// Each row carries the watermark one microsecond before the one that fires its window. Behind the operator
// the row is then never late, the watermarks do not decrease, and they do not depend on how the input was cut
// into batches: the watermark that really fired the window does, as soon as a filter has taken rows away.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/window_clock.h"
#include "pipelines/plan/node.h"

namespace leat::exec {

class FiredRows {
 public:
  /// `cells` are the types of the columns that the operator fills itself, `properties` what follows them.
  /// `start_cell`: the index of the cell that holds the window's start, which then is no column of the
  /// output.
  FiredRows(const std::vector<Type>& cells, std::vector<plan::WindowProperty> properties,
            std::vector<Type> property_types, std::optional<std::size_t> start_cell);

  /// One builder per cell: append one value to each, then close the row.
  [[nodiscard]] std::span<ColumnBuilder> cells() { return cells_; }
  /// A row of the window [start, end) in local time, which fires at `fires_at`.
  void close_row(std::int64_t start, std::int64_t end, std::int64_t fires_at);
  /// A change of the window's row, made while `watermark` is in force.
  void close_change(RowKind kind, std::int64_t start, std::int64_t end, std::int64_t watermark);
  /// The intake time of the rows to come: of the last row that came in, or of the tick that fires them.
  void set_intake_time(std::int64_t intake_time) { intake_time_ = intake_time; }

  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  /// Watermark of the last row; there is one.
  [[nodiscard]] std::int64_t last_watermark() const { return watermarks_.back(); }
  /// The rows so far; an empty batch without columns when there are none.
  Batch take(std::int64_t watermark_after, WindowClock& clock);
  /// Gives the rows so far out, if there are any, and no time beyond them.
  Status give_out(WindowClock& clock, Output& out);
  /// The same if they are enough for a batch.
  Status give_out_full(WindowClock& clock, Output& out);

 private:
  ColumnPtr property_column(std::size_t index, WindowClock& clock) const;

  std::vector<ColumnBuilder> cells_;
  std::vector<plan::WindowProperty> properties_;
  std::vector<Type> property_types_;
  std::optional<std::size_t> start_cell_;
  std::vector<std::int64_t> starts_;
  std::vector<std::int64_t> ends_;
  std::vector<std::int64_t> watermarks_;
  std::vector<std::int64_t> intake_times_;
  std::vector<RowKind> kinds_;  // Empty while all rows are +I.
  std::int64_t intake_time_ = 0;
};

/// Of the keys of a group, as they come in.
std::vector<Type> group_key_types(const plan::WindowAggregateNode& node);
/// For an operator that makes a group's whole row: its keys, its results, then the window's properties.
FiredRows fired_rows_of(const plan::WindowAggregateNode& node);

}  // namespace leat::exec
