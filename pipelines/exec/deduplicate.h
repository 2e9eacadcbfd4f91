// Deduplication without waiting: the last row of each key by a time attribute, with updates, or the first one
// in processing time.
//
// Keep last: a row whose time is not before that of the key's row takes its place (+I, then -U and +U); an
// older one changes nothing. Keep first: the first row passes, all others of its key are ignored.
//
// With a time to live a key is forgotten so long after its row was given out, without a word: the next row of
// the key is its first one again.
//
// State, under the node's fingerprint, beside that of KeyLifetimes:
//   keep last:  the row of each key (row_store.h, tag "r")
//   keep first: "k" cells => nothing; the key has had its row
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "pipelines/exec/changelog_rows.h"
#include "pipelines/exec/key_lifetimes.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/plan/rank_node.h"

namespace leat::exec {

class Deduplicate final : public Operator {
 public:
  explicit Deduplicate(const plan::DeduplicateNode& node);

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
    bool seen = false;
    RowStore::Handle row = kNone;  // Keep last.
    std::int64_t time = 0;
  };

  void look_up(const Batch& batch);
  [[nodiscard]] std::int64_t time_of(const Batch& batch, std::size_t row) const;
  [[nodiscard]] std::string entry_of(KeyId id) const;
  void forget(KeyId id);
  void keep_first(std::uint32_t row);
  void keep_last(const Batch& batch, std::uint32_t row);
  void give(RowKind kind, RowStore::Handle handle, std::uint32_t row);

  std::string fingerprint_;
  std::vector<std::size_t> passed_;
  std::vector<std::size_t> partition_by_;
  std::size_t time_column_;
  bool in_rowtime_;
  plan::DeduplicateNode::Keep keep_;
  KeyMap keys_;
  RowStore rows_;
  ChangelogRows changes_;
  std::vector<Key> state_;
  KeyLifetimes lifetimes_;
  ErasedEntries erased_;
  std::vector<KeyId> unsaved_;
  OperatorCounters counters_;
  std::vector<KeyId> ids_;
  std::vector<ColumnPtr> key_columns_;
  std::vector<std::uint32_t> firsts_;
};

}  // namespace leat::exec
