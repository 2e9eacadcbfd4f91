// 'connector' = 'mqtt': one client per table. Its callback stores each message in the intake, with its topic
// and flags and nothing parsed; when it returns, the client acknowledges. Flow control is the design's: at
// the intake's high-water mark the client is disconnected, its session kept, and reconnected when there is
// room.
#pragma once

#include "sources/source.h"

namespace leat::sources {

SourceConnector mqtt_connector();

}  // namespace leat::sources
