// The outbox: sealed blocks on their way to the sinks, and the shipments they travel in. One row of
// `outboxes` per sink holds its numbers and counters; the blocks wait in `blocks`, in the order of the
// commits.
//
// A shipment's list of blocks is kept in its outbox's row:
//   list := varint count, varint block number…
//
// Storage thread. `put` runs inside the caller's transaction, everything else opens its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/store/commit.h"
#include "daemon/store/dead_letters.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/store.h"

namespace leat::store {

class Outbox {
 public:
  /// `connection` and `letters` outlive the outbox.
  Outbox(Connection& connection, DeadLetters& letters);

  /// Appends a block; part of a commit.
  Status put(const PipelineName& pipeline, const NewBlock& block);

  // As the store's calls of the same names.
  Result<std::optional<OutboxShipment>> next_shipment(const PipelineName& pipeline, const TableName& sink,
                                                      const ShipmentLimits& limits);
  Status settle(const PipelineName& pipeline, const TableName& sink, const Settlement& settlement);
  Status split(const PipelineName& pipeline, const TableName& sink, ShipmentNumber number,
               std::uint64_t first, std::uint64_t records);
  Status keep_sink_state(const PipelineName& pipeline, const TableName& sink, std::string_view sink_state);

  struct Bounds {
    std::uint64_t max_bytes = 0;
    std::int64_t oldest_allowed = 0;
    Store::DropOrder order = Store::DropOrder::kOldest;
  };
  struct Trimmed {
    std::uint64_t records = 0;
    bool more = false;  ///< The transaction was long enough; call again.
  };
  /// One bounded step of `Store::trim`.
  Result<Trimmed> trim_some(const PipelineName& pipeline, const TableName& sink, const Bounds& bounds);
  /// One bounded step of `PipelineStore::purge_outbox`: blocks without a number, up to block `newest`.
  Result<Trimmed> purge_some(const PipelineName& pipeline, const TableName& sink, std::uint64_t newest);
  /// The last block that waits; 0: none does.
  Result<std::uint64_t> newest_block(const PipelineName& pipeline, const TableName& sink);
  /// Drops what is left of the shipment under way, and counts it; inside the caller's transaction.
  Result<std::uint64_t> drop_shipment(const PipelineName& pipeline, const TableName& sink);

  /// A sink that gives something up for the bound of the file.
  struct Yielding {
    PipelineName pipeline;
    TableName sink;
    Store::DropOrder order = Store::DropOrder::kOldest;
  };
  struct Yielded {
    std::size_t from = 0;  ///< Index of the sink that gave something up.
    std::uint64_t records = 0;
  };
  /// One bounded step of what `Store::set_yield` says: drops blocks of one sink, about `bytes` at most.
  /// nullopt: no sink has anything to give.
  Result<std::optional<Yielded>> yield_some(const std::vector<Yielding>& sinks, std::uint64_t bytes);

  Result<OutboxLevel> level(const PipelineName& pipeline, const TableName& sink);

 private:
  // A row of `outboxes`.
  struct Box {
    std::int64_t id = 0;
    std::string sink_state;
    std::uint64_t last_shipment = 0;
    std::vector<std::uint64_t> unsettled_blocks;  // Empty: no shipment is on its way.
    std::uint64_t unsettled_records = 0;
    std::uint64_t settled = 0;
    std::uint64_t part = 0;
    std::uint64_t waiting_blocks = 0;
    std::uint64_t waiting_bytes = 0;
    std::uint64_t waiting = 0;
    std::uint64_t rejected = 0;
  };
  struct BlockInfo {
    std::uint64_t number = 0;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::int64_t created = 0;
  };

  // The sink that gives something up next, and where another one comes before it.
  struct Turn {
    std::size_t sink = 0;
    Box box;
    std::optional<std::uint64_t> next;
  };
  Result<std::optional<Turn>> whose_turn(const std::vector<Yielding>& sinks, Store::DropOrder order);

  Result<std::optional<Box>> find(const PipelineName& pipeline, const TableName& sink);
  Result<Box> find_existing(const PipelineName& pipeline, const TableName& sink);
  Result<std::vector<BlockInfo>> choose(const Box& box, const ShipmentLimits& limits);
  // What one step drops, and the counter of `outboxes` that it goes to.
  struct Drop {
    std::vector<BlockInfo> blocks;
    const char* counter = "";
  };
  Result<Drop> choose_to_drop(const Box& box, const Bounds& bounds);
  Result<std::uint64_t> drop(const Box& box, const Drop& chosen);
  // Blocks without a number in an order, while `wanted` says so, and as many as one transaction takes.
  using Wanted = std::function<bool(const BlockInfo&)>;
  Result<std::vector<BlockInfo>> pick(const Box& box, Store::DropOrder order, const Wanted& wanted);
  Status number_blocks(Box& box, const std::vector<BlockInfo>& chosen);
  Result<OutboxShipment> read_shipment(const Box& box);
  Status finish(const Box& box, const Settlement& settlement);
  Status advance(const Box& box, const Settlement& settlement);

  Connection& connection_;
  DeadLetters& letters_;
  Statement insert_block_;
  Statement count_block_;
  Statement find_;
  Statement blocks_in_order_;
  Statement blocks_backwards_;
  Statement body_;
  Statement block_bytes_;
  Statement delete_block_;
  Statement set_shipment_;
  Statement finish_;
  Statement advance_;
  Statement split_;
  Statement set_sink_state_;
  Statement count_dropped_;
  Statement inherited_;
};

/// All sinks that ever had a block, by pipeline and sink.
Result<std::vector<OutboxStatus>> read_outbox_status(Connection& connection);

}  // namespace leat::store
