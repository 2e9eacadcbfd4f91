// 'connector' = 'print': changelog lines to standard output or standard error, as Flink's print connector
// writes them: "+I[a, 1]", or "name> +I[a, 1]" with a 'print-identifier'.
//
// At least once: a shipment that failed half-way is printed again.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "sinks/sink.h"

namespace leat::sinks {

SinkConnector print_connector();

/// `stream` is borrowed and outlives the sink. `identifier` empty: no prefix.
std::unique_ptr<Sink> make_print_sink(std::FILE* stream, const std::string& identifier);

}  // namespace leat::sinks
