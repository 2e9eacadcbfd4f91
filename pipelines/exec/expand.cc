#include "pipelines/exec/expand.h"

#include <array>
#include <utility>

namespace leat::exec {

Expand::Expand(const plan::ExpandNode& node) : keys_(node.keys), sets_(node.sets) {}

Status Expand::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  std::vector<std::uint32_t> repeated;
  repeated.reserve(batch.size * sets_.size());
  for (std::uint32_t row = 0; row < batch.size; ++row) repeated.insert(repeated.end(), sets_.size(), row);
  Batch result = gather(batch, repeated);
  for (std::size_t i = 0; i < keys_.size(); ++i)
    result.columns.push_back(key_column(batch.columns[keys_[i]], i, batch.size));
  result.columns.push_back(set_numbers(batch.size));
  counters_.rows_in += batch.size;
  counters_.passed += batch.size;
  counters_.rows_out += result.size;
  return out.emit(std::move(result));
}

// The key, with a NULL behind its last row for the sets that leave it out.
ColumnPtr Expand::key_column(const ColumnPtr& key, std::size_t place, std::size_t rows) const {
  const Type type = key->type().with_nullable(true);
  const std::array<ColumnPtr, 2> parts = {retype(key, type), Column::nulls(type, 1)};
  std::vector<std::uint32_t> picked;
  for (std::uint32_t row = 0; row < rows; ++row)
    for (const std::vector<bool>& set : sets_)
      picked.push_back(set[place] ? row : static_cast<std::uint32_t>(rows));
  return gather(concat(parts), picked);
}

ColumnPtr Expand::set_numbers(std::size_t rows) const {
  std::vector<std::int64_t> numbers;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t set = 0; set < sets_.size(); ++set) numbers.push_back(static_cast<std::int64_t>(set));
  return Column::of<std::int64_t>(Type::big_int().with_nullable(false), numbers);
}

}  // namespace leat::exec
