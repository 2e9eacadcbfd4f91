// The regular join: each row meets all rows that the other input has given so far and not taken back. Both
// sides are kept, for ever or as long as 'table.exec.state.ttl' says; both may be changelogs.
//
// During a batch of one input the other side does not change. So all candidates of the batch are collected
// first and the condition is evaluated over them column-wise; then the rows are applied one after the other.
//
// What comes out, by Flink's rules: a pair has the kind of the row that makes or breaks it; next to an input
// whose rows come out alone, too (LEFT, RIGHT, FULL), +I and -D. The mark of a row of such an input is the
// number of its matches: when it leaves 0 the padded row is taken back, when it is 0 again the padded row
// comes back. SEMI and ANTI give out rows of the left input alone, by the same marks.
//
// With a time to live a row is forgotten without a word when it has not been written for so long: what was
// made of it stays. As in Flink, a row is written when it comes and, if its matches are counted, when their
// number changes; and a row that is taken back after it was forgotten still takes back its pairs with the
// rows that are left.
//
// Interval and window joins bound their state by event time and, as in Flink, do not look at the time to
// live. Nor does the temporal join, where Flink differs: it forgets a key that has been idle for so long,
// while ours keeps each key's latest version, so that a rate that seldom changes does not vanish.
//
// State, under the node's fingerprint: the rows of both inputs, as exec/row_store.h has them, under the tags
// 'l' and 'r'; with a time to live also
//   "t" => zigzag the operator's time (state_ttl.h)
#pragma once

#include <array>

#include "pipelines/exec/input_clock.h"
#include "pipelines/exec/join_condition.h"
#include "pipelines/exec/join_keys.h"
#include "pipelines/exec/join_output.h"
#include "pipelines/exec/join_side.h"

namespace leat::exec {

class Join final : public MultiInputOperator {
 public:
  Join(const plan::JoinNode& node, OperatorContext context);

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
  /// A row of the batch and its matches on the other side.
  struct Candidate {
    std::size_t side = 0;
    std::uint32_t row = 0;
    KeyId key = 0;
    std::span<const RowStore::Handle> partners;
  };

  std::uint32_t collect_pairs(std::size_t side, std::uint32_t begin, const Batch& batch);
  enum class InRun : std::uint8_t { kFirst, kFurther };
  bool collect_pairs_of(const Candidate& candidate, InRun place, const StateTtl& ttl);
  Status apply_run(std::size_t side, std::uint32_t begin, std::uint32_t end, const Batch& batch);
  void apply(const Candidate& candidate, const Batch& batch);
  void insert(const Candidate& candidate, const Batch& batch);
  void retract(const Candidate& candidate, const Batch& batch);
  void emit_match(const Candidate& candidate, RowKind kind, RowStore::Handle partner, const Batch& batch);
  void emit_alone(const Candidate& candidate, RowKind kind, const Batch& batch);
  void emit_partner(const Candidate& candidate, RowKind kind, RowStore::Handle partner, const Batch& batch);
  void count_match(const Candidate& candidate, RowStore::Handle partner, const Batch& batch);
  void discount_match(const Candidate& candidate, RowStore::Handle partner, const Batch& batch);
  void drop_expired();
  void pass_time(std::int64_t intake_time);
  Status load_time(std::string_view value);
  Status flush(std::size_t side, const Batch& batch, std::int64_t watermark_after, Output& out);

  OperatorContext context_;
  std::string fingerprint_;
  plan::JoinType type_;
  std::array<bool, 2> comes_alone_;  // Rows of this side come out without a match, too.
  std::array<bool, 2> counts_;       // The marks of this side's rows count their matches.
  std::array<StateTtl, 2> ttls_;     // Of each side's rows; their times are the same.
  std::int64_t saved_now_ = kMinWatermark;
  JoinKeys keys_;
  JoinCondition condition_;
  std::array<JoinSide, 2> sides_;
  InputClock clock_{2};
  JoinOutput output_;
  OperatorCounters counters_;
  // Scratch of one batch.
  std::span<const KeyId> ids_;
  JoinPairs pairs_;
};

}  // namespace leat::exec
