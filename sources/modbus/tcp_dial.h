// Connects over TCP within a time, so that another thread can end the waiting.
#pragma once

#include "pipelines/base/result.h"
#include "pipelines/base/time.h"
#include "sources/modbus/cut_point.h"
#include "sources/modbus/modbus_place.h"

namespace leat::sources {

/// A connected socket that does not block, without delay and with keep-alive; the caller's to close. Blocks
/// for `timeout` for each address of the host, and as long as the system looks for its name. Errors:
/// unavailable, in words for people; cancelled.
Result<int> dial_tcp(const TcpPlace& place, Micros timeout, CutPoint& cut);

}  // namespace leat::sources
