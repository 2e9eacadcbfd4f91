// When a sink with 'sink.schedule' may send: a week (pipelines/base/week.h) by the wall clock of a time zone.
// What the clocks on the wall show decides, on days when they jump, too: a window that begins in the hour
// that spring leaves out begins behind it, and one in the hour that autumn repeats is open twice.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "pipelines/base/week.h"

namespace leat::runtime {

class DeliverySchedule {
 public:
  /// A zone that is not known on this machine is UTC (the planner has refused such names).
  DeliverySchedule(Week week, const std::string& time_zone);

  /// `now` when it is inside, else the next moment that is. Both in microseconds since the epoch, UTC.
  [[nodiscard]] std::int64_t next_open(std::int64_t now) const;

 private:
  struct Zone;  // Abseil's, kept out of the interface.
  Week week_;
  std::shared_ptr<const Zone> zone_;
};

}  // namespace leat::runtime
