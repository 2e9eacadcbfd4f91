// The groups of one slice (or of one CUMULATE window): which keys have rows in it, in the order of their
// first arrival, with their aggregates.
#pragma once

#include <cstdint>
#include <vector>

#include "pipelines/exec/key_map.h"

namespace leat::exec {

struct Group {
  std::byte* state = nullptr;  ///< Owned by the operator's KeyedState.
  std::uint64_t arrival = 0;   ///< Number of its first row; grows over the operator's life.
  KeyId key = 0;
  bool dirty = false;  ///< Changed since the last save.
  bool saved = false;  ///< An entry of it is in the store.
};

class SliceGroups {
 public:
  /// nullptr if the key has no rows here. Valid until the next `add`.
  Group* find(KeyId key) {
    if (key >= index_.size() || index_[key] == 0) return nullptr;
    return &groups_[index_[key] - 1];
  }
  Group& add(KeyId key, std::byte* state, std::uint64_t arrival);
  void mark_dirty(Group& group) {
    if (group.dirty) return;
    group.dirty = true;
    dirty_.push_back(static_cast<std::uint32_t>(&group - groups_.data()));
  }

  [[nodiscard]] std::vector<Group>& groups() { return groups_; }
  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  [[nodiscard]] bool empty() const { return groups_.empty(); }
  /// Forgets all groups, whose states somebody else has released; keeps its memory for the next slice.
  void clear();
  /// Calls `visit(group)` for each changed group and marks it as saved.
  template <class Visit>
  void drain_dirty(Visit visit) {
    for (const std::uint32_t index : dirty_) {
      Group& group = groups_[index];
      visit(static_cast<const Group&>(group));
      group.dirty = false;
      group.saved = true;
    }
    dirty_.clear();
  }
  [[nodiscard]] std::size_t memory_bytes() const {
    return index_.capacity() * sizeof(std::uint32_t) + groups_.capacity() * sizeof(Group) +
           dirty_.capacity() * sizeof(std::uint32_t);
  }

 private:
  std::vector<std::uint32_t> index_;  // By key: its place in `groups_` plus one; 0: none.
  std::vector<Group> groups_;
  std::vector<std::uint32_t> dirty_;
};

/// Groups in the order in which they are emitted: by first arrival.
std::vector<const Group*> by_arrival(const SliceGroups& groups);

}  // namespace leat::exec
