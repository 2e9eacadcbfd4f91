// The changes that an operator makes of the rows of a batch, one after the other: +I, -D, and -U with its +U
// right behind it, both in one batch. The changes follow the rows that cause them, so their order and their
// number do not depend on how the input is cut into batches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/column/column_builder.h"

namespace leat::exec {

/// What becomes of an update that leaves the row as it was.
enum class UnchangedRows : std::uint8_t { kSuppress, kEmit };

/// True for -U and -D.
inline bool takes_back(RowKind kind) {
  return kind == RowKind::kUpdateBefore || kind == RowKind::kDelete;
}

class ChangelogRows {
 public:
  /// `computed` are the columns that the operator fills itself, with one value per change.
  explicit ChangelogRows(const std::vector<Type>& computed);

  [[nodiscard]] std::span<ColumnBuilder> computed() { return computed_; }
  /// A change made by `row` of the batch; its computed cells have been appended.
  void close_change(RowKind kind, std::uint32_t row);

  [[nodiscard]] std::size_t size() const { return kinds_.size(); }
  /// The changes made by rows of `batch`: its columns `copied`, taken from the rows that made them, then the
  /// computed ones. Watermarks and intake times are those of the rows.
  Batch take(const Batch& batch, std::span<const std::size_t> copied, UnchangedRows unchanged);

 private:
  void drop_unchanged(std::vector<ColumnPtr>& columns);

  std::vector<ColumnBuilder> computed_;
  std::vector<RowKind> kinds_;
  std::vector<std::uint32_t> rows_;     // Of the batch, by change.
  std::vector<std::uint32_t> befores_;  // Changes that are -U.
};

}  // namespace leat::exec
