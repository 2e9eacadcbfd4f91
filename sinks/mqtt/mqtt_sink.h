// 'connector' = 'mqtt' as a sink: each record is one message, its topic made from the row.
//
// At least once, in order: up to 'max-inflight' messages wait for the broker's acknowledgement at once. When
// the connection ends, what was not acknowledged is sent again from the first such message on, by the next
// attempt. With MQTT 5 each message carries user properties that are the same whenever it is sent again:
//   leat-record: <store id>:<pipeline>:<table>:<shipment>[:<first>+<count>]:<record>
//       what tells it from every other one (<record> is counted from 0 in the shipment)
//   leat-gateway: the gateway's id
// A record that the broker will never take is refused: where it says so, and where it fails with that record
// alone time and again (suspicion.h).
// QoS 0 is not acknowledged by anybody: it counts as delivered once it is written to the connection.
//
// The sink connects when it is built and stays connected, so that birth and will tell whether the pipeline
// lives. A connection that has to be given up leaves its will to the broker, as another may not come about.
#pragma once

#include "sinks/sink.h"

namespace leat::sinks {

SinkConnector mqtt_connector();

}  // namespace leat::sinks
