#include "pipelines/column/batch.h"

namespace leat {
namespace {

template <class T>
std::vector<T> pick(const std::vector<T>& values, std::span<const std::uint32_t> rows) {
  std::vector<T> picked;
  if (values.empty()) return picked;
  picked.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) picked[i] = values[rows[i]];
  return picked;
}

template <class T>
std::vector<T> cut(const std::vector<T>& values, std::size_t begin, std::size_t count) {
  if (values.empty()) return {};
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(begin);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

std::string_view to_string(RowKind kind) {
  switch (kind) {
    case RowKind::kInsert:
      return "+I";
    case RowKind::kUpdateBefore:
      return "-U";
    case RowKind::kUpdateAfter:
      return "+U";
    case RowKind::kDelete:
      return "-D";
  }
  return "??";
}

Batch gather(const Batch& batch, std::span<const std::uint32_t> rows) {
  Batch result;
  result.size = rows.size();
  result.columns.reserve(batch.columns.size());
  for (const ColumnPtr& column : batch.columns) result.columns.push_back(gather(column, rows));
  result.kinds = pick(batch.kinds, rows);
  result.watermarks = pick(batch.watermarks, rows);
  result.intake_times = pick(batch.intake_times, rows);
  result.watermark_after = batch.watermark_after;
  return result;
}

Batch slice(const Batch& batch, std::size_t begin, std::size_t count) {
  if (begin == 0 && count == batch.size) return batch;
  Batch result;
  result.size = count;
  result.columns.reserve(batch.columns.size());
  for (const ColumnPtr& column : batch.columns) result.columns.push_back(slice(column, begin, count));
  result.kinds = cut(batch.kinds, begin, count);
  result.watermarks = cut(batch.watermarks, begin, count);
  result.intake_times = cut(batch.intake_times, begin, count);
  const bool more = begin + count < batch.size && !batch.watermarks.empty();
  result.watermark_after = more ? batch.watermarks[begin + count] : batch.watermark_after;
  return result;
}

}  // namespace leat
