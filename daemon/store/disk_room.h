// How much room the store's disk has. A commit goes into the log first and from there into the database, so
// while the log holds something there must be as much room again: else a store that fills its disk by itself
// could neither grow nor be emptied. Storage thread.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/store/commit.h"
#include "daemon/store/sqlite.h"
#include "pipelines/base/result.h"

namespace leat::store {

/// What a commit adds to the file at most, in bytes; an estimate that is rather too large.
std::uint64_t bytes_of(const Commit& commit);

/// Sees to it that `adding` bytes fit, and the log into the database behind them; empties the log first if
/// that helps. A disk that cannot be asked has room. Errors: exhausted, with what is free and what is needed.
Status keep_room(Connection& connection, std::uint64_t adding);

/// Bytes of the log's file.
std::uint64_t log_bytes(const std::string& store_path);

}  // namespace leat::store
