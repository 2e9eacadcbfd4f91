#include "daemon/store/pipeline_registry.h"

#include <algorithm>
#include <string_view>

namespace leat::store {
namespace {

/// Entries of state that one transaction of a purge deletes at most.
constexpr std::int64_t kPurgeEntries = 5'000;

/// Begins the names of operators whose state is to go; no plan's operator has such a one, so a pipeline that
/// starts meanwhile takes it for state of an operator that is gone, and erases it.
constexpr std::string_view kDoomed = "purged ";

/// Names of sources' memory begin so (daemon/runtime/source_reader.h).
constexpr std::string_view kSourceNode = "source ";

}  // namespace

// ---- Texts -----------------------------------------------------------------------------------------------

Status PipelineRegistry::deploy(const DeployedPipeline& text) {
  Statement put(connection_,
                "INSERT INTO leat_deployed (pipeline, version, sql, time) VALUES (?1, ?2, ?3, ?4) "
                "ON CONFLICT (pipeline) DO UPDATE SET version = ?2, sql = ?3, time = ?4");
  return put.run(std::string_view(text.pipeline.value), text.version, std::string_view(text.sql), text.time);
}

Status PipelineRegistry::remove(const PipelineName& pipeline) {
  for (const char* sql : {"DELETE FROM leat_deployed WHERE pipeline = ?",
                          "DELETE FROM leat_paused_pipelines WHERE pipeline = ?"})
    LEAT_TRY(Statement(connection_, sql).run(std::string_view(pipeline.value)));
  return {};
}

// ---- Names -----------------------------------------------------------------------------------------------

Result<PipelineRegistry::Identity> PipelineRegistry::identity_of(const std::string& pipeline) {
  Statement select(connection_, "SELECT identity, generation FROM leat_identities WHERE pipeline = ?");
  Rows rows = select.query(std::string_view(pipeline));
  LEAT_ASSIGN(const bool found, rows.next());
  return found ? Identity{rows.text(0), rows.count(1)} : Identity{pipeline, 1};
}

Status PipelineRegistry::set_identity(const std::string& pipeline, const Identity& identity) {
  Statement put(connection_,
                "INSERT INTO leat_identities (pipeline, identity, generation) VALUES (?1, ?2, ?3) "
                "ON CONFLICT (pipeline) DO UPDATE SET identity = ?2, generation = ?3");
  return put.run(std::string_view(pipeline), std::string_view(identity.text), identity.generation);
}

/// By a pipeline that has a row, or that is called so and has none.
Result<bool> PipelineRegistry::is_taken(const std::string& identity) {
  Statement select(connection_,
                   "SELECT 1 FROM leat_identities WHERE identity = ?1 UNION ALL "
                   "SELECT 1 FROM pipelines WHERE name = ?1 UNION ALL "
                   "SELECT 1 FROM leat_deployed WHERE pipeline = ?1");
  Rows rows = select.query(std::string_view(identity));
  return rows.next();
}

Result<PipelineRegistry::Identity> PipelineRegistry::next_identity(const std::string& pipeline,
                                                                   std::uint64_t generation) {
  for (;;) {
    Identity next{pipeline + "~" + std::to_string(++generation), generation};
    LEAT_ASSIGN(const bool taken, is_taken(next.text));
    if (!taken) return next;
  }
}

Status PipelineRegistry::renew_identity(const PipelineName& pipeline) {
  LEAT_ASSIGN(const Identity now, identity_of(pipeline.value));
  LEAT_ASSIGN(const Identity next, next_identity(pipeline.value, now.generation));
  return set_identity(pipeline.value, next);
}

Result<bool> PipelineRegistry::has_parts(const std::string& pipeline) {
  Statement select(connection_,
                   "SELECT 1 FROM pipelines WHERE name = ?1 UNION ALL "
                   "SELECT 1 FROM outboxes WHERE pipeline = ?1 UNION ALL "
                   "SELECT 1 FROM leat_deployed WHERE pipeline = ?1");
  Rows rows = select.query(std::string_view(pipeline));
  return rows.next();
}

Status PipelineRegistry::rename(const PipelineName& from, const PipelineName& to, const std::string& sql) {
  LEAT_ASSIGN(const bool there, has_parts(from.value));
  if (!there) return fail(ErrorCode::kNotFound, "the store has nothing of a pipeline '" + from.value + "'");
  LEAT_ASSIGN(const bool taken, has_parts(to.value));
  if (taken)
    return fail(ErrorCode::kConflict, "the store keeps parts of a pipeline '" + to.value +
                                          "': throw them away with 'leat pipelines remove " + to.value +
                                          " --purge all', or take another name");
  const std::string_view old_name = from.value;
  const std::string_view new_name = to.value;
  for (const char* update : {"UPDATE pipelines SET name = ?2 WHERE name = ?1",
                             "UPDATE outboxes SET pipeline = ?2 WHERE pipeline = ?1",
                             "UPDATE dead_letters SET pipeline = ?2 WHERE pipeline = ?1",
                             "UPDATE OR REPLACE leat_paused_pipelines SET pipeline = ?2 WHERE pipeline = ?1",
                             "UPDATE OR REPLACE leat_paused_sinks SET pipeline = ?2 WHERE pipeline = ?1",
                             "UPDATE OR REPLACE leat_table_users SET pipeline = ?2 WHERE pipeline = ?1",
                             "UPDATE OR REPLACE leat_stream_users SET pipeline = ?2 WHERE pipeline = ?1"})
    LEAT_TRY(Statement(connection_, update).run(old_name, new_name));
  Statement has_text(connection_, "SELECT 1 FROM leat_deployed WHERE pipeline = ?1");
  Rows texts = has_text.query(old_name);
  LEAT_ASSIGN(const bool deployed, texts.next());
  if (deployed && sql.empty())
    return fail(ErrorCode::kInternal, "pipeline '" + from.value + "' would lose its text");
  Statement text(connection_, "UPDATE leat_deployed SET pipeline = ?2, sql = ?3 WHERE pipeline = ?1");
  LEAT_TRY(text.run(old_name, new_name, std::string_view(sql)));
  // The old name's next owner is another pipeline to brokers and receivers.
  LEAT_ASSIGN(const Identity moves, identity_of(from.value));
  LEAT_ASSIGN(const Identity replaced, identity_of(to.value));
  LEAT_ASSIGN(const Identity next, next_identity(from.value, moves.generation));
  LEAT_TRY(set_identity(from.value, next));
  return set_identity(to.value, {moves.text, replaced.generation});
}

// ---- What is kept ----------------------------------------------------------------------------------------

Result<std::optional<std::int64_t>> PipelineRegistry::id_of(const PipelineName& pipeline) {
  Statement select(connection_, "SELECT id FROM pipelines WHERE name = ?");
  Rows rows = select.query(std::string_view(pipeline.value));
  LEAT_ASSIGN(const bool found, rows.next());
  return found ? std::optional(rows.integer(0)) : std::nullopt;
}

Status PipelineRegistry::doom_state(const PipelineName& pipeline, const std::vector<TableName>& keep) {
  LEAT_ASSIGN(const auto id, id_of(pipeline));
  if (!id) return {};
  LEAT_ASSIGN(const std::vector<KeptParts> all, read_kept(connection_, pipeline));
  for (const KeptParts& parts : all) {
    for (const TableName& source : parts.positions) {
      if (std::ranges::find(keep, source) != keep.end()) continue;
      Statement forget(connection_, "DELETE FROM positions WHERE pipeline = ? AND source = ?");
      LEAT_TRY(forget.run(*id, std::string_view(source.value)));
    }
  }
  Statement doom(connection_,
                 "UPDATE operators SET node = ?2 || id WHERE pipeline = ?1 AND substr(node, 1, ?3) <> ?2 "
                 "AND NOT (substr(node, 1, ?5) = ?4 AND substr(node, ?5 + 1) IN "
                 "(SELECT source FROM positions WHERE pipeline = ?1))");
  LEAT_TRY(
      doom.run(*id, kDoomed, std::uint64_t{kDoomed.size()}, kSourceNode, std::uint64_t{kSourceNode.size()}));
  Statement uncount(connection_, "UPDATE pipelines SET counters = x'' WHERE id = ?");
  return uncount.run(*id);
}

Result<bool> PipelineRegistry::delete_doomed(const PipelineName& pipeline) {
  LEAT_ASSIGN(const auto id, id_of(pipeline));
  if (!id) return false;
  Statement some(connection_,
                 "DELETE FROM state WHERE (operator, key) IN (SELECT operator, key FROM state WHERE operator "
                 "IN (SELECT id FROM operators WHERE pipeline = ?1 AND substr(node, 1, ?3) = ?2) LIMIT ?4) "
                 "RETURNING 1");
  std::int64_t deleted = 0;
  {
    Rows rows = some.query(*id, kDoomed, std::uint64_t{kDoomed.size()}, kPurgeEntries);
    for (;;) {
      LEAT_ASSIGN(const bool found, rows.next());
      if (!found) break;
      ++deleted;
    }
  }
  if (deleted == kPurgeEntries) return true;
  Statement rest(connection_, "DELETE FROM operators WHERE pipeline = ?1 AND substr(node, 1, ?3) = ?2");
  LEAT_TRY(rest.run(*id, kDoomed, std::uint64_t{kDoomed.size()}));
  Statement empty(
      connection_,
      "DELETE FROM pipelines WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM positions WHERE pipeline "
      "= ?1) AND NOT EXISTS (SELECT 1 FROM operators WHERE pipeline = ?1)");
  LEAT_TRY(empty.run(*id));
  return false;
}

Status PipelineRegistry::forget_outboxes(const PipelineName& pipeline) {
  for (const char* sql : {"DELETE FROM outboxes WHERE pipeline = ? AND waiting_blocks = 0",
                          "DELETE FROM leat_paused_sinks WHERE pipeline = ?"})
    LEAT_TRY(Statement(connection_, sql).run(std::string_view(pipeline.value)));
  return {};
}

// ---- Readers ---------------------------------------------------------------------------------------------

Result<std::vector<DeployedPipeline>> read_deployed(Connection& connection) {
  Statement select(connection, "SELECT pipeline, version, sql, time FROM leat_deployed ORDER BY pipeline");
  Rows rows = select.query();
  std::vector<DeployedPipeline> all;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return all;
    all.push_back({{rows.text(0)}, rows.count(1), rows.text(2), rows.integer(3)});
  }
}

Result<PipelineName> read_identity(Connection& connection, const PipelineName& pipeline) {
  Statement select(connection, "SELECT identity FROM leat_identities WHERE pipeline = ?");
  Rows rows = select.query(std::string_view(pipeline.value));
  LEAT_ASSIGN(const bool found, rows.next());
  return found ? PipelineName{rows.text(0)} : pipeline;
}

Result<std::vector<KeptParts>> read_kept(Connection& connection, const PipelineName& pipeline) {
  std::vector<KeptParts> all;
  Statement select(connection,
                   "SELECT p.id, p.name, p.last_commit, o.node, (SELECT count(*) FROM state WHERE operator = "
                   "o.id) AS entries FROM pipelines p LEFT JOIN operators o ON o.pipeline = p.id "
                   "AND substr(o.node, 1, 7) <> 'purged ' "
                   "WHERE ?1 IN ('', p.name) ORDER BY p.name, o.node");
  Statement sources(connection, "SELECT source FROM positions WHERE pipeline = ? ORDER BY source");
  Rows rows = select.query(std::string_view(pipeline.value));
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return all;
    if (all.empty() || all.back().pipeline.value != rows.bytes(1)) {
      KeptParts& parts =
          all.emplace_back(KeptParts{.pipeline = {rows.text(1)}, .last_commit = {rows.count(2)}});
      Rows positions = sources.query(rows.integer(0));
      for (;;) {
        LEAT_ASSIGN(const bool more, positions.next());
        if (!more) break;
        parts.positions.push_back({positions.text(0)});
      }
    }
    if (!rows.is_null(3) && rows.count(4) > 0) all.back().operators.push_back({rows.text(3), rows.count(4)});
  }
}

}  // namespace leat::store
