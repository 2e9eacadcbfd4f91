// A batch: some rows as columns, the unit in which operators work. Where a batch ends carries no meaning: the
// result of a pipeline is the same for every way to cut its input into batches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pipelines/base/time.h"
#include "pipelines/column/column.h"
#include "pipelines/column/type.h"

namespace leat {

/// What a row does to the table that the stream describes (a changelog).
enum class RowKind : std::uint8_t {
  kInsert,        ///< +I
  kUpdateBefore,  ///< -U: takes back the row as it was
  kUpdateAfter,   ///< +U: the row as it is now
  kDelete,        ///< -D
};
std::string_view to_string(RowKind kind);  ///< "+I", "-U", "+U", "-D"

struct Batch {
  std::size_t size = 0;
  std::vector<ColumnPtr> columns;
  /// Empty when all rows are +I.
  std::vector<RowKind> kinds;
  /// The watermark in force when each row arrives, that is before the row's own: what lateness is judged by.
  /// One per row, microseconds, non-decreasing; kMinWatermark before the first watermark.
  std::vector<std::int64_t> watermarks;
  /// The gateway's clock when each row came in, microseconds; PROCTIME() and NOW() of the row.
  /// A row made by a firing has the intake time of the row or tick that fired it.
  std::vector<std::int64_t> intake_times;
  /// The watermark behind the last row, ≥ watermarks.back(). Meaningful for an empty batch, too.
  std::int64_t watermark_after = kMinWatermark;

  [[nodiscard]] RowKind kind(std::size_t row) const { return kinds.empty() ? RowKind::kInsert : kinds[row]; }
};

/// The named rows in that order, with kinds, watermarks and times; `watermark_after` is kept.
Batch gather(const Batch& batch, std::span<const std::uint32_t> rows);
/// Rows [begin, begin + count); `watermark_after` becomes the watermark of the row behind them, if there is
/// one.
Batch slice(const Batch& batch, std::size_t begin, std::size_t count);

}  // namespace leat
