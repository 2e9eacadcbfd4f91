// 'connector' = 'sqlite': a table of the store takes the rows, in the commit itself, so exactly once. It
// keeps one row per PRIMARY KEY, or, without one, all.
#pragma once

#include "sinks/sink.h"

namespace leat::sinks {

SinkConnector sqlite_connector();

}  // namespace leat::sinks
