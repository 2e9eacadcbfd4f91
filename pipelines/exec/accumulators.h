// The aggregates of one operator as one piece of memory per group, and where these pieces come from.
//
// Accumulators knows the layout: the states of all calls side by side, and for changelog input the number of
// rows that the group holds, because a group whose rows were all taken back has no result. StateArena hands
// out pieces of that size; they never move, so an operator may keep pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pipelines/base/bytes.h"
#include "pipelines/column/batch.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/state_entries.h"
#include "pipelines/plan/node.h"

namespace leat::exec {

/// The name of a group's own entry.
struct GroupEntry {
  std::string_view node;  ///< The node's fingerprint.
  std::string_view key;   ///< Of which the reader knows where it ends: parts begin there.
};

class Accumulators {
 public:
  enum class Input : std::uint8_t {
    kInsertOnly,
    kChangelog,  ///< Rows may be taken back.
  };
  Accumulators(const std::vector<plan::AggregateCall>& calls, Input input);

  /// Bytes of one piece, a multiple of 16.
  [[nodiscard]] std::size_t size() const { return size_; }
  void init(std::byte* state) const;
  void destroy(std::byte* state) const;
  /// Adds `from` (later rows) to `into`.
  void merge(std::byte* into, const std::byte* from) const;

  /// Applies rows in their order: row `rows[i]` to the group at `states[i]`. `states` is used up.
  void apply(const Batch& batch, std::span<const std::uint32_t> rows, std::span<std::byte*> states);
  /// Takes rows back that were added, whatever their kinds: they leave the frame of OVER.
  void take_back(const Batch& batch, std::span<const std::uint32_t> rows, std::span<std::byte*> states) {
    apply_signed(batch, rows, states, Sign::kTakeBack);
  }
  /// Rows one at a time, for operators that look at the group behind each row: `open` once for the batch,
  /// then `apply_one` for its rows in order.
  void open(const Batch& batch);
  void apply_one(const Batch& batch, std::uint32_t row, std::byte* state) const;

  [[nodiscard]] std::size_t call_count() const { return calls_.size(); }
  /// True if the group holds rows.
  [[nodiscard]] bool alive(const std::byte* state) const;
  /// Appends each call's result to the builder of the same index.
  void append_results(const std::byte* state, std::span<ColumnBuilder> out) const;

  /// accumulators := [ zigzag rows (changelog input only) ] head… (each as its aggregate writes it)
  void save(const std::byte* state, ByteWriter& out) const;
  /// Into an initialised piece. Errors: corrupt.
  Status load(std::byte* state, ByteReader& in) const;

  /// True if some aggregate keeps a set or a list: its values are entries of their own beside the one that
  /// `save` fills, under the group's key with more bytes behind it:
  ///   part key := group key, varint call, the aggregate's part   =>   as the aggregate writes it
  [[nodiscard]] bool has_parts() const { return has_parts_; }
  /// Writes the parts of a group that changed since they were last saved or loaded.
  void save_parts(std::byte* state, const GroupEntry& entry, StateChanges& changes) const;
  /// Puts back one part. `part` stands behind the group's key. Parts and `load` come in any order.
  /// Errors: corrupt.
  Status load_part(std::byte* state, ByteReader& part, std::string_view value) const;
  /// Erases all saved parts: the group is dropped, or gets another key. Its next `save_parts` writes all.
  void unsave_parts(std::byte* state, std::string_view group_key, ErasedEntries& erased) const;

  /// Heap bytes that the states of a piece own.
  [[nodiscard]] std::size_t heap_bytes(const std::byte* state) const;

 private:
  struct Call {
    functions::AggregatePtr function;
    std::size_t offset = 0;
    std::vector<std::size_t> arguments;
    std::optional<std::size_t> filter;
    std::vector<ColumnPtr> opened;  // Its arguments in the batch of `open`.
  };
  enum class Sign : std::uint8_t { kAdd, kTakeBack };

  void apply_signed(const Batch& batch, std::span<const std::uint32_t> rows, std::span<std::byte*> states,
                    Sign sign);
  void apply_call(const Call& call, const Batch& batch, std::span<const std::uint32_t> rows,
                  std::span<std::byte*> states, Sign sign);
  void keep_filtered(const Column& filter, std::span<const std::uint32_t> rows, std::span<std::byte*> states);

  std::vector<Call> calls_;
  bool counts_rows_ = false;
  bool has_parts_ = false;
  std::size_t size_ = 0;
  // Scratch of one call: its arguments, and the rows that its FILTER lets pass.
  std::vector<ColumnPtr> arguments_;
  std::vector<std::uint32_t> filtered_rows_;
  std::vector<std::byte*> filtered_states_;
};

class StateArena {
 public:
  /// Gives pieces for `layout`, which outlives the arena.
  explicit StateArena(const Accumulators& layout) : layout_(layout) {}
  ~StateArena();
  StateArena(const StateArena&) = delete;
  StateArena& operator=(const StateArena&) = delete;

  /// An initialised piece.
  std::byte* take();
  /// Destroys its states; the piece may be given out again.
  void release(std::byte* piece);

  [[nodiscard]] std::size_t memory_bytes() const { return bytes_; }
  [[nodiscard]] std::size_t in_use() const { return in_use_; }

 private:
  struct Release {
    void operator()(std::byte* memory) const;
  };
  struct Chunk {
    std::unique_ptr<std::byte, Release> memory;
    std::size_t pieces = 0;
  };
  void add_chunk();

  const Accumulators& layout_;
  std::vector<Chunk> chunks_;
  // Pieces that nobody holds; all others are initialised.
  std::vector<std::byte*> free_;
  std::size_t bytes_ = 0;
  std::size_t in_use_ = 0;
};

}  // namespace leat::exec
