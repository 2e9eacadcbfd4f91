// Files in which rows are looked up: read whole when the pipeline starts, held in memory with an index over
// the keys, and with 'source.monitor-interval' read again on a thread of their own when they change. A file
// that cannot be read again leaves the rows as they were.
#pragma once

#include <memory>

#include "daemon/runtime/source_reader.h"
#include "pipelines/exec/lookup_table.h"

namespace leat::runtime {

/// Blocks until the files are read. Errors: io (there is nothing to read), exhausted (more rows than
/// 'lookup.max-rows'), and what opening them says.
Result<std::unique_ptr<exec::LookupTable>> open_file_lookup(const plan::LookupJoinNode& join,
                                                            const ReaderContext& context);

}  // namespace leat::runtime
