// How long the loop is busy in one round, without looking at what has happened meanwhile: whoever posts to
// it, its timers and its neighbours wait so long. A histogram since the start; it costs two clock readings a
// round.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "daemon/loop/loop.h"
#include "pipelines/base/time.h"

namespace leat::loop {

/// Rounds by how long they took.
struct Stalls {
  /// Upper bounds of the buckets, in milliseconds; the last bucket has none.
  static constexpr std::array<int, 10> kBounds = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
  std::array<std::uint64_t, kBounds.size() + 1> rounds{};
  Micros busy{0};     ///< The sum.
  Micros longest{0};  ///< The longest round.
};

class StallWatch {
 public:
  /// On the loop's thread, before it runs. The watch is destroyed before the loop, on the same thread.
  explicit StallWatch(Loop& loop);
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

  [[nodiscard]] Stalls stalls() const;  ///< From any thread.

 private:
  struct Core;
  void round();
  void add(Micros busy);

  Loop& loop_;
  Core* core_;                   // Lives on after the destructor until libuv has let go of it.
  std::uint64_t last_time_ = 0;  // Nanoseconds; 0: no round yet.
  std::uint64_t last_idle_ = 0;
  std::array<std::atomic<std::uint64_t>, Stalls::kBounds.size() + 1> rounds_{};
  std::atomic<std::int64_t> busy_{0};
  std::atomic<std::int64_t> longest_{0};
};

}  // namespace leat::loop
