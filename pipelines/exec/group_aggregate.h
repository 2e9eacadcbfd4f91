// GROUP BY without a window, and SELECT DISTINCT: a row per key that is updated by every row of its group.
//
// Each input row gives its own changes, right where it stands, so they do not depend on batches: +I for the
// first row of a key; -U with the old and +U with the new result when that differs; -D when the last row of a
// group is taken back. A row taken back from a group that does not exist (any more) is ignored and counted as
// filtered. With a time to live a group that no row has written for so long is forgotten without a word, and
// unchanged results are given out, too, so that what keeps them further on sees that they live (as in Flink).
//
// For final results (a batch run) the operator says nothing until its input has ended, then gives each group
// once, in the order of the groups' first rows; all rows as one group give one row even without input.
//
// State, under the node's fingerprint:
//   key   := "g" cell… (column/codec.h) | "t" | "e"
//   value of g := zigzag time of the last write, varint arrival, accumulators
//   value of t := zigzag the operator's time (state_ttl.h), with a time to live only
//   value of e := (nothing): the end has come, and the final results are out
// and behind a key of "g" the parts of its aggregates (accumulators.h).
#pragma once

#include <memory>
#include <vector>

#include "pipelines/exec/changelog_rows.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/keyed_state.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/state_entries.h"
#include "pipelines/exec/state_ttl.h"
#include "pipelines/plan/group_aggregate_node.h"

namespace leat::exec {

class GroupAggregate final : public Operator {
 public:
  explicit GroupAggregate(const plan::GroupAggregateNode& node);

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
  struct Group {
    std::byte* state = nullptr;  // Null: there is no such group.
    std::int64_t written = 0;
    std::uint64_t arrival = 0;
    bool saved = false;
    bool dirty = false;
  };

  void apply_row(const Batch& batch, std::uint32_t row, KeyId key);
  void start_group(KeyId key);
  void change_group(const Batch& batch, std::uint32_t row, KeyId key);
  void add_change(RowKind kind, std::uint32_t row, const Group& group);
  void touch(KeyId key);
  void drop(KeyId key);
  void drop_expired();
  void measure_heap(std::size_t rows);

  Status give_final_results(std::int64_t intake_time, Output& out);
  Batch final_batch(std::span<const KeyId> keys, std::int64_t intake_time);

  void write_key(KeyId key, ByteWriter& out) const;
  void save_group(KeyId key, StateChanges& changes);
  Status load_group(ByteReader& key, std::string_view value);

  std::string fingerprint_;
  std::vector<std::size_t> key_columns_;
  std::vector<Type> output_types_;
  bool final_results_;
  bool rows_change_groups_;  // False for DISTINCT over new rows: only a group's first row counts.
  KeyedState state_;
  StateTtl ttl_;
  ExpiryQueue<KeyId> expiries_;
  ChangelogRows changes_;
  OperatorCounters counters_;

  std::vector<Group> groups_;  // By KeyId.
  std::vector<KeyId> dirty_;
  ErasedEntries erased_;
  std::uint64_t next_arrival_ = 1;
  std::int64_t saved_now_ = kMinWatermark;
  bool ended_ = false;
  bool end_saved_ = false;
  // Scratch of one batch.
  std::vector<ColumnPtr> keys_;
  std::vector<KeyId> key_ids_;
};

}  // namespace leat::exec
