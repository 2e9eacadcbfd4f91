// GROUP BY over SESSION windows: one group of aggregates per open session of each key.
//
// State, one entry each, under the node's fingerprint:
//   key   := "m" | "w" varint arrival cells      (cells: column/codec.h; arrival names the session)
//   value of m := zigzag watermark, zigzag intake time of the last row
//   value of w := zigzag start, zigzag end, accumulators
// and behind a key of "w" the parts of its aggregates (accumulators.h).
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

namespace leat::exec {

class SessionAggregate final : public Operator {
 public:
  /// The planner folds a session into an aggregate only if it is partitioned by the aggregate's keys, so
  /// these make the sessions. Errors: invalid (an unknown time zone).
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
  /// What belongs to a session, by its number.
  struct Content {
    std::byte* state = nullptr;
    std::uint64_t saved_as = 0;  // The arrival under which an entry is in the store; 0: none.
    bool dirty = false;
  };

  /// The state of a session while entries are loaded; its parts may come before its own entry.
  struct Loading {
    std::byte* state = nullptr;
    bool complete = false;  // Its own entry has come.
  };

  SessionAggregate(const plan::WindowAggregateNode& node, OperatorContext context, WindowClock clock);

  void take_row(const Batch& batch, std::size_t row);
  void absorb(SessionId into, std::span<const SessionId> absorbed, const Batch& batch);
  void apply_pending(const Batch& batch);
  Status fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out);
  void emit(SessionId id);
  void drop(SessionId id);
  Content& content_of(SessionId id);
  void erase_entry(SessionId id);
  void write_key(std::uint64_t arrival, KeyId key, ByteWriter& out) const;
  Loading& loading(std::uint64_t arrival, KeyId key);
  void measure_heap(std::size_t rows);

  OperatorContext context_;
  std::string fingerprint_;
  Schema input_schema_;
  std::size_t time_column_ = 0;
  std::vector<std::size_t> key_columns_;
  std::unique_ptr<WindowClock> clock_;  // Has a fixed place: `sessions_` refers to it.
  SessionWindows sessions_;
  KeyedState state_;
  FiredRows fired_;
  OperatorCounters counters_;

  std::vector<Content> contents_;
  std::vector<SessionId> dirty_;
  ErasedEntries erased_;
  std::map<std::uint64_t, Loading> loading_;  // By the session's name; empty when all is loaded.
  std::uint64_t next_arrival_ = 1;
  std::int64_t watermark_ = kMinWatermark;
  std::int64_t intake_time_ = 0;
  // Rows came or windows fired since the last save. The watermark alone is no reason to write: it would make
  // an idle pipeline commit for ever, and nothing depends on it.
  bool progress_changed_ = false;

  // Scratch of one batch.
  std::vector<KeyId> key_ids_;
  std::vector<ColumnPtr> keys_;
  std::vector<std::uint32_t> pending_rows_;
  std::vector<std::byte*> pending_states_;
  std::vector<std::uint32_t> late_rows_;
};

}  // namespace leat::exec
