#include "pipelines/exec/over_tail.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace leat::exec {
namespace {

using Kind = plan::OrderedOverCall::Kind;
using Handle = RankedRows::Handle;

/// The row that LAG names: `distance` rows back from the end of `before`, or so many rows with a value.
std::optional<Handle> row_before(const plan::OrderedOverCall& call, std::int64_t distance,
                                 std::span<const Handle> before, const RowStore& rows) {
  const std::size_t column = call.call.arguments[0];
  if (call.nulls == plan::OrderedOverCall::Nulls::kRespect) {
    if (std::cmp_greater(distance, before.size())) return std::nullopt;
    return before[before.size() - static_cast<std::size_t>(distance)];
  }
  for (std::size_t place = before.size(); place > 0; --place) {
    const Handle handle = before[place - 1];
    if (!rows.gather_column(column, {&handle, 1})->is_null(0) && --distance == 0) return handle;
  }
  return std::nullopt;
}

}  // namespace

OverTail::OverTail(const plan::OverChangesNode& node, std::vector<std::size_t> needed)
    : calls_(node.calls), needed_(std::move(needed)), width_(node.inputs[0]->schema.size()) {
  for (const plan::OrderedOverCall& call : calls_) {
    const bool sums = call.kind == Kind::kAggregate;
    running_.push_back(sums ? std::make_unique<Running>(call.call) : nullptr);
    if (sums && call.frame.unit == plan::OrderedFrame::Unit::kRange) peers_stay_ = false;
  }
}

OverTail::~OverTail() = default;

void OverTail::open(const Batch& batch) {
  batch_ = &batch;
  for (const auto& running : running_)
    if (running != nullptr) running->sums.open(batch);
}

void OverTail::append(KeyId partition, const RankedRows& rows, const Batch& batch, std::uint32_t row,
                      std::span<ColumnBuilder> out) {
  const std::span<const Handle> all = rows.of(partition);
  const std::size_t place = all.size() - 1;
  if (partition >= tails_.size()) tails_.resize(partition + std::size_t{1});
  if (!tails_[partition].known) read(partition, rows, place);
  Tail& tail = tails_[partition];
  if (place == 0 || !rows.equal(all[place - 1], all[place])) ++tail.dense;
  apply(batch, row, tail);
  const auto rank = static_cast<std::int64_t>(rows.first_equal(partition, place)) + 1;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].kind == Kind::kNeighbour)
      append_neighbour(calls_[i], all.first(place), rows.rows(), batch, row, out[i]);
    else
      append_value(i, tail, rank, place, out[i]);
  }
}

void OverTail::append_value(std::size_t call, const Tail& tail, std::int64_t rank, std::size_t place,
                            ColumnBuilder& out) const {
  switch (calls_[call].kind) {
    case Kind::kAggregate:
      return running_[call]->sums.append_results(tail.states[call], std::span(&out, 1));
    case Kind::kRowNumber:
      return out.append<std::int64_t>(static_cast<std::int64_t>(place) + 1);
    case Kind::kRank:
      return out.append<std::int64_t>(rank);
    default:  // Over a stream there is no other.
      return out.append<std::int64_t>(tail.dense);
  }
}

void OverTail::append_neighbour(const plan::OrderedOverCall& call, std::span<const Handle> before,
                                const RowStore& rows, const Batch& batch, std::uint32_t row,
                                ColumnBuilder& out) const {
  const std::vector<std::size_t>& arguments = call.call.arguments;
  if (call.number == 0) return out.append_cell(*batch.columns[arguments[0]], row);
  const std::optional<Handle> found = row_before(call, -call.number, before, rows);
  if (found) return out.append_cell(*rows.gather_column(arguments[0], {&*found, 1}), 0);
  if (arguments.size() > 1) return out.append_cell(*batch.columns[arguments[1]], row);
  out.append_null();
}

void OverTail::read(KeyId partition, const RankedRows& rows, std::size_t count) {
  const std::span<const Handle> handles = rows.of(partition).first(count);
  Tail& tail = tails_[partition];
  tail.known = true;
  for (const auto& running : running_)
    tail.states.push_back(running == nullptr ? nullptr : running->arena.take());
  Batch whole;
  whole.size = count;
  whole.columns.resize(width_);
  for (const std::size_t column : needed_) whole.columns[column] = rows.rows().gather_column(column, handles);
  const Batch* const batch = batch_;
  open(whole);
  for (std::uint32_t row = 0; row < count; ++row) {
    if (row == 0 || !rows.equal(handles[row - 1], handles[row])) ++tail.dense;
    apply(whole, row, tail);
  }
  open(*batch);
}

void OverTail::apply(const Batch& batch, std::uint32_t row, Tail& tail) {
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (running_[i] == nullptr) continue;
    const Accumulators& sums = running_[i]->sums;
    heap_bytes_ -= sums.heap_bytes(tail.states[i]);
    sums.apply_one(batch, row, tail.states[i]);
    heap_bytes_ += sums.heap_bytes(tail.states[i]);
  }
}

void OverTail::forget(KeyId partition) {
  if (partition >= tails_.size()) return;
  Tail& tail = tails_[partition];
  for (std::size_t i = 0; i < tail.states.size(); ++i) {
    if (tail.states[i] == nullptr) continue;
    heap_bytes_ -= running_[i]->sums.heap_bytes(tail.states[i]);
    running_[i]->arena.release(tail.states[i]);
  }
  tail = {};
}

std::size_t OverTail::memory_bytes() const {
  std::size_t bytes = heap_bytes_ + tails_.capacity() * sizeof(Tail);
  for (const auto& running : running_)
    if (running != nullptr) bytes += running->arena.memory_bytes();
  return bytes;
}

}  // namespace leat::exec
