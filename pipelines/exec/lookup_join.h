// The lookup join: each row meets the rows that a table outside has for its key at that moment, which is as
// of the table's last commit when the row's batch is processed. So what comes out depends on when; that is
// what a processing time says. Rows come out in the order in which they came; the rows of one key in the
// table's.
//
// The table is asked once per batch, for the keys that the cache does not know. There is no state: rows that
// were given out stay as they are when the table changes.
#pragma once

#include <memory>
#include <vector>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/join_condition.h"
#include "pipelines/exec/join_output.h"
#include "pipelines/exec/lookup_cache.h"

namespace leat::exec {

class LookupJoin final : public Operator {
 public:
  /// Errors: invalid (nobody has tables to look up), and what opening the table says.
  static Result<std::unique_ptr<LookupJoin>> make(const plan::LookupJoinNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override { return cache_.memory_bytes(); }
  [[nodiscard]] std::size_t key_count() const override { return cache_.size(); }

 private:
  LookupJoin(const plan::LookupJoinNode& node, OperatorContext context, std::unique_ptr<LookupTable> table);
  Status ask(const Batch& batch, std::span<const KeyId> ids);
  void collect(std::span<const KeyId> ids);
  void emit(const Batch& batch, std::span<const std::uint32_t> failed);

  OperatorContext context_;
  std::unique_ptr<LookupTable> table_;
  std::uint64_t version_ = 0;
  bool comes_alone_;                      // LEFT.
  std::vector<std::size_t> key_columns_;  // Of the left rows.
  JoinCondition condition_;
  JoinOutput output_;
  LookupCache cache_;
  OperatorCounters counters_;
  JoinPairs pairs_;  // Of one batch.
};

/// Stands for the table among the operators: nothing flows through it, the join asks it directly.
class AskedTable final : public Operator {
 public:
  Status process(std::size_t, const Batch&, Output&) override { return {}; }
  Status advance(std::size_t, std::int64_t, std::int64_t, Output&) override { return {}; }
  [[nodiscard]] OperatorCounters counters() const override { return {}; }
  void restore_counters(const OperatorCounters&) override {}
};

}  // namespace leat::exec
