// 'connector' = 'sqlite': the rows of a table of the store, once, as they are when the pipeline first reads.
// After a restart it goes on behind the last committed row, and not beyond the rows that there were at first;
// what has changed in them since shows.
//
// Grammar of a position:  position := varint rowid of the last row, varint rowid of the last row of all
// Grammar of a message:   payload := varint rows, cell… row by row (column/codec.h); attributes := position
#pragma once

#include "sources/source.h"

namespace leat::sources {

SourceConnector sqlite_source_connector();

}  // namespace leat::sources
