#include "pipelines/exec/final_rows.h"

#include <algorithm>

#include "pipelines/base/time.h"
#include "pipelines/column/schema_types.h"
#include "pipelines/exec/changelog_rows.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsPerEmission = 8192;
constexpr char kRowTag = 'r';

}  // namespace

FinalRows::FinalRows(const plan::FinalRowsNode& node)
    : fingerprint_(node.fingerprint),
      rows_(types_of(node.schema), kRowTag),
      contents_(types_of(node.schema)) {}

Status FinalRows::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    look_up(batch.columns, batch.size);
  }
  for (std::size_t row = 0; row < batch.size; ++row) {
    std::vector<RowStore::Handle>& equal = held_[ids_[row]];
    const bool back = takes_back(batch.kind(row));
    if (back && equal.empty()) {
      ++counters_.filtered;
      continue;
    }
    ++counters_.applied;
    if (!back) {
      equal.push_back(rows_.add(batch.columns, row));
      continue;
    }
    rows_.erase(equal.back());
    equal.pop_back();
  }
  if (batch.watermark_after == kMaxWatermark)
    LEAT_TRY(give_rows(batch.size > 0 ? batch.intake_times.back() : 0, out));
  return out.emit(only_time(batch.watermark_after));
}

void FinalRows::look_up(std::span<const ColumnPtr> columns, std::size_t rows) {
  contents_.lookup(columns, rows, ids_);
  if (held_.size() < contents_.id_limit()) held_.resize(contents_.id_limit());
}

Status FinalRows::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  if (watermark == kMaxWatermark) LEAT_TRY(give_rows(now, out));
  return out.advance(watermark, now);
}

Status FinalRows::give_rows(std::int64_t intake_time, Output& out) {
  const std::vector<RowStore::Handle> rows = rows_.in_sequence();
  for (std::size_t begin = 0; begin < rows.size(); begin += kRowsPerEmission) {
    const auto some = std::span(rows).subspan(begin, std::min(kRowsPerEmission, rows.size() - begin));
    Batch batch;
    batch.size = some.size();
    batch.columns = rows_.gather(some);
    // Before the end, so that nothing behind takes them for late (fired_rows.h).
    batch.watermarks.assign(some.size(), kMaxWatermark - 1);
    batch.watermark_after = kMaxWatermark - 1;
    batch.intake_times.assign(some.size(), intake_time);
    counters_.rows_out += some.size();
    LEAT_TRY(out.emit(std::move(batch)));
  }
  for (const RowStore::Handle row : rows) rows_.erase(row);
  for (std::vector<RowStore::Handle>& equal : held_) equal.clear();
  return {};
}

Status FinalRows::load(std::string_view key, std::string_view value) {
  if (!rows_.owns(key)) return fail(ErrorCode::kCorrupt, "a state entry of final rows is damaged");
  return rows_.load(key, value).map([](RowStore::Handle) {});
}

Status FinalRows::loaded() {
  const std::vector<RowStore::Handle> rows = rows_.in_sequence();
  if (rows.empty()) return {};
  look_up(rows_.gather(rows), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) held_[ids_[i]].push_back(rows[i]);
  return {};
}

std::size_t FinalRows::memory_bytes() const {
  return rows_.memory_bytes() + contents_.memory_bytes() +
         held_.capacity() * (sizeof(held_[0]) + sizeof(RowStore::Handle));
}

}  // namespace leat::exec
