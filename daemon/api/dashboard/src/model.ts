// What the API answers, as far as the page reads it. Members that older daemons do not send are optional.

/** Without a token only whether it is ready. */
export interface Readiness {
  ready: boolean;
  reasons: string[];
  outages: string[];
  leftovers: string[];
  damage: string[];
  clock: { detail: string; time: string | null };
  /** False: no more than `ready` was said. */
  told: boolean;
}

export const kUntold = { reasons: [], outages: [], leftovers: [], damage: [], clock: { detail: "", time: null } };

export interface Summary {
  name: string;
  file: string;
  state: string;
  error: string;
  refused: string;
  waiting_for: string;
  watermark: string | null;
  last_commit: number;
  last_commit_time: string | null;
  dead_letters: number;
  restarts: number;
}

export interface Messages {
  received: number;
  decoded: number;
  empty: number;
  dead: number;
  redelivered: number;
  dropped: number;
  lost: number;
  queued: number;
}

export interface Source {
  table: string;
  connector: string;
  link: string;
  detail: string;
  connects: number;
  losses: number;
  messages: Messages;
  rows: number;
  received_bytes: number;
  intake_bytes: number;
  disk: string;
}

export interface Latency {
  count: number;
  p50_micros: number;
  p99_micros: number;
  max_micros: number;
}

export interface Operator {
  name: string;
  description: string;
  inputs: number[];
  watermark: string | null;
  rows: { in: number; passed: number; filtered: number; late: number; dead: number; applied: number; out: number };
  keys: number;
  memory_bytes: number;
  latency?: Latency;
}

export interface Sink {
  table: string;
  connector: string;
  rows: number;
  dead: number;
  emitted: number;
  /** Of a local table or a stream; null: an outbox counts for this sink. */
  written: number | null;
  /** "none": no outbox stands before it. */
  delivery: string;
  hold: string;
  attempts: number;
  last_success: string | null;
  last_error: string;
}

export interface Pipeline extends Summary {
  last_commit_micros: number;
  commit_waits_micros: number;
  sources: Source[];
  operators: Operator[];
  sinks: Sink[];
  accounting_violations: string[];
  sql?: string | null;
  origin?: string;
  version?: number;
}

export interface OutboxSink {
  pipeline: string;
  sink: string;
  blocks: number;
  bytes: number;
  oldest: string | null;
  age_seconds: number;
  records: { emitted: number; delivered: number; rejected: number; dropped: number; waiting: number };
  policy: { on_full: string; max_bytes: number; max_age: string | null } | null;
  delivery: {
    state: string;
    hold: string;
    why: string | null;
    next_try: string | null;
    last_error: string;
    rows_per_second: number;
    bytes_per_second: number;
  } | null;
}

export interface Outbox {
  store_id: string;
  store_full: boolean;
  sinks: OutboxSink[];
}

export interface DaemonStatus {
  version: string;
  gateway: string;
  started: string;
  now: string;
  store: { bytes: number; log_bytes: number };
  disk: { free_bytes: number; total_bytes: number };
  memory_bytes: number;
  threads: number;
  roles: string[];
}

export interface ColumnInfo {
  name: string;
  type: string;
}

export interface Table {
  name: string;
  rows: number;
  columns: ColumnInfo[];
  primary_key: string[];
  users: { pipeline: string; role: string }[];
  declaration: string;
}

export type Cell = string | number | boolean | null | object;

export interface Rows {
  columns: (ColumnInfo | string)[];
  rows: Cell[][];
  truncated?: boolean;
}

export interface DeadLetter {
  id: number;
  pipeline: string;
  origin: string;
  reason: string;
  time: string | null;
  payload: string;
  payload_bytes: number;
  kept_bytes: number;
  metadata: unknown;
}

export interface DeadLetters {
  count: number;
  totals: Record<string, number>;
  dead_letters: DeadLetter[];
}

export interface SqlError {
  message: string;
  line: number;
  column: number;
  length: number;
}

export interface Validation {
  valid: boolean;
  errors: SqlError[];
  warnings: (SqlError | string)[];
  text: string;
  pipeline: { sources: (string | { table: string })[]; sinks: (string | { table: string })[] } | null;
}

export interface StateChange {
  kept: { operator: string; keys: number }[];
  cold: { operator: string; why: string }[];
  dropped: (string | { operator: string })[];
}

export interface Deployed {
  pipeline: string;
  version: number;
  created: boolean;
  /** False: it runs this text already. */
  changed?: boolean;
  state: StateChange;
  warnings?: string[];
  /** What is to say of sessions at brokers that were to end. */
  sessions?: string[];
}

export interface Removed {
  kept: string[];
  purged: string[];
  notes?: string[];
  sessions?: string[];
}

export interface ChangedRow {
  kind: string;
  row: Record<string, Cell>;
}

export interface LogLine {
  time: string;
  level: string;
  message: string;
  fields: Record<string, Cell>;
}
