-- A store as version 1 wrote it. Frozen, as such files are: each version of Leat must read it.
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

INSERT INTO store VALUES (1, '0123456789abcdef0123456789abcdef', 'machine-a');
INSERT INTO pipelines VALUES (1, 'plant', 3, 1000, x'c0ffee');
INSERT INTO positions VALUES (1, 'readings', x'0102');
INSERT INTO operators VALUES (1, 1, 'window 1');
INSERT INTO state VALUES (1, CAST('pump' AS BLOB), CAST('open' AS BLOB)), (1, CAST('valve' AS BLOB), CAST('shut' AS BLOB));
INSERT INTO blocks VALUES (1, 1, 2, 5, 1000, CAST('block' AS BLOB));
INSERT INTO outboxes (id, pipeline, sink, sink_state, last_shipment, waiting_blocks, waiting_bytes, waiting, emitted, delivered)
  VALUES (1, 'plant', 'upstream', x'07', 4, 1, 5, 2, 9, 7);
INSERT INTO dead_letters VALUES (1, 'plant', 'source readings', 'no JSON', '{}', 7, 3, CAST('bad' AS BLOB));
UPDATE dead_letter_totals SET letters = 1, bytes = 91, pushed_out = 6;
PRAGMA application_id = 1279607124;
PRAGMA user_version = 1;
