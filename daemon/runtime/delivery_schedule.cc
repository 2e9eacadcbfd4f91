#include "daemon/runtime/delivery_schedule.h"

#include <absl/time/time.h>

#include <optional>
#include <utility>

#include "pipelines/base/time.h"

namespace leat::runtime {

struct DeliverySchedule::Zone {
  absl::TimeZone zone = absl::UTCTimeZone();

  [[nodiscard]] std::int64_t to_local(std::int64_t utc) const {
    return utc + zone.At(absl::FromUnixMicros(utc)).offset * kMicrosPerSecond;
  }
  /// The next moment at which the wall clock may jump; nullopt: never again.
  [[nodiscard]] std::optional<std::int64_t> next_jump(std::int64_t utc) const {
    absl::TimeZone::CivilTransition jump;
    if (!zone.NextTransition(absl::FromUnixMicros(utc), &jump)) return std::nullopt;
    // Behind a gap the time exists once; of a time that is repeated the second one is behind the jump.
    return absl::ToUnixMicros(zone.At(jump.to).post);
  }
};

DeliverySchedule::DeliverySchedule(Week week, const std::string& time_zone) : week_(std::move(week)) {
  auto zone = std::make_shared<Zone>();
  if (absl::TimeZone known; absl::LoadTimeZone(time_zone, &known)) zone->zone = known;
  zone_ = std::move(zone);
}

// Between two jumps the wall clock runs with the time; at each the week is asked anew.
std::int64_t DeliverySchedule::next_open(std::int64_t now) const {
  std::int64_t at = now;
  for (;;) {
    const std::int64_t candidate = at + week_.until_next(zone_->to_local(at));
    const auto jump = zone_->next_jump(at);
    if (candidate == at || !jump || *jump <= at || candidate < *jump) return candidate;
    at = *jump;
  }
}

}  // namespace leat::runtime
