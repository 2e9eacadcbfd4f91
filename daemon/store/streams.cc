#include "daemon/store/streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "pipelines/base/fault_point.h"

namespace leat::store {
namespace {

using Role = StreamUse::Role;

std::string_view role_name(Role role) {
  return role == Role::kReads ? "reads" : "writes";
}

/// Pipelines that use a stream beside this one: "pipeline.table, …".
Result<std::string> others(Connection& connection, std::int64_t stream, const PipelineName& pipeline) {
  Statement select(
      connection,
      "SELECT pipeline || '.' || source FROM leat_stream_users WHERE stream = ? AND pipeline <> ? "
      "ORDER BY 1");
  Rows rows = select.query(stream, std::string_view(pipeline.value));
  std::string text;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return text;
    text += (text.empty() ? "" : ", ") + rows.text(0);
  }
}

Status check_roles(const PipelineName& pipeline, const std::vector<StreamUse>& uses) {
  for (const StreamUse& writer : uses)
    for (const StreamUse& reader : uses)
      if (writer.role == Role::kWrites && reader.role == Role::kReads &&
          writer.stream->name == reader.stream->name)
        return fail(
            ErrorCode::kConflict,
            fmt::format("pipeline '{}' reads the stream '{}' that it writes: it would wait for itself; "
                        "put the two halves into two pipelines",
                        pipeline.value, writer.stream->name));
  return {};
}

}  // namespace

Streams::Streams(Connection& connection)
    : connection_(connection),
      find_(connection, "SELECT id, columns, waiting_bytes FROM leat_streams WHERE name = ?"),
      insert_block_(
          connection,
          "INSERT INTO leat_stream_blocks (stream, rows, bytes, created, body) VALUES (?, ?, ?, ?, ?)"),
      count_block_(connection,
                   "UPDATE leat_streams SET written = written + ?2, waiting = waiting + ?2, waiting_bytes = "
                   "waiting_bytes + ?3 WHERE id = ?1"),
      pass_(connection,
            "UPDATE leat_stream_users SET passed = max(passed, ?4) WHERE stream = ?1 AND pipeline = ?2 AND "
            "source = ?3 AND role = 'reads'"),
      last_block_(connection,
                  "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'leat_stream_blocks'), 0)") {
}

Result<std::optional<Streams::Row>> Streams::find(const std::string& stream) {
  Rows rows = find_.query(std::string_view(stream));
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return std::nullopt;
  return Row{rows.integer(0), rows.text(1), rows.count(2)};
}

Result<std::uint64_t> Streams::last_block() {
  Rows rows = last_block_.query();
  LEAT_ASSIGN(const bool found, rows.next());
  return found ? rows.count(0) : 0;
}

// ---- Who uses a stream -----------------------------------------------------------------------------------

Status Streams::declare(const PipelineName& pipeline, const std::vector<StreamUse>& uses) {
  LEAT_TRY(check_roles(pipeline, uses));
  LEAT_ASSIGN(const std::vector<std::int64_t> before, streams_of(pipeline));
  // What is declared again stays as it is; a mark tells it from what is not.
  Statement mark(connection_, "UPDATE leat_stream_users SET declared = 0 WHERE pipeline = ?");
  LEAT_TRY(mark.run(std::string_view(pipeline.value)));
  for (const StreamUse& each : uses) {
    LEAT_ASSIGN(const Row row, find_or_make(pipeline, each));
    LEAT_TRY(use(row, pipeline, each));
  }
  Statement forget(connection_, "DELETE FROM leat_stream_users WHERE pipeline = ? AND declared = 0");
  LEAT_TRY(forget.run(std::string_view(pipeline.value)));
  for (const std::int64_t stream : before) LEAT_TRY(sweep(stream));
  return forget_unused();
}

Result<Streams::Row> Streams::find_or_make(const PipelineName& pipeline, const StreamUse& use) {
  const std::string columns = sources::describe_columns(use.stream->columns);
  LEAT_ASSIGN(const std::optional<Row> known, find(use.stream->name));
  if (known && known->columns != columns) LEAT_TRY(change_columns(*known, pipeline, use));
  if (known) return *known;
  Statement insert(connection_, "INSERT INTO leat_streams (name, columns) VALUES (?, ?) RETURNING id");
  Rows rows = insert.query(std::string_view(use.stream->name), std::string_view(columns));
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return fail(ErrorCode::kInternal, "stream '" + use.stream->name + "' got no row");
  return Row{rows.integer(0), columns, 0};
}

/// Whoever has a stream alone, with nothing in it, may declare it anew.
Status Streams::change_columns(const Row& row, const PipelineName& pipeline, const StreamUse& use) {
  const std::string columns = sources::describe_columns(use.stream->columns);
  LEAT_ASSIGN(const std::string users, others(connection_, row.id, pipeline));
  if (users.empty() && row.waiting_bytes == 0) {
    Statement update(connection_, "UPDATE leat_streams SET columns = ? WHERE id = ?");
    return update.run(std::string_view(columns), row.id);
  }
  return fail(
      ErrorCode::kConflict,
      fmt::format("table '{}': the stream '{}' has the columns ({}){}, but the table declares ({}): names, "
                  "types, order and NOT NULL must be the same; a stream of other columns needs another name",
                  use.table.value, use.stream->name, row.columns,
                  users.empty() ? ", and rows in it are not read yet" : ", as used by " + users, columns));
}

Status Streams::use(const Row& row, const PipelineName& pipeline, const StreamUse& use) {
  LEAT_ASSIGN(const std::uint64_t passed, last_block());
  Statement put(
      connection_,
      "INSERT INTO leat_stream_users (stream, pipeline, source, role, passed, declared) VALUES (?1, "
      "?2, ?3, ?4, ?5, 1) ON CONFLICT DO UPDATE SET declared = 1");
  return put.run(row.id, std::string_view(pipeline.value), std::string_view(use.table.value),
                 role_name(use.role), passed);
}

Status Streams::forget_others(const std::vector<PipelineName>& pipelines) {
  Statement select(connection_, "SELECT DISTINCT pipeline FROM leat_stream_users");
  std::vector<PipelineName> gone;
  {
    Rows rows = select.query();
    for (;;) {
      LEAT_ASSIGN(const bool found, rows.next());
      if (!found) break;
      const PipelineName name{rows.text(0)};
      if (std::ranges::find(pipelines, name) == pipelines.end()) gone.push_back(name);
    }
  }
  for (const PipelineName& name : gone) LEAT_TRY(declare(name, {}));
  return {};
}

Result<std::vector<std::int64_t>> Streams::streams_of(const PipelineName& pipeline) {
  Statement select(connection_, "SELECT DISTINCT stream FROM leat_stream_users WHERE pipeline = ?");
  Rows rows = select.query(std::string_view(pipeline.value));
  std::vector<std::int64_t> streams;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return streams;
    streams.push_back(rows.integer(0));
  }
}

/// A stream that nobody uses has no blocks either: it is as if it had never been.
Status Streams::forget_unused() {
  Statement forget(connection_,
                   "DELETE FROM leat_streams WHERE id NOT IN (SELECT stream FROM leat_stream_users)");
  return forget.run();
}

// ---- Blocks ----------------------------------------------------------------------------------------------

Result<bool> Streams::has_readers(const Row& row) {
  Statement select(connection_,
                   "SELECT 1 FROM leat_stream_users WHERE stream = ? AND role = 'reads' LIMIT 1");
  Rows rows = select.query(row.id);
  return rows.next();
}

Status Streams::put(const StreamRows& rows, std::int64_t now) {
  LEAT_ASSIGN(const std::optional<Row> row, find(rows.stream->name));
  if (!row) return fail(ErrorCode::kInternal, "stream '" + rows.stream->name + "' is not declared");
  LEAT_ASSIGN(const bool read, has_readers(*row));
  if (!read) return count(row->id, "unread", rows.rows);
  const bool fits = row->waiting_bytes + rows.bytes.size() <= rows.stream->max_bytes;
  if (!fits && rows.stream->on_full == plan::OnFull::kDropNewest) return count(row->id, "dropped", rows.rows);
  LEAT_TRY(insert_block_.run(row->id, rows.rows, std::uint64_t{rows.bytes.size()}, now, Blob{rows.bytes}));
  LEAT_TRY(count_block_.run(row->id, rows.rows, std::uint64_t{rows.bytes.size()}));
  LEAT_FAULT_STEP("commit.stream-written");
  return drop_old(*row, rows, now);
}

Status Streams::count(std::int64_t stream, const char* counter, std::uint64_t rows) {
  Statement update(connection_, fmt::format("UPDATE leat_streams SET written = written + ?2, {0} = {0} + ?2 "
                                            "WHERE id = ?1",
                                            counter));
  return update.run(stream, rows);
}

Status Streams::uncount(std::int64_t stream, const char* counter, const Deleted& deleted) {
  if (deleted.blocks == 0) return {};
  Statement update(
      connection_,
      fmt::format("UPDATE leat_streams SET waiting = waiting - ?2, waiting_bytes = waiting_bytes "
                  "- ?3, {0} = {0} + ?2 WHERE id = ?1",
                  counter));
  return update.run(stream, deleted.rows, deleted.bytes);
}

Result<Streams::Deleted> Streams::delete_blocks(std::int64_t stream, const std::string& condition,
                                                std::int64_t bound) {
  Statement remove(connection_, "DELETE FROM leat_stream_blocks WHERE stream = ?1 AND " + condition +
                                    " RETURNING rows, bytes");
  Rows rows = remove.query(stream, bound);
  Deleted deleted;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return deleted;
    ++deleted.blocks;
    deleted.rows += rows.count(0);
    deleted.bytes += rows.count(1);
  }
}

Status Streams::drop_old(const Row& row, const StreamRows& rows, std::int64_t now) {
  if (rows.stream->max_age) {
    LEAT_ASSIGN(const Deleted old,
                delete_blocks(row.id, "created < ?2", now - rows.stream->max_age->count()));
    LEAT_TRY(uncount(row.id, "dropped", old));
  }
  if (rows.stream->on_full != plan::OnFull::kDropOldest) return {};
  // From the newest on as many as have room; the newest stays in any case.
  LEAT_ASSIGN(
      const Deleted over,
      delete_blocks(row.id,
                    "number IN (SELECT number FROM (SELECT number, sum(bytes) OVER (ORDER BY number DESC) "
                    "AS held, row_number() OVER (ORDER BY number DESC) AS place FROM leat_stream_blocks "
                    "WHERE stream = ?1) WHERE held > ?2 AND place > 1)",
                    static_cast<std::int64_t>(rows.stream->max_bytes)));
  return uncount(row.id, "dropped", over);
}

Status Streams::pass(const PipelineName& pipeline, const StreamPassed& passed) {
  LEAT_ASSIGN(const std::optional<Row> row, find(passed.stream));
  if (!row) return {};  // It has been declared otherwise since.
  LEAT_TRY(pass_.run(row->id, std::string_view(pipeline.value), std::string_view(passed.table.value),
                     passed.block));
  LEAT_FAULT_STEP("commit.stream-passed");
  return sweep(row->id);
}

Status Streams::sweep(std::int64_t stream) {
  Statement least(connection_,
                  "SELECT min(passed), count(*) FROM leat_stream_users WHERE stream = ? AND role = 'reads'");
  std::int64_t passed = INT64_MAX;
  const char* counter = "unread";
  {
    Rows rows = least.query(stream);
    LEAT_ASSIGN(const bool found, rows.next());
    if (found && rows.count(1) > 0) {
      passed = rows.integer(0);
      counter = "passed";
    }
  }
  LEAT_ASSIGN(const Deleted deleted, delete_blocks(stream, "number <= ?2", passed));
  return uncount(stream, counter, deleted);
}

// ---- Readers ---------------------------------------------------------------------------------------------

Result<std::vector<StreamStatus>> read_stream_status(Connection& connection) {
  std::vector<StreamStatus> all;
  Statement select(connection,
                   "SELECT id, name, columns, written, passed, dropped, unread, waiting, waiting_bytes FROM "
                   "leat_streams ORDER BY name");
  Statement users(
      connection,
      "SELECT pipeline || '.' || source, role FROM leat_stream_users WHERE stream = ? ORDER BY 1");
  Rows rows = select.query();
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return all;
    StreamStatus& status = all.emplace_back(StreamStatus{.name = rows.text(1),
                                                         .columns = rows.text(2),
                                                         .written = rows.count(3),
                                                         .passed = rows.count(4),
                                                         .dropped = rows.count(5),
                                                         .unread = rows.count(6),
                                                         .waiting = rows.count(7),
                                                         .waiting_bytes = rows.count(8)});
    Rows each = users.query(rows.integer(0));
    for (;;) {
      LEAT_ASSIGN(const bool more, each.next());
      if (!more) break;
      (each.text(1) == "reads" ? status.readers : status.writers).push_back(each.text(0));
    }
  }
}

Result<std::vector<sources::StreamBlock>> read_stream_blocks(Connection& connection,
                                                             const sources::StreamReaderName& reader,
                                                             std::uint64_t after, std::uint64_t max_bytes) {
  Statement place(connection,
                  "SELECT u.stream, max(u.passed, ?4) FROM leat_stream_users u JOIN leat_streams s ON s.id = "
                  "u.stream WHERE "
                  "name = ?1 AND pipeline = ?2 AND source = ?3 AND role = 'reads'");
  Rows found = place.query(std::string_view(reader.stream), std::string_view(reader.pipeline.value),
                           std::string_view(reader.table.value), after);
  LEAT_ASSIGN(const bool declared, found.next());
  if (!declared)
    return fail(ErrorCode::kNotFound,
                fmt::format("table '{}' is no reader of the stream '{}'", reader.table.value, reader.stream));
  Statement select(
      connection,
      "SELECT number, created, body FROM leat_stream_blocks WHERE stream = ? AND number > ? ORDER "
      "BY number");
  Rows rows = select.query(found.integer(0), found.integer(1));
  std::vector<sources::StreamBlock> blocks;
  for (std::uint64_t bytes = 0; blocks.empty() || bytes < max_bytes;) {
    LEAT_ASSIGN(const bool more, rows.next());
    if (!more) break;
    blocks.push_back({rows.count(0), rows.integer(1), rows.text(2)});
    bytes += blocks.back().body.size();
  }
  return blocks;
}

}  // namespace leat::store
