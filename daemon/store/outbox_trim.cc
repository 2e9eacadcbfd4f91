// What the bounds drop.
#include <algorithm>
#include <utility>

#include "daemon/store/outbox.h"
#include "pipelines/base/fault_point.h"

namespace leat::store {
namespace {

/// Blocks that one transaction of a trim deletes at most: the WAL stays small, commits get their turn.
constexpr std::size_t kTrimBlocks = 256;

/// What people throw away is counted as dropped, and as no bound's.
constexpr const char* kByPeople = "people";

bool comes_before(std::uint64_t a, std::uint64_t b, Store::DropOrder order) {
  return order == Store::DropOrder::kOldest ? a < b : a > b;
}

}  // namespace

Result<Outbox::Trimmed> Outbox::trim_some(const PipelineName& pipeline, const TableName& sink,
                                          const Bounds& bounds) {
  Transaction transaction(connection_);
  LEAT_TRY(transaction.begin());
  LEAT_ASSIGN(const std::optional<Box> box, find(pipeline, sink));
  if (!box) return Trimmed{};
  LEAT_ASSIGN(const Drop chosen, choose_to_drop(*box, bounds));
  if (chosen.blocks.empty()) return Trimmed{};
  LEAT_ASSIGN(const std::uint64_t records, drop(*box, chosen));
  LEAT_FAULT_STEP("trim.before-sync");
  LEAT_TRY(transaction.commit());
  // Another round looks whether it is enough; it deletes nothing then.
  return Trimmed{records, true};
}

Result<Outbox::Trimmed> Outbox::purge_some(const PipelineName& pipeline, const TableName& sink,
                                           std::uint64_t newest) {
  Transaction transaction(connection_);
  LEAT_TRY(transaction.begin());
  LEAT_ASSIGN(const std::optional<Box> box, find(pipeline, sink));
  if (!box) return Trimmed{};
  Drop chosen{.counter = kByPeople};
  LEAT_ASSIGN(chosen.blocks, pick(*box, Store::DropOrder::kOldest,
                                  [&](const BlockInfo& block) { return block.number <= newest; }));
  if (chosen.blocks.empty()) return Trimmed{};
  LEAT_ASSIGN(const std::uint64_t records, drop(*box, chosen));
  LEAT_TRY(transaction.commit());
  return Trimmed{records, true};
}

Result<std::uint64_t> Outbox::newest_block(const PipelineName& pipeline, const TableName& sink) {
  LEAT_ASSIGN(const std::optional<Box> box, find(pipeline, sink));
  if (!box) return 0;
  Rows rows = blocks_backwards_.query(box->id);
  LEAT_ASSIGN(const bool found, rows.next());
  return found ? rows.count(0) : 0;
}

Result<std::uint64_t> Outbox::drop_shipment(const PipelineName& pipeline, const TableName& sink) {
  LEAT_ASSIGN(std::optional<Box> box, find(pipeline, sink));
  if (!box || box->unsettled_blocks.empty()) return 0;
  const std::uint64_t records = box->unsettled_records - box->settled;  // The others are counted already.
  std::uint64_t bytes = 0;
  for (const std::uint64_t number : box->unsettled_blocks) {
    {
      Rows rows = block_bytes_.query(number);
      LEAT_ASSIGN(const bool found, rows.next());
      if (found) bytes += rows.count(0);
    }
    LEAT_TRY(delete_block_.run(number));
  }
  LEAT_TRY(count_dropped_.run(box->id, records, std::uint64_t{box->unsettled_blocks.size()}, bytes,
                              std::string_view(kByPeople)));
  LEAT_TRY(set_shipment_.run(box->last_shipment, Blob{}, std::uint64_t{0}, box->id));
  return records;
}

Result<std::uint64_t> Outbox::drop(const Box& box, const Drop& chosen) {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  for (const BlockInfo& block : chosen.blocks) {
    LEAT_TRY(delete_block_.run(block.number));
    records += block.records;
    bytes += block.bytes;
  }
  LEAT_TRY(count_dropped_.run(box.id, records, std::uint64_t{chosen.blocks.size()}, bytes,
                              std::string_view(chosen.counter)));
  return records;
}

Result<std::vector<Outbox::BlockInfo>> Outbox::pick(const Box& box, Store::DropOrder order,
                                                    const Wanted& wanted) {
  std::vector<BlockInfo> chosen;
  const auto numbered = [&box](std::uint64_t number) {
    return std::find(box.unsettled_blocks.begin(), box.unsettled_blocks.end(), number) !=
           box.unsettled_blocks.end();
  };
  Rows rows = (order == Store::DropOrder::kOldest ? blocks_in_order_ : blocks_backwards_).query(box.id);
  while (chosen.size() < kTrimBlocks) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return chosen;
    const BlockInfo block{rows.count(0), rows.count(1), rows.count(2), rows.integer(3)};
    if (numbered(block.number)) continue;
    if (!wanted(block)) return chosen;
    chosen.push_back(block);
  }
  return chosen;
}

// First those that are too old; then, in the policy's order, what is too much.
Result<Outbox::Drop> Outbox::choose_to_drop(const Box& box, const Bounds& bounds) {
  Drop chosen{.counter = "age"};
  LEAT_ASSIGN(chosen.blocks, pick(box, Store::DropOrder::kOldest, [&](const BlockInfo& block) {
                return block.created < bounds.oldest_allowed;
              }));
  if (!chosen.blocks.empty()) return chosen;  // The next round sees the outbox without them.
  chosen.counter = bounds.order == Store::DropOrder::kOldest ? "oldest" : "newest";
  std::uint64_t bytes = box.waiting_bytes;
  LEAT_ASSIGN(chosen.blocks, pick(box, bounds.order, [&](const BlockInfo& block) {
                const bool too_much = bytes > bounds.max_bytes;
                bytes -= too_much ? block.bytes : 0;
                return too_much;
              }));
  return chosen;
}

// The sink whose first block to give comes first gives, up to where the next one's comes.
Result<std::optional<Outbox::Yielded>> Outbox::yield_some(const std::vector<Yielding>& sinks,
                                                          std::uint64_t bytes) {
  Transaction transaction(connection_);
  LEAT_TRY(transaction.begin());
  for (const Store::DropOrder order : {Store::DropOrder::kOldest, Store::DropOrder::kNewest}) {
    LEAT_ASSIGN(const std::optional<Turn> turn, whose_turn(sinks, order));
    if (!turn) continue;
    std::uint64_t given = 0;
    Drop chosen{.counter = "file"};
    LEAT_ASSIGN(chosen.blocks, pick(turn->box, order, [&](const BlockInfo& block) {
                  const bool mine = !turn->next || comes_before(block.number, *turn->next, order);
                  const bool wanted = mine && given < bytes;
                  given += wanted ? block.bytes : 0;
                  return wanted;
                }));
    LEAT_ASSIGN(const std::uint64_t records, drop(turn->box, chosen));
    LEAT_TRY(transaction.commit());
    return Yielded{turn->sink, records};
  }
  return std::nullopt;
}

Result<std::optional<Outbox::Turn>> Outbox::whose_turn(const std::vector<Yielding>& sinks,
                                                       Store::DropOrder order) {
  std::optional<Turn> turn;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    if (sinks[i].order != order) continue;
    LEAT_ASSIGN(std::optional<Box> box, find(sinks[i].pipeline, sinks[i].sink));
    if (!box) continue;
    bool one = true;
    LEAT_ASSIGN(const std::vector<BlockInfo> head,
                pick(*box, order, [&](const BlockInfo&) { return std::exchange(one, false); }));
    if (head.empty()) continue;
    const std::uint64_t number = head.front().number;
    if (turn && !comes_before(number, first, order)) {
      if (!turn->next || comes_before(number, *turn->next, order)) turn->next = number;
      continue;
    }
    turn = Turn{i, *std::move(box), turn ? std::optional(first) : std::nullopt};
    first = number;
  }
  return turn;
}

}  // namespace leat::store
