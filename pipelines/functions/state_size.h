// What a state will hold when it is full, for those aggregates whose users must know it before they have many
// groups: EXPLAIN shows it.
#pragma once

#include <cstddef>

namespace leat::functions {

/// Beside Aggregate: an aggregate that grows to a bound which follows from its options.
class BoundedState {
 public:
  virtual ~BoundedState() = default;
  /// Bytes that a state, all that it points to included, never has more of.
  [[nodiscard]] virtual std::size_t full_state_bytes() const = 0;
};

}  // namespace leat::functions
