#include "daemon/store/sqlite_pipelines.h"

#include <utility>

namespace leat::store {
namespace {

/// What a row of names takes beside its text.
constexpr std::uint64_t kRowBytes = 4096;

}  // namespace

/// One transaction.
Status SqlitePipelines::change(const Work& work, std::uint64_t adds) {
  return host_.write(adds, [&](PipelineParts& parts) -> Status {
    Transaction transaction(parts.connection);
    LEAT_TRY(transaction.begin());
    LEAT_TRY(work(parts));
    return transaction.commit();
  });
}

Result<std::vector<DeployedPipeline>> SqlitePipelines::deployed() {
  std::vector<DeployedPipeline> all;
  LEAT_TRY(host_.read([&](Connection& connection) -> Status {
    LEAT_ASSIGN(all, read_deployed(connection));
    return {};
  }));
  return all;
}

Status SqlitePipelines::deploy(const DeployedPipeline& text) {
  return change([&](PipelineParts& parts) { return parts.registry.deploy(text); },
                text.sql.size() + kRowBytes);
}

Status SqlitePipelines::remove(const PipelineName& pipeline) {
  const std::int64_t now = host_.now();
  return host_.write(0, [&](PipelineParts& parts) -> Status {
    Transaction transaction(parts.connection);
    LEAT_TRY(transaction.begin());
    LEAT_TRY(parts.tables.declare(pipeline, {}, now));
    LEAT_TRY(parts.streams.declare(pipeline, {}));
    LEAT_TRY(parts.registry.remove(pipeline));
    LEAT_TRY(transaction.commit());
    host_.refresh(pipeline);
    return {};
  });
}

Status SqlitePipelines::rename(const PipelineName& from, const PipelineName& to, const std::string& sql) {
  return host_.write(sql.size() + kRowBytes, [&](PipelineParts& parts) -> Status {
    Transaction transaction(parts.connection);
    LEAT_TRY(transaction.begin());
    LEAT_TRY(parts.registry.rename(from, to, sql));
    LEAT_TRY(transaction.commit());
    host_.refresh(from);
    host_.refresh(to);
    return {};
  });
}

Result<PipelineName> SqlitePipelines::identity(const PipelineName& pipeline) {
  PipelineName identity;
  LEAT_TRY(host_.read([&](Connection& connection) -> Status {
    LEAT_ASSIGN(identity, read_identity(connection, pipeline));
    return {};
  }));
  return identity;
}

Result<std::vector<KeptParts>> SqlitePipelines::kept() {
  std::vector<KeptParts> all;
  LEAT_TRY(host_.read([&](Connection& connection) -> Status {
    LEAT_ASSIGN(all, read_kept(connection, {}));
    return {};
  }));
  return all;
}

Result<KeptParts> SqlitePipelines::kept(const PipelineName& pipeline) {
  std::vector<KeptParts> found;
  LEAT_TRY(host_.read([&](Connection& connection) -> Status {
    LEAT_ASSIGN(found, read_kept(connection, pipeline));
    return {};
  }));
  return found.empty() ? KeptParts{.pipeline = pipeline} : std::move(found.front());
}

Result<std::uint64_t> SqlitePipelines::purge_outbox(const PipelineName& pipeline, const TableName& sink) {
  std::optional<std::uint64_t> newest;  // Blocks that come meanwhile are not meant.
  Outbox::Trimmed step{.more = true};
  std::uint64_t records = 0;
  while (step.more) {
    LEAT_TRY(host_.write(0, [&](PipelineParts& parts) -> Status {
      if (!newest) {
        LEAT_ASSIGN(newest, parts.outbox.newest_block(pipeline, sink));
      }
      LEAT_ASSIGN(step, parts.outbox.purge_some(pipeline, sink, *newest));
      host_.refresh(pipeline);
      return {};
    }));
    records += step.records;
  }
  return records;
}

Result<std::uint64_t> SqlitePipelines::purge_outboxes(const PipelineName& pipeline, ShipmentNumbers numbers) {
  std::vector<TableName> sinks;
  LEAT_TRY(host_.read([&](Connection& connection) -> Status {
    LEAT_ASSIGN(const std::vector<OutboxStatus> all, read_outbox_status(connection));
    for (const OutboxStatus& one : all)
      if (one.pipeline == pipeline) sinks.push_back(one.sink);
    return {};
  }));
  std::uint64_t records = 0;
  if (numbers == ShipmentNumbers::kBeginAnew)
    LEAT_TRY(change([&](PipelineParts& parts) -> Status {
      for (const TableName& sink : sinks) {
        LEAT_ASSIGN(const std::uint64_t dropped, parts.outbox.drop_shipment(pipeline, sink));
        records += dropped;
      }
      return parts.registry.renew_identity(pipeline);
    }));
  for (const TableName& sink : sinks) {
    LEAT_ASSIGN(const std::uint64_t dropped, purge_outbox(pipeline, sink));
    records += dropped;
  }
  if (numbers == ShipmentNumbers::kBeginAnew)
    LEAT_TRY(change([&](PipelineParts& parts) { return parts.registry.forget_outboxes(pipeline); }));
  return records;
}

Status SqlitePipelines::purge_state(const PipelineName& pipeline, const std::vector<TableName>& keep) {
  LEAT_TRY(change([&](PipelineParts& parts) { return parts.registry.doom_state(pipeline, keep); }));
  for (bool more = true; more;)
    LEAT_TRY(change([&](PipelineParts& parts) -> Status {
      LEAT_ASSIGN(more, parts.registry.delete_doomed(pipeline));
      return {};
    }));
  return {};
}

}  // namespace leat::store
