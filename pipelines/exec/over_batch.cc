#include "pipelines/exec/over_batch.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/exec/key_map.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsAtOnce = 8192;
constexpr char kRowTag = 'r';

std::vector<Type> types_of(const Schema& schema) {
  std::vector<Type> types;
  for (const Type::Field& field : schema.fields) types.push_back(field.type);
  return types;
}

}  // namespace

OverBatch::OverBatch(const plan::OverBatchNode& node)
    : fingerprint_(node.fingerprint),
      passed_(node.passed),
      partition_by_(node.partition_by),
      order_(node.order),
      needed_(needed_columns(node)),
      rows_(types_of(node.inputs[0]->schema), kRowTag) {
  for (const plan::OrderedOverCall& call : node.calls) {
    calls_.push_back(make_partition_call(call, order_));
    results_.emplace_back(call.type);
  }
}

Status OverBatch::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  counters_.rows_in += batch.size;
  counters_.applied += batch.size;
  for (std::size_t row = 0; row < batch.size; ++row) rows_.add(batch.columns, row, batch.intake_times[row]);
  if (batch.watermark_after != kMaxWatermark) return {};
  LEAT_TRY(give_rows(out));
  Batch time;
  time.watermark_after = kMaxWatermark;
  return out.emit(std::move(time));
}

Status OverBatch::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  if (watermark != kMaxWatermark) return {};
  LEAT_TRY(give_rows(out));
  return out.advance(kMaxWatermark, now);
}

Status OverBatch::give_rows(Output& out) {
  const Handles all = rows_.in_sequence();
  if (all.empty()) return {};
  const std::int64_t intake_time = rows_.mark(all.back());
  for (const Handles& rows : partitions(all)) {
    const OverPartition partition = sorted(rows);
    for (std::size_t i = 0; i < calls_.size(); ++i) calls_[i]->append(partition, results_[i]);
    given_.insert(given_.end(), partition.handles.begin(), partition.handles.end());
    if (given_.size() >= kRowsAtOnce) LEAT_TRY(emit_given(intake_time, out));
  }
  LEAT_TRY(emit_given(intake_time, out));
  for (const RowStore::Handle row : all) rows_.erase(row);
  return {};
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
  for (const auto& [key, row] : keyed) partition.handles.push_back(row);
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
  for (std::size_t begin = 0; begin < whole.size; begin += kRowsAtOnce)
    LEAT_TRY(out.emit(slice(whole, begin, std::min(kRowsAtOnce, whole.size - begin))));
  return {};
}

Status OverBatch::load(std::string_view key, std::string_view value) {
  if (!rows_.owns(key)) return fail(ErrorCode::kCorrupt, "a state entry of OVER in batch mode is damaged");
  return rows_.load(key, value).map([](RowStore::Handle) {});
}

}  // namespace leat::exec
