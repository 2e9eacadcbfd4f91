#include "daemon/runtime/final_table.h"

#include <utility>

namespace leat::runtime {
namespace {

std::string joined(const FinalTable::Row& row) {
  std::string text;
  for (const std::string& cell : row) text += cell + '\x1f';
  return text;
}

}  // namespace

void FinalTable::apply(const Batch& batch, const TextStyle& style) {
  for (std::size_t i = 0; i < batch.size; ++i) {
    Row row;
    for (const ColumnPtr& column : batch.columns) append_text(*column, i, style, row.emplace_back());
    apply(batch.kind(i), std::move(row));
  }
}

void FinalTable::apply(RowKind kind, Row row) {
  if (kind != RowKind::kUpdateAfter) vacated_ = 0;
  if (kind == RowKind::kUpdateBefore || kind == RowKind::kDelete)
    take_back(row);
  else
    add(std::move(row));
  if (kind != RowKind::kUpdateBefore) vacated_ = 0;
}

void FinalTable::add(Row row) {
  const std::uint64_t place = vacated_ != 0 ? vacated_ : next_place_++;
  places_.emplace(joined(row), place);
  rows_.emplace(place, std::move(row));
}

void FinalTable::take_back(const Row& row) {
  const auto found = places_.find(joined(row));
  if (found == places_.end()) return;
  vacated_ = found->second;
  rows_.erase(found->second);
  places_.erase(found);
}

void FinalTable::upsert(RowKind kind, const std::string& key, Row row) {
  if (kind == RowKind::kUpdateBefore) return;
  const auto [known, is_new] = place_of_key_.try_emplace(key, next_place_);
  if (is_new) ++next_place_;
  rows_[known->second] = std::move(row);
  if (kind != RowKind::kDelete) return;
  rows_.erase(known->second);
  place_of_key_.erase(known);
}

std::vector<FinalTable::Row> FinalTable::rows() const {
  std::vector<Row> rows;
  for (const auto& [place, row] : rows_) rows.push_back(row);
  return rows;
}

void EncodedChanges::record(std::size_t row, std::string_view bytes) {
  if (key_.empty()) return table_.apply(batch_.kind(row), {std::string(bytes)});
  FinalTable::Row key;
  for (const std::size_t column : key_) append_text(*batch_.columns[column], row, {}, key.emplace_back());
  table_.upsert(batch_.kind(row), joined(key), {std::string(bytes)});
}

}  // namespace leat::runtime
