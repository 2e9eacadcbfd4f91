// The zone of the machine, as an IANA name: what 'table.local-time-zone' = 'default' means.
#pragma once

#include <string>

namespace leat::config {

/// $TZ if it names a zone, else what /etc/localtime points to, else /etc/timezone, else "UTC".
std::string host_time_zone();

}  // namespace leat::config
