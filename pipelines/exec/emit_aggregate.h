// GROUP BY TUMBLE(ts, …) and HOP(ts, …) with early and late results ('table.exec.emit.…'): the result of a
// window is given out before the watermark has passed its end, at its end, and again for rows that come late,
// until the allowed lateness is over. +I is the first one; another one takes the last one back (-U, +U), and
// an equal one says nothing. A window all of whose rows have been taken back gives -D.
//
// When a result is given out, as Flink's triggers have it:
//   before the end   with each row, or in steps of the delay from the window's first row on, by the gateway's
//                    clock
//   at the end       once
//   behind the end   as before it, in steps from the first late row on; if both delays are the same, they are
//                    one series of steps. A window whose first row of all is late gives a result with each
//                    row
//   at the lateness' end   once, if something still waits for its step (Flink forgets it; here the last
//                    result is that of all rows, whatever the clock did)
// "First row" is always that of the key in the window. Steps without a change between them are left out, so
// that a window that nothing happens to sets no timers and writes no state.
//
// Each window of each key has aggregates of its own, also when windows overlap: every row changes all results
// it counts in, so slices would save the least part of the work.
//
// State, one entry each, under the node's fingerprint:
//   key         := "m" | "t" | "w" zigzag window-end cells      (cells of the key: column/codec.h)
//   value of m  := zigzag watermark, zigzag intake time of the last row
//   value of t  := time (gateway_time.h)
//   value of w  := varint arrival, u8 flags, [zigzag first early row], [zigzag first late row], [zigzag due],
//                  [string last result], accumulators
//   flags       := 1: given out at its end | 2, 4, 8, 16: the first, second … optional part is there
//   last result := cell…                                        (one per call)
// and behind a key of "w" the parts of its aggregates (accumulators.h). Times are the gateway's clock.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/fired_rows.h"
#include "pipelines/exec/gateway_time.h"
#include "pipelines/exec/keyed_state.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/window_clock.h"
#include "pipelines/exec/window_slices.h"

namespace leat::exec {

class EmitAggregate final : public Operator {
 public:
  /// `node.emit` is set. `clock_plausible_from`: see DataflowOptions. Errors: invalid (SESSION, an unknown
  /// time zone).
  static Result<std::unique_ptr<Operator>> make(const plan::WindowAggregateNode& node,
                                                OperatorContext context, std::int64_t clock_plausible_from);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  Status tick(std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  void save_time(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return state_.key_count(); }

 private:
  using ResultId = std::uint32_t;

  /// The result of one window for one key.
  struct WindowResult {
    std::byte* state = nullptr;  // Null: a free place.
    std::int64_t end = 0;        // Of the window, exclusive, local time.
    KeyId key = 0;
    std::uint64_t arrival = 0;  // Number of its first row; 0: its own entry has not been loaded yet.
    bool ended = false;         // Given out at the window's end: rows are late now.
    std::optional<std::int64_t> early_from;  // The gateway's clock at its first row.
    std::optional<std::int64_t> late_from;   // And at its first row behind the end.
    std::optional<std::int64_t> due;         // When the clock gives out what has changed.
    std::optional<std::string> given;        // The cells of the calls' results that were given out last.
    bool dirty = false;
    bool saved = false;
  };
  using Window = absl::flat_hash_map<KeyId, ResultId>;
  using Due = std::tuple<std::int64_t, std::int64_t, std::uint64_t, ResultId>;  // Time, end, arrival.

  EmitAggregate(const plan::WindowAggregateNode& node, OperatorContext context, WindowClock clock,
                WindowSlices slices, std::int64_t clock_plausible_from);

  void look_up_keys(const Batch& batch);
  void take_row(const Batch& batch, std::uint32_t row);
  void add_to_window(std::int64_t end, const Batch& batch, std::uint32_t row);
  ResultId result_of(std::int64_t end, KeyId key);
  ResultId make_result(Window& window, std::int64_t end, KeyId key);
  void open_window(std::int64_t end);
  void react(ResultId id);
  void wait_or_give(ResultId id, std::optional<std::int64_t>& from, std::int64_t delay);

  Status pass_watermark(std::int64_t watermark, std::int64_t intake_time, Output& out);
  Status pass_time(std::int64_t now, Output& out);
  void end_window();
  void expire_window();
  void find_next_event();
  [[nodiscard]] std::int64_t expires_at(std::int64_t end);
  [[nodiscard]] std::vector<ResultId> by_arrival(const Window& window) const;

  bool stop_waiting(ResultId id);
  void give(ResultId id, std::int64_t watermark);
  std::string compute(const std::byte* state);
  void append(RowKind kind, const WindowResult& result, std::int64_t watermark);
  void touch(ResultId id);
  void drop(ResultId id);

  void write_key(const WindowResult& result, ByteWriter& out) const;
  void write_result(const WindowResult& result, ByteWriter& out);
  Status load_result(WindowResult& result, ByteReader& reader);
  Status load_window(ByteReader& key, std::string_view value);
  Status check_given(std::string_view cells);
  void write_time(StateChanges& changes);
  void measure_heap(std::size_t rows);

  OperatorContext context_;
  std::string fingerprint_;
  Schema input_schema_;
  std::size_t time_column_ = 0;
  std::vector<std::size_t> key_columns_;
  plan::EmitStrategy emit_;
  WindowClock clock_;
  WindowSlices slices_;
  GatewayTime time_;
  KeyedState state_;
  FiredRows fired_;
  OperatorCounters counters_;

  std::vector<WindowResult> results_;
  std::vector<ResultId> free_;
  std::map<std::int64_t, Window> windows_;  // By end.
  std::set<std::int64_t> open_ends_;        // Of the windows that the watermark has not passed.
  std::int64_t next_end_ = 0;               // When the first of them ends; meaningless without one.
  std::int64_t next_expiry_ = 0;            // When the lateness of the first window is over; as above.
  std::set<Due> due_;
  std::vector<ResultId> dirty_;
  ErasedEntries erased_;
  std::size_t given_bytes_ = 0;
  std::uint64_t next_arrival_ = 1;
  std::int64_t watermark_ = kMinWatermark;
  std::int64_t intake_time_ = 0;  // Of the last row.
  std::int64_t saved_time_ = 0;
  bool progress_changed_ = false;  // Rows came, or windows ended, since the last save.

  // Scratch.
  std::vector<KeyId> key_ids_;
  std::vector<ColumnPtr> keys_;
  std::vector<std::uint32_t> late_rows_;
  std::vector<ColumnBuilder> builders_;  // One per call.
  std::vector<ColumnPtr> computed_;      // One cell each.
};

}  // namespace leat::exec
