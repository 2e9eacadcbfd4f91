#include "daemon/store/schema.h"

#include <string>

namespace leat::store {
namespace {

// The CHECK of `outboxes` is the accounting equation of the design: a transaction that breaks it cannot be
// committed.
constexpr const char* kTables = R"sql(
CREATE TABLE store (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  machine_id TEXT NOT NULL
) STRICT;

CREATE TABLE pipelines (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  last_commit INTEGER NOT NULL,
  last_commit_time INTEGER NOT NULL,
  counters BLOB NOT NULL
) STRICT;

CREATE TABLE positions (
  pipeline INTEGER NOT NULL,
  source TEXT NOT NULL,
  position BLOB NOT NULL,
  PRIMARY KEY (pipeline, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE operators (
  id INTEGER PRIMARY KEY,
  pipeline INTEGER NOT NULL,
  node TEXT NOT NULL,
  UNIQUE (pipeline, node)
) STRICT;

CREATE TABLE state (
  operator INTEGER NOT NULL,
  key BLOB NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (operator, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE outboxes (
  id INTEGER PRIMARY KEY,
  pipeline TEXT NOT NULL,
  sink TEXT NOT NULL,
  sink_state BLOB NOT NULL DEFAULT x'',
  last_shipment INTEGER NOT NULL DEFAULT 0,
  unsettled_blocks BLOB,
  unsettled_records INTEGER NOT NULL DEFAULT 0,
  settled_records INTEGER NOT NULL DEFAULT 0,
  part_records INTEGER NOT NULL DEFAULT 0,
  waiting_blocks INTEGER NOT NULL DEFAULT 0 CHECK (waiting_blocks >= 0),
  waiting_bytes INTEGER NOT NULL DEFAULT 0 CHECK (waiting_bytes >= 0),
  waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
  emitted INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  dropped INTEGER NOT NULL DEFAULT 0,
  UNIQUE (pipeline, sink),
  CHECK (emitted = delivered + rejected + dropped + waiting)
) STRICT;

CREATE TABLE blocks (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  outbox INTEGER NOT NULL,
  records INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  created INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX blocks_of_outbox ON blocks (outbox, number, records, bytes, created);

CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  pipeline TEXT NOT NULL,
  origin TEXT NOT NULL,
  reason TEXT NOT NULL,
  metadata TEXT NOT NULL,
  time INTEGER NOT NULL,
  payload_bytes INTEGER NOT NULL,
  payload BLOB NOT NULL
) STRICT;

CREATE TABLE dead_letter_totals (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  letters INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  pushed_out INTEGER NOT NULL
) STRICT;
INSERT INTO dead_letter_totals VALUES (1, 0, 0, 0);
)sql";

Result<int> number(Connection& connection, const char* pragma) {
  LEAT_ASSIGN(const std::string text, connection.value(pragma));
  return std::stoi(text);  // SQLite prints an integer here.
}

}  // namespace

Status apply_settings(Connection& connection) {
  const bool in_memory = connection.path() == ":memory:";
  // Must come before the journal mode: afterwards the file has its first page and it is too late.
  LEAT_TRY(connection.set_pragma("auto_vacuum", "INCREMENTAL", "2"));
  if (!in_memory) LEAT_TRY(connection.set_pragma("journal_mode", "WAL", "wal"));
  LEAT_TRY(connection.set_pragma("synchronous", "FULL", "2"));
  LEAT_TRY(connection.set_pragma("secure_delete", "OFF", "0"));
  LEAT_TRY(connection.set_pragma("journal_size_limit", "16777216", "16777216"));
  LEAT_TRY(connection.set_pragma("cache_size", "-2000", "-2000"));
  LEAT_TRY(connection.set_pragma("temp_store", "MEMORY", "2"));
  LEAT_TRY(connection.set_pragma("trusted_schema", "OFF", "0"));
  if (!in_memory) LEAT_TRY(connection.set_pragma("wal_autocheckpoint", "4000", "4000"));
  return {};
}

Status create_schema(Connection& connection) {
  Transaction transaction(connection);
  LEAT_TRY(transaction.begin());
  LEAT_TRY(connection.exec(kTables));
  LEAT_TRY(connection.exec(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str()));
  LEAT_TRY(connection.exec(("PRAGMA user_version = " + std::to_string(kSchemaVersion)).c_str()));
  return transaction.commit();
}

Result<FileContent> inspect_schema(Connection& connection) {
  LEAT_ASSIGN(const int tables, number(connection, "SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) return FileContent::kEmpty;
  LEAT_ASSIGN(const int application, number(connection, "PRAGMA application_id"));
  if (application != kApplicationId)
    return fail(ErrorCode::kConflict,
                connection.path() + " is a database, but not a store of Leat: choose another data folder");
  LEAT_ASSIGN(const int version, number(connection, "PRAGMA user_version"));
  if (version == kSchemaVersion) return FileContent::kStore;
  return fail(ErrorCode::kConflict, connection.path() + " was written by another version of Leat (schema " +
                                        std::to_string(version) + ", this one knows " +
                                        std::to_string(kSchemaVersion) +
                                        "): install that version, or choose another data folder");
}

}  // namespace leat::store
