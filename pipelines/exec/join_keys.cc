#include "pipelines/exec/join_keys.h"

#include <algorithm>

namespace leat::exec {
namespace {

constexpr std::size_t kSweepFrom = 1024;

std::vector<Type> key_types(const plan::JoinBase& node) {
  std::vector<Type> types;
  for (const plan::JoinKey& key : node.keys) types.push_back(node.inputs[0]->schema.fields[key.left].type);
  return types;
}

}  // namespace

JoinKeys::JoinKeys(const plan::JoinBase& node) : map_(key_types(node)) {
  for (const plan::JoinKey& key : node.keys) {
    columns_[0].push_back(key.left);
    columns_[1].push_back(key.right);
    if (key.nulls == plan::JoinKey::Nulls::kMatch) continue;
    strict_[0].push_back(key.left);
    strict_[1].push_back(key.right);
  }
}

bool JoinKeys::has_null(std::size_t side, std::span<const ColumnPtr> columns, std::size_t row) const {
  return std::ranges::any_of(strict_[side],
                             [&](std::size_t column) { return columns[column]->is_null(row); });
}

void JoinKeys::lookup_some(std::span<const ColumnPtr> keys, std::span<const std::uint32_t> rows) {
  std::vector<ColumnPtr> some;
  for (const ColumnPtr& key : keys) some.push_back(gather(key, rows));
  map_.lookup(some, rows.size(), some_ids_);
  for (std::size_t i = 0; i < rows.size(); ++i) ids_[rows[i]] = some_ids_[i];
}

std::span<const KeyId> JoinKeys::lookup(std::size_t side, std::span<const ColumnPtr> columns,
                                        std::size_t rows) {
  std::vector<ColumnPtr> keys;
  for (const std::size_t column : columns_[side]) keys.push_back(columns[column]);
  const bool nulls = std::ranges::any_of(
      strict_[side], [&](std::size_t column) { return columns[column]->may_have_nulls(); });
  if (!nulls) {
    map_.lookup(keys, rows, ids_);
    return ids_;
  }
  ids_.assign(rows, kNoKey);
  std::vector<std::uint32_t> whole;
  for (std::uint32_t row = 0; row < rows; ++row)
    if (!has_null(side, columns, row)) whole.push_back(row);
  lookup_some(keys, whole);
  return ids_;
}

Result<std::span<const KeyId>> JoinKeys::lookup_kept(std::size_t side, std::span<const ColumnPtr> columns,
                                                     std::size_t rows) {
  const std::span<const KeyId> ids = lookup(side, columns, rows);
  if (std::ranges::find(ids.first(rows), kNoKey) != ids.first(rows).end())
    return fail(ErrorCode::kCorrupt, "a saved row of a join has no key");
  return ids;
}

void JoinKeys::use(KeyId key) {
  if (uses_.size() <= key) uses_.resize(key + 1);
  ++uses_[key];
}

void JoinKeys::sweep() {
  if (map_.size() < 2 * used_ + kSweepFrom) return;
  map_.sweep(uses_);
  used_ = map_.size();
}

}  // namespace leat::exec
