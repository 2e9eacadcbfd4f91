// What PipelineStore says, as SQL. Storage thread, inside the caller's transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/store/pipeline_store.h"
#include "daemon/store/sqlite.h"

namespace leat::store {

class PipelineRegistry {
 public:
  /// The connection outlives the object.
  explicit PipelineRegistry(Connection& connection) : connection_(connection) {}

  Status deploy(const DeployedPipeline& text);
  Status remove(const PipelineName& pipeline);
  Status rename(const PipelineName& from, const PipelineName& to, const std::string& sql);
  /// Gives the pipeline an identity that nobody had.
  Status renew_identity(const PipelineName& pipeline);

  /// Makes the state that is to go unknown to every pipeline, and forgets counters and positions.
  Status doom_state(const PipelineName& pipeline, const std::vector<TableName>& keep);
  /// Deletes some of it; false: nothing is left.
  Result<bool> delete_doomed(const PipelineName& pipeline);
  /// Deletes the pipeline's outboxes, in which nothing waits.
  Status forget_outboxes(const PipelineName& pipeline);

 private:
  struct Identity {
    std::string text;
    std::uint64_t generation = 1;
  };
  Result<Identity> identity_of(const std::string& pipeline);
  Result<bool> is_taken(const std::string& identity);
  Status set_identity(const std::string& pipeline, const Identity& identity);
  Result<Identity> next_identity(const std::string& pipeline, std::uint64_t generation);
  Result<bool> has_parts(const std::string& pipeline);
  Result<std::optional<std::int64_t>> id_of(const PipelineName& pipeline);

  Connection& connection_;
};

Result<std::vector<DeployedPipeline>> read_deployed(Connection& connection);
Result<PipelineName> read_identity(Connection& connection, const PipelineName& pipeline);
/// Of one pipeline, or with an empty name of all.
Result<std::vector<KeptParts>> read_kept(Connection& connection, const PipelineName& pipeline);

}  // namespace leat::store
