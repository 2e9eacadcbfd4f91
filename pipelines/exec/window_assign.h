// A window table function on its own: each row once per window that holds it, with the window's bounds behind
// its columns. TUMBLE, HOP and CUMULATE are maps from row to rows and wait for nothing; SESSION keeps its
// rows until the session has ended.
//
// State of SESSION, one entry each, under the node's fingerprint. Sessions are not saved: they follow from
// the rows of the open ones.
//   key   := "m" | "r" varint arrival
//   value of m := zigzag watermark, zigzag intake time of the last row
//   value of r := u8 row kind, cells (column/codec.h; all columns of the input)
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/fired_rows.h"
#include "pipelines/exec/keyed_state.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/session_windows.h"
#include "pipelines/exec/stateless.h"
#include "pipelines/exec/window_slices.h"

namespace leat::exec {

class WindowAssign final : public StatelessOperator {
 public:
  /// Errors: invalid (sizes that do not fit, an unknown time zone).
  static Result<std::unique_ptr<Operator>> make(const plan::WindowAssignNode& node);
  Status process(std::size_t input, const Batch& batch, Output& out) override;

 private:
  WindowAssign(const plan::WindowAssignNode& node, WindowClock clock, WindowSlices slices);
  Status emit_rows(const Batch& batch, std::int64_t watermark_after, Output& out);
  void add_windows(std::uint32_t row, std::int64_t local);

  std::size_t time_column_ = 0;
  std::vector<Type> property_types_;
  WindowClock clock_;
  WindowSlices slices_;
  // Scratch of one batch: per output row its input row and its window.
  std::vector<std::uint32_t> rows_;
  std::vector<std::int64_t> starts_;
  std::vector<std::int64_t> ends_;
};

class SessionAssign final : public Operator {
 public:
  /// Errors: invalid (an unknown time zone).
  static Result<std::unique_ptr<Operator>> make(const plan::WindowAssignNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return keys_.size(); }

 private:
  struct StoredRow {
    std::string bytes;  // As in the state.
    bool saved = false;
  };

  SessionAssign(const plan::WindowAssignNode& node, OperatorContext context, WindowClock clock);
  void look_up_keys(const Batch& batch);
  void take_row(const Batch& batch, std::size_t row);
  bool place_row(KeyId key, std::int64_t time, std::int64_t watermark, std::uint64_t arrival);
  Status fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out);
  Status emit(SessionId id);
  Status emit_row(const Session& session, const StoredRow& row);
  Batch take_fired(std::int64_t watermark_after);
  void drop(SessionId id);

  OperatorContext context_;
  std::string fingerprint_;
  Schema input_schema_;
  std::size_t time_column_ = 0;
  std::vector<std::size_t> key_columns_;
  std::unique_ptr<WindowClock> clock_;  // Has a fixed place: `sessions_` refers to it.
  SessionWindows sessions_;
  KeyMap keys_;
  std::vector<std::uint32_t> key_uses_;  // Rows held, by key.
  FiredRows fired_;
  std::vector<RowKind> fired_kinds_;
  OperatorCounters counters_;

  std::map<std::uint64_t, StoredRow> rows_;          // By arrival.
  std::vector<std::vector<std::uint64_t>> members_;  // By session: the arrivals of its rows.
  std::vector<std::uint64_t> unsaved_;
  ErasedEntries erased_;
  std::size_t row_bytes_ = 0;
  std::uint64_t next_arrival_ = 1;
  std::int64_t watermark_ = kMinWatermark;
  std::int64_t intake_time_ = 0;
  // Rows came or windows fired since the last save. The watermark alone is no reason to write: it would make
  // an idle pipeline commit for ever, and nothing depends on it.
  bool progress_changed_ = false;

  // Scratch of one batch.
  std::vector<KeyId> key_ids_;
  std::vector<ColumnPtr> key_cells_;
  std::vector<std::uint32_t> late_rows_;
};

}  // namespace leat::exec
