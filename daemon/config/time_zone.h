// The zone of the machine, as an IANA name: what 'table.local-time-zone' = 'default' means.
#pragma once

#include <string>
#include <string_view>

namespace leat::config {

/// The zone data of the machine, in $TZDIR or where Debian has it, knows the name.
bool is_installed_zone(std::string_view name);

/// $TZ if it names a zone, else what /etc/localtime points to, else /etc/timezone, else "UTC".
std::string host_time_zone();

}  // namespace leat::config
