// 'connector' = 'kafka' as a sink: each record of a shipment is a message of the topic.
//
// Exactly once where the brokers have transactions (exactly_once.h). At least once elsewhere, or when asked
// for: the producer is idempotent and all replicas acknowledge, so that the library's own retries neither
// double nor reorder; a shipment that did not get through as a whole is sent again as a whole. Each message
// carries
//   leat-gateway: the gateway's id
//   leat-shipment: <store id>:<pipeline>:<table>:<number>, with :<first>+<count> behind it for a slice
// by which a consumer can tell a message that was sent again.
//
// Producers are made at the first shipment and made anew after a fatal error or an interrupted shipment.
#pragma once

#include "sinks/sink.h"

namespace leat::sinks {

SinkConnector kafka_connector();

/// 'connector' = 'upsert-kafka': the record's key is the row's PRIMARY KEY; +I and +U are values, -D is a
/// tombstone, -U is left out.
SinkConnector upsert_kafka_connector();

}  // namespace leat::sinks
