// GROUP BY over TUMBLE, HOP and CUMULATE windows, and over rows that carry their window already (a cascade).
//
// Rows are aggregated by slice and key as they come. A window fires when the watermark reaches its end − 1
// ms: TUMBLE gives out its slice, HOP merges the slices of the window (sliding_merge.h), CUMULATE merges each
// slice into the running window, so that no firing looks at older slices again. A timer that is due inside a
// batch splits it: rows before it are applied, the window fires, the rest goes on.
//
// A row is late when the last window that holds it has fired as judged by the watermark before that row. A
// row for a CUMULATE window whose first steps have fired goes straight into the running window. A row that is
// in no window is counted as filtered.
//
// State, one entry each, under the node's fingerprint:
//   key   := "m" | "s" zigzag slice-end cells | "c" zigzag last-window-end cells   (cells: column/codec.h)
//   value of m    := zigzag watermark, zigzag intake time of the last row
//   value of s, c := varint arrival, accumulators          ("s": a slice; "c": a running CUMULATE window)
// and behind a key of "s" or "c" the parts of its aggregates (accumulators.h).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/fired_rows.h"
#include "pipelines/exec/keyed_state.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/slice_groups.h"
#include "pipelines/exec/sliding_merge.h"
#include "pipelines/exec/window_clock.h"
#include "pipelines/exec/window_slices.h"

namespace leat::exec {

class WindowAggregate final : public Operator {
 public:
  /// Errors: invalid (SESSION, sizes that do not fit, an unknown time zone).
  static Result<std::unique_ptr<Operator>> make(const plan::WindowAggregateNode& node,
                                                OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return state_.key_count(); }

 private:
  using Slices = std::map<std::int64_t, SliceGroups>;  // By end: of the slice, or of the last window.

  WindowAggregate(const plan::WindowAggregateNode& node, OperatorContext context, WindowClock clock,
                  WindowSlices slices);

  void look_up_keys(const Batch& batch);
  std::span<const std::int64_t> local_times(const Batch& batch);
  std::size_t take_run(const Batch& batch, std::span<const std::int64_t> times, std::size_t row);
  void select_slice(std::int64_t time);
  void open_slice(std::int64_t watermark);
  void apply_pending(const Batch& batch);
  Group& group_of(SliceGroups& groups, KeyId key);

  Status fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out);
  void fire(std::int64_t end, std::int64_t fires_at);
  void fire_slice(std::int64_t end, std::int64_t fires_at);
  void fire_hop(std::int64_t end, std::int64_t fires_at);
  void fire_cumulate(std::int64_t end, std::int64_t fires_at);
  void emit_groups(const SliceGroups& groups, std::int64_t end, std::int64_t fires_at);
  void merge_into(SliceGroups& into, const SliceGroups& from);
  void drop(Slices& slices, Slices::iterator slice, char tag);
  void set_timer(std::int64_t end);
  std::int64_t first_unfired(std::int64_t window, std::int64_t last, std::int64_t watermark);

  void write_key(char tag, std::int64_t end, KeyId key, ByteWriter& out) const;
  void save_groups(char tag, std::int64_t end, SliceGroups& groups, StateChanges& changes);
  void measure_heap(std::size_t rows);

  OperatorContext context_;
  std::string fingerprint_;
  Schema input_schema_;
  std::size_t time_column_ = 0;
  std::vector<std::size_t> key_columns_;
  WindowClock clock_;
  WindowSlices slices_;
  bool attached_ = false;
  bool shifts_ = false;  // Times must be brought to the session's zone.
  KeyedState state_;
  FiredRows fired_;
  OperatorCounters counters_;

  Slices open_;
  Slices running_;                          // CUMULATE's windows some of whose slices have fired.
  std::vector<SliceGroups> spare_;          // Emptied slices, for their memory.
  std::optional<SlidingMerge> sliding_;     // HOP: windows from slices.
  std::set<std::int64_t> timers_;           // Ends of windows to fire.
  std::int64_t next_fire_ = kMaxWatermark;  // Of the first timer; meaningless without one.
  std::uint64_t next_arrival_ = 1;
  std::int64_t watermark_ = kMinWatermark;
  std::int64_t intake_time_ = 0;  // Of the last row.
  // Rows came or windows fired since the last save. The watermark alone is no reason to write: it would make
  // an idle pipeline commit for ever, and nothing depends on it.
  bool progress_changed_ = false;
  ErasedEntries erased_;

  // The slice of the run at hand: [begin, end), and the watermark from which on its rows are late.
  struct Current {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t late_at = 0;
    SliceGroups* groups = nullptr;  // Null: not opened yet.
    bool between_windows = false;   // No window holds it (HOP with a slide longer than the size).
  };
  Current current_;
  // Scratch of one batch.
  std::vector<KeyId> key_ids_;
  std::vector<ColumnPtr> keys_;
  std::vector<std::int64_t> times_;
  std::vector<std::uint32_t> pending_rows_;  // Rows whose group is known but that are not applied yet.
  std::vector<std::byte*> pending_states_;
  std::vector<std::uint32_t> late_rows_;
};

}  // namespace leat::exec
