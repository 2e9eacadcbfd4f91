#include "pipelines/exec/gap_fill.h"

#include <absl/numeric/int128.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsAtOnce = 4096;

/// How far between two rows.
struct Between {
  std::int64_t passed = 0;
  std::int64_t gap = 1;
};

/// To the nearest; numbers of more than 27 digits lose the last ones.
absl::int128 between(absl::int128 a, absl::int128 b, Between at) {
  const absl::int128 gap = at.gap;
  const absl::int128 largest = absl::int128(1) << 88;
  const bool fits = a < largest && a > -largest && b < largest && b > -largest;
  if (!fits) return a / gap * (gap - at.passed) + b / gap * at.passed;
  const absl::int128 sum = a * (gap - at.passed) + b * at.passed;
  return (sum + (sum < 0 ? -gap / 2 : gap / 2)) / gap;
}

double between(double a, double b, Between at) {
  const double share = static_cast<double>(at.passed) / static_cast<double>(at.gap);
  return a + (b - a) * share;
}

template <class T>
void append_between(const Column& before, const Column& behind, std::uint32_t row, Between at,
                    ColumnBuilder& out) {
  const T a = before.values<T>()[0];
  const T b = behind.values<T>()[row];
  if constexpr (std::is_floating_point_v<T>)
    out.append(static_cast<T>(between(double{a}, double{b}, at)));
  else
    out.append(static_cast<T>(between(absl::int128(a), absl::int128(b), at)));
}

void append_number(const Column& before, const Column& behind, std::uint32_t row, Between at,
                   ColumnBuilder& out) {
  if (before.is_null(0) || behind.is_null(row)) return out.append_null();
  switch (out.type().layout()) {
    case Layout::kI8:
      return append_between<std::int8_t>(before, behind, row, at, out);
    case Layout::kI16:
      return append_between<std::int16_t>(before, behind, row, at, out);
    case Layout::kI32:
      return append_between<std::int32_t>(before, behind, row, at, out);
    case Layout::kI64:
      return append_between<std::int64_t>(before, behind, row, at, out);
    case Layout::kF32:
      return append_between<float>(before, behind, row, at, out);
    case Layout::kF64:
      return append_between<double>(before, behind, row, at, out);
    default:
      return append_between<Int128>(before, behind, row, at, out);
  }
}

}  // namespace

GapFill::GapFill(const plan::GapFillNode& node, OperatorContext context)
    : fingerprint_(node.fingerprint),
      passed_(node.passed),
      key_columns_(node.keys),
      time_column_(node.time_column),
      step_(node.step.count()),
      max_gap_(node.max_gap.count()),
      gives_filled_(node.gives_filled),
      keys_(types_at(node.inputs[0]->schema, node.keys)),
      rows_(types_of(node.inputs[0]->schema), 'r') {
  (void)context;
  for (const Type& type : rows_.types()) {
    cells_.emplace_back(type);
    is_linear_.push_back(node.method == plan::GapFillNode::Method::kLinear && type.is_numeric());
  }
  for (const std::size_t key : key_columns_) is_linear_[key] = false;
  cells_.emplace_back(Type::boolean());
}

std::int64_t GapFill::held_back(std::int64_t watermark) const {
  return watermark == kMaxWatermark ? kMaxWatermark : saturating_add(watermark, -max_gap_);
}

Status GapFill::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  counters_.rows_in += batch.size;
  if (batch.size > 0) {
    key_cells_.clear();
    for (const std::size_t column : key_columns_) key_cells_.push_back(batch.columns[column]);
    keys_.lookup(key_cells_, batch.size, ids_);
    last_.resize(std::max(last_.size(), keys_.id_limit()), kNone);
  }
  for (std::uint32_t row = 0; row < batch.size; ++row) LEAT_TRY(take_row(batch, row, out));
  return out.emit(take(held_back(batch.watermark_after)));
}

Status GapFill::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(held_back(watermark), now);
}

Status GapFill::take_row(const Batch& batch, std::uint32_t row, Output& out) {
  ++counters_.applied;
  const std::int64_t time = batch.columns[time_column_]->values<std::int64_t>()[row];
  forget_until(saturating_add(time, -max_gap_));
  RowStore::Handle& last = last_[ids_[row]];
  if (last != kNone) {
    if (time - rows_.mark(last) > step_) LEAT_TRY(fill(rows_.gather({&last, 1}), batch, row, out));
    rows_.erase(last);
  }
  last = rows_.add(batch.columns, row, time);
  in_order_.push_back({time, ids_[row]});
  for (std::size_t column = 0; column < batch.columns.size(); ++column)
    cells_[column].append_cell(*batch.columns[column], row);
  end_row(held_back(batch.watermarks[row]), batch.intake_times[row], false);
  return {};
}

Status GapFill::fill(const std::vector<ColumnPtr>& before, const Batch& batch, std::uint32_t row,
                     Output& out) {
  const std::int64_t end = batch.columns[time_column_]->values<std::int64_t>()[row];
  const std::int64_t begin = before[time_column_]->values<std::int64_t>()[0];
  for (std::int64_t time = begin + step_; time < end; time += step_) {
    add_filled(before, batch, row, time);
    end_row(held_back(batch.watermarks[row]), batch.intake_times[row], true);
    if (watermarks_.size() >= kRowsAtOnce) LEAT_TRY(out.emit(take(watermarks_.back())));
  }
  return {};
}

void GapFill::add_filled(const std::vector<ColumnPtr>& before, const Batch& batch, std::uint32_t row,
                         std::int64_t time) {
  const std::int64_t end = batch.columns[time_column_]->values<std::int64_t>()[row];
  const std::int64_t begin = before[time_column_]->values<std::int64_t>()[0];
  for (std::size_t column = 0; column < before.size(); ++column) {
    if (column == time_column_)
      cells_[column].append<std::int64_t>(time);
    else if (is_linear_[column])
      append_number(*before[column], *batch.columns[column], row, {time - begin, end - begin},
                    cells_[column]);
    else
      cells_[column].append_cell(*before[column], 0);
  }
}

void GapFill::end_row(std::int64_t watermark, std::int64_t intake, bool filled) {
  cells_.back().append<std::uint8_t>(filled ? 1 : 0);
  watermarks_.push_back(watermark);
  intakes_.push_back(intake);
  ++counters_.rows_out;
}

/// No gap behind a row of this time or before will be filled.
void GapFill::forget_until(std::int64_t time) {
  while (!in_order_.empty() && in_order_.front().time < time) {
    const Last old = in_order_.front();
    in_order_.pop_front();
    RowStore::Handle& last = last_[old.key];
    if (last == kNone || rows_.mark(last) != old.time) continue;
    rows_.erase(last);
    last = kNone;
    // Keys of the batch at hand keep their numbers.
    if (std::ranges::find(ids_, old.key) == ids_.end()) keys_.erase(old.key);
  }
}

Batch GapFill::take(std::int64_t watermark_after) {
  Batch batch;
  batch.watermark_after = watermark_after;
  batch.size = watermarks_.size();
  if (batch.size == 0) return batch;
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : cells_) columns.push_back(builder.finish());
  for (const std::size_t column : passed_) batch.columns.push_back(columns[column]);
  if (gives_filled_) batch.columns.push_back(columns.back());
  batch.watermarks = std::exchange(watermarks_, {});
  batch.intake_times = std::exchange(intakes_, {});
  return batch;
}

// ---- State -----------------------------------------------------------------------------------------------

std::size_t GapFill::memory_bytes() const {
  return keys_.memory_bytes() + rows_.memory_bytes() + last_.capacity() * sizeof(RowStore::Handle) +
         in_order_.size() * sizeof(Last);
}

void GapFill::save(StateChanges& changes) {
  rows_.save(fingerprint_, changes);
}

Status GapFill::load(std::string_view key, std::string_view value) {
  if (rows_.owns(key)) return rows_.load(key, value).map([](RowStore::Handle) {});
  return fail(ErrorCode::kCorrupt, "the saved state of GAP_FILL is damaged");
}

Status GapFill::loaded() {
  const std::vector<RowStore::Handle> all = rows_.in_sequence();
  if (all.empty()) return {};
  std::vector<ColumnPtr> cells;
  for (const std::size_t column : key_columns_) cells.push_back(rows_.gather_column(column, all));
  std::vector<KeyId> ids;
  keys_.lookup(cells, all.size(), ids);
  last_.resize(std::max(last_.size(), keys_.id_limit()), kNone);
  for (std::size_t i = 0; i < all.size(); ++i) {
    last_[ids[i]] = all[i];
    in_order_.push_back({rows_.mark(all[i]), ids[i]});
  }
  return {};
}

}  // namespace leat::exec
