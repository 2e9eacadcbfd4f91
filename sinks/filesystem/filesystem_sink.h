// 'connector' = 'filesystem' as a sink: records appended to files in a folder, each exactly once.
//
// A file is written under a hidden name, ".leat-<name>.inprogress", and gets its own name when it is rolled:
//   <gateway>~<pipeline>~<table>~<first 8 digits of the store id>~<number, 8 digits>.<format>
// so that no reader ever sees half a file and two gateways may write into one folder.
//
// Exactly once: the state that is committed with a shipment's settlement names the file and its length. A
// delivery first cuts the file to that length, which takes away what an unsettled attempt may have left, then
// appends, and syncs file and folder before it reports. A file is only ever rolled between two shipments, so
// a hidden file that is gone while its final name is there was rolled by an attempt that was not settled, and
// the next number is taken. When both are gone nobody can tell whether a reader took the published file or
// somebody removed delivered records: the sink pauses and asks, it never goes on in silence.
//
// A file keeps the store id that opened it, in both names, when the store gets a new one.
//
// Rolling is judged at the next shipment and at the end of a bounded run; a file whose pipeline has fallen
// silent stays hidden until then.
//
// Grammar of the sink's state:
//   state := 0x02 (version), varint number, varint length, zigzag opened, zigzag written, string store
// `number` of the file in progress, its `length` in bytes (0: not begun), and when its first and last records
// were written, in microseconds; `store`: the id of the store that opened it (empty: not begun). Version 0x01
// has no `store`: its file has the current one. No state: number 0, not begun.
#pragma once

#include "sinks/sink.h"

namespace leat::sinks {

SinkConnector filesystem_connector();

}  // namespace leat::sinks
