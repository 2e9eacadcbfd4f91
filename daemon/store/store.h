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
};

/// Blocks that travel under one number; what the outbox hands to delivery.
struct OutboxShipment {
  ShipmentNumber number;
  std::vector<BlockNumber> block_numbers;
  std::vector<std::string> blocks;
  std::uint64_t records = 0;
  std::string sink_state;  ///< As the last settled shipment left it.
  bool resumed = false;    ///< The number was given out before a restart: it may have arrived.
};

struct ShipmentLimits {
  std::uint64_t max_records = 1000;
  std::uint64_t max_bytes = 1 << 20;  ///< At least one block is taken, however large.
};

/// What became of a shipment's records: delivered + rejected of it; rejected ones are written as dead
/// letters.
struct Settlement {
  ShipmentNumber number;
  std::string sink_state;
  std::uint64_t delivered = 0;
  std::vector<DeadLetter> rejected;
};

struct DeadLetterRow {
  std::int64_t id = 0;
  PipelineName pipeline;
  DeadLetter letter;
};

struct StoreOptions {
  std::string path;  ///< Empty: in memory.
  /// Dead letters above this many bytes push out the oldest, which are counted.
  std::uint64_t dead_letters_max_bytes = 16 << 20;
  /// Random bytes for the store id; injected for tests.
  std::function<std::string()> make_store_id;
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
  /// Called on the storage thread after each commit that put blocks into the sink's outbox; one per sink.
  virtual void on_blocks(const PipelineName& pipeline, const TableName& sink, std::function<void()> wake) = 0;
  /// Enforces a bound of the sink's outbox by deleting blocks that carry no number; the answer is the records
  /// dropped.
  enum class DropOrder : std::uint8_t { kOldest, kNewest };
  virtual void trim(const PipelineName& pipeline, const TableName& sink, std::uint64_t max_bytes,
                    std::int64_t oldest_allowed, DropOrder order, Answer<std::uint64_t> done) = 0;

  /// Readers; blocking, on any thread, on read-only connections.
  virtual Result<std::vector<OutboxStatus>> outbox_status() = 0;
  virtual Result<std::vector<DeadLetterRow>> dead_letters(std::size_t limit, std::int64_t before_id) = 0;
  virtual Result<std::uint64_t> dead_letter_count() = 0;

  /// Finishes all requests, checkpoints, closes. Idempotent; afterwards requests are answered with cancelled.
  virtual void close() = 0;
};

}  // namespace leat::store
