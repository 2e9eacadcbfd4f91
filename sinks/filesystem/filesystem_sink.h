// 'connector' = 'filesystem' as a sink: records appended to files in a folder, each exactly once.
//
// A file is written under a hidden name, ".leat-<name>.inprogress", and gets its own name when it is rolled:
//   <gateway>~<pipeline>~<table>~<first 8 digits of the store id>~<number, 8 digits>.<format>[.gz | .zst]
// so that no reader ever sees half a file and two gateways may write into one folder.
//
// Exactly once: the state that is committed with a shipment's settlement names the file and its length. A
// delivery first cuts the file to that length, which takes away what an unsettled attempt may have left, then
// appends, and syncs file and folder before it reports. A file is only ever rolled between two shipments, so
// a hidden file that is gone while its final name is there was rolled by an attempt that was not settled, and
// the next number is taken. When both are gone nobody can tell whether a reader took the published file or
// somebody removed delivered records: the sink pauses and asks, it never goes on in silence.
//
// A file keeps the store id that opened it, in both names, when the store gets a new one. One that was begun
// in another form (another format, or compression), in another folder or under other names than the present
// ones is rolled, where it is and under the names that it has.
//
// Rolling is judged at the next shipment, now and then while there is none, and at the end: of a bounded run,
// and of a pipeline or a sink that is taken away.
//
// A compressed file is made of members (gzip) or frames (zstd), each with the records of one shipment, so
// that it can be cut and gone on with at the end of any.
#pragma once

#include "sinks/sink.h"

namespace leat::sinks {

SinkConnector filesystem_connector();

}  // namespace leat::sinks
