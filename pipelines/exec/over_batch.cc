#include "pipelines/exec/over_batch.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/bytes.h"
#include "pipelines/base/time.h"
#include "pipelines/column/schema_types.h"
#include "pipelines/exec/key_map.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsAtOnce = 8192;
/// Cells that the results of one batch may hold, by the size of the partition.
constexpr std::size_t kCellsAtOnce = 1U << 22;
constexpr char kRowTag = 'r';

/// What a row costs beside its cells: its handle, its key of the order and its peers.
constexpr std::size_t kBytesOfRow = sizeof(RowStore::Handle) + sizeof(RowSpan) + sizeof(std::int64_t) +
                                    sizeof(std::pair<std::string, RowStore::Handle>);

/// True for results that may be as long as a frame has rows: arrays, multisets, texts.
bool holds_rows(const plan::OrderedOverCall& call) {
  return call.kind == plan::OrderedOverCall::Kind::kAggregate && call.call.function->has_parts() &&
         (call.type.is_character() || call.type.is_nested());
}

}  // namespace

OverBatch::OverBatch(const plan::OverBatchNode& node, std::uint64_t memory_max)
    : fingerprint_(node.fingerprint),
      passed_(node.passed),
      partition_by_(node.partition_by),
      order_(node.order),
      arrival_(node.arrival),
      needed_(needed_columns(node)),
      rows_(types_of(node.inputs[0]->schema), kRowTag),
      memory_max_(memory_max) {
  for (const plan::OrderedOverCall& call : node.calls) {
    calls_.push_back(make_partition_call(call, order_));
    results_.emplace_back(call.type);
    holds_rows_ = holds_rows_ || holds_rows(call);
  }
}

Status OverBatch::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  counters_.rows_in += batch.size;
  counters_.applied += batch.size;
  for (std::size_t row = 0; row < batch.size; ++row) rows_.add(batch.columns, row, batch.intake_times[row]);
  if (batch.watermark_after != kMaxWatermark) return {};
  LEAT_TRY(give_rows(out));
  return out.emit(only_time(kMaxWatermark));
}

Status OverBatch::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  if (watermark != kMaxWatermark) return {};
  LEAT_TRY(give_rows(out));
  return out.advance(kMaxWatermark, now);
}

Status OverBatch::give_rows(Output& out) {
  const Handles all = arrived();
  if (all.empty()) return {};
  const std::int64_t intake_time = rows_.mark(all.back());
  for (const Handles& rows : partitions(all)) LEAT_TRY(give_partition(sorted(rows), intake_time, out));
  LEAT_TRY(emit_given(intake_time, out));
  partition_bytes_ = 0;
  for (const RowStore::Handle row : all) rows_.erase(row);
  return {};
}

Status OverBatch::give_partition(const OverPartition& partition, std::int64_t intake_time, Output& out) {
  const std::uint32_t size = partition.size();
  const std::size_t cells_of_row = holds_rows_ ? size : 1;
  const std::size_t limit = std::clamp<std::size_t>(kCellsAtOnce / cells_of_row, 1, kRowsAtOnce);
  partition_bytes_ = size * (kBytesOfRow + needed_.size() * sizeof(std::string_view));
  for (const auto& call : calls_) call->open(partition);
  for (std::uint32_t row = 0; row < size;) {
    const auto room = static_cast<std::uint32_t>(limit > given_.size() ? limit - given_.size() : 1);
    const RowSpan rows{row, std::min(size, row + room)};
    for (std::size_t i = 0; i < calls_.size(); ++i) calls_[i]->append(partition, rows, results_[i]);
    given_.insert(given_.end(), partition.handles.begin() + rows.begin, partition.handles.begin() + rows.end);
    LEAT_TRY(check_memory());
    if (given_.size() >= limit) LEAT_TRY(emit_given(intake_time, out));
    row = rows.end;
  }
  return {};
}

std::size_t OverBatch::memory_bytes() const {
  std::size_t bytes = rows_.memory_bytes() + partition_bytes_ + given_.capacity() * sizeof(RowStore::Handle);
  for (const auto& call : calls_) bytes += call->memory_bytes();
  return bytes;
}

Status OverBatch::check_memory() const {
  if (memory_max_ == 0) return {};
  const std::size_t bytes = memory_bytes();
  if (bytes <= memory_max_) return {};
  return fail(ErrorCode::kExhausted, "OVER in batch mode needs " + format_byte_size(bytes) +
                                         ", more than 'leat.memory.max' = " + format_byte_size(memory_max_) +
                                         ": give it more, or keep less (smaller partitions and frames)");
}

OverBatch::Handles OverBatch::arrived() const {
  Handles all = rows_.in_sequence();
  if (!arrival_) return all;
  const ColumnPtr column = rows_.gather_column(*arrival_, all);
  const auto arrivals = column->values<std::int64_t>();
  std::vector<std::pair<std::int64_t, RowStore::Handle>> numbered;
  for (std::size_t i = 0; i < all.size(); ++i) numbered.emplace_back(arrivals[i], all[i]);
  std::ranges::sort(numbered);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = numbered[i].second;
  return all;
}

std::vector<OverBatch::Handles> OverBatch::partitions(const Handles& all) const {
  std::vector<Type> types;
  for (const std::size_t column : partition_by_) types.push_back(rows_.types()[column]);
  KeyMap keys(std::move(types));
  std::vector<Handles> partitions;
  std::vector<KeyId> ids;
  for (std::size_t begin = 0; begin < all.size(); begin += kRowsAtOnce) {
    const auto some = std::span(all).subspan(begin, std::min(kRowsAtOnce, all.size() - begin));
    std::vector<ColumnPtr> columns;
    for (const std::size_t column : partition_by_) columns.push_back(rows_.gather_column(column, some));
    keys.lookup(columns, some.size(), ids);
    partitions.resize(keys.id_limit());
    for (std::size_t i = 0; i < some.size(); ++i) partitions[ids[i]].push_back(some[i]);
  }
  return partitions;
}

OverPartition OverBatch::sorted(const Handles& rows) const {
  std::vector<ColumnPtr> columns(rows_.types().size());
  for (const plan::SortKey& key : order_) columns[key.column] = rows_.gather_column(key.column, rows);
  const SortKeyWriter writer(order_);
  std::vector<std::pair<std::string, RowStore::Handle>> keyed(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    writer.write(columns, row, keyed[row].first);
    keyed[row].second = rows[row];
  }
  if (!order_.empty()) std::ranges::stable_sort(keyed, {}, &std::pair<std::string, RowStore::Handle>::first);
  OverPartition partition;
  partition.peers = peer_spans(static_cast<std::uint32_t>(keyed.size()),
                               [&](std::uint32_t row) { return keyed[row].first == keyed[row - 1].first; });
  for (const auto& [key, row] : keyed) {
    partition.handles.push_back(row);
    partition.arrivals.push_back(static_cast<std::int64_t>(rows_.sequence(row)));
  }
  partition.rows.size = rows.size();
  partition.rows.columns = std::move(columns);
  for (const std::size_t column : needed_)
    partition.rows.columns[column] = rows_.gather_column(column, partition.handles);
  return partition;
}

Status OverBatch::emit_given(std::int64_t intake_time, Output& out) {
  Batch whole;
  whole.size = given_.size();
  for (const std::size_t column : passed_) whole.columns.push_back(rows_.gather_column(column, given_));
  for (ColumnBuilder& result : results_) whole.columns.push_back(result.finish());
  whole.watermarks.assign(whole.size, kMinWatermark);
  whole.intake_times.assign(whole.size, intake_time);
  given_.clear();
  counters_.rows_out += whole.size;
  if (whole.size == 0) return {};
  return out.emit(std::move(whole));
}

Status OverBatch::load(std::string_view key, std::string_view value) {
  if (!rows_.owns(key)) return fail(ErrorCode::kCorrupt, "a state entry of OVER in batch mode is damaged");
  return rows_.load(key, value).map([](RowStore::Handle) {});
}

}  // namespace leat::exec
