#include "pipelines/exec/rank.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace leat::exec {

std::vector<Type> numbered_types(const plan::NumberingNode& node) {
  std::vector<Type> types;
  for (const Type::Field& field : node.inputs[0]->schema.fields) types.push_back(field.type);
  if (node.gives_number) types.push_back(node.schema.fields.back().type);
  return types;
}

Rank::Rank(const plan::RankNode& node, OperatorContext context)
    : context_(std::move(context)),
      schema_(node.inputs[0]->schema),
      passed_(node.passed),
      width_(node.inputs[0]->schema.size()),
      gives_number_(node.gives_number),
      insert_only_(!node.inputs[0]->updating),
      fails_further_(node.further == plan::RankNode::Further::kFail),
      first_(static_cast<std::size_t>(node.range.first - 1)),
      last_(node.range.last ? static_cast<std::size_t>(*node.range.last)
                            : std::numeric_limits<std::size_t>::max()),
      state_({node, RankedRows::Ties::kFirstArrival}, node.state_ttl, node.fingerprint),
      rows_(state_.rows()),
      changes_(numbered_types(node)) {}

Status Rank::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  rows_.look_up(batch, ids_);
  for (std::uint32_t row = 0; row < batch.size; ++row) apply_row(batch, row, ids_[row]);
  state_.sweep();
  counters_.rows_in += batch.size;
  counters_.applied += batch.size;
  LEAT_TRY(reject_further(batch));
  Batch result = changes_.take(batch, {}, UnchangedRows::kSuppress);
  if (result.size > 0) {
    std::vector<ColumnPtr> columns;
    for (const std::size_t column : passed_) columns.push_back(result.columns[column]);
    if (gives_number_) columns.push_back(result.columns.back());
    result.columns = std::move(columns);
  }
  counters_.rows_out += result.size;
  return out.emit(std::move(result));
}

Status Rank::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

void Rank::apply_row(const Batch& batch, std::uint32_t row, KeyId partition) {
  state_.pass_row(partition, batch.intake_times[row], [](KeyId) {});
  if (takes_back(batch.kind(row)))
    remove(partition, batch, row);
  else
    add(partition, batch, row);
}

Status Rank::reject_further(const Batch& batch) {
  if (errors_.empty()) return {};
  LEAT_ASSIGN(const Rejected rejected, reject_failed(context_, schema_, batch, errors_));
  counters_.dead += rejected.dead;
  counters_.applied -= rejected.dead;
  errors_.clear();
  return {};
}

void Rank::add(KeyId partition, const Batch& batch, std::uint32_t row) {
  const std::size_t place = rows_.place_of(partition, batch, row);
  if (fails_further_ && place >= last_) {
    errors_.add(row, "the sub-query stands for a value, but it has more than one row");
    return;
  }
  if (insert_only_ && place >= last_) return;
  state_.insert(partition, place, batch, row);
  tell_added(partition, place, row);
  if (insert_only_ && rows_.size(partition) > last_) rows_.erase(partition, last_);
}

void Rank::remove(KeyId partition, const Batch& batch, std::uint32_t row) {
  const std::size_t place = rows_.find(partition, batch, row);
  if (place == rows_.size(partition)) return;
  tell_removed(partition, place, row);
  state_.take_back(partition, place);
}

void Rank::change(RowKind kind, Handle handle, std::size_t place, std::uint32_t row) {
  rows_.rows().append(handle, changes_.computed().first(width_));
  if (gives_number_) changes_.computed()[width_].append<std::int64_t>(static_cast<std::int64_t>(place) + 1);
  changes_.close_change(kind, row);
}

void Rank::replace(Handle old_row, Handle new_row, std::size_t place, std::uint32_t row) {
  change(RowKind::kUpdateBefore, old_row, place, row);
  change(RowKind::kUpdateAfter, new_row, place, row);
}

// The rows as they are now; at `place` is the new one.
void Rank::tell_added(KeyId partition, std::size_t place, std::uint32_t row) {
  const std::size_t size = rows_.size(partition);
  if (place >= last_) return;
  const std::size_t first = std::max(place, first_);
  if (gives_number_) {
    for (std::size_t i = first; i < std::min(size, last_); ++i) {
      if (i + 1 < size)
        replace(rows_.at(partition, i + 1), rows_.at(partition, i), i, row);
      else
        change(RowKind::kInsert, rows_.at(partition, i), i, row);
    }
    return;
  }
  if (size > last_) change(RowKind::kDelete, rows_.at(partition, last_), last_, row);
  if (first < size) change(RowKind::kInsert, rows_.at(partition, first), first, row);
}

// The rows as they were; the one at `place` goes.
void Rank::tell_removed(KeyId partition, std::size_t place, std::uint32_t row) {
  const std::size_t size = rows_.size(partition);
  if (place >= last_) return;
  const std::size_t first = std::max(place, first_);
  if (gives_number_) {
    for (std::size_t i = first; i < std::min(size, last_); ++i) {
      if (i + 1 < size)
        replace(rows_.at(partition, i), rows_.at(partition, i + 1), i, row);
      else
        change(RowKind::kDelete, rows_.at(partition, i), i, row);
    }
    return;
  }
  if (first < size) change(RowKind::kDelete, rows_.at(partition, first), first, row);
  if (size > last_) change(RowKind::kInsert, rows_.at(partition, last_), last_, row);
}

Status Rank::loaded() {
  state_.loaded();
  return {};
}

}  // namespace leat::exec
