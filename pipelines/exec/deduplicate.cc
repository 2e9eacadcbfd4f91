#include "pipelines/exec/deduplicate.h"

#include <algorithm>

#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

constexpr char kKeyTag = 'k';

}  // namespace

Deduplicate::Deduplicate(const plan::DeduplicateNode& node)
    : fingerprint_(node.fingerprint),
      passed_(node.passed),
      partition_by_(node.partition_by),
      time_column_(node.time_column),
      in_rowtime_(node.time == plan::TimeAttribute::kRowTime),
      keep_(node.keep),
      keys_(types_at(node.inputs[0]->schema, node.partition_by)),
      rows_(types_of(node.inputs[0]->schema), 'r'),
      changes_(types_of(node.inputs[0]->schema)),
      lifetimes_(node.state_ttl) {}

void Deduplicate::look_up(const Batch& batch) {
  key_columns_.clear();
  for (const std::size_t column : partition_by_) key_columns_.push_back(batch.columns[column]);
  keys_.lookup(key_columns_, batch.size, ids_);
  if (state_.size() < keys_.id_limit()) state_.resize(keys_.id_limit());
}

std::int64_t Deduplicate::time_of(const Batch& batch, std::size_t row) const {
  return batch.columns[time_column_]->values<std::int64_t>()[row];
}

Status Deduplicate::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  look_up(batch);
  firsts_.clear();
  const bool first = keep_ == plan::DeduplicateNode::Keep::kFirst;
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    if (batch.columns[time_column_]->is_null(row)) {
      ++counters_.filtered;
      continue;
    }
    ++counters_.applied;
    lifetimes_.pass_row(ids_[row], batch.intake_times[row], [this](KeyId expired) { forget(expired); });
    if (first)
      keep_first(row);
    else
      keep_last(batch, row);
  }
  lifetimes_.sweep(keys_, [](KeyId) { return false; });
  counters_.rows_in += batch.size;
  Batch result = first ? gather(batch, firsts_) : changes_.take(batch, {}, UnchangedRows::kSuppress);
  if (result.size > 0) {
    std::vector<ColumnPtr> columns;
    for (const std::size_t column : passed_) columns.push_back(result.columns[column]);
    result.columns = std::move(columns);
  }
  counters_.rows_out += result.size;
  return out.emit(std::move(result));
}

Status Deduplicate::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

std::string Deduplicate::entry_of(KeyId id) const {
  std::string entry(1, kKeyTag);
  ByteWriter writer(entry);
  keys_.write(id, writer);
  return entry;
}

void Deduplicate::forget(KeyId id) {
  Key& key = state_[id];
  if (key.row != kNone) rows_.erase(key.row);
  if (keep_ == plan::DeduplicateNode::Keep::kFirst) erased_.add(entry_of(id));
  key = {};
  lifetimes_.erase(id, keys_);
}

void Deduplicate::keep_first(std::uint32_t row) {
  Key& key = state_[ids_[row]];
  if (key.seen) return;
  key.seen = true;
  lifetimes_.touch(ids_[row]);
  unsaved_.push_back(ids_[row]);
  firsts_.push_back(row);
}

void Deduplicate::give(RowKind kind, RowStore::Handle handle, std::uint32_t row) {
  rows_.append(handle, changes_.computed());
  changes_.close_change(kind, row);
}

void Deduplicate::keep_last(const Batch& batch, std::uint32_t row) {
  Key& key = state_[ids_[row]];
  const std::int64_t time = time_of(batch, row);
  if (key.row != kNone && in_rowtime_ && time < key.time) return;
  const RowStore::Handle before = key.row;
  if (before != kNone) give(RowKind::kUpdateBefore, before, row);
  key.row = rows_.add(batch.columns, row);
  key.time = time;
  lifetimes_.touch(ids_[row]);
  give(before != kNone ? RowKind::kUpdateAfter : RowKind::kInsert, key.row, row);
  if (before != kNone) rows_.erase(before);
}

// ---- State -----------------------------------------------------------------------------------------------

void Deduplicate::save(StateChanges& changes) {
  rows_.save(fingerprint_, changes);
  erased_.drain([&](const std::string& entry) { changes.erase(fingerprint_, entry); });
  for (const KeyId id : unsaved_)
    if (state_[id].seen) changes.put(fingerprint_, entry_of(id), {});
  unsaved_.clear();
  lifetimes_.save(fingerprint_, keys_, changes);
}

Status Deduplicate::load(std::string_view key, std::string_view value) {
  if (rows_.owns(key)) return rows_.load(key, value).map([](RowStore::Handle) {});
  if (lifetimes_.owns(key)) return lifetimes_.load(key, value, keys_);
  ByteReader reader(key);
  if (reader.u8() != static_cast<std::uint8_t>(kKeyTag))
    return fail(ErrorCode::kCorrupt, "the saved state of a deduplication is damaged");
  LEAT_ASSIGN(const KeyId id, keys_.read(reader));
  if (state_.size() <= id) state_.resize(id + 1);
  state_[id].seen = true;
  return {};
}

Status Deduplicate::loaded() {
  constexpr std::size_t kRowsAtOnce = 4096;
  const std::vector<RowStore::Handle> all = rows_.in_sequence();
  for (std::size_t begin = 0; begin < all.size(); begin += kRowsAtOnce) {
    const auto some = std::span(all).subspan(begin, std::min(kRowsAtOnce, all.size() - begin));
    Batch batch;
    batch.size = some.size();
    batch.columns = rows_.gather(some);
    look_up(batch);
    for (std::size_t row = 0; row < some.size(); ++row) {
      if (batch.columns[time_column_]->is_null(row))
        return fail(ErrorCode::kCorrupt, "a saved row of a deduplication has no time");
      state_[ids_[row]] = {true, some[row], time_of(batch, row)};
    }
  }
  for (KeyId id = 0; id < state_.size(); ++id)
    if (state_[id].seen) lifetimes_.adopt(id);
  return {};
}

std::size_t Deduplicate::memory_bytes() const {
  return keys_.memory_bytes() + rows_.memory_bytes() + state_.capacity() * sizeof(Key) +
         lifetimes_.memory_bytes();
}

}  // namespace leat::exec
