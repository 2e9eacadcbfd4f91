// 'connector' = 'stream' as a sink: rows for other pipelines of the daemon, written in the commit itself. The
// same name as the source's: what one pipeline writes, others read.
#pragma once

#include "sinks/sink.h"

namespace leat::sinks {

SinkConnector stream_connector();

}  // namespace leat::sinks
