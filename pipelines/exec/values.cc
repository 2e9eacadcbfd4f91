#include "pipelines/exec/values.h"

#include "pipelines/base/time.h"
#include "pipelines/exec/named_errors.h"

namespace leat::exec {
namespace {

constexpr std::string_view kGivenKey = "m";

}  // namespace

Values::Values(const plan::ValuesNode& node, OperatorContext context, std::string fingerprint)
    : context_(std::move(context)), fingerprint_(std::move(fingerprint)), schema_(node.schema) {
  for (const auto& row : node.rows) {
    rows_.emplace_back();
    for (const plan::ExprPtr& expr : row) rows_.back().emplace_back(expr);
  }
}

Status Values::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  (void)batch;
  (void)out;
  return fail(ErrorCode::kInternal, context_.name + " has no input");
}

Status Values::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  (void)watermark;
  if (!given_) {
    given_ = true;
    LEAT_ASSIGN(Batch batch, rows(now));
    counters_.rows_out += batch.size;
    LEAT_TRY(out.emit(std::move(batch)));
  }
  return out.advance(kMaxWatermark, now);
}

Result<Batch> Values::rows(std::int64_t now) {
  Batch batch;
  batch.size = rows_.size();
  batch.watermarks.assign(batch.size, kMinWatermark);
  batch.intake_times.assign(batch.size, now);
  functions::RowErrors errors;
  for (std::size_t c = 0; c < schema_.size(); ++c) {
    std::vector<ColumnPtr> cells;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      const Frame frame{1, {}, std::span(batch.intake_times).first(1), std::span(batch.watermarks).first(1)};
      functions::RowErrors cell_errors;
      cells.push_back(retype(rows_[r][c].column(frame, cell_errors), schema_.fields[c].type));
      const auto what = [&] { return column_called(schema_.fields[c].name, rows_[r][c].expr()) + ": "; };
      for (const auto& entry : cell_errors.entries()) errors.add(r, what() + entry.message);
    }
    batch.columns.push_back(cells.empty() ? Column::nulls(schema_.fields[c].type, 0) : concat(cells));
  }
  if (errors.empty()) return batch;
  LEAT_ASSIGN(const Rejected rejected, reject_failed(context_, schema_, batch, errors));
  counters_.rows_in += rejected.dead;
  counters_.dead += rejected.dead;
  return gather(batch, rejected.survivors);
}

void Values::save(StateChanges& changes) {
  if (given_ && !saved_) changes.put(fingerprint_, kGivenKey, {});
  saved_ = given_;
}

Status Values::load(std::string_view key, std::string_view value) {
  if (key != kGivenKey || !value.empty())
    return fail(ErrorCode::kCorrupt, "the saved state of " + context_.name + " is damaged");
  given_ = true;
  saved_ = true;
  return {};
}

}  // namespace leat::exec
