// 'connector' = 'blackhole': takes every row and keeps none; for measuring pipelines.
#pragma once

#include "sinks/sink.h"

namespace leat::sinks {

SinkConnector blackhole_connector();

}  // namespace leat::sinks
