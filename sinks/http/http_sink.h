// 'connector' = 'http' as a sink: each shipment is one request, or one per record ('body' = 'single').
//
// At least once, and in order; a receiver that honours `Idempotency-Key` gets each record exactly once.
// Headers:
//   Idempotency-Key: <store id>:<pipeline>:<table>:<shipment>[:<first>+<count>][:<record>]
//       the same for every attempt, with the same bytes; <first>+<count> for a slice of a shipment that was
//       refused as a whole, <record> (counted from 0 in the shipment) with 'single'
//   Leat-Gateway: the gateway's id
//   Leat-Attempt: the number of the attempt, from the second on
// What the answers mean stands in http_outcome.h.
//
// With 'single' the sink remembers how far the shipment at hand has come, so that a retry goes on behind the
// last record that was settled; after a restart it begins anew, with the same keys.
#pragma once

#include "sinks/sink.h"

namespace leat::sinks {

SinkConnector http_connector();

}  // namespace leat::sinks
