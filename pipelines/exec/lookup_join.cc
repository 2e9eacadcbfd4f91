#include "pipelines/exec/lookup_join.h"

#include <algorithm>
#include <utility>

namespace leat::exec {

Result<std::unique_ptr<LookupJoin>> LookupJoin::make(const plan::LookupJoinNode& node,
                                                     OperatorContext context) {
  if (context.lookups == nullptr)
    return fail(ErrorCode::kInvalid, "there is nobody here to look rows up: " + context.name);
  LEAT_ASSIGN(std::unique_ptr<LookupTable> table, context.lookups->open(node));
  return std::unique_ptr<LookupJoin>(new LookupJoin(node, std::move(context), std::move(table)));
}

LookupJoin::LookupJoin(const plan::LookupJoinNode& node, OperatorContext context,
                       std::unique_ptr<LookupTable> table)
    : context_(std::move(context)),
      table_(std::move(table)),
      version_(table_->version()),
      comes_alone_(plan::keeps_left(node.type)),
      condition_(node),
      output_(node),
      cache_(node, table_->caching()) {
  for (const plan::JoinKey& key : node.keys) key_columns_.push_back(key.left);
}

/// Asks for the keys that are not known, each once.
Status LookupJoin::ask(const Batch& batch, std::span<const KeyId> ids) {
  std::vector<std::pair<KeyId, std::uint32_t>> unknown;
  for (std::uint32_t row = 0; row < batch.size; ++row)
    if (ids[row] != JoinKeys::kNoKey && !cache_.knows(ids[row])) unknown.emplace_back(ids[row], row);
  if (unknown.empty()) return {};
  std::ranges::sort(unknown);
  const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  unknown.erase(std::unique(unknown.begin(), unknown.end(), same_key), unknown.end());
  std::vector<KeyId> asked;
  std::vector<std::uint32_t> rows;
  for (const auto& [key, row] : unknown) {
    asked.push_back(key);
    rows.push_back(row);
  }
  std::vector<ColumnPtr> keys;
  for (const std::size_t column : key_columns_) keys.push_back(gather(batch.columns[column], rows));
  LEAT_ASSIGN(const LookupTable::Matches matches, table_->find(keys, rows.size()));
  cache_.add(asked, matches);
  return {};
}

void LookupJoin::collect(std::span<const KeyId> ids) {
  pairs_.clear();
  for (std::uint32_t row = 0; row < ids.size(); ++row) {
    if (ids[row] == JoinKeys::kNoKey) continue;
    for (const RowStore::Handle partner : cache_.rows_of(ids[row])) pairs_.add(row, partner);
  }
}

void LookupJoin::emit(const Batch& batch, std::span<const std::uint32_t> failed) {
  std::size_t pair = 0;
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    const bool bad = std::ranges::binary_search(failed, row);
    bool matched = false;
    for (; pair < pairs_.size() && pairs_.rows[pair] == row; ++pair, matched = true)
      output_.add(batch.kind(row), row, pairs_.partners[pair], batch.watermarks[row],
                  batch.intake_times[row]);
    if (!matched && comes_alone_)
      output_.add(batch.kind(row), row, JoinOutput::kNoPartner, batch.watermarks[row],
                  batch.intake_times[row]);
    ++(bad ? counters_.dead : matched || comes_alone_ ? counters_.passed : counters_.filtered);
  }
}

Status LookupJoin::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return out.emit(only_time(batch.watermark_after));
  if (const std::uint64_t version = table_->version(); std::exchange(version_, version) != version)
    cache_.clear();
  counters_.rows_in += batch.size;
  const std::span<const KeyId> ids = cache_.keys_of(batch.columns, batch.size);
  LEAT_TRY(ask(batch, ids));
  collect(ids);
  LEAT_ASSIGN(const std::vector<std::uint32_t> failed,
              condition_.select(context_, 0, batch, cache_.rows(), pairs_));
  emit(batch, failed);
  counters_.rows_out += output_.size();
  Batch joined = output_.take({0, batch.columns, cache_.rows(), cache_.rows()}, batch.watermark_after);
  cache_.shrink();
  return out.emit(std::move(joined));
}

Status LookupJoin::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

}  // namespace leat::exec
