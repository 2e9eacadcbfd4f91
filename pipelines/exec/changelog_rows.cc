#include "pipelines/exec/changelog_rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "pipelines/column/codec.h"

namespace leat::exec {
namespace {

// Calls `differ(i)` for each of the rows `befores[i]` that differs from the row behind it.
template <class Same, class Differ>
void compare_pairs(std::span<const std::uint32_t> befores, Same same, Differ differ) {
  for (std::size_t i = 0; i < befores.size(); ++i)
    if (!same(befores[i], befores[i] + 1)) differ(i);
}

template <class T, class Differ>
void compare_values(const Column& column, std::span<const std::uint32_t> befores, Differ differ) {
  const auto values = column.values<T>();
  compare_pairs(
      befores,
      [&](std::size_t a, std::size_t b) {
        return values[a] == values[b] && column.is_null(a) == column.is_null(b);
      },
      differ);
}

template <class Differ>
void compare_column(const Column& column, std::span<const std::uint32_t> befores, Differ differ) {
  switch (column.type().layout()) {
    case Layout::kI32:
      return compare_values<std::int32_t>(column, befores, differ);
    case Layout::kI64:
      return compare_values<std::int64_t>(column, befores, differ);
    case Layout::kI128:
      return compare_values<Int128>(column, befores, differ);
    case Layout::kBytes:
      return compare_values<std::string_view>(column, befores, differ);
    default:
      // As GROUP BY compares: NaN equals itself.
      return compare_pairs(
          befores, [&](std::size_t a, std::size_t b) { return key_cell(column, a) == key_cell(column, b); },
          differ);
  }
}

template <class T>
void keep(std::vector<T>& values, std::span<const std::uint32_t> kept) {
  for (std::size_t i = 0; i < kept.size(); ++i) values[i] = values[kept[i]];
  values.resize(kept.size());
}

}  // namespace

ChangelogRows::ChangelogRows(const std::vector<Type>& computed) {
  for (const Type& type : computed) computed_.emplace_back(type);
}

void ChangelogRows::close_change(RowKind kind, std::uint32_t row) {
  if (kind == RowKind::kUpdateBefore) befores_.push_back(static_cast<std::uint32_t>(kinds_.size()));
  kinds_.push_back(kind);
  rows_.push_back(row);
}

void ChangelogRows::drop_unchanged(std::vector<ColumnPtr>& columns) {
  std::vector<std::uint8_t> changed(befores_.size());
  for (const ColumnPtr& column : columns)
    compare_column(*column, befores_, [&](std::size_t pair) { changed[pair] = 1; });
  if (std::ranges::find(changed, 0) == changed.end()) return;
  std::vector<std::uint32_t> kept;
  std::size_t pair = 0;
  for (std::uint32_t i = 0; i < kinds_.size(); ++i) {
    const bool begins_pair = pair < befores_.size() && befores_[pair] == i;
    if (begins_pair && changed[pair++] == 0)
      ++i;  // Its +U goes, too.
    else
      kept.push_back(i);
  }
  keep(kinds_, kept);
  keep(rows_, kept);
  for (ColumnPtr& column : columns) column = gather(column, kept);
}

Batch ChangelogRows::take(const Batch& batch, std::span<const std::size_t> copied, UnchangedRows unchanged) {
  std::vector<ColumnPtr> computed;
  for (ColumnBuilder& column : computed_) computed.push_back(column.finish());
  if (unchanged == UnchangedRows::kSuppress && !befores_.empty()) drop_unchanged(computed);
  Batch result;
  result.size = kinds_.size();
  result.watermark_after = batch.watermark_after;
  if (result.size > 0)
    for (const std::size_t column : copied) result.columns.push_back(gather(batch.columns[column], rows_));
  for (ColumnPtr& column : computed) result.columns.push_back(std::move(column));
  for (const std::uint32_t row : rows_) {
    result.watermarks.push_back(batch.watermarks[row]);
    result.intake_times.push_back(batch.intake_times[row]);
  }
  const auto inserts = [](RowKind kind) { return kind == RowKind::kInsert; };
  if (!std::ranges::all_of(kinds_, inserts)) result.kinds = kinds_;
  kinds_.clear();
  rows_.clear();
  befores_.clear();
  return result;
}

}  // namespace leat::exec
