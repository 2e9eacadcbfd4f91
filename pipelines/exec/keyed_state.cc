#include "pipelines/exec/keyed_state.h"

#include <algorithm>

namespace leat::exec {
namespace {

constexpr std::size_t kFewKeys = 1024;
constexpr std::size_t kRowsPerMeasure = 8;  // Per group: the amortised price of an exact figure.

}  // namespace

KeyedState::KeyedState(std::vector<Type> key_types, const std::vector<plan::AggregateCall>& calls,
                       Accumulators::Input input)
    : keys_(std::move(key_types)), accumulators_(calls, input), arena_(accumulators_) {}

std::byte* KeyedState::take(KeyId key) {
  if (uses_.size() <= key) uses_.resize(std::max<std::size_t>(key + 1, keys_.id_limit()));
  if (uses_[key]++ == 0) ++used_keys_;
  return arena_.take();
}

void KeyedState::release(KeyId key, std::byte* state) {
  if (--uses_[key] == 0) --used_keys_;
  arena_.release(state);
}

void KeyedState::sweep() {
  if (keys_.size() - used_keys_ > std::max(kFewKeys, used_keys_)) keys_.sweep(uses_);
}

std::size_t KeyedState::memory_bytes() const {
  return keys_.memory_bytes() + arena_.memory_bytes() + heap_bytes_ +
         uses_.capacity() * sizeof(std::uint32_t);
}

bool KeyedState::heap_measure_due(std::size_t rows) {
  rows_since_measure_ += rows;
  if (rows_since_measure_ < kFewKeys + kRowsPerMeasure * arena_.in_use()) return false;
  rows_since_measure_ = 0;
  return true;
}

}  // namespace leat::exec
