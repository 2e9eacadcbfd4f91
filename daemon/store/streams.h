// The streams between pipelines: who writes and reads them, and the blocks that not every reader has passed.
// One row of `leat_streams` per stream holds its columns and counters, one of `leat_stream_users` each table
// that uses it; of a reader with the block that it has passed.
//
// A block is written in its writer's commit, and a reader passes it in its own: so neither is known without
// the other. It is deleted when the last reader has passed it. A stream without readers keeps nothing: what
// is written is counted as unread. A reader that is new begins behind what was written before.
//
// Storage thread. `put` and `pass` run inside the caller's transaction, as do `declare` and `forget_others`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/store/sqlite.h"
#include "daemon/store/stream_store.h"
#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"

namespace leat::store {

class Streams {
 public:
  explicit Streams(Connection& connection);

  /// As StreamStore's calls of the same names.
  Status declare(const PipelineName& pipeline, const std::vector<StreamUse>& uses);
  Status forget_others(const std::vector<PipelineName>& pipelines);

  /// A block of a commit at `now`, bounded as its stream's declaration says.
  Status put(const StreamRows& rows, std::int64_t now);
  /// A reader's commit has this block, and all before it.
  Status pass(const PipelineName& pipeline, const StreamPassed& passed);

 private:
  struct Row {
    std::int64_t id = 0;
    std::string columns;
    std::uint64_t waiting_bytes = 0;
  };
  struct Deleted {
    std::uint64_t blocks = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
  };
  Result<std::optional<Row>> find(const std::string& stream);
  Result<Row> find_or_make(const PipelineName& pipeline, const StreamUse& use);
  Status change_columns(const Row& row, const PipelineName& pipeline, const StreamUse& use);
  Status use(const Row& row, const PipelineName& pipeline, const StreamUse& use);
  Result<std::uint64_t> last_block();
  Result<bool> has_readers(const Row& row);
  Result<std::vector<std::int64_t>> streams_of(const PipelineName& pipeline);
  Status count(std::int64_t stream, const char* counter, std::uint64_t rows);
  Status uncount(std::int64_t stream, const char* counter, const Deleted& deleted);
  /// Blocks that every reader has passed; all of them when there is no reader.
  Status sweep(std::int64_t stream);
  Status drop_old(const Row& row, const StreamRows& rows, std::int64_t now);
  /// Deletes the blocks that `condition` means, with ?1 the stream and ?2 `bound`.
  Result<Deleted> delete_blocks(std::int64_t stream, const std::string& condition, std::int64_t bound);
  Status forget_unused();

  Connection& connection_;
  Statement find_;
  Statement insert_block_;
  Statement count_block_;
  Statement pass_;
  Statement last_block_;
};

/// All streams, by name.
Result<std::vector<StreamStatus>> read_stream_status(Connection& connection);
/// As sources::StreamReader::read_stream.
Result<std::vector<sources::StreamBlock>> read_stream_blocks(Connection& connection,
                                                             const sources::StreamReaderName& reader,
                                                             std::uint64_t after, std::uint64_t max_bytes);

}  // namespace leat::store
