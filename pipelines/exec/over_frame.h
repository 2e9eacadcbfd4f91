// One frame of an OVER node for all keys: the calls over the rows before each row that the frame covers.
//
// Rows come in at the end and leave at the begin, each once, so the work per row is constant: what leaves is
// subtracted from aggregates that can take rows back. The least, the greatest, the first and the last value
// cannot; for them the frame is a queue of two stacks (the front one holds aggregates of all its rows from
// each row on, the back one the aggregate of all rows that came since), by which a row is aggregated at most
// twice before it leaves.
//
// State, one entry per key, under the node's fingerprint (what subtracts; queues are built anew from rows):
//   key := "a" varint frame, cells of the key      value := accumulators; parts stand behind the key
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipelines/exec/accumulators.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/row_log.h"
#include "pipelines/plan/over_node.h"

namespace leat::exec {

/// The rows of one key that some frame still needs, by their numbers since the key's first.
class KeyRows {
 public:
  struct Kept {
    RowLog::Ref ref;
    std::int64_t time = 0;
  };
  void push(Kept row) { rows_.push_back(row); }
  [[nodiscard]] std::uint64_t begin() const { return base_; }
  [[nodiscard]] std::uint64_t end() const { return base_ + rows_.size() - head_; }
  [[nodiscard]] const Kept& operator[](std::uint64_t number) const { return rows_[place(number)]; }
  [[nodiscard]] Kept& operator[](std::uint64_t number) { return rows_[place(number)]; }
  void pop_front();
  [[nodiscard]] std::size_t memory_bytes() const { return rows_.capacity() * sizeof(Kept); }

 private:
  [[nodiscard]] std::size_t place(std::uint64_t number) const {
    return head_ + static_cast<std::size_t>(number - base_);
  }

  std::vector<Kept> rows_;
  std::size_t head_ = 0;  // Rows before it are gone.
  std::uint64_t base_ = 0;
};

/// What happens to the keys, in order.
struct OverEvent {
  enum class Kind : std::uint8_t { kRow, kForget };
  Kind kind = Kind::kRow;
  KeyId key = 0;
  std::uint32_t row = 0;  ///< In the batch of the events.
  std::uint64_t run = 0;  ///< Rows of one run have the same time and see each other in a frame of times.
  std::int64_t time = 0;
  std::uint64_t number = 0;  ///< Of the row among its key's; kForget: of the next one.
};

/// What the frames of a node share.
struct OverRows {
  KeyMap keys;
  std::vector<KeyRows> of_key;
  RowLog log;
};

class OverFrameRunner {
 public:
  /// `calls` are those of `node` that have the frame, `number` its place among the node's frames.
  OverFrameRunner(const plan::OverNode& node, std::vector<std::size_t> calls, std::size_t number);
  ~OverFrameRunner();
  OverFrameRunner(const OverFrameRunner&) = delete;
  OverFrameRunner& operator=(const OverFrameRunner&) = delete;

  /// The results of the events' rows, one column per call, in the order of `calls`.
  std::vector<ColumnPtr> run(const Batch& batch, std::span<const OverEvent> events, const OverRows& rows);

  [[nodiscard]] bool keeps_rows() const { return frame_.preceding.has_value(); }
  /// The first row of the key that the frame still covers.
  [[nodiscard]] std::uint64_t begin(KeyId key) const { return key < keys_.size() ? keys_[key].begin : 0; }
  [[nodiscard]] const std::vector<std::size_t>& calls() const { return calls_; }

  void save(std::string_view node, const KeyMap& keys, StateChanges& changes);
  /// `entry` stands behind "a" and the number of the frame. Errors: corrupt.
  Status load(ByteReader& entry, std::string_view value, KeyMap& keys);
  /// All entries and rows are loaded. Errors: corrupt (rows without their sums).
  Status loaded(const OverRows& rows);
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Key {
    std::byte* sums = nullptr;      // Of calls that subtract, and of all calls of an unbounded frame.
    std::vector<std::byte*> front;  // Of the rows [begin, middle), the one of `begin` last.
    std::byte* back = nullptr;      // Of the rows [middle, end).
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::size_t heap_bytes = 0;  // What `sums` owned beside itself when it was last measured.
    bool saved = false;
    bool dirty = false;
  };

  void run_rows(const Batch& batch, std::span<const OverEvent> events, const OverRows& rows);
  void run_range(const Batch& batch, std::span<const OverEvent> events, const OverRows& rows);
  Key& key_at(KeyId key);
  void enter(Key& key, KeyId id, const Batch& batch, std::uint32_t row);
  void leave_until(Key& key, std::uint64_t target, const KeyRows& rows, const RowLog& log);
  void turn_queue(Key& key, const KeyRows& rows, const RowLog& log);
  void drop_queue(Key& key);
  void measure(Key& key);
  void emit(const Key& key);
  void forget(Key& key, KeyId id, std::uint64_t next, const KeyMap& keys);
  [[nodiscard]] std::string entry_key(KeyId id, const KeyMap& keys) const;

  plan::OverFrame frame_;
  std::size_t number_;
  std::vector<std::size_t> calls_;
  std::vector<std::size_t> summed_;  // Places in `calls_`.
  std::vector<std::size_t> queued_;
  Accumulators sums_;
  Accumulators queue_;
  StateArena sum_arena_;
  StateArena queue_arena_;
  std::vector<Key> keys_;
  std::vector<KeyId> dirty_;
  std::size_t heap_bytes_ = 0;  // Of all keys.
  ErasedEntries erased_;
  std::vector<ColumnBuilder> sum_results_;
  std::vector<ColumnBuilder> queue_results_;
};

}  // namespace leat::exec
