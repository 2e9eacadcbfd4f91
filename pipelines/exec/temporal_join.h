// The event-time temporal join: a left row meets the version of its key that was valid at its time. It waits
// until the watermark has reached its time; then all versions up to it are known. Left rows come out in the
// order of their times, then of their arrival. A left row at or behind the watermark is late.
//
// The right input is a changelog by key: +I and +U begin a version at the row's time, -D ends it, -U says
// nothing that its +U does not. Of versions that the watermark has passed, only a key's latest is kept, and
// with a time to live that one, too, goes when no row of either input has had its key for so long; left rows
// that wait keep it.
//
// State: the rows of both inputs, as exec/row_store.h has them, under the tags 'l' (the mark is the row's
// kind) and 'r' (the mark is 1 for the end of a version); the times of keys, as exec/key_lifetimes.h has
// them, under the tags 'k' and 't'.
#pragma once

#include <array>

#include "pipelines/exec/input_clock.h"
#include "pipelines/exec/join_condition.h"
#include "pipelines/exec/join_keys.h"
#include "pipelines/exec/join_output.h"
#include "pipelines/exec/key_lifetimes.h"

namespace leat::exec {

class TemporalJoin final : public MultiInputOperator {
 public:
  TemporalJoin(const plan::TemporalJoinNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  Status set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return keys_.size(); }

 private:
  struct Timed {
    std::int64_t time = 0;
    std::uint64_t sequence = 0;
    RowStore::Handle row = 0;
    KeyId key = 0;
    friend bool operator<(const Timed& a, const Timed& b) {
      return a.time != b.time ? a.time < b.time : a.sequence < b.sequence;
    }
    friend bool operator>(const Timed& a, const Timed& b) { return b < a; }
  };

  void take_left(std::uint32_t row, const Batch& batch);
  void take_right(std::uint32_t row, const Batch& batch);
  void enter(std::size_t side, const Timed& timed);
  void pass_row(KeyId key, std::int64_t intake_time);
  void touch(KeyId key);
  void forget_key(KeyId key);
  void forget_versions(KeyId key, std::int64_t watermark);
  [[nodiscard]] RowStore::Handle version_at(KeyId key, std::int64_t time) const;
  void collect_due(std::int64_t watermark, std::int64_t intake_time);
  Status flush(std::int64_t watermark, Output& out);
  void emit(const Batch& lefts, const JoinPairs& pairs);
  Status pass_time(std::int64_t now, Output& out);

  OperatorContext context_;
  std::string fingerprint_;
  Schema left_schema_;
  bool comes_alone_;
  std::array<std::size_t, 2> time_columns_;
  JoinKeys keys_;
  JoinCondition condition_;
  std::array<RowStore, 2> stores_;
  std::vector<Timed> waiting_;                // Left rows: a heap, the earliest in front.
  std::vector<std::vector<Timed>> versions_;  // Right rows by key, each by time, then arrival.
  KeyLifetimes lifetimes_;                    // Of keys that have versions.
  InputClock clock_{2};
  JoinOutput output_;
  OperatorCounters counters_;
  // Scratch of one batch: left rows that are due, each with its version or none; what is to be erased then.
  struct Due {
    Timed left;
    RowStore::Handle version = RowStore::kNone;
    std::int64_t intake_time = 0;
  };
  std::vector<Due> due_;
  std::vector<RowStore::Handle> forgotten_;
  std::span<const KeyId> ids_;
  std::vector<std::uint32_t> late_rows_;
};

}  // namespace leat::exec
