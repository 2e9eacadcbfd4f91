// Deduplication, keep first in event time: of the rows of a key the one with the least time is given out, of
// equal ones the first that came, once the watermark has reached its time. Insert-only.
//
// A row before the watermark is late. A key that has given out its row ignores all others.
//
// With a time to live a key is forgotten so long after its row was given out: by the intake time of the last
// row before. A key that waits for the watermark is not.
//
// State, under the node's fingerprint, beside that of KeyLifetimes:
//   "m"          => zigzag watermark, zigzag intake time of the last row
//   "r" sequence => the candidate of a key (row_store.h)
//   "k" cells    => nothing; the key has given out its row
#pragma once

#include <functional>
#include <limits>
#include <queue>
#include <string>
#include <vector>

#include "pipelines/column/column_builder.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/key_lifetimes.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/plan/rank_node.h"

namespace leat::exec {

class DeduplicateFirst final : public Operator {
 public:
  DeduplicateFirst(const plan::DeduplicateNode& node, OperatorContext context);

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
  static constexpr RowStore::Handle kNone = std::numeric_limits<RowStore::Handle>::max();
  struct Key {
    bool done = false;
    RowStore::Handle candidate = kNone;
    std::int64_t time = 0;
  };
  struct Timer {
    std::int64_t time = 0;
    std::uint64_t sequence = 0;  // Of the candidate that set it.
    KeyId key = 0;
    friend bool operator>(const Timer& a, const Timer& b) {
      return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
    }
  };

  [[nodiscard]] std::string entry_of(KeyId id) const;
  void forget(KeyId id);
  void look_up(const Batch& batch);
  void take_row(const Batch& batch, std::size_t row);
  void fire_until(std::int64_t watermark, std::int64_t intake_time);
  void give(const Timer& timer, std::int64_t watermark_before, std::int64_t intake_time);
  Batch take_fired(std::int64_t watermark_after);

  OperatorContext context_;
  std::string fingerprint_;
  Schema input_schema_;
  std::vector<std::size_t> passed_;
  std::vector<std::size_t> partition_by_;
  std::size_t time_column_;
  KeyMap keys_;
  RowStore rows_;
  std::vector<Key> state_;
  KeyLifetimes lifetimes_;
  ErasedEntries erased_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<KeyId> unsaved_;
  OperatorCounters counters_;
  std::int64_t watermark_ = kMinWatermark;
  std::int64_t intake_time_ = 0;
  bool progress_changed_ = false;

  std::vector<ColumnBuilder> fired_;
  std::vector<std::int64_t> fired_watermarks_;
  std::vector<std::int64_t> fired_intakes_;
  std::int64_t last_label_ = kMinWatermark;
  std::vector<KeyId> ids_;
  std::vector<ColumnPtr> key_columns_;
  std::vector<std::uint32_t> late_rows_;
};

}  // namespace leat::exec
