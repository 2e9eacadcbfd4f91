// PipelineStore over the store's database: writes go to the storage thread, one request for each
// transaction; reads go to the store's reader.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/store/outbox.h"
#include "daemon/store/pipeline_registry.h"
#include "daemon/store/pipeline_store.h"
#include "daemon/store/sqlite_tables.h"
#include "daemon/store/streams.h"

namespace leat::store {

/// What works on pipelines over one connection of the storage thread; made anew with it.
struct PipelineParts {
  PipelineParts(Connection& on, Outbox& blocks, LocalTables& declared, Streams& used)
      : connection(on), outbox(blocks), tables(declared), streams(used), registry(on) {}
  Connection& connection;
  Outbox& outbox;
  LocalTables& tables;
  Streams& streams;
  PipelineRegistry registry;
};

class SqlitePipelines final : public PipelineStore {
 public:
  using Work = std::function<Status(PipelineParts&)>;
  struct Host {
    /// Runs it on the storage thread, where it may add so many bytes, and waits.
    std::function<Status(std::uint64_t adds, const Work&)> write;
    std::function<Status(const SqliteTables::Read&)> read;  ///< Runs it on the store's reader.
    /// The outboxes of the pipeline, or what waits in streams, are others than before; on the storage thread.
    std::function<void(const PipelineName&)> refresh;
    std::function<std::int64_t()> now;  ///< Microseconds.
  };
  explicit SqlitePipelines(Host host) : host_(std::move(host)) {}

  Result<std::vector<DeployedPipeline>> deployed() override;
  Status deploy(const DeployedPipeline& text) override;
  Status remove(const PipelineName& pipeline) override;
  Status rename(const PipelineName& from, const PipelineName& to, const std::string& sql) override;
  Result<PipelineName> identity(const PipelineName& pipeline) override;
  Result<std::vector<KeptParts>> kept() override;
  Result<KeptParts> kept(const PipelineName& pipeline) override;
  Result<std::uint64_t> purge_outbox(const PipelineName& pipeline, const TableName& sink) override;
  Result<std::uint64_t> purge_outboxes(const PipelineName& pipeline, ShipmentNumbers numbers) override;
  Status purge_state(const PipelineName& pipeline, const std::vector<TableName>& keep) override;

 private:
  Status change(const Work& work, std::uint64_t adds = 0);

  const Host host_;
};

}  // namespace leat::store
