// MATCH_RECOGNIZE. Rows wait until the watermark has reached their time; then each goes, in order, to the
// partial matches of its partition. A match's rows come out with the watermark one microsecond before the
// row (or the end of WITHIN) that decides it, so they are never late behind the operator.
//
// A row that comes at or behind the watermark is late. A match from which AFTER MATCH SKIP cannot go on
// (Flink's run-time errors) sends its last row to the dead letters, or fails the pipeline where rows that
// cannot be computed do, and the search goes on behind it.
//
// State, under the node's fingerprint:
//   "m"                  => zigzag watermark, zigzag intake time of the last row, varint partial matches
//                           given up
//   "p" cells of the key => zigzag matches, varint next row, varint first kept row, varint count, match…
//     match := varint first row, varint last row (0: open), varint runs, (varint position, varint rows)…
//   "r" …                => the rows (row_store.h); the mark is the row's number in its partition, 0 while it
//                           waits
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/match_machine.h"
#include "pipelines/exec/match_order.h"
#include "pipelines/exec/match_output.h"

namespace leat::exec {

class Match final : public Operator {
 public:
  Match(const plan::MatchNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override {
    OperatorCounters counters = counters_;
    counters.given_up = machine_.given_up();
    return counters;
  }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return keys_.size(); }

 private:
  /// When what happens at a time is seen: by which row or tick.
  struct Moment {
    const Batch* batch = nullptr;  // Null: a tick.
    std::size_t row = 0;           // Of the batch: no earlier one reached the time.
    std::int64_t now = 0;
  };
  /// The earliest time at which partial matches of a partition end.
  struct Timer {
    std::int64_t at = 0;
    KeyId key = 0;
  };
  struct Saved {
    RowNumber next = 1;
    RowNumber first = 1;
    std::vector<std::pair<MatchThread, std::vector<PathRun>>> threads;
  };

  // ---- Rows that come
  void take_rows(const Batch& batch);
  [[nodiscard]] std::vector<std::uint64_t> truths_of(std::span<const ColumnPtr> columns,
                                                     std::size_t rows) const;
  void look_up_keys(std::span<const ColumnPtr> columns, std::size_t rows);
  void preload(std::int64_t watermark);
  // ---- Time
  Status run_until(std::int64_t watermark, Moment moment, Output& out);
  Status run_row(const WaitingRow& waiting, Output& out);
  Status step(MatchPartition& partition, Output& out);
  Status fire_timer(Output& out);
  Status end_input(Output& out);
  std::int64_t intake_at(std::int64_t time, Moment& moment) const;
  // ---- Matches
  Status report(MatchPartition& partition, std::int64_t time, Output& out);
  Status report(MatchPartition& partition, const MatchThread& match);
  Result<RowNumber> resume_behind(MatchPartition& partition, const MatchThread& match);
  Status reject(const MatchPartition& partition, RowNumber row, std::string_view reason);
  // ---- Partitions
  void change(MatchPartition& partition, KeyId key);
  void arm(MatchPartition& partition, KeyId key);
  void keep_rows();
  void sweep();
  [[nodiscard]] std::string key_text(KeyId key) const;
  [[nodiscard]] bool later(const Timer& a, const Timer& b) const;
  void save_partition(KeyId key, StateChanges& changes);
  Status load_partition(std::string_view key, std::string_view value);
  Status place_rows(std::vector<std::vector<std::pair<RowNumber, MatchRow>>>& kept);
  Status place_partition(KeyId key, std::vector<std::pair<RowNumber, MatchRow>>& rows);

  OperatorContext context_;
  const plan::MatchNode& node_;
  const Schema& input_schema_;
  KeyMap keys_;
  MatchRows rows_;
  MatchMachine machine_;
  MatchOutput output_;
  MatchOrder order_;
  OperatorCounters counters_;

  std::vector<MatchPartition> partitions_;  // By key.
  std::size_t sweep_at_ = 1024;
  std::vector<Timer> timers_;  // A heap: the next one first.
  std::vector<KeyId> touched_;
  std::vector<KeyId> dirty_;
  std::vector<Saved> saved_;  // By key, while entries are loaded.
  std::int64_t watermark_ = kMinWatermark;
  std::int64_t intake_time_ = 0;
  std::int64_t stamp_ = kMinWatermark;  // The watermark of the rows to come.
  bool progress_changed_ = false;

  // Scratch.
  KeyId key_ = 0;            // Whose row or timer is worked on, …
  std::int64_t intake_ = 0;  // … and when what decides it came in.
  std::vector<KeyId> key_ids_;
  std::vector<ColumnPtr> key_columns_;
  std::vector<WaitingRow> fresh_;
  std::vector<WaitingRow*> unkept_;
  std::vector<std::uint32_t> late_;
  std::vector<PathRun> runs_;
  std::string error_;
};

}  // namespace leat::exec
