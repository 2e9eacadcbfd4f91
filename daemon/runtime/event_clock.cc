#include "daemon/runtime/event_clock.h"

#include <algorithm>

namespace leat::runtime {

Status EventClock::pass_to(std::int64_t moment, const Tick& tick) {
  if (now_ && moment <= *now_) return {};
  now_ = last_tick_ = moment;
  return tick(moment);
}

Status EventClock::replay(std::span<const std::int64_t> rowtimes, std::size_t begin, std::size_t end,
                          std::span<std::int64_t> intake_times, const Push& push, const Tick& tick) {
  std::size_t run = begin;
  for (std::size_t row = begin; row < end; ++row) {
    const std::int64_t time = rowtimes.empty() ? kMinWatermark : rowtimes[row];
    const bool rises = time != kMinWatermark && (!now_ || time > *now_);
    if (rises && (!now_ || time - last_tick_ >= kTickMicros)) {
      if (run < row) LEAT_TRY(push(run, row));
      run = row;
      LEAT_TRY(pass_to(time, tick));
    } else if (rises) {
      now_ = time;
    }
    intake_times[row] = now_.value_or(0);
  }
  return run < end ? push(run, end) : Status{};
}

}  // namespace leat::runtime
