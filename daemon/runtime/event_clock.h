// A clock that the rows themselves drive, for replays (`leat run --clock event`, `leat test`): it stands at
// the latest row time so far. Rows come in at that moment, and the time between two rows passes in one tick,
// so idle time-outs, windows over processing time and ABSENCE behave as they did, or would have done, live.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "pipelines/base/result.h"
#include "pipelines/base/time.h"

namespace leat::runtime {

class EventClock {
 public:
  /// Hands on rows [begin, end) of the run at hand.
  using Push = std::function<Status(std::size_t begin, std::size_t end)>;
  /// The clock went on to `now`, in microseconds.
  using Tick = std::function<Status(std::int64_t now)>;

  /// Goes through rows [begin, end): stamps their intake times, and pushes them in runs with a tick before
  /// each row that is a tick's length or more behind the last one. `rowtimes` is empty for tables without a
  /// rowtime, whose rows come in when the clock stands where it stands.
  Status replay(std::span<const std::int64_t> rowtimes, std::size_t begin, std::size_t end,
                std::span<std::int64_t> intake_times, const Push& push, const Tick& tick);
  /// The clock goes on to `moment`, if it is not there yet.
  Status pass_to(std::int64_t moment, const Tick& tick);

 private:
  static constexpr std::int64_t kTickMicros = kMicrosPerSecond / 10;

  std::optional<std::int64_t> now_;
  std::int64_t last_tick_ = 0;
};

}  // namespace leat::runtime
