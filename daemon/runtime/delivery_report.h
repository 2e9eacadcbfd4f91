// What a sink that does not get rid of its results says to people: in the log, in /readyz, in the API, with
// the same words.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/runtime/delivery_status.h"
#include "daemon/store/store.h"
#include "pipelines/plan/common_options.h"

namespace leat::runtime {

/// Why nothing is sent at present: what the far side said, or which option holds it back; empty: nothing
/// does.
std::string reason_of(const DeliveryStatus& status, const plan::DeliveryOptions& options);

/// "1200 records (1.5 mb) wait, the oldest for 3 h; next try 2026-11-22T09:00:00Z; full at 256 mb: block".
/// `now`: gateway clock, microseconds.
std::string describe_backlog(const DeliveryStatus& status, const store::OutboxLevel& level,
                             const plan::DeliveryOptions& options, std::int64_t now);

/// The largest unit of which there are two or more: "47 h", "3 d". For people; not exact.
std::string rough_duration(std::int64_t micros);

std::string_view to_string(plan::OnFull policy);
std::string_view to_string(plan::DeliveryOrder order);

}  // namespace leat::runtime
