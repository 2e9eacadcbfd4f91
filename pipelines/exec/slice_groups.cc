#include "pipelines/exec/slice_groups.h"

#include <algorithm>

namespace leat::exec {

Group& SliceGroups::add(KeyId key, std::byte* state, std::uint64_t arrival) {
  if (key >= index_.size()) index_.resize(std::max<std::size_t>(key + 1, index_.size() * 2));
  groups_.push_back({state, arrival, key});
  index_[key] = static_cast<std::uint32_t>(groups_.size());
  return groups_.back();
}

void SliceGroups::clear() {
  for (const Group& group : groups_) index_[group.key] = 0;
  groups_.clear();
  dirty_.clear();
}

std::vector<const Group*> by_arrival(const SliceGroups& groups) {
  std::vector<const Group*> order;
  order.reserve(groups.groups().size());
  for (const Group& group : groups.groups()) order.push_back(&group);
  const auto earlier = [](const Group* a, const Group* b) { return a->arrival < b->arrival; };
  if (!std::is_sorted(order.begin(), order.end(), earlier)) std::sort(order.begin(), order.end(), earlier);
  return order;
}

}  // namespace leat::exec
