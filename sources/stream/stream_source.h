// 'connector' = 'stream' as a source: the rows that other pipelines of the daemon have written into a stream
// of this name, from the moment on at which this reader was deployed. It rewinds: the number of the last
// block that was processed is in the commit, which also tells the store that the block may go.
#pragma once

#include "sources/source.h"

namespace leat::sources {

SourceConnector stream_source_connector();

/// The last block that was processed, of a position of this source; 0: none. Errors: invalid.
Result<std::uint64_t> stream_position(std::string_view position);

}  // namespace leat::sources
