// The windows of an OVER node: all its frames over the same keys and rows. Knows neither watermarks nor
// lateness; its user says in which order the rows count.
//
// State, under the node's fingerprint: rows that frames still need ("r", see row_log.h), and the sums of
// frames ("a", see over_frame.h).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "pipelines/exec/over_frame.h"

namespace leat::exec {

class OverWindows {
 public:
  explicit OverWindows(const plan::OverNode& node);

  KeyMap& keys() { return rows_.keys; }
  [[nodiscard]] const KeyMap& keys() const { return rows_.keys; }
  /// The keys of a batch's rows.
  void look_up(const Batch& batch, std::vector<KeyId>& ids);

  /// Applies the events in order; `batch` has the columns of the node's input. Fills `number` of the events.
  /// Gives one column per call of the node, with a row per event that is a row.
  std::vector<ColumnPtr> run(const Batch& batch, std::span<OverEvent> events);

  /// True if every frame is one of times with a begin: nothing of a key is needed when its rows are too old.
  [[nodiscard]] bool expires() const { return expires_; }
  /// The longest of such frames.
  [[nodiscard]] std::int64_t longest() const { return longest_; }

  void save(std::string_view node, StateChanges& changes);
  [[nodiscard]] bool owns(std::string_view key) const {
    return rows_.log.owns(key) || (!key.empty() && key[0] == 'a');
  }
  Status load(std::string_view key, std::string_view value);
  Status loaded();
  /// True if rows of the key are kept.
  [[nodiscard]] bool keeps(KeyId key) const {
    return key < rows_.of_key.size() && rows_.of_key[key].begin() < rows_.of_key[key].end();
  }
  [[nodiscard]] std::size_t key_count() const { return rows_.keys.size(); }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  void keep_rows(const Batch& batch, std::span<OverEvent> events);
  void release_rows(std::span<const OverEvent> events);
  void compact();

  std::vector<std::size_t> partition_by_;
  std::size_t time_column_;
  std::vector<ColumnPtr> key_columns_;
  std::vector<std::unique_ptr<OverFrameRunner>> frames_;
  std::size_t call_count_;
  bool keeps_rows_ = false;
  bool expires_ = true;
  std::int64_t longest_ = 0;
  OverRows rows_;
};

}  // namespace leat::exec
