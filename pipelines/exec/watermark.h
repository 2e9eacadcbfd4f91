// Watermarks of a source: for each row the watermark before it (the row comes first, then its own watermark),
// by the values of the table's WATERMARK expression. NULL moves nothing. Before the first value the watermark
// is kMinWatermark, so watermarks before 1970 occur, as with Flink's push-down sources.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pipelines/base/time.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/operator.h"

namespace leat::exec {

/// The smallest of many numbers, of which any may change: a binary heap with the place of each.
class MinimumOfMany {
 public:
  /// Sets or adds the number of `id`.
  void set(std::uint32_t id, std::int64_t value);
  void remove(std::uint32_t id);
  [[nodiscard]] bool contains(std::uint32_t id) const { return id < places_.size() && places_[id] != 0; }
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::int64_t minimum() const { return heap_.front().value; }
  [[nodiscard]] std::size_t memory_bytes() const {
    return heap_.capacity() * sizeof(Entry) + places_.capacity() * sizeof(std::uint32_t);
  }

 private:
  struct Entry {
    std::int64_t value;
    std::uint32_t id;
  };
  void put(std::size_t place, Entry entry);
  void sift(std::size_t place);

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> places_;  // By id: its place in the heap plus one; 0: not there.
};

/// 'scan.watermark.partition-by': a watermark per value of a column; the least of the active ones counts. A
/// partition without rows for the idle time-out, counted in the source's quiet time, is forgotten, which
/// bounds the state by the partitions that are alive.
///
/// State entries: key := "p" cell; value := zigzag watermark.
class PartitionWatermarks {
 public:
  PartitionWatermarks(const Type& type, Micros idle_timeout) : keys_({type}), idle_timeout_(idle_timeout) {}

  /// Partitions whose rows are to come hold the least watermark back until then. Ones that are held already
  /// stay as they are.
  void open(std::span<const std::string> partitions, std::int64_t quiet_clock);
  /// The least watermark of the rest does not wait for these any more.
  void close(std::span<const std::string> partitions);
  /// Only these can have rows; others are what a former run has left.
  void keep_only(std::span<const std::string> partitions);
  /// What is behind the last row, when partitions were closed.
  [[nodiscard]] std::int64_t least(std::int64_t current) const {
    return watermarks_.empty() ? current : std::max(current, watermarks_.minimum());
  }

  /// Takes the values of a batch; `before[i]` gets the least watermark before row i, `current` the one behind
  /// the last row. Neither falls.
  void take(const ColumnPtr& partitions, const Column& values, std::int64_t quiet_clock,
            std::int64_t& current, std::vector<std::int64_t>& before);
  /// Forgets partitions that have been idle for the time-out, if there is one; gives the least watermark of
  /// the rest.
  std::int64_t expire(std::int64_t quiet_clock, std::int64_t current);

  void save(std::string_view node, StateChanges& changes);
  /// `key` without its tag. Errors: corrupt.
  Status load(std::string_view key, std::string_view value);

  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Partition {
    std::int64_t watermark = kMinWatermark;
    std::int64_t active_at = 0;  // On the clock of quiet time; starts anew with each start of the pipeline.
    bool held = false;
    bool dirty = false;
    bool saved = false;
  };
  void forget(KeyId id);
  void look_up(std::span<const std::string> partitions);
  [[nodiscard]] std::string entry_key(KeyId id) const;

  KeyMap keys_;
  Micros idle_timeout_;
  std::vector<Partition> partitions_;  // By key.
  MinimumOfMany watermarks_;
  bool declared_ = false;  // `open` says which there are, not the rows.
  std::vector<KeyId> dirty_;
  std::vector<std::string> erased_;
  std::vector<KeyId> ids_;  // Scratch.
};

}  // namespace leat::exec
