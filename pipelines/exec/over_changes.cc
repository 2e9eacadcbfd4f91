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
    : passed_(node.passed),
      needed_(needed_columns(node)),
      width_(node.inputs[0]->schema.size()),
      state_({node.inputs[0]->schema, node.partition_by, node.order, RankedRows::Ties::kFirstArrival},
             node.state_ttl, node.fingerprint),
      rows_(state_.rows()),
      tail_(node, needed_),
      changes_(changed_types(node)) {
  for (const plan::OrderedOverCall& call : node.calls) {
    calls_.push_back(make_partition_call(call, node.order));
    results_.emplace_back(call.type);
  }
}

Status OverChanges::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return emit_changes(batch, batch.watermark_after, out);
  rows_.look_up(batch, ids_);
  tail_.open(batch);
  std::size_t filtered = 0;
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    LEAT_TRY(out.go_on());
    state_.pass_row(ids_[row], batch.intake_times[row], [this](KeyId expired) { tail_.forget(expired); });
    if (!takes_back(batch.kind(row)))
      add(ids_[row], batch, row);
    else if (!remove(ids_[row], batch, row))
      ++filtered;
    if (changes_.size() >= kRowsAtOnce) LEAT_TRY(emit_changes(batch, batch.watermarks[row], out));
  }
  state_.sweep();
  counters_.rows_in += batch.size;
  counters_.applied += batch.size - filtered;
  counters_.filtered += filtered;
  return emit_changes(batch, batch.watermark_after, out);
}

Status OverChanges::emit_changes(const Batch& batch, std::int64_t watermark_after, Output& out) {
  Batch result = changes_.take(batch, {}, UnchangedRows::kSuppress);
  result.watermark_after = watermark_after;
  std::vector<ColumnPtr> columns;
  if (result.size > 0) {
    for (const std::size_t column : passed_) columns.push_back(result.columns[column]);
    for (std::size_t i = width_; i < result.columns.size(); ++i) columns.push_back(result.columns[i]);
  }
  result.columns = std::move(columns);
  counters_.rows_out += result.size;
  return out.emit(std::move(result));
}

Status OverChanges::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

void OverChanges::add(KeyId partition, const Batch& batch, std::uint32_t row) {
  const std::size_t added = rows_.place_of(partition, batch, row);
  state_.insert(partition, added, batch, row);
  const std::size_t first = rows_.first_equal(partition, added);
  if (added + 1 == rows_.size(partition) && (first == added || tail_.peers_stay()))
    return add_last(partition, batch, row);
  tail_.forget(partition);
  const Values before = values_of(partition, first, added);
  const Values now = values_of(partition, first, std::nullopt);
  for (std::size_t place = first; place < rows_.size(partition); ++place) {
    const Handle handle = rows_.at(partition, place);
    if (place == added) {
      change(RowKind::kInsert, handle, now, place, row);
      continue;
    }
    change(RowKind::kUpdateBefore, handle, before, place < added ? place : place - 1, row);
    change(RowKind::kUpdateAfter, handle, now, place, row);
  }
}

void OverChanges::add_last(KeyId partition, const Batch& batch, std::uint32_t row) {
  const std::span<ColumnBuilder> cells = changes_.computed();
  rows_.rows().append(rows_.of(partition).back(), cells.first(width_));
  tail_.append(partition, rows_, batch, row, cells.subspan(width_));
  changes_.close_change(RowKind::kInsert, row);
}

bool OverChanges::remove(KeyId partition, const Batch& batch, std::uint32_t row) {
  const std::size_t removed = rows_.find(partition, batch, row);
  if (removed == rows_.size(partition)) return false;
  tail_.forget(partition);
  const std::size_t first = rows_.first_equal(partition, removed);
  const Values before = values_of(partition, first, std::nullopt);
  const Values now = values_of(partition, first, removed);
  change(RowKind::kDelete, rows_.at(partition, removed), before, removed, row);
  state_.take_back(partition, removed);
  for (std::size_t place = first; place < rows_.size(partition); ++place) {
    const Handle handle = rows_.at(partition, place);
    change(RowKind::kUpdateBefore, handle, before, place < removed ? place : place + 1, row);
    change(RowKind::kUpdateAfter, handle, now, place, row);
  }
  return true;
}

OverChanges::Values OverChanges::values_of(KeyId partition, std::size_t first,
                                           std::optional<std::size_t> without) {
  OverPartition whole;
  const std::span<const Handle> handles = rows_.of(partition);
  whole.handles.assign(handles.begin(), handles.end());
  if (without) whole.handles.erase(whole.handles.begin() + static_cast<std::ptrdiff_t>(*without));
  whole.peers = peer_spans(whole.size(), [&](std::uint32_t place) {
    return rows_.equal(whole.handles[place - 1], whole.handles[place]);
  });
  whole.rows.size = whole.size();
  whole.rows.columns.resize(width_);
  for (const std::size_t column : needed_)
    whole.rows.columns[column] = rows_.rows().gather_column(column, whole.handles);
  Values values{{}, first};
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    calls_[i]->open(whole);
    calls_[i]->append(whole, {static_cast<std::uint32_t>(first), whole.size()}, results_[i]);
    values.columns.push_back(results_[i].finish());
  }
  return values;
}

void OverChanges::change(RowKind kind, Handle handle, const Values& values, std::size_t place,
                         std::uint32_t row) {
  const std::span<ColumnBuilder> cells = changes_.computed();
  rows_.rows().append(handle, cells.first(width_));
  for (std::size_t i = 0; i < values.columns.size(); ++i)
    cells[width_ + i].append_cell(*values.columns[i], place - values.first);
  changes_.close_change(kind, row);
}

Status OverChanges::loaded() {
  state_.loaded();
  return {};
}

}  // namespace leat::exec
