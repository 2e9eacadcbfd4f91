#include "pipelines/exec/over_changes.h"

#include <utility>

namespace leat::exec {
namespace {

/// One row may change all those of its partition: what a batch of them makes goes on in pieces.
constexpr std::size_t kRowsAtOnce = 8192;

std::vector<Type> changed_types(const plan::OverChangesNode& node) {
  std::vector<Type> types;
  for (const Type::Field& field : node.inputs[0]->schema.fields) types.push_back(field.type);
  for (const plan::OrderedOverCall& call : node.calls) types.push_back(call.type);
  return types;
}

}  // namespace

OverChanges::OverChanges(const plan::OverChangesNode& node)
    : fingerprint_(node.fingerprint),
      passed_(node.passed),
      needed_(needed_columns(node)),
      width_(node.inputs[0]->schema.size()),
      rows_(node.inputs[0]->schema, node.partition_by, node.order, RankedRows::Ties::kFirstArrival),
      lifetimes_(node.state_ttl),
      changes_(changed_types(node)) {
  for (const plan::OrderedOverCall& call : node.calls) {
    calls_.push_back(make_partition_call(call, node.order));
    results_.emplace_back(call.type);
  }
}

Status OverChanges::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(batch);
  rows_.look_up(batch, ids_);
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    lifetimes_.pass_row(ids_[row], batch.intake_times[row], [this](KeyId expired) { forget(expired); });
    if (takes_back(batch.kind(row)))
      remove(ids_[row], batch, row);
    else
      add(ids_[row], batch, row);
    if (changes_.size() >= kRowsAtOnce) LEAT_TRY(emit_changes(batch, batch.watermarks[row], out));
  }
  lifetimes_.sweep(rows_.keys(), [this](KeyId partition) { return rows_.size(partition) > 0; });
  counters_.rows_in += batch.size;
  counters_.applied += batch.size;
  return emit_changes(batch, batch.watermark_after, out);
}

Status OverChanges::emit_changes(const Batch& batch, std::int64_t watermark_after, Output& out) {
  Batch result = changes_.take(batch, {}, UnchangedRows::kSuppress);
  result.watermark_after = watermark_after;
  if (result.size > 0) {
    std::vector<ColumnPtr> columns;
    for (const std::size_t column : passed_) columns.push_back(result.columns[column]);
    for (std::size_t i = width_; i < result.columns.size(); ++i) columns.push_back(result.columns[i]);
    result.columns = std::move(columns);
  }
  counters_.rows_out += result.size;
  return out.emit(std::move(result));
}

Status OverChanges::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

void OverChanges::add(KeyId partition, const Batch& batch, std::uint32_t row) {
  keys_ += rows_.size(partition) == 0 ? 1 : 0;
  lifetimes_.touch(partition);
  const Values before = values_of(partition);
  const std::size_t added = rows_.place_of(partition, batch, row);
  rows_.insert(partition, added, batch, row);
  const Values now = values_of(partition);
  for (std::size_t place = rows_.first_equal(partition, added); place < rows_.size(partition); ++place) {
    const Handle handle = rows_.at(partition, place);
    if (place == added) {
      change(RowKind::kInsert, handle, now, place, row);
      continue;
    }
    change(RowKind::kUpdateBefore, handle, before, place < added ? place : place - 1, row);
    change(RowKind::kUpdateAfter, handle, now, place, row);
  }
}

void OverChanges::remove(KeyId partition, const Batch& batch, std::uint32_t row) {
  const std::size_t removed = rows_.find(partition, batch, row);
  if (removed == rows_.size(partition)) return;
  const Values before = values_of(partition);
  const std::size_t first = rows_.first_equal(partition, removed);
  change(RowKind::kDelete, rows_.at(partition, removed), before, removed, row);
  rows_.erase(partition, removed);
  if (rows_.size(partition) == 0) {
    --keys_;
    return lifetimes_.erase(partition, rows_.keys());
  }
  lifetimes_.touch(partition);
  const Values now = values_of(partition);
  for (std::size_t place = first; place < rows_.size(partition); ++place) {
    const Handle handle = rows_.at(partition, place);
    change(RowKind::kUpdateBefore, handle, before, place < removed ? place : place + 1, row);
    change(RowKind::kUpdateAfter, handle, now, place, row);
  }
}

void OverChanges::forget(KeyId partition) {
  keys_ -= rows_.size(partition) > 0 ? 1 : 0;
  rows_.clear(partition);
  lifetimes_.erase(partition, rows_.keys());
}

OverChanges::Values OverChanges::values_of(KeyId partition) {
  OverPartition whole;
  for (std::size_t place = 0; place < rows_.size(partition); ++place)
    whole.handles.push_back(rows_.at(partition, place));
  whole.peers = peer_spans(whole.size(), [&](std::uint32_t place) {
    return rows_.equal(whole.handles[place - 1], whole.handles[place]);
  });
  whole.rows.size = whole.size();
  whole.rows.columns.resize(width_);
  for (const std::size_t column : needed_)
    whole.rows.columns[column] = rows_.rows().gather_column(column, whole.handles);
  Values values;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    calls_[i]->append(whole, results_[i]);
    values.push_back(results_[i].finish());
  }
  return values;
}

void OverChanges::change(RowKind kind, Handle handle, const Values& values, std::size_t place,
                         std::uint32_t row) {
  const std::span<ColumnBuilder> cells = changes_.computed();
  rows_.rows().append(handle, cells.first(width_));
  for (std::size_t i = 0; i < values.size(); ++i) cells[width_ + i].append_cell(*values[i], place);
  changes_.close_change(kind, row);
}

// ---- State -----------------------------------------------------------------------------------------------

void OverChanges::save(StateChanges& changes) {
  rows_.save(fingerprint_, changes);
  lifetimes_.save(fingerprint_, rows_.keys(), changes);
}

Status OverChanges::load(std::string_view key, std::string_view value) {
  if (lifetimes_.owns(key)) return lifetimes_.load(key, value, rows_.keys());
  if (rows_.owns(key)) return rows_.load(key, value);
  return fail(ErrorCode::kCorrupt, "the saved state of OVER in an order of values is damaged");
}

Status OverChanges::loaded() {
  rows_.loaded();
  for (KeyId partition = 0; partition < rows_.partition_limit(); ++partition) {
    if (rows_.size(partition) == 0) continue;
    ++keys_;
    lifetimes_.adopt(partition);
  }
  return {};
}

}  // namespace leat::exec
