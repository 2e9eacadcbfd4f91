// How much a sink delivers: the mean of the last minute. Plain data; the clock is an argument.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "pipelines/base/time.h"

namespace leat::runtime {

class Throughput {
 public:
  struct PerSecond {
    double rows = 0;
    double bytes = 0;
  };

  void add(std::uint64_t rows, std::uint64_t bytes, std::int64_t monotonic) {
    const std::int64_t number = monotonic / kSlotMicros;
    Slot& slot = slots_[static_cast<std::size_t>(number % kSlots)];
    if (slot.number != number) slot = {number};
    slot.rows += rows;
    slot.bytes += bytes;
  }
  /// Over the slots that are whole and the one that has begun.
  [[nodiscard]] PerSecond at(std::int64_t monotonic) const {
    const std::int64_t now = monotonic / kSlotMicros;
    const std::int64_t span = (kSlots - 1) * kSlotMicros + monotonic % kSlotMicros;
    PerSecond sum;
    for (const Slot& slot : slots_) {
      if (slot.number <= now - kSlots) continue;
      sum.rows += static_cast<double>(slot.rows);
      sum.bytes += static_cast<double>(slot.bytes);
    }
    const double seconds = static_cast<double>(span) / static_cast<double>(kMicrosPerSecond);
    return {sum.rows / seconds, sum.bytes / seconds};
  }

 private:
  static constexpr std::int64_t kSlotMicros = 10 * kMicrosPerSecond;
  static constexpr std::int64_t kSlots = 7;
  struct Slot {
    std::int64_t number = -kSlots;  ///< Slots since the clock's zero.
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
  };
  std::array<Slot, kSlots> slots_;
};

}  // namespace leat::runtime
