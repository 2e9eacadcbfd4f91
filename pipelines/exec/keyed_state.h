// Keys with the groups of aggregates that belong to them: what the window operators share. A key is held as
// long as a group uses it; keys without use are swept out now and then, not at once, because a device that
// was in the last window is in the next one, too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/exec/accumulators.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/state_entries.h"

namespace leat::exec {

class KeyedState {
 public:
  KeyedState(std::vector<Type> key_types, const std::vector<plan::AggregateCall>& calls,
             Accumulators::Input input);

  KeyMap& keys() { return keys_; }
  [[nodiscard]] const KeyMap& keys() const { return keys_; }
  Accumulators& accumulators() { return accumulators_; }

  /// A group's memory, for a key that is then in use.
  std::byte* take(KeyId key);
  void release(KeyId key, std::byte* state);

  /// Forgets keys without use when there are many. Numbers that `lookup` gave before are void.
  void sweep();

  /// Keys in use.
  [[nodiscard]] std::size_t key_count() const { return used_keys_; }
  [[nodiscard]] std::size_t group_count() const { return arena_.in_use(); }
  [[nodiscard]] std::size_t memory_bytes() const;

  /// Counts rows applied; true when it is time to measure again what the states own on the heap, which costs
  /// a look at each of them.
  bool heap_measure_due(std::size_t rows);
  void set_heap_bytes(std::size_t bytes) { heap_bytes_ = bytes; }

 private:
  KeyMap keys_;
  Accumulators accumulators_;
  StateArena arena_;  // Refers to `accumulators_`.
  std::vector<std::uint32_t> uses_;
  std::size_t used_keys_ = 0;
  std::size_t heap_bytes_ = 0;
  std::size_t rows_since_measure_ = 0;
};

}  // namespace leat::exec
