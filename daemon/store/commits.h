// Commits: what a pipeline wants kept, written as one transaction, and read back when it starts.
// Storage thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/store/commit.h"
#include "daemon/store/outbox.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/store.h"
#include "daemon/store/streams.h"
#include "daemon/store/table_writer.h"

namespace leat::store {

class Commits {
 public:
  /// All of them outlive the object.
  Commits(Connection& connection, Outbox& outbox, DeadLetters& letters, TableWriter& tables,
          Streams& streams);

  /// A number that is there already is a success: an earlier call wrote it, but its answer was lost.
  /// Errors: conflict (the number is not the next one), and what SQLite says.
  Status write(const Commit& commit);
  /// An unknown pipeline is an empty one.
  Result<SavedPipeline> load(const PipelineName& pipeline);

 private:
  struct Head {
    std::int64_t id = 0;
    CommitNumber last;
  };
  Result<std::optional<Head>> find(const PipelineName& pipeline);
  Result<std::int64_t> write_head(const Commit& commit);
  Status write_body(const Commit& commit, std::int64_t pipeline);
  Status write_state(const Commit& commit, std::int64_t pipeline);
  Result<std::int64_t> operator_id(std::int64_t pipeline, const std::string& node);
  Status load_positions(std::int64_t pipeline, SavedPipeline& saved);
  Status load_state(std::int64_t pipeline, SavedPipeline& saved);

  Connection& connection_;
  Outbox& outbox_;
  DeadLetters& letters_;
  TableWriter& tables_;
  Streams& streams_;
  Statement find_;
  Statement write_head_;
  Statement write_position_;
  Statement operator_id_;
  Statement write_state_;
  Statement erase_state_;
  Statement load_head_;
  Statement load_positions_;
  Statement load_state_;
};

}  // namespace leat::store
