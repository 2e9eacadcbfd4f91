#include "daemon/store/outbox.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/bytes.h"
#include "pipelines/base/fault_point.h"

namespace leat::store {
namespace {

std::string encode_list(const std::vector<std::uint64_t>& numbers) {
  std::string list;
  ByteWriter writer(list);
  writer.varint(numbers.size());
  for (const std::uint64_t number : numbers) writer.varint(number);
  return list;
}

Result<std::vector<std::uint64_t>> decode_list(std::string_view list) {
  ByteReader reader(list);
  std::vector<std::uint64_t> numbers;
  const std::uint64_t count = list.empty() ? 0 : reader.varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) numbers.push_back(reader.varint());
  if (!reader.ok() || !reader.at_end())
    return fail(ErrorCode::kCorrupt, "the block list of a shipment cannot be read");
  return numbers;
}

std::string name_of(const PipelineName& pipeline, const TableName& sink) {
  return "sink " + sink.value + " of pipeline " + pipeline.value;
}

}  // namespace

Outbox::Outbox(Connection& connection, DeadLetters& letters)
    : connection_(connection),
      letters_(letters),
      insert_block_(connection,
                    "INSERT INTO blocks (outbox, records, bytes, created, body) VALUES (?, ?, ?, ?, ?)"),
      count_block_(connection,
                   "INSERT INTO outboxes (pipeline, sink, waiting_blocks, waiting_bytes, waiting, emitted) "
                   "VALUES (?1, ?2, 1, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET "
                   "waiting_blocks = waiting_blocks + 1, waiting_bytes = waiting_bytes + ?3, "
                   "waiting = waiting + ?4, emitted = emitted + ?4 RETURNING id"),
      find_(connection,
            "SELECT id, sink_state, last_shipment, unsettled_blocks, unsettled_records, settled_records, "
            "part_records, waiting_blocks, waiting_bytes, waiting, rejected FROM outboxes WHERE pipeline = ? "
            "AND sink "
            "= ?"),
      blocks_in_order_(connection,
                       "SELECT number, records, bytes, created FROM blocks WHERE outbox = ? ORDER BY number"),
      blocks_backwards_(connection,
                        "SELECT number, records, bytes, created FROM blocks WHERE outbox = ? "
                        "ORDER BY number DESC"),
      body_(connection, "SELECT body FROM blocks WHERE number = ?"),
      block_bytes_(connection, "SELECT bytes FROM blocks WHERE number = ?"),
      delete_block_(connection, "DELETE FROM blocks WHERE number = ?"),
      set_shipment_(connection,
                    "UPDATE outboxes SET last_shipment = ?, unsettled_blocks = ?, unsettled_records = ?, "
                    "settled_records = 0, part_records = 0 WHERE id = ?"),
      finish_(connection,
              "UPDATE outboxes SET sink_state = ?2, unsettled_blocks = NULL, unsettled_records = 0, "
              "settled_records = 0, part_records = 0, delivered = delivered + ?3, rejected = rejected + ?4, "
              "waiting = waiting - ?3 - ?4, waiting_blocks = waiting_blocks - ?5, "
              "waiting_bytes = waiting_bytes - ?6 WHERE id = ?1"),
      advance_(connection,
               "UPDATE outboxes SET sink_state = ?2, settled_records = settled_records + ?3 + ?4, "
               "part_records = ?5, delivered = delivered + ?3, rejected = rejected + ?4, "
               "waiting = waiting - ?3 - ?4 WHERE id = ?1"),
      split_(connection, "UPDATE outboxes SET part_records = ? WHERE id = ?"),
      set_sink_state_(connection, "UPDATE outboxes SET sink_state = ? WHERE id = ?"),
      count_dropped_(connection,
                     "UPDATE outboxes SET dropped = dropped + ?2, waiting = waiting - ?2, "
                     "waiting_blocks = waiting_blocks - ?3, waiting_bytes = waiting_bytes - ?4, "
                     "dropped_oldest = dropped_oldest + iif(?5 = 'oldest', ?2, 0), "
                     "dropped_newest = dropped_newest + iif(?5 = 'newest', ?2, 0), "
                     "dropped_age = dropped_age + iif(?5 = 'age', ?2, 0), "
                     "dropped_file = dropped_file + iif(?5 = 'file', ?2, 0) WHERE id = ?1"),
      inherited_(connection, "SELECT inherited_blocks FROM store") {}

Status Outbox::put(const PipelineName& pipeline, const NewBlock& block) {
  std::int64_t outbox = 0;
  {
    Rows rows = count_block_.query(std::string_view(pipeline.value), std::string_view(block.sink.value),
                                   std::uint64_t{block.bytes.size()}, block.records);
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return fail(ErrorCode::kInternal, name_of(pipeline, block.sink) + " has no outbox");
    outbox = rows.integer(0);
  }
  return insert_block_.run(outbox, block.records, std::uint64_t{block.bytes.size()}, block.created,
                           Blob{block.bytes});
}

Result<std::optional<Outbox::Box>> Outbox::find(const PipelineName& pipeline, const TableName& sink) {
  Rows rows = find_.query(std::string_view(pipeline.value), std::string_view(sink.value));
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found) return std::nullopt;
  Box box;
  box.id = rows.integer(0);
  box.sink_state = rows.text(1);
  box.last_shipment = rows.count(2);
  LEAT_ASSIGN(box.unsettled_blocks, decode_list(rows.bytes(3)));
  box.unsettled_records = rows.count(4);
  box.settled = rows.count(5);
  box.part = rows.count(6);
  box.waiting_blocks = rows.count(7);
  box.waiting_bytes = rows.count(8);
  box.waiting = rows.count(9);
  box.rejected = rows.count(10);
  return box;
}

Result<Outbox::Box> Outbox::find_existing(const PipelineName& pipeline, const TableName& sink) {
  LEAT_ASSIGN(std::optional<Box> box, find(pipeline, sink));
  if (!box) return fail(ErrorCode::kNotFound, name_of(pipeline, sink) + " never had a block");
  return *std::move(box);
}

Result<std::optional<OutboxShipment>> Outbox::next_shipment(const PipelineName& pipeline,
                                                            const TableName& sink,
                                                            const ShipmentLimits& limits) {
  Transaction transaction(connection_);
  LEAT_TRY(transaction.begin());
  LEAT_ASSIGN(std::optional<Box> box, find(pipeline, sink));
  if (!box) return std::nullopt;
  const bool resumed = !box->unsettled_blocks.empty();
  if (!resumed) {
    LEAT_ASSIGN(const std::vector<BlockInfo> chosen, choose(*box, limits));
    if (chosen.empty()) return std::nullopt;
    LEAT_TRY(number_blocks(*box, chosen));
    LEAT_FAULT_STEP("shipment.numbered");
  }
  LEAT_ASSIGN(OutboxShipment shipment, read_shipment(*box));
  shipment.resumed = resumed;
  LEAT_TRY(transaction.commit());
  LEAT_FAULT_STEP("shipment.given-out");
  return shipment;
}

Result<std::vector<Outbox::BlockInfo>> Outbox::choose(const Box& box, const ShipmentLimits& limits) {
  std::vector<BlockInfo> chosen;
  const bool full = box.waiting >= limits.max_records || box.waiting_bytes >= limits.max_bytes;
  if (limits.fill == ShipmentLimits::Fill::kOnlyFull && !full) return chosen;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  const bool newest_first = limits.order == ShipmentLimits::Order::kNewestFirst;
  Rows rows = (newest_first ? blocks_backwards_ : blocks_in_order_).query(box.id);
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) break;
    const BlockInfo block{rows.count(0), rows.count(1), rows.count(2), rows.integer(3)};
    records += block.records;
    bytes += block.bytes;
    if (!chosen.empty() && (records > limits.max_records || bytes > limits.max_bytes)) break;
    chosen.push_back(block);
  }
  if (newest_first) std::reverse(chosen.begin(), chosen.end());
  return chosen;
}

Status Outbox::number_blocks(Box& box, const std::vector<BlockInfo>& chosen) {
  ++box.last_shipment;
  for (const BlockInfo& block : chosen) {
    box.unsettled_blocks.push_back(block.number);
    box.unsettled_records += block.records;
  }
  const std::string list = encode_list(box.unsettled_blocks);
  return set_shipment_.run(box.last_shipment, Blob{list}, box.unsettled_records, box.id);
}

Result<OutboxShipment> Outbox::read_shipment(const Box& box) {
  OutboxShipment shipment;
  shipment.number = {box.last_shipment};
  shipment.records = box.unsettled_records;
  shipment.sink_state = box.sink_state;
  shipment.settled = box.settled;
  shipment.part = box.part;
  std::uint64_t inherited = 0;
  {
    Rows rows = inherited_.query();
    LEAT_ASSIGN(const bool found, rows.next());
    if (found) inherited = rows.count(0);
  }
  for (const std::uint64_t number : box.unsettled_blocks) {
    Rows rows = body_.query(number);
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found)
      return fail(ErrorCode::kCorrupt, "block " + std::to_string(number) + " of a shipment is missing");
    shipment.inherited = shipment.inherited || number <= inherited;
    shipment.block_numbers.push_back({number});
    shipment.blocks.push_back(rows.text(0));
  }
  return shipment;
}

Status Outbox::settle(const PipelineName& pipeline, const TableName& sink, const Settlement& settlement) {
  Transaction transaction(connection_);
  LEAT_TRY(transaction.begin());
  LEAT_ASSIGN(const Box box, find_existing(pipeline, sink));
  const std::uint64_t end = settlement.first + settlement.delivered + settlement.rejected.size();
  const bool is_last = box.last_shipment == settlement.number.value;
  // The answer to an earlier call was lost: what it asked for is there already.
  if (is_last && (box.unsettled_blocks.empty() || (end == box.settled && end > settlement.first))) return {};
  if (!is_last || settlement.first != box.settled || end > box.unsettled_records)
    return fail(ErrorCode::kConflict,
                name_of(pipeline, sink) + ": shipment " + std::to_string(settlement.number.value) +
                    " cannot be settled from record " + std::to_string(settlement.first) +
                    ": the store stands at record " + std::to_string(box.settled) + " of shipment " +
                    std::to_string(box.last_shipment));
  LEAT_FAULT_STEP("settle.begun");
  LEAT_TRY(end == box.unsettled_records ? finish(box, settlement) : advance(box, settlement));
  LEAT_TRY(letters_.add(pipeline, settlement.rejected));
  LEAT_FAULT_STEP("settle.before-sync");
  return transaction.commit();
}

Status Outbox::finish(const Box& box, const Settlement& settlement) {
  std::uint64_t bytes = 0;
  for (const std::uint64_t number : box.unsettled_blocks) {
    {
      Rows rows = block_bytes_.query(number);
      LEAT_ASSIGN(const bool found, rows.next());
      if (found) bytes += rows.count(0);
    }
    LEAT_TRY(delete_block_.run(number));
  }
  LEAT_FAULT_STEP("settle.blocks-deleted");
  return finish_.run(box.id, Blob{settlement.sink_state}, settlement.delivered,
                     std::uint64_t{settlement.rejected.size()}, std::uint64_t{box.unsettled_blocks.size()},
                     bytes);
}

Status Outbox::advance(const Box& box, const Settlement& settlement) {
  LEAT_TRY(advance_.run(box.id, Blob{settlement.sink_state}, settlement.delivered,
                        std::uint64_t{settlement.rejected.size()}, settlement.next_part));
  LEAT_FAULT_STEP("part.settled-before-sync");
  return {};
}

Status Outbox::split(const PipelineName& pipeline, const TableName& sink, ShipmentNumber number,
                     std::uint64_t first, std::uint64_t records) {
  Transaction transaction(connection_);
  LEAT_TRY(transaction.begin());
  LEAT_ASSIGN(const Box box, find_existing(pipeline, sink));
  const bool unsettled = box.last_shipment == number.value && !box.unsettled_blocks.empty();
  if (!unsettled || box.settled != first || records == 0 || first + records > box.unsettled_records)
    return fail(ErrorCode::kConflict, name_of(pipeline, sink) + ": shipment " + std::to_string(number.value) +
                                          " has no part of " + std::to_string(records) + " records from " +
                                          std::to_string(first));
  LEAT_TRY(split_.run(records, box.id));
  LEAT_FAULT_STEP("part.before-sync");
  return transaction.commit();
}

Status Outbox::keep_sink_state(const PipelineName& pipeline, const TableName& sink,
                               std::string_view sink_state) {
  Transaction transaction(connection_);
  LEAT_TRY(transaction.begin());
  LEAT_ASSIGN(const Box box, find_existing(pipeline, sink));
  if (!box.unsettled_blocks.empty())
    return fail(ErrorCode::kConflict, name_of(pipeline, sink) + ": shipment " +
                                          std::to_string(box.last_shipment) + " is not settled");
  LEAT_TRY(set_sink_state_.run(Blob{sink_state}, box.id));
  LEAT_FAULT_STEP("sink-state.before-sync");
  return transaction.commit();
}

Result<OutboxLevel> Outbox::level(const PipelineName& pipeline, const TableName& sink) {
  LEAT_ASSIGN(const std::optional<Box> box, find(pipeline, sink));
  if (!box) return OutboxLevel{};
  OutboxLevel level{.blocks = box->waiting_blocks,
                    .records = box->waiting,
                    .bytes = box->waiting_bytes,
                    .rejected = box->rejected};
  Rows rows = blocks_in_order_.query(box->id);
  LEAT_ASSIGN(const bool found, rows.next());
  if (found) level.oldest = rows.integer(3);
  return level;
}

Result<std::vector<OutboxStatus>> read_outbox_status(Connection& connection) {
  Statement select(connection,
                   "SELECT pipeline, sink, waiting_blocks, waiting, waiting_bytes, last_shipment, emitted, "
                   "delivered, rejected, dropped, coalesce((SELECT created FROM blocks WHERE outbox = o.id "
                   "ORDER BY number LIMIT 1), 0), sink_state, dropped_oldest, dropped_newest, dropped_age, "
                   "dropped_file FROM outboxes o ORDER BY pipeline, sink");
  Rows rows = select.query();
  std::vector<OutboxStatus> all;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return all;
    OutboxStatus& status = all.emplace_back();
    status.pipeline = {rows.text(0)};
    status.sink = {rows.text(1)};
    status.blocks = rows.count(2);
    status.records = rows.count(3);
    status.bytes = rows.count(4);
    status.last_shipment = {rows.count(5)};
    status.emitted = rows.count(6);
    status.delivered = rows.count(7);
    status.rejected = rows.count(8);
    status.dropped = rows.count(9);
    status.oldest = rows.integer(10);
    status.sink_state = rows.text(11);
    status.dropped_by = {rows.count(12), rows.count(13), rows.count(14), rows.count(15)};
  }
}

}  // namespace leat::store
