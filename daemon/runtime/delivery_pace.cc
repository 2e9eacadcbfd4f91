#include "daemon/runtime/delivery_pace.h"

#include <algorithm>

namespace leat::runtime {
namespace {

/// The gateway's clock may be set while a sink waits for its hours.
constexpr std::int64_t kLongestLook = kMicrosPerMinute;

std::optional<std::uint64_t> bytes_of(const std::optional<ByteSize>& size) {
  return size ? std::optional(size->bytes) : std::nullopt;
}

}  // namespace

void RateLimit::spend(std::uint64_t amount, std::int64_t now) {
  if (!per_second_) return;
  const auto second = static_cast<std::uint64_t>(kMicrosPerSecond);
  const std::uint64_t whole = amount / *per_second_;
  const std::uint64_t rest = (amount % *per_second_ * second + *per_second_ - 1) / *per_second_;
  free_at_ = std::max(free_at_, now - kMicrosPerSecond) + static_cast<std::int64_t>(whole * second + rest);
}

Pace::Pace(const plan::DeliveryOptions& options, const std::string& time_zone)
    : rows_(options.max_rows_per_second), bytes_(bytes_of(options.max_bytes_per_second)) {
  if (options.schedule.empty()) return;
  // The planner has refused what cannot be read.
  if (auto week = Week::parse(options.schedule))
    schedule_.emplace(*std::move(week),
                      options.schedule_time_zone.empty() ? time_zone : options.schedule_time_zone);
}

std::optional<Pace::Delay> Pace::delay(const loop::Clock& clock) const {
  using State = DeliveryStatus::State;
  const std::int64_t wall = clock.wall();
  const std::int64_t now = clock.monotonic();
  if (schedule_)
    if (const std::int64_t open = schedule_->next_open(wall); open > wall)
      return Delay{State::kOffSchedule, open, now + std::min(open - wall, kLongestLook)};
  const std::int64_t free_at = std::max(rows_.free_at(), bytes_.free_at());
  if (free_at <= now) return std::nullopt;
  return Delay{State::kThrottled, wall + (free_at - now), free_at};
}

void Pace::spend(std::uint64_t rows, std::uint64_t bytes, std::int64_t monotonic) {
  rows_.spend(rows, monotonic);
  bytes_.spend(bytes, monotonic);
}

}  // namespace leat::runtime
