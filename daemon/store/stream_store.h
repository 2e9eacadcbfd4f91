// The store's side of 'connector' = 'stream': declaring who writes and reads, reading blocks, and how much
// waits. Blocks come with their writers' commits, and go with their readers' (commit.h). Calls block; from
// any thread but the storage thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"
#include "sources/clients/local_stream.h"

namespace leat::store {

/// A table of a pipeline that is a stream.
struct StreamUse {
  enum class Role : std::uint8_t { kWrites, kReads };
  TableName table;
  std::shared_ptr<const sources::LocalStream> stream;
  Role role = Role::kReads;
};

/// A block of a commit.
struct StreamRows {
  std::shared_ptr<const sources::LocalStream> stream;
  std::uint64_t rows = 0;
  std::string bytes;  ///< sources/clients/local_stream.h
};

/// A reader's commit has everything up to this block.
struct StreamPassed {
  TableName table;
  std::string stream;
  std::uint64_t block = 0;
};

/// Always: written = passed + dropped + unread + waiting.
struct StreamStatus {
  std::string name;
  std::string columns;
  std::vector<std::string> writers;  ///< "pipeline.table"
  std::vector<std::string> readers;
  std::uint64_t written = 0;  ///< Rows ever.
  std::uint64_t passed = 0;   ///< By all who read when they were written, or have gone since.
  std::uint64_t dropped = 0;  ///< By the bounds in bytes and age, before every reader had passed them.
  std::uint64_t unread = 0;   ///< While nobody read the stream.
  std::uint64_t waiting = 0;
  std::uint64_t waiting_bytes = 0;
};

class StreamStore : public sources::StreamReader {
 public:
  /// All streams that the pipeline uses, in place of what it declared before; at its start. A reader that was
  /// declared before goes on where it was; a new one begins behind what is there. Errors: conflict (the
  /// stream has other columns; the pipeline reads what it writes), and what the store says.
  virtual Status declare(const PipelineName& pipeline, const std::vector<StreamUse>& uses) = 0;
  /// What `declare` would answer; changes nothing.
  virtual Status rehearse(const PipelineName& pipeline, const std::vector<StreamUse>& uses) = 0;
  /// Pipelines that are not among these use nothing any more: at the daemon's start, when all are known.
  virtual Status forget_others(const std::vector<PipelineName>& pipelines) = 0;

  /// Bytes that wait, as of the last commit; from memory, on any thread, never waits for the disk.
  [[nodiscard]] virtual std::uint64_t waiting_bytes(const std::string& stream) const = 0;
  virtual Result<std::vector<StreamStatus>> list() = 0;
};

}  // namespace leat::store
