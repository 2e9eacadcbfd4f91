#include "pipelines/exec/window_clock.h"

#include "pipelines/base/time.h"

namespace leat::exec {

Result<WindowClock> WindowClock::make(const plan::WindowSpec& window) {
  if (!window.local_time) return WindowClock(ZoneClock(Zone()), false);
  LEAT_ASSIGN(Zone zone, Zone::find(window.time_zone));
  const bool shifts = !zone.is_utc();
  return WindowClock(ZoneClock(std::move(zone)), shifts);
}

std::int64_t WindowClock::window_time(std::int64_t end) {
  const std::int64_t last = saturating_add(end, -kMicrosPerMilli);
  return shifts_ ? zone_.to_utc(last) : last;
}

std::int64_t WindowClock::fires_at(std::int64_t end) {
  const std::int64_t last = saturating_add(end, -kMicrosPerMilli);
  return shifts_ ? later_instant(last) : last;
}

std::int64_t WindowClock::later_instant(std::int64_t local) {
  // `early` reads `local` with the offset before a jump nearby. No jump is longer than a day.
  const std::int64_t early = zone_.to_utc(local);
  if (const std::int64_t shown = zone_.to_local(early); shown != local) {
    // In a gap: `early` lies behind the jump by as much as `local` lies behind the gap's begin.
    std::int64_t before = early - (shown - local);
    std::int64_t behind = early;
    const std::int64_t offset = shown - early;
    while (behind - before > 1) {
      const std::int64_t middle = before + (behind - before) / 2;
      (zone_.to_local(middle) - middle == offset ? behind : before) = middle;
    }
    return behind;
  }
  for (const std::int64_t ahead : {kMicrosPerHour, 3 * kMicrosPerHour, kMicrosPerDay}) {
    const std::int64_t offset = zone_.to_local(early + ahead) - (early + ahead);
    const std::int64_t late = local - offset;
    if (late > early && late - early <= kMicrosPerDay && zone_.to_local(late) == local) return late;
  }
  return early;
}

}  // namespace leat::exec
