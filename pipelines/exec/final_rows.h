// The end of a changelog in a batch run: keeps the rows that its changes leave, and gives them out as +I when
// the input has ended, in the order in which they came. A row taken back is found by its content; one that is
// not there is ignored and counted as filtered.
//
// State, under the node's fingerprint: the rows (row_store.h) with the tag "r".
#pragma once

#include <vector>

#include "pipelines/exec/key_map.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/plan/table_nodes.h"

namespace leat::exec {

class FinalRows final : public Operator {
 public:
  explicit FinalRows(const plan::FinalRowsNode& node);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override { rows_.save(fingerprint_, changes); }
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return rows_.size(); }

 private:
  void look_up(std::span<const ColumnPtr> columns, std::size_t rows);
  Status give_rows(std::int64_t intake_time, Output& out);

  std::string fingerprint_;
  RowStore rows_;
  KeyMap contents_;
  std::vector<std::vector<RowStore::Handle>>
      held_;  // By number of the content: equal rows, the last one last.
  OperatorCounters counters_;
  std::vector<KeyId> ids_;  // Scratch of one batch.
};

}  // namespace leat::exec
