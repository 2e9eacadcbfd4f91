// What stands before a sink that keeps one row per PRIMARY KEY and is told +I, +U and -D
// (plan/table_nodes.h).
//
// UpsertChanges keeps nothing: the query has one row per key as well, so each -U with its +U behind it is one
// +U. A -U whose +U a filter has taken away is the end of the row, a -D.
//
// UpsertMaterialize keeps every row of a key in the order of arrival, because of two that the query gives for
// one key the one that stays must not go with the other. The last one is the sink's: a row that comes is +I
// if it is the first and +U if not; when the last one goes, the one before it is +U again, or the key is -D.
// A row taken back is found by its content; one that is not there is ignored and counted as filtered.
// Where the first row of a key is to stay (UpsertForm::kFirst, kOnly), it alone is kept: others that come
// while it is there are left out, or go to the dead letters, and are not there when they are taken back.
//
// State of the latter, under the node's fingerprint: the rows (row_store.h) with the tag "r".
#pragma once

#include <vector>

#include "pipelines/exec/changelog_rows.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/exec/stateless.h"
#include "pipelines/plan/table_nodes.h"

namespace leat::exec {

class UpsertChanges final : public StatelessOperator {
 public:
  explicit UpsertChanges(const plan::UpsertNode& node) : keys_(node.keys) {}
  Status process(std::size_t input, const Batch& batch, Output& out) override;

 private:
  /// True if the -U at `row` has its +U, of the same key, behind it.
  [[nodiscard]] bool is_updated(const Batch& batch, std::size_t row) const;
  std::vector<std::size_t> keys_;
};

class UpsertMaterialize final : public Operator {
 public:
  UpsertMaterialize(const plan::UpsertNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override { rows_.save(fingerprint_, changes); }
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return held_keys_; }

 private:
  using Rows = std::vector<RowStore::Handle>;  // Of one key, in the order of arrival.

  void look_up(std::span<const ColumnPtr> columns, std::size_t rows);
  void add(const Batch& batch, std::uint32_t row, Rows& rows);
  void refuse(std::uint32_t row);
  Status reject_refused(const Batch& batch);
  void take_back(const Batch& batch, std::uint32_t row, Rows& rows);
  void close_change(RowKind kind, std::uint32_t row, RowStore::Handle content);
  [[nodiscard]] Rows::iterator find(const Batch& batch, std::size_t row, Rows& rows) const;

  OperatorContext context_;
  Schema schema_;
  std::string fingerprint_;
  plan::UpsertForm form_;
  std::vector<std::size_t> key_columns_;
  RowStore rows_;
  KeyMap keys_;
  std::vector<Rows> by_key_;  // By KeyId.
  std::size_t held_keys_ = 0;
  ChangelogRows changes_;
  OperatorCounters counters_;
  // Scratch of one batch.
  std::vector<KeyId> ids_;
  functions::RowErrors refused_;
};

}  // namespace leat::exec
