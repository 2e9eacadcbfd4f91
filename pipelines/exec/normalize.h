// The latest row of each key becomes a changelog (plan/normalize_node.h): the first row of a key is +I,
// another one -U and +U, and nothing if it is the same; the end of a key is -D with the row as it was, and
// nothing if there was none. With a time to live a key is forgotten so long after its row was given out,
// without a word, and rows that are the same are given out, too, so that operators behind keep their keys as
// long.
//
// State, under the node's fingerprint, beside that of KeyLifetimes: the row of each key (row_store.h, tag
// "r").
#pragma once

#include <vector>

#include "pipelines/exec/changelog_rows.h"
#include "pipelines/exec/key_lifetimes.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/plan/normalize_node.h"

namespace leat::exec {

class Normalize final : public Operator {
 public:
  explicit Normalize(const plan::NormalizeNode& node);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return rows_.size(); }

 private:
  void look_up(const Batch& batch);
  void replace(const Batch& batch, std::uint32_t row);
  void end(std::uint32_t row);
  void forget(KeyId id);
  void give(RowKind kind, RowStore::Handle handle, std::uint32_t row);
  [[nodiscard]] Batch take_changes(const Batch& batch);

  std::string fingerprint_;
  std::vector<std::size_t> passed_;
  std::vector<std::size_t> key_columns_;
  std::size_t deletion_;
  KeyMap keys_;
  RowStore rows_;
  ChangelogRows changes_;
  std::vector<RowStore::Handle> by_key_;  // kNone: it has no row.
  KeyLifetimes lifetimes_;
  OperatorCounters counters_;
  std::vector<KeyId> ids_;  // Scratch of one batch.
};

}  // namespace leat::exec
