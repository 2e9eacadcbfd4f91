#include "pipelines/exec/join_output.h"

#include <array>
#include <utility>

namespace leat::exec {

namespace {
constexpr std::uint32_t kFirstKept = 1U << 31;
}

JoinOutput::JoinOutput(const plan::JoinBase& node)
    : left_width_(node.left_width()), output_(node.output), schema_(node.schema) {}

void JoinOutput::add(RowKind kind, std::uint32_t row, RowStore::Handle partner, std::int64_t watermark,
                     std::int64_t intake_time) {
  rows_.push_back(row);
  partners_.push_back(partner);
  kinds_.push_back(kind);
  watermarks_.push_back(watermark);
  intake_times_.push_back(intake_time);
  changes_ = changes_ || kind != RowKind::kInsert;
  padded_ = padded_ || row == kNoRow;
}

void JoinOutput::add_kept(RowKind kind, RowStore::Handle kept, RowStore::Handle partner,
                          std::int64_t watermark, std::int64_t intake_time) {
  add(kind, kFirstKept + static_cast<std::uint32_t>(kept_.size()), partner, watermark, intake_time);
  kept_.push_back(kept);
}

// Rows of the batch, then kept ones, then one of NULLs, as one column to pick from.
ColumnPtr JoinOutput::own_column(const Sources& sources, std::size_t column, const Type& type) const {
  if (kept_.empty() && !padded_) return gather(sources.columns[column], rows_);
  std::vector<ColumnPtr> parts;
  std::uint32_t kept_from = 0;
  if (!sources.columns.empty()) {
    parts.push_back(retype(sources.columns[column], type));
    kept_from = static_cast<std::uint32_t>(parts[0]->size());
  }
  if (!kept_.empty()) parts.push_back(retype(sources.kept.gather_column(column, kept_), type));
  if (padded_) parts.push_back(Column::nulls(type, 1));
  std::vector<std::uint32_t> rows = rows_;
  for (std::uint32_t& row : rows) {
    if (row == kNoRow)
      row = kept_from + static_cast<std::uint32_t>(kept_.size());
    else if (row >= kFirstKept)
      row = row - kFirstKept + kept_from;
  }
  return gather(concat(parts), rows);
}

Batch JoinOutput::take(const Sources& sources, std::int64_t watermark_after) {
  Batch batch;
  batch.size = rows_.size();
  batch.watermark_after = watermark_after;
  if (batch.size == 0) return batch;
  for (std::size_t i = 0; i < output_.size(); ++i) {
    const std::size_t from = output_[i] < left_width_ ? 0 : 1;
    const std::size_t column = from == 0 ? output_[i] : output_[i] - left_width_;
    batch.columns.push_back(from == sources.side ? own_column(sources, column, schema_.fields[i].type)
                                                 : sources.partners.gather_column(column, partners_));
  }
  if (changes_) batch.kinds = kinds_;
  batch.watermarks = std::exchange(watermarks_, {});
  batch.intake_times = std::exchange(intake_times_, {});
  rows_.clear();
  kept_.clear();
  partners_.clear();
  kinds_.clear();
  changes_ = padded_ = false;
  return batch;
}

}  // namespace leat::exec
