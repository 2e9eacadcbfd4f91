#include "daemon/store/commits.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "pipelines/base/fault_point.h"

namespace leat::store {

Commits::Commits(Connection& connection, Outbox& outbox, DeadLetters& letters, TableWriter& tables,
                 Streams& streams)
    : connection_(connection),
      outbox_(outbox),
      letters_(letters),
      tables_(tables),
      streams_(streams),
      find_(connection, "SELECT id, last_commit FROM pipelines WHERE name = ?"),
      write_head_(
          connection,
          "INSERT INTO pipelines (name, last_commit, last_commit_time, counters) VALUES (?1, ?2, ?3, ?4) "
          "ON CONFLICT DO UPDATE SET last_commit = ?2, last_commit_time = ?3, counters = ?4 RETURNING id"),
      write_position_(connection,
                      "INSERT OR REPLACE INTO positions (pipeline, source, position) VALUES (?, ?, ?)"),
      // The update changes nothing; it makes RETURNING give the row that is there.
      operator_id_(connection,
                   "INSERT INTO operators (pipeline, node) VALUES (?1, ?2) "
                   "ON CONFLICT DO UPDATE SET node = node RETURNING id"),
      write_state_(connection, "INSERT OR REPLACE INTO state (operator, key, value) VALUES (?, ?, ?)"),
      erase_state_(connection, "DELETE FROM state WHERE operator = ? AND key = ?"),
      load_head_(connection,
                 "SELECT id, last_commit, last_commit_time, counters FROM pipelines WHERE name = ?"),
      load_positions_(connection,
                      "SELECT source, position FROM positions WHERE pipeline = ? ORDER BY source"),
      load_state_(connection,
                  "SELECT node, key, value FROM operators JOIN state ON operator = id WHERE pipeline = ?") {}

Result<std::optional<Commits::Head>> Commits::find(const PipelineName& pipeline) {
  Rows rows = find_.query(std::string_view(pipeline.value));
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return std::nullopt;
  return Head{rows.integer(0), {rows.count(1)}};
}

Status Commits::write(const Commit& commit) {
  Transaction transaction(connection_);
  LEAT_TRY(transaction.begin());
  LEAT_ASSIGN(const std::optional<Head> head, find(commit.pipeline));
  const CommitNumber last = head ? head->last : CommitNumber{};
  if (commit.number == last && last.value > 0) return {};
  if (commit.number != last.next())
    return fail(ErrorCode::kConflict, "pipeline " + commit.pipeline.value + ": commit " +
                                          std::to_string(commit.number.value) +
                                          " does not follow the store's last, " + std::to_string(last.value));
  LEAT_FAULT_STEP("commit.begun");
  LEAT_ASSIGN(const std::int64_t pipeline, write_head(commit));
  LEAT_FAULT_STEP("commit.head-written");
  LEAT_TRY(write_body(commit, pipeline));
  LEAT_FAULT_STEP("commit.before-sync");
  return transaction.commit();
}

Result<std::int64_t> Commits::write_head(const Commit& commit) {
  Rows rows = write_head_.query(std::string_view(commit.pipeline.value), commit.number.value, commit.time,
                                Blob{commit.counters});
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return fail(ErrorCode::kInternal, "pipeline " + commit.pipeline.value + " got no row");
  return rows.integer(0);
}

Status Commits::write_body(const Commit& commit, std::int64_t pipeline) {
  for (const SourcePosition& position : commit.positions)
    LEAT_TRY(write_position_.run(pipeline, std::string_view(position.source.value), Blob{position.position}));
  LEAT_FAULT_STEP("commit.positions-written");
  LEAT_TRY(write_state(commit, pipeline));
  LEAT_FAULT_STEP("commit.state-written");
  for (const NewBlock& block : commit.blocks) {
    LEAT_TRY(outbox_.put(commit.pipeline, block));
    LEAT_FAULT_STEP("commit.block-written");
  }
  LEAT_FAULT_STEP("commit.blocks-written");
  for (const TableRows& rows : commit.tables) LEAT_TRY(tables_.write(rows, commit.time));
  for (const StreamRows& rows : commit.streams) LEAT_TRY(streams_.put(rows, commit.time));
  for (const StreamPassed& passed : commit.passed) LEAT_TRY(streams_.pass(commit.pipeline, passed));
  LEAT_TRY(letters_.take_replayed(commit.pipeline, commit.replayed));
  return letters_.add(commit.pipeline, commit.dead_letters);
}

Status Commits::write_state(const Commit& commit, std::int64_t pipeline) {
  std::unordered_map<std::string_view, std::int64_t> ids;  // Views into `commit`.
  for (const exec::StateChange& change : commit.state) {
    auto known = ids.find(change.node);
    if (known == ids.end()) {
      LEAT_ASSIGN(const std::int64_t id, operator_id(pipeline, change.node));
      known = ids.emplace(change.node, id).first;
    }
    LEAT_TRY(change.erased ? erase_state_.run(known->second, Blob{change.key})
                           : write_state_.run(known->second, Blob{change.key}, Blob{change.value}));
  }
  return {};
}

Result<std::int64_t> Commits::operator_id(std::int64_t pipeline, const std::string& node) {
  Rows rows = operator_id_.query(pipeline, std::string_view(node));
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return fail(ErrorCode::kInternal, "operator " + node + " got no row");
  return rows.integer(0);
}

Result<SavedPipeline> Commits::load(const PipelineName& pipeline) {
  SavedPipeline saved;
  std::int64_t id = 0;
  {
    Rows rows = load_head_.query(std::string_view(pipeline.value));
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return saved;
    id = rows.integer(0);
    saved.last_commit = {rows.count(1)};
    saved.last_commit_time = rows.integer(2);
    saved.counters = rows.text(3);
  }
  LEAT_TRY(load_positions(id, saved));
  LEAT_TRY(load_state(id, saved));
  return saved;
}

Status Commits::load_positions(std::int64_t pipeline, SavedPipeline& saved) {
  Rows rows = load_positions_.query(pipeline);
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return {};
    saved.positions.push_back({{rows.text(0)}, rows.text(1)});
  }
}

Status Commits::load_state(std::int64_t pipeline, SavedPipeline& saved) {
  Rows rows = load_state_.query(pipeline);
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return {};
    saved.state.push_back({rows.text(0), rows.text(1), false, rows.text(2)});
  }
}

}  // namespace leat::store
