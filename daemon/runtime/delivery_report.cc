#include "daemon/runtime/delivery_report.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace leat::runtime {

using State = DeliveryStatus::State;

std::string_view to_string(plan::OnFull policy) {
  switch (policy) {
    case plan::OnFull::kBlock:
      return "block";
    case plan::OnFull::kDropOldest:
      return "drop-oldest";
    case plan::OnFull::kDropNewest:
      break;
  }
  return "drop-newest";
}

std::string_view to_string(plan::DeliveryOrder order) {
  return order == plan::DeliveryOrder::kNewestFirst ? "newest-first" : "oldest-first";
}

std::string rough_duration(std::int64_t micros) {
  constexpr std::array<std::pair<std::int64_t, std::string_view>, 3> kUnits{
      {{kMicrosPerDay, "d"}, {kMicrosPerHour, "h"}, {kMicrosPerMinute, "min"}}};
  for (const auto& [unit, name] : kUnits)
    if (micros >= 2 * unit) return fmt::format("{} {}", micros / unit, name);
  return fmt::format("{} s", std::max<std::int64_t>(micros, 0) / kMicrosPerSecond);
}

std::string reason_of(const DeliveryStatus& status, const plan::DeliveryOptions& options) {
  if (status.hold == DeliveryStatus::Hold::kByUser) return "somebody paused it";
  switch (status.state) {
    case State::kWaiting:
    case State::kPaused:
      return status.last_error;
    case State::kThrottled:
      return "the rate that 'sink.rate-limit.…' allows is used up";
    case State::kOffSchedule:
      return fmt::format("outside of 'sink.schedule' = '{}'", options.schedule);
    case State::kIdle:
    case State::kDelivering:
    case State::kStopped:
      break;
  }
  return {};
}

std::string describe_backlog(const DeliveryStatus& status, const store::OutboxLevel& level,
                             const plan::DeliveryOptions& options, std::int64_t now) {
  std::string text = fmt::format("{} record{} ({} bytes) wait{}", level.records,
                                 level.records == 1 ? "" : "s", level.bytes, level.records == 1 ? "s" : "");
  if (level.oldest != 0) text += ", the oldest for " + rough_duration(now - level.oldest);
  if (waits(status.state) && status.waiting_until != 0)
    text += "; next try " + format_rfc3339(Timestamp(Micros(status.waiting_until)));
  return text + fmt::format("; full at {}: {}", format_byte_size(options.buffer_max_bytes.bytes),
                            to_string(options.on_full));
}

}  // namespace leat::runtime
