// What aggregates keep entry by entry in the store: the marks and the log by which a state knows which of its
// parts a commit must write, so that one new value in a group of a million costs one entry.
//
// A map of such a state has values with a member `PartMark mark`. Its owner reports each change to the log
// beside it; `save` then visits what changed and nothing else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/functions/aggregate.h"

namespace leat::functions {

/// How an entry stands to the store.
struct PartMark {
  bool saved = false;  ///< The store has an entry of it.
  bool dirty = false;  ///< It differs from what the store has, and the log names it.
};

/// The keys of a map's entries that changed since the last save. `Key` is the map's key type.
template <class Key>
class PartLog {
 public:
  /// The entry is new or has another value now.
  void changed(const Key& key, PartMark& mark) {
    if (mark.dirty) return;
    mark.dirty = true;
    changed_.push_back(key);
  }
  /// The entry is about to leave the map.
  void removed(const Key& key, PartMark mark) {
    if (mark.saved) erased_.push_back(key);
  }

  /// `part_of(key)` and `value_of(key, entry)` give the bytes of the store's entry.
  template <class Map, class PartOf, class ValueOf>
  void save(Map& map, PartOf part_of, ValueOf value_of, PartChanges& changes) {
    for (const Key& key : erased_) changes.erase(part_of(key));
    for (const Key& key : changed_) {
      const auto found = map.find(key);
      // Gone again, or back again and written already under its second mention.
      if (found == map.end() || !found->second.mark.dirty) continue;
      changes.put(part_of(key), value_of(key, found->second));
      found->second.mark = {.saved = true, .dirty = false};
    }
    clear();
  }

  /// Erases what the store has; all entries count as new afterwards.
  template <class Map, class PartOf>
  void unsave(Map& map, PartOf part_of, PartChanges& changes) {
    for (const Key& key : erased_) changes.erase(part_of(key));
    clear();
    for (auto& [key, entry] : map) {
      if (entry.mark.saved) changes.erase(part_of(key));
      entry.mark = {};
      changed(key, entry.mark);
    }
  }

  [[nodiscard]] std::size_t heap_bytes() const {
    return (changed_.capacity() + erased_.capacity()) * sizeof(Key);
  }

 private:
  // Gives the memory back: a group of a window has one busy commit, then many quiet ones.
  void clear() {
    changed_ = {};
    erased_ = {};
  }

  std::vector<Key> changed_;
  std::vector<Key> erased_;  // In the store, but not in the map.
};

/// Bytes that a string of this capacity has outside of itself.
inline std::size_t heap_bytes_of(const std::string& text) {
  constexpr std::size_t kInPlace = 15;
  return text.capacity() > kInPlace ? text.capacity() + 1 : 0;
}

}  // namespace leat::functions
