#include "pipelines/exec/upsert.h"

#include <algorithm>
#include <string>

#include "pipelines/base/bytes.h"
#include "pipelines/column/codec.h"
#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

constexpr char kRowTag = 'r';

std::vector<Type> key_types(const plan::UpsertNode& node) {
  std::vector<Type> types;
  for (const std::size_t key : node.keys) types.push_back(node.schema.fields[key].type);
  return types;
}

std::string cells_of(std::span<const ColumnPtr> columns, std::size_t row) {
  std::string cells;
  ByteWriter writer(cells);
  for (const ColumnPtr& column : columns) write_key_cell(*column, row, writer);
  return cells;
}

}  // namespace

// ---- The same key ----------------------------------------------------------------------------------------

Status UpsertChanges::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  counters_.rows_in += batch.size;
  std::vector<std::uint32_t> kept;
  std::vector<RowKind> kinds;
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    RowKind kind = batch.kind(row);
    if (kind == RowKind::kUpdateBefore) {
      if (is_updated(batch, row)) continue;
      kind = RowKind::kDelete;
    }
    kept.push_back(row);
    kinds.push_back(kind);
  }
  counters_.passed += kept.size();
  counters_.rows_out += kept.size();
  counters_.filtered += batch.size - kept.size();
  if (batch.kinds.empty()) return out.emit(batch);
  Batch result = gather(batch, kept);
  result.kinds = std::move(kinds);
  return out.emit(std::move(result));
}

bool UpsertChanges::is_updated(const Batch& batch, std::size_t row) const {
  if (row + 1 >= batch.size || batch.kind(row + 1) != RowKind::kUpdateAfter) return false;
  std::vector<ColumnPtr> keys;
  for (const std::size_t key : keys_) keys.push_back(batch.columns[key]);
  return cells_of(keys, row) == cells_of(keys, row + 1);
}

// ---- Another key -----------------------------------------------------------------------------------------

UpsertMaterialize::UpsertMaterialize(const plan::UpsertNode& node, OperatorContext context)
    : context_(std::move(context)),
      schema_(node.schema),
      fingerprint_(node.fingerprint),
      form_(node.form),
      key_columns_(node.keys),
      rows_(types_of(node.schema), kRowTag),
      keys_(key_types(node)),
      changes_(types_of(node.schema)) {}

Status UpsertMaterialize::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    look_up(batch.columns, batch.size);
  }
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    Rows& rows = by_key_[ids_[row]];
    if (takes_back(batch.kind(row)))
      take_back(batch, row, rows);
    else
      add(batch, row, rows);
  }
  if (!refused_.empty()) LEAT_TRY(reject_refused(batch));
  Batch changes = changes_.take(batch, {}, UnchangedRows::kEmit);
  counters_.rows_out += changes.size;
  return out.emit(std::move(changes));
}

Status UpsertMaterialize::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

void UpsertMaterialize::look_up(std::span<const ColumnPtr> columns, std::size_t rows) {
  std::vector<ColumnPtr> keys;
  for (const std::size_t key : key_columns_) keys.push_back(columns[key]);
  keys_.lookup(keys, rows, ids_);
  if (by_key_.size() < keys_.id_limit()) by_key_.resize(keys_.id_limit());
}

void UpsertMaterialize::add(const Batch& batch, std::uint32_t row, Rows& rows) {
  if (!rows.empty() && form_ != plan::UpsertForm::kMaterialize) return refuse(row);
  ++counters_.applied;
  if (rows.empty()) ++held_keys_;
  rows.push_back(rows_.add(batch.columns, row));
  close_change(rows.size() == 1 ? RowKind::kInsert : RowKind::kUpdateAfter, row, rows.back());
}

void UpsertMaterialize::refuse(std::uint32_t row) {
  if (form_ == plan::UpsertForm::kFirst) {
    ++counters_.filtered;
    return;
  }
  std::string key;
  for (const std::size_t column : key_columns_)
    key += (key.empty() ? "" : ", ") + schema_.fields[column].name;
  refused_.add(row, "the table has a row of this PRIMARY KEY (" + key + ") already");
}

Status UpsertMaterialize::reject_refused(const Batch& batch) {
  LEAT_ASSIGN(const Rejected rejected, reject_failed(context_, schema_, batch, refused_));
  counters_.dead += rejected.dead;
  refused_.clear();
  return {};
}

void UpsertMaterialize::take_back(const Batch& batch, std::uint32_t row, Rows& rows) {
  const auto found = find(batch, row, rows);
  if (found == rows.end()) {
    ++counters_.filtered;
    return;
  }
  ++counters_.applied;
  const RowStore::Handle gone = *found;
  const bool was_last = found + 1 == rows.end();
  rows.erase(found);
  if (rows.empty()) {
    --held_keys_;
    close_change(RowKind::kDelete, row, gone);
  } else if (was_last) {
    close_change(RowKind::kUpdateAfter, row, rows.back());
  }
  rows_.erase(gone);
}

void UpsertMaterialize::close_change(RowKind kind, std::uint32_t row, RowStore::Handle content) {
  rows_.append(content, changes_.computed());
  changes_.close_change(kind, row);
}

// The latest of equal rows. A key has few rows, so they are compared one by one.
UpsertMaterialize::Rows::iterator UpsertMaterialize::find(const Batch& batch, std::size_t row,
                                                          Rows& rows) const {
  const std::string wanted = cells_of(batch.columns, row);
  for (auto candidate = rows.end(); candidate != rows.begin();) {
    --candidate;
    if (cells_of(rows_.gather({&*candidate, 1}), 0) == wanted) return candidate;
  }
  return rows.end();
}

Status UpsertMaterialize::load(std::string_view key, std::string_view value) {
  if (!rows_.owns(key)) return fail(ErrorCode::kCorrupt, "a state entry of an upsert is damaged");
  return rows_.load(key, value).map([](RowStore::Handle) {});
}

Status UpsertMaterialize::loaded() {
  const std::vector<RowStore::Handle> rows = rows_.in_sequence();
  if (rows.empty()) return {};
  look_up(rows_.gather(rows), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (by_key_[ids_[i]].empty()) ++held_keys_;
    by_key_[ids_[i]].push_back(rows[i]);
  }
  return {};
}

std::size_t UpsertMaterialize::memory_bytes() const {
  return rows_.memory_bytes() + keys_.memory_bytes() +
         by_key_.capacity() * (sizeof(Rows) + sizeof(RowStore::Handle));
}

}  // namespace leat::exec
