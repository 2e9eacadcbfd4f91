// The random numbers of java.util.Random, so that a seed gives the sequence it gives in Flink: the 48-bit
// linear congruential generator that its documentation specifies.
#pragma once

#include <cstdint>

namespace leat::functions {

class JavaRandom {
 public:
  explicit JavaRandom(std::int64_t seed) : state_((static_cast<std::uint64_t>(seed) ^ kMultiplier) & kMask) {}

  /// From 0 to below 1, 53 random bits.
  double next_double() {
    const std::uint64_t high = next(26);
    return static_cast<double>((high << 27) + next(27)) * 0x1.0p-53;
  }
  /// From 0 to below `bound`, which is above zero.
  std::int32_t next_int(std::int32_t bound) {
    const auto range = static_cast<std::uint32_t>(bound);
    if ((range & (range - 1)) == 0) return static_cast<std::int32_t>((std::uint64_t{range} * next(31)) >> 31);
    while (true) {
      const auto bits = static_cast<std::uint32_t>(next(31));
      const std::uint32_t value = bits % range;
      // The last, incomplete run of `range` numbers below 2^31 is thrown away.
      if (bits - value + (range - 1) < 0x80000000U) return static_cast<std::int32_t>(value);
    }
  }

 private:
  static constexpr std::uint64_t kMultiplier = 0x5DEECE66DULL;
  static constexpr std::uint64_t kMask = (1ULL << 48) - 1;

  std::uint64_t next(int bits) {
    state_ = (state_ * kMultiplier + 0xB) & kMask;
    return state_ >> (48 - bits);
  }

  std::uint64_t state_;
};

}  // namespace leat::functions
