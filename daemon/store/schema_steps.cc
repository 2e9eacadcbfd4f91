// The steps of the schema, oldest first; SCHEMA.md says what the tables mean. A step that a release contains
// is never changed: files that took it exist. What is to be different is a new step at the end.
#include <array>

#include "daemon/store/schema.h"

namespace leat::store {
namespace {

// The CHECK of `outboxes` is the accounting equation of the design: a transaction that breaks it cannot be
// committed.
constexpr const char* kVersion1 = R"sql(
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

// Which blocks are from before the store's id was renewed, and which sinks somebody paused.
constexpr const char* kInheritedBlocks = R"sql(
ALTER TABLE store ADD COLUMN inherited_blocks INTEGER NOT NULL DEFAULT 0;
CREATE TABLE leat_paused_sinks (
  pipeline TEXT NOT NULL,
  sink TEXT NOT NULL,
  PRIMARY KEY (pipeline, sink)
) STRICT, WITHOUT ROWID;
)sql";

// Which bound has dropped records. What an older file had dropped already is of none of them; the CHECK keeps
// the parts within the whole.
constexpr const char* kDropsByBound = R"sql(
ALTER TABLE outboxes ADD COLUMN dropped_oldest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outboxes ADD COLUMN dropped_newest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outboxes ADD COLUMN dropped_age INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outboxes ADD COLUMN dropped_file INTEGER NOT NULL DEFAULT 0
  CHECK (dropped_oldest + dropped_newest + dropped_age + dropped_file <= dropped);
)sql";

// Local tables: the tables that users declare stand beside the store's own, so from here on the store's names
// begin with leat_.
constexpr const char* kLocalTables = R"sql(
CREATE TABLE leat_tables (
  name TEXT PRIMARY KEY COLLATE NOCASE,
  shape TEXT NOT NULL,
  wanted TEXT,
  keep_for INTEGER,
  keep_rows INTEGER,
  order_column TEXT,
  order_digits INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE leat_table_users (
  name TEXT COLLATE NOCASE,
  pipeline TEXT NOT NULL,
  role TEXT NOT NULL,
  indexes TEXT NOT NULL,
  PRIMARY KEY (name, pipeline)
) STRICT, WITHOUT ROWID;
)sql";

// Dead letters keep the message, so that it can be replayed, and where they have gone. The CHECK is their
// accounting equation.
constexpr const char* kReplayableLetters = R"sql(
ALTER TABLE dead_letters ADD COLUMN message_key BLOB NOT NULL DEFAULT x'';
ALTER TABLE dead_letters ADD COLUMN attributes BLOB NOT NULL DEFAULT x'';

ALTER TABLE dead_letter_totals RENAME TO dead_letter_totals_1;
CREATE TABLE dead_letter_totals (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  letters INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  written INTEGER NOT NULL,
  pushed_out INTEGER NOT NULL,
  replayed INTEGER NOT NULL,
  purged INTEGER NOT NULL,
  CHECK (written = letters + pushed_out + replayed + purged)
) STRICT;
INSERT INTO dead_letter_totals
  SELECT one, letters, bytes, letters + pushed_out, pushed_out, 0, 0 FROM dead_letter_totals_1;
DROP TABLE dead_letter_totals_1;
)sql";

// Which pipelines somebody paused.
constexpr const char* kPausedPipelines = R"sql(
CREATE TABLE leat_paused_pipelines (
  pipeline TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
)sql";

// Texts that were deployed over the API, and under which identity a pipeline is known that was renamed or
// purged.
constexpr const char* kDeployedPipelines = R"sql(
CREATE TABLE leat_deployed (
  pipeline TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL,
  sql TEXT NOT NULL,
  time INTEGER NOT NULL
) STRICT;

CREATE TABLE leat_identities (
  pipeline TEXT PRIMARY KEY,
  identity TEXT NOT NULL UNIQUE,
  generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Streams between pipelines. The CHECK is their accounting equation.
constexpr const char* kStreams = R"sql(
CREATE TABLE leat_streams (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  columns TEXT NOT NULL,
  written INTEGER NOT NULL DEFAULT 0,
  passed INTEGER NOT NULL DEFAULT 0,
  dropped INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  waiting INTEGER NOT NULL DEFAULT 0,
  waiting_bytes INTEGER NOT NULL DEFAULT 0,
  CHECK (written = passed + dropped + unread + waiting)
) STRICT;

CREATE TABLE leat_stream_users (
  stream INTEGER NOT NULL,
  pipeline TEXT NOT NULL,
  source TEXT NOT NULL,
  role TEXT NOT NULL,
  passed INTEGER NOT NULL,
  declared INTEGER NOT NULL,
  PRIMARY KEY (stream, pipeline, source, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE leat_stream_blocks (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  stream INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  created INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX leat_blocks_of_stream ON leat_stream_blocks (stream, number, rows, bytes, created);
)sql";

constexpr std::array kSteps = {kVersion1,          kInheritedBlocks, kDropsByBound,      kLocalTables,
                               kReplayableLetters, kPausedPipelines, kDeployedPipelines, kStreams};

}  // namespace

std::span<const char* const> schema_steps() {
  return kSteps;
}

}  // namespace leat::store
