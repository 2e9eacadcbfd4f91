// HOP windows from shared slices with a constant number of merges per firing, however many slices a window
// has. Slices stand in blocks of as many as a window has. A window ends in one block and begins in the block
// before it, so it is a tail of that block and a head of its own. Tails are merged backwards, all of a block
// at once when the first window reaches into the next one; the head grows by a slice at each firing.
//
// Which slices are merged with which depends on nothing but their place in time, so sums of floating-point
// numbers have the same bits after a restart. Nothing here is state: it is made anew from the slices, and so
// is it when a row comes for a slice that is in it already.
#pragma once

#include <cstdint>
#include <map>

#include "pipelines/base/time.h"
#include "pipelines/exec/keyed_state.h"
#include "pipelines/exec/slice_groups.h"

namespace leat::exec {

class SlidingMerge {
 public:
  /// `state` owns the groups' memory and outlives this. A window is `size` long, its slices `width`, and one
  /// of them begins at `offset`.
  SlidingMerge(KeyedState& state, std::int64_t width, std::int64_t size, std::int64_t offset)
      : state_(state), width_(width), size_(size), offset_(offset) {}
  ~SlidingMerge() { forget(); }
  SlidingMerge(const SlidingMerge&) = delete;
  SlidingMerge& operator=(const SlidingMerge&) = delete;

  /// The groups of the window whose last slice ends at `end`, from `open` (by the slices' ends). Valid until
  /// the next call.
  const SliceGroups& window(std::int64_t end, const std::map<std::int64_t, SliceGroups>& open);
  /// A row went into the slice that ends at `slice`.
  void row_in(std::int64_t slice) {
    if (slice <= head_end_) forget();
  }
  /// Gives all memory back.
  void forget();

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  using Slices = std::map<std::int64_t, SliceGroups>;

  [[nodiscard]] std::int64_t block_start(std::int64_t end) const;
  void grow_head(std::int64_t end, const Slices& open);
  void build_tails(std::int64_t first, std::int64_t boundary, const Slices& open);
  void merge_into(SliceGroups& into, const SliceGroups& from);
  void release(SliceGroups& groups);

  KeyedState& state_;
  std::int64_t width_;
  std::int64_t size_;  // Of a window and of a block.
  std::int64_t offset_;
  SliceGroups head_;                       // Of the block that the last window ended in.
  std::int64_t head_start_ = 0;            // Where that block begins.
  std::int64_t head_end_ = kMinWatermark;  // End of the last slice that is merged into it.
  Slices tails_;                           // By the end of the slice they begin with: of the block before.
  std::int64_t tails_of_ = kMinWatermark;  // Where their block ends.
  SliceGroups merged_;                     // The last window, where it has a tail and a head.
};

}  // namespace leat::exec
