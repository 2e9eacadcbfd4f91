// When windows begin, end and fire, by the wall clock of the session's zone. A window over TIMESTAMP_LTZ is
// aligned to local time (a day is a local day, of 23 or 25 hours when the clock jumps); one over TIMESTAMP is
// aligned to the timestamps as they are. Bounds of windows are local microseconds, watermarks are UTC.
#pragma once

#include <cstdint>

#include "pipelines/base/result.h"
#include "pipelines/column/zone.h"
#include "pipelines/plan/node.h"

namespace leat::exec {

class WindowClock {
 public:
  /// Errors: invalid (unknown time zone).
  static Result<WindowClock> make(const plan::WindowSpec& window);

  /// The local time of a value of the time column.
  std::int64_t to_local(std::int64_t time) { return shifts_ ? zone_.to_local(time) : time; }
  /// The watermark at which the window that ends (exclusively) at local time `end` fires: `end` − 1 ms. When
  /// the clock goes back the later of two such times, when it jumps over it the jump itself, as in Flink.
  std::int64_t fires_at(std::int64_t end);
  /// window_time, as a value of the time column's type.
  std::int64_t window_time(std::int64_t end);

 private:
  explicit WindowClock(ZoneClock zone, bool shifts) : zone_(std::move(zone)), shifts_(shifts) {}
  std::int64_t later_instant(std::int64_t local);

  ZoneClock zone_;
  bool shifts_ = false;
};

}  // namespace leat::exec
