#include "pipelines/exec/sliding_merge.h"

#include <algorithm>
#include <iterator>

#include "pipelines/base/time.h"

namespace leat::exec {

// The start of the block that holds the slice which ends at `end`.
std::int64_t SlidingMerge::block_start(std::int64_t end) const {
  const std::int64_t begin = end - width_;
  return begin - floor_mod(begin - offset_, size_);
}

const SliceGroups& SlidingMerge::window(std::int64_t end, const Slices& open) {
  release(merged_);
  grow_head(end, open);
  const std::int64_t start = end - size_;
  if (start >= head_start_) return head_;
  if (tails_of_ != head_start_ || tails_.empty()) build_tails(start, head_start_, open);
  while (!tails_.empty() && tails_.begin()->first <= start) {
    release(tails_.begin()->second);
    tails_.erase(tails_.begin());
  }
  if (tails_.empty()) return head_;
  if (head_.empty()) return tails_.begin()->second;
  merge_into(merged_, tails_.begin()->second);
  merge_into(merged_, head_);
  return merged_;
}

void SlidingMerge::grow_head(std::int64_t end, const Slices& open) {
  const std::int64_t start = block_start(end);
  if (start != head_start_ || head_end_ > end) {
    release(head_);
    head_start_ = start;
    head_end_ = start;
  }
  for (auto slice = open.upper_bound(std::max(head_end_, start)); slice != open.end() && slice->first <= end;
       ++slice)
    merge_into(head_, slice->second);
  head_end_ = end;
}

// The slices of (first, boundary] from the last to the first; each tail is its slice before the tail behind
// it.
void SlidingMerge::build_tails(std::int64_t first, std::int64_t boundary, const Slices& open) {
  for (auto& [end, tail] : tails_) release(tail);
  tails_.clear();
  tails_of_ = boundary;
  const auto begin = open.upper_bound(first);
  for (auto slice = open.upper_bound(boundary); slice != begin;) {
    --slice;
    const SliceGroups* behind = tails_.empty() ? nullptr : &tails_.begin()->second;
    SliceGroups tail;
    merge_into(tail, slice->second);
    if (behind != nullptr) merge_into(tail, *behind);
    tails_.emplace_hint(tails_.begin(), slice->first, std::move(tail));
  }
}

void SlidingMerge::merge_into(SliceGroups& into, const SliceGroups& from) {
  for (const Group& group : from.groups()) {
    Group* target = into.find(group.key);
    if (target == nullptr) target = &into.add(group.key, state_.take(group.key), group.arrival);
    target->arrival = std::min(target->arrival, group.arrival);
    state_.accumulators().merge(target->state, group.state);
  }
}

void SlidingMerge::release(SliceGroups& groups) {
  for (const Group& group : groups.groups()) state_.release(group.key, group.state);
  groups.clear();
}

void SlidingMerge::forget() {
  release(merged_);
  release(head_);
  for (auto& [end, tail] : tails_) release(tail);
  tails_.clear();
  head_end_ = kMinWatermark;
  tails_of_ = kMinWatermark;
}

std::size_t SlidingMerge::memory_bytes() const {
  std::size_t bytes = head_.memory_bytes() + merged_.memory_bytes();
  for (const auto& [end, tail] : tails_) bytes += sizeof(end) + tail.memory_bytes();
  return bytes;
}

}  // namespace leat::exec
