// What the reports of a shipment's messages mean for its delivery.
#pragma once

#include "sinks/kafka/kafka_producer.h"
#include "sinks/sink.h"

namespace leat::sinks {

/// All delivered: Delivered. Some will never be taken and the others are delivered: Rejected with these, or,
/// as brokers only refuse batches, with none named when a broker refused several. Else Retry, paused when
/// topic, credentials or rights are at fault.
Delivery outcome_of(const ProduceReport& report);

}  // namespace leat::sinks
