// INTERSECT [ALL] and EXCEPT [ALL]: counts how often each of two inputs holds a row; a row that changes how
// often it is in the result comes (+I) or goes (-D) right there. Rows are equal as GROUP BY sees it: NULL
// equals NULL. A row taken back that its input does not hold is ignored and counted as filtered.
//
// State, under the node's fingerprint:
//   key   := "r" cell… (column/codec.h)  =>  zigzag time of the last write, varint left, varint right
//          | "t"                         =>  zigzag the operator's time (state_ttl.h), with a time to live
//          only
#pragma once

#include <array>
#include <vector>

#include "pipelines/exec/changelog_rows.h"
#include "pipelines/exec/input_clock.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/state_entries.h"
#include "pipelines/exec/state_ttl.h"
#include "pipelines/plan/set_operation_node.h"

namespace leat::exec {

class SetOperation final : public MultiInputOperator {
 public:
  explicit SetOperation(const plan::SetOperationNode& node);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  Status set_activity(std::size_t input, InputActivity activity, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return held_; }

 private:
  struct Counted {
    std::array<std::uint64_t, 2> times = {};  // In each input; both 0: nothing is kept of the row.
    std::int64_t written = 0;
    bool saved = false;
    bool dirty = false;
  };

  void apply_row(std::size_t input, const Batch& batch, std::uint32_t row, KeyId id);
  [[nodiscard]] std::uint64_t multiplicity(const Counted& counted) const;
  void hold(KeyId id);
  void drop(KeyId id);
  void drop_expired();
  void sweep();
  void write_key(KeyId id, ByteWriter& out) const;

  std::string fingerprint_;
  plan::SetOperator op_;
  std::vector<std::size_t> columns_;
  InputClock clock_{2};
  KeyMap rows_;
  std::vector<Counted> counted_;     // By KeyId.
  std::vector<std::uint32_t> uses_;  // By KeyId: 1 if the row is held.
  std::size_t held_ = 0;
  StateTtl ttl_;
  ExpiryQueue<KeyId> expiries_;
  ChangelogRows changes_{{}};
  OperatorCounters counters_;
  std::vector<KeyId> dirty_;
  ErasedEntries erased_;
  std::int64_t saved_now_ = kMinWatermark;
  std::vector<KeyId> ids_;  // Scratch of one batch.
};

}  // namespace leat::exec
