// The store: one SQLite file per daemon with positions, state, outbox, dead letters and counters of all
// pipelines; see SCHEMA.md. One writer, the storage thread; every call below hands it a request and returns
// at once, the answer comes as a callback on the storage thread (callers post it on to their own). Requests
// are done in order.
//
// `leat run` without --state opens the same store in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/store/commit.h"
#include "daemon/store/pipeline_store.h"
#include "daemon/store/stream_store.h"
#include "daemon/store/table_store.h"
#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"

namespace leat::store {

/// What a pipeline finds when it starts.
struct SavedPipeline {
  CommitNumber last_commit;
  std::int64_t last_commit_time = 0;
  std::vector<SourcePosition> positions;
  std::string counters;
  std::vector<exec::StateChange> state;  ///< All entries; none erased.
};

/// Records that a bound cost, by what dropped them; together at most the outbox's `dropped`.
struct Dropped {
  std::uint64_t oldest = 0;  ///< By the sink's bound in bytes: from the oldest on,
  std::uint64_t newest = 0;  ///< or from the newest on.
  std::uint64_t age = 0;     ///< By the sink's bound in age.
  std::uint64_t file = 0;    ///< By the bound of the whole file.
};

struct OutboxStatus {
  PipelineName pipeline;
  TableName sink;
  std::uint64_t blocks = 0;
  std::uint64_t records = 0;  ///< Waiting.
  std::uint64_t bytes = 0;
  std::int64_t oldest = 0;       ///< Creation time of the oldest block; 0: none.
  ShipmentNumber last_shipment;  ///< Last number given out.
  std::uint64_t emitted = 0;     ///< Records ever put in; emitted = delivered + rejected + dropped + waiting.
  std::uint64_t delivered = 0;
  std::uint64_t rejected = 0;
  std::uint64_t dropped = 0;
  Dropped dropped_by;
  std::string sink_state;  ///< As the last settled shipment left it.
};

/// Blocks that travel under one number; what the outbox hands to delivery.
struct OutboxShipment {
  ShipmentNumber number;
  std::vector<BlockNumber> block_numbers;
  std::vector<std::string> blocks;
  std::uint64_t records = 0;
  std::string sink_state;  ///< As the last settled shipment left it.
  bool resumed = false;    ///< The number was given out before: it may have been tried, and have arrived.
  /// Records, from the first on, that settlements of parts have finished with (see `Store::split`).
  std::uint64_t settled = 0;
  /// Records of the part under way, from `settled` on; 0: all the rest.
  std::uint64_t part = 0;
  bool inherited = false;  ///< Some of its blocks are from before the store's id was renewed.
};

struct ShipmentLimits {
  std::uint64_t max_records = 1000;
  std::uint64_t max_bytes = 1 << 20;  ///< At least one block is taken, however large.
  enum class Fill : std::uint8_t {
    kWhatWaits,  ///< A shipment of whatever waits.
    kOnlyFull,   ///< No new shipment unless what waits reaches a maximum: more may come (linger).
  };
  Fill fill = Fill::kWhatWaits;
  enum class Order : std::uint8_t {
    kOldestFirst,
    kNewestFirst,  ///< The newest blocks; inside the shipment they lie in the order of their commits.
  };
  Order order = Order::kOldestFirst;
};

/// What became of a shipment's records, or of a part of them; rejected ones are written as dead letters.
struct Settlement {
  ShipmentNumber number;
  std::string sink_state;
  std::uint64_t delivered = 0;
  std::vector<DeadLetter> rejected;
  /// Where the settled records begin: 0 for a whole shipment, else what was settled of it before. They are
  /// the `delivered + rejected` records from there on; the shipment is over when they reach its end.
  std::uint64_t first = 0;
  /// What `Store::split` would say of the records behind, in the same transaction; 0: all the rest.
  std::uint64_t next_part = 0;
};

/// How full a sink's outbox is.
struct OutboxLevel {
  std::uint64_t blocks = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::int64_t oldest = 0;     ///< Creation time of the oldest block; 0: none.
  std::uint64_t rejected = 0;  ///< Refused for good, ever.
};

/// Always: written = letters + pushed_out + replayed + purged.
struct DeadLetterStatus {
  std::uint64_t letters = 0;
  std::uint64_t bytes = 0;
  std::uint64_t written = 0;     ///< Ever.
  std::uint64_t pushed_out = 0;  ///< Lost to the bounds.
  std::uint64_t replayed = 0;    ///< Put back as fresh messages.
  std::uint64_t purged = 0;      ///< Thrown away by people.
};

/// Which dead letters are meant; all that is given must hold.
struct DeadLetterFilter {
  std::string pipeline;            ///< Empty: any.
  std::string origin;              ///< "source readings", or "readings" alone; empty: any.
  std::int64_t since = INT64_MIN;  ///< Gateway clock, microseconds.
  std::int64_t until = INT64_MAX;  ///< Before this moment.
  std::int64_t above_id = 0;
  std::int64_t below_id = INT64_MAX;
  std::vector<std::int64_t> ids;  ///< Empty: any.
};

/// How much of them is read at once.
struct DeadLetterPage {
  enum class Order : std::uint8_t { kNewestFirst, kOldestFirst };
  Order order = Order::kNewestFirst;
  std::size_t letters = 100;
  std::uint64_t payload_bytes = kLongestDeadPayload;  ///< Of each.
  std::uint64_t total_bytes = 4 << 20;                ///< Of all payloads; one letter is read in any case.
};

struct DeadLetterRow {
  std::int64_t id = 0;
  PipelineName pipeline;
  DeadLetter letter;
  std::uint64_t kept_bytes = 0;  ///< Of the payload; less than `letter.payload_bytes` if it was cut.
};

struct StoreOptions {
  std::string path;  ///< Empty: in memory.
  /// Dead letters above this many bytes push out the oldest, which are counted.
  std::uint64_t dead_letters_max_bytes = 16 << 20;
  /// As do dead letters above this many.
  std::uint64_t dead_letters_max_count = 100'000;
  /// What the database file may hold, the free pages inside not counted; 0: no bound. See `Store::set_yield`.
  std::uint64_t max_bytes = 0;
  /// A dead letter's payload is cut to this many bytes.
  std::uint64_t dead_letter_payload_bytes = kLongestDeadPayload;
  /// A new store id: 32 hex digits; injected for tests. Null: the system's random bytes.
  std::function<std::string()> make_store_id;
  /// Tells machines apart: a store that wakes on another one (a copy, a restored image) gets a new id. An
  /// unreadable file says nothing, and changes nothing.
  std::string machine_id_file = "/etc/machine-id";
  /// Wall clock in microseconds; injected for tests. Null: the system's.
  std::function<std::int64_t()> now;
};

class Store {
 public:
  template <class T>
  using Answer = std::function<void(Result<T>)>;

  /// Opens or creates; reads pragmas back; a damaged file is set aside (renamed, reported in `notes`), a new
  /// one begun. Blocking, at start. Errors: io (what and what to do), conflict (another daemon has the
  /// folder; a newer schema).
  static Result<std::unique_ptr<Store>> open(StoreOptions options, std::vector<std::string>& notes);
  virtual ~Store() = default;

  [[nodiscard]] virtual StoreId id() const = 0;

  /// The gateway's clock at the newest commit of all pipelines; 0: there is none. Blocking, at start.
  virtual Result<std::int64_t> last_commit_time() = 0;
  /// Everything saved of a pipeline; blocking, at the pipeline's start.
  virtual Result<SavedPipeline> load(const PipelineName& pipeline) = 0;
  /// One transaction. The answer comes when it is synced (WAL, synchronous=FULL). At most one per pipeline in
  /// flight. Known failures (disk full, busy) are answered with exhausted or io, and the same object may be
  /// handed in again.
  virtual void commit(std::shared_ptr<const Commit> commit, Answer<void> done) = 0;

  /// The unsettled shipment of a sink if there is one, else the next: its number and block list are committed
  /// before the answer. nullopt: nothing waits.
  virtual void next_shipment(const PipelineName& pipeline, const TableName& sink,
                             const ShipmentLimits& limits, Answer<std::optional<OutboxShipment>> done) = 0;
  /// The shipment is over: its blocks go, counters and the sink's state are kept, one transaction.
  virtual void settle(const PipelineName& pipeline, const TableName& sink, Settlement settlement,
                      Answer<void> done) = 0;
  /// A shipment that was refused as a whole is sent in parts, from its first record to its last, each settled
  /// before the next is begun. Commits, before the part's first attempt, that it has `records` records from
  /// `first` (all before are settled) on: so a part is always the same bytes, across restarts too.
  virtual void split(const PipelineName& pipeline, const TableName& sink, ShipmentNumber number,
                     std::uint64_t first, std::uint64_t records, Answer<void> done) = 0;
  /// Replaces the sink's state between two shipments (the end of a bounded run).
  virtual void keep_sink_state(const PipelineName& pipeline, const TableName& sink, std::string sink_state,
                               Answer<void> done) = 0;
  /// Whether somebody paused the sink; kept over restarts. Blocking, on any thread but the storage thread.
  virtual bool is_paused(const PipelineName& pipeline, const TableName& sink) = 0;
  virtual Status set_paused(const PipelineName& pipeline, const TableName& sink, bool paused) = 0;
  /// Whether somebody paused the pipeline; as for a sink.
  virtual bool is_paused(const PipelineName& pipeline) = 0;
  virtual Status set_paused(const PipelineName& pipeline, bool paused) = 0;
  /// Called on the storage thread after each commit that put blocks into the sink's outbox; one per sink. It
  /// may post requests, but must not wait. An empty function takes it away; the old one is not called any
  /// more when this returns.
  virtual void on_blocks(const PipelineName& pipeline, const TableName& sink, std::function<void()> wake) = 0;
  /// Enforces bounds of the sink's outbox by deleting blocks that carry no number: the oldest while they were
  /// created before `oldest_allowed`, then in `order` while more than `max_bytes` wait. In transactions of
  /// bounded size; the answer is the records dropped.
  enum class DropOrder : std::uint8_t { kOldest, kNewest };
  virtual void trim(const PipelineName& pipeline, const TableName& sink, std::uint64_t max_bytes,
                    std::int64_t oldest_allowed, DropOrder order, Answer<std::uint64_t> done) = 0;

  /// What a sink gives up when the file has reached StoreOptions::max_bytes; nothing: its pipeline waits (see
  /// `file_full`). After each commit, while the file holds more than that: the oldest blocks of all sinks
  /// that give up their oldest go first, in the order of their commits; when there is none left, the newest
  /// of those that give up their newest. Blocks that carry a number stay.
  virtual void set_yield(const PipelineName& pipeline, const TableName& sink,
                         std::optional<DropOrder> order) = 0;
  /// The file holds StoreOptions::max_bytes or more, as of the last commit, settlement or trim; from memory,
  /// on any thread.
  [[nodiscard]] virtual bool file_full() const = 0;

  /// Throws away the oldest `limit` of the dead letters that the filter means; the answer is how many.
  virtual void purge_dead_letters(const DeadLetterFilter& filter, std::size_t limit,
                                  Answer<std::uint64_t> done) = 0;

  /// Readers; blocking, on any thread but the storage thread, on a read-only connection and for a bounded
  /// time (unavailable when it is over).
  virtual Result<std::vector<OutboxStatus>> outbox_status() = 0;
  virtual Result<std::vector<DeadLetterRow>> dead_letters(const DeadLetterFilter& filter,
                                                          const DeadLetterPage& page) = 0;
  virtual Result<DeadLetterStatus> dead_letter_status() = 0;
  /// As of the last commit or settlement; from memory, on any thread, never waits for the disk.
  [[nodiscard]] virtual OutboxLevel outbox_level(const PipelineName& pipeline,
                                                 const TableName& sink) const = 0;

  /// The local tables; lives as long as the store.
  [[nodiscard]] virtual TableStore& tables() = 0;
  /// The streams between pipelines; lives as long as the store.
  [[nodiscard]] virtual StreamStore& streams() = 0;
  /// What is deployed, and what is kept of pipelines; lives as long as the store.
  [[nodiscard]] virtual PipelineStore& pipelines() = 0;

  /// Finishes all requests, checkpoints, closes. Idempotent; afterwards requests are answered with cancelled,
  /// on the caller's thread. Not from an answer.
  virtual void close() = 0;
};

}  // namespace leat::store
