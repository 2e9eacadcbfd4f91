#include "pipelines/exec/normalize.h"

#include <algorithm>
#include <span>
#include <utility>

#include "pipelines/column/schema_types.h"

namespace leat::exec {
Normalize::Normalize(const plan::NormalizeNode& node)
    : fingerprint_(node.fingerprint),
      passed_(node.passed),
      key_columns_(node.keys),
      deletion_(node.deletion),
      keys_(types_at(node.inputs[0]->schema, node.keys)),
      rows_(types_of(node.inputs[0]->schema), 'r'),
      changes_(types_of(node.inputs[0]->schema)),
      lifetimes_(node.state_ttl) {}

void Normalize::look_up(const Batch& batch) {
  std::vector<ColumnPtr> keys;
  for (const std::size_t column : key_columns_) keys.push_back(batch.columns[column]);
  keys_.lookup(keys, batch.size, ids_);
  if (by_key_.size() < keys_.id_limit()) by_key_.resize(keys_.id_limit(), RowStore::kNone);
}

Status Normalize::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  look_up(batch);
  const Column& deletions = *batch.columns[deletion_];
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    lifetimes_.pass_row(ids_[row], batch.intake_times[row], [this](KeyId expired) { forget(expired); });
    if (!deletions.is_null(row) && deletions.values<std::uint8_t>()[row] != 0)
      end(row);
    else
      replace(batch, row);
  }
  lifetimes_.sweep(keys_, [this](KeyId id) { return by_key_[id] != RowStore::kNone; });
  counters_.rows_in += batch.size;
  Batch result = take_changes(batch);
  counters_.rows_out += result.size;
  return out.emit(std::move(result));
}

Batch Normalize::take_changes(const Batch& batch) {
  const UnchangedRows same = lifetimes_.enabled() ? UnchangedRows::kEmit : UnchangedRows::kSuppress;
  Batch result = changes_.take(batch, {}, same);
  if (result.size == 0) return result;
  std::vector<ColumnPtr> columns;
  for (const std::size_t column : passed_) columns.push_back(result.columns[column]);
  result.columns = std::move(columns);
  return result;
}

Status Normalize::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

void Normalize::give(RowKind kind, RowStore::Handle handle, std::uint32_t row) {
  rows_.append(handle, changes_.computed());
  changes_.close_change(kind, row);
}

void Normalize::replace(const Batch& batch, std::uint32_t row) {
  ++counters_.applied;
  RowStore::Handle& held = by_key_[ids_[row]];
  const RowStore::Handle before = held;
  if (before != RowStore::kNone) give(RowKind::kUpdateBefore, before, row);
  held = rows_.add(batch.columns, row);
  lifetimes_.touch(ids_[row]);
  give(before != RowStore::kNone ? RowKind::kUpdateAfter : RowKind::kInsert, held, row);
  if (before != RowStore::kNone) rows_.erase(before);
}

void Normalize::end(std::uint32_t row) {
  const RowStore::Handle held = by_key_[ids_[row]];
  if (held == RowStore::kNone) {
    ++counters_.filtered;
  } else {
    ++counters_.applied;
    give(RowKind::kDelete, held, row);
  }
  forget(ids_[row]);
}

void Normalize::forget(KeyId id) {
  if (by_key_[id] != RowStore::kNone) rows_.erase(std::exchange(by_key_[id], RowStore::kNone));
  lifetimes_.erase(id, keys_);
}

// ---- State -----------------------------------------------------------------------------------------------

void Normalize::save(StateChanges& changes) {
  rows_.save(fingerprint_, changes);
  lifetimes_.save(fingerprint_, keys_, changes);
}

Status Normalize::load(std::string_view key, std::string_view value) {
  if (rows_.owns(key)) return rows_.load(key, value).map([](RowStore::Handle) {});
  if (lifetimes_.owns(key)) return lifetimes_.load(key, value, keys_);
  return fail(ErrorCode::kCorrupt, "a state entry of a normalization is damaged");
}

Status Normalize::loaded() {
  constexpr std::size_t kRowsAtOnce = 4096;
  const std::vector<RowStore::Handle> all = rows_.in_sequence();
  for (std::size_t begin = 0; begin < all.size(); begin += kRowsAtOnce) {
    const auto some = std::span(all).subspan(begin, std::min(kRowsAtOnce, all.size() - begin));
    Batch batch;
    batch.size = some.size();
    batch.columns = rows_.gather(some);
    look_up(batch);
    for (std::size_t row = 0; row < some.size(); ++row) by_key_[ids_[row]] = some[row];
  }
  for (KeyId id = 0; id < by_key_.size(); ++id)
    if (by_key_[id] != RowStore::kNone) lifetimes_.adopt(id);
  return {};
}

std::size_t Normalize::memory_bytes() const {
  return keys_.memory_bytes() + rows_.memory_bytes() + by_key_.capacity() * sizeof(RowStore::Handle) +
         lifetimes_.memory_bytes();
}

}  // namespace leat::exec
