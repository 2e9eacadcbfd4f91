#include "pipelines/exec/scan.h"
#include "pipelines/exec/named_errors.h"

#include <algorithm>
#include <utility>

namespace leat::exec {
namespace {

constexpr char kProgressTag = 'm';
constexpr char kPartitionTag = 'p';

Schema decoded_schema(const plan::ScanNode& node) {
  Schema schema;
  for (const std::size_t column : node.physical_wanted) schema.fields.push_back(node.physical.fields[column]);
  for (const plan::ScanNode::Metadata& metadata : node.metadata)
    schema.fields.push_back({metadata.key, metadata.type});
  return schema;
}

Schema row_schema(const plan::ScanNode& node) {
  Schema schema;
  for (std::size_t i = 0; i < node.rows.size(); ++i)
    schema.fields.push_back(
        {i < node.row_names.size() ? node.row_names[i] : std::string(), node.rows[i]->type});
  return schema;
}

Batch shell_of(const Batch& batch) {
  Batch shell;
  shell.size = batch.size;
  shell.kinds = batch.kinds;
  shell.watermarks = batch.watermarks;
  shell.intake_times = batch.intake_times;
  shell.watermark_after = batch.watermark_after;
  return shell;
}

}  // namespace

Scan::Scan(const plan::ScanNode& node, OperatorContext context, std::int64_t clock_plausible_from)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      decoded_schema_(decoded_schema(node)),
      row_schema_(row_schema(node)),
      spec_(node.watermark),
      deletion_(node.deletion),
      output_(node.output),
      clock_plausible_from_(clock_plausible_from) {
  for (const plan::ExprPtr& expr : node.rows) rows_.emplace_back(expr);
  if (node.filter) filter_.emplace(node.filter);
  if (!spec_) return;
  watermark_expr_.emplace(spec_->expr);
  if (spec_->partition_by) partitions_.emplace(node.rows[*spec_->partition_by]->type, spec_->idle_timeout);
}

// ---- Rows ------------------------------------------------------------------------------------------------

Result<std::vector<std::uint32_t>> Scan::reject(const Schema& schema, const Batch& batch,
                                                const functions::RowErrors& errors) {
  LEAT_ASSIGN(Rejected rejected, reject_failed(context_, schema, batch, errors));
  counters_.dead += rejected.dead;
  return std::move(rejected.survivors);
}

Result<Prepared> Scan::prepare(Batch batch) {
  Prepared prepared;
  prepared.batch = shell_of(batch);
  no_watermarks_.resize(std::max(no_watermarks_.size(), batch.size), kMinWatermark);
  Frame frame = frame_of(batch);
  frame.watermarks = std::span(no_watermarks_).first(batch.size);
  functions::RowErrors errors;
  for (std::size_t i = 0; i < rows_.size(); ++i)
    prepared.batch.columns.push_back(with_named_errors(
        errors, [&] { return column_called(row_schema_.fields[i].name, rows_[i].expr()); },
        [&](functions::RowErrors& own) { return rows_[i].column(frame, own); }));
  if (!errors.empty()) {
    LEAT_ASSIGN(const auto survivors, reject(decoded_schema_, batch, errors));
    counters_.rows_in += batch.size - survivors.size();
    prepared.batch = gather(prepared.batch, survivors);
  }
  if (!spec_) return prepared;
  const Column& times = *prepared.batch.columns[spec_->column];
  prepared.rowtimes = times.values<std::int64_t>();
  if (!times.may_have_nulls()) return prepared;
  rowtimes_.assign(prepared.rowtimes.begin(), prepared.rowtimes.end());
  for (std::size_t i = 0; i < rowtimes_.size(); ++i)
    if (times.is_null(i)) rowtimes_[i] = kMinWatermark;
  prepared.rowtimes = rowtimes_;
  return prepared;
}

// Only columns that read nothing but the clock: the others have lost what they are computed from.
void Scan::restamp(Batch& prepared) const {
  Frame frame = frame_of(prepared);
  frame.watermarks = {};
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (plan::is_deterministic(rows_[i].expr()) || !plan::columns_of(rows_[i].expr()).empty()) continue;
    functions::RowErrors none;
    prepared.columns[i] = rows_[i].column(frame, none);
  }
}

Status Scan::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size == 0) return {};
  quiet_for_ = 0;
  const std::uint64_t dead_before = counters_.dead;
  counters_.rows_in += batch.size;
  LEAT_ASSIGN(Batch rows, reject_bad_times(batch));
  LEAT_ASSIGN(rows, take_watermarks(std::move(rows)));
  Batch result = shell_of(rows);
  for (const std::size_t column : output_) result.columns.push_back(rows.columns[column]);
  if (filter_ && rows.size > 0) {
    LEAT_ASSIGN(const auto passed, apply_filter(rows));
    if (passed.size() < rows.size) result = gather(result, passed);
  }
  counters_.passed += result.size;
  counters_.rows_out += result.size;
  counters_.filtered += batch.size - result.size - (counters_.dead - dead_before);
  return out.emit(std::move(result));
}

// The rows whose time can be used.
Result<Batch> Scan::reject_bad_times(const Batch& batch) {
  if (!spec_) return batch;
  functions::RowErrors errors;
  find_bad_times(batch, errors);
  if (errors.empty()) return batch;
  LEAT_ASSIGN(const auto survivors, reject(row_schema_, batch, errors));
  return gather(batch, survivors);
}

void Scan::find_bad_times(const Batch& batch, functions::RowErrors& errors) const {
  const Column& times = *batch.columns[spec_->column];
  const std::string& name = row_schema_.fields[spec_->column].name;
  if (times.may_have_nulls())
    for (std::size_t row = 0; row < batch.size; ++row)
      if (times.is_null(row) && !is_deletion(batch, row))
        errors.add(row, "the time attribute '" + name + "' is NULL");
  if (!spec_->max_ahead) return;
  const auto values = times.values<std::int64_t>();
  for (std::size_t row = 0; row < batch.size; ++row) {
    const std::int64_t intake = batch.intake_times[row];
    if (intake < clock_plausible_from_ || times.is_null(row)) continue;
    if (values[row] <= saturating_add(intake, spec_->max_ahead->count())) continue;
    errors.add(row, "'" + name + "' is " + format_rfc3339(Timestamp(Micros(values[row]))) +
                        ", more than 'scan.watermark.max-ahead' = " + format_duration(*spec_->max_ahead) +
                        " ahead of the clock");
  }
}

// Of such a row nothing but the key is known.
bool Scan::is_deletion(const Batch& batch, std::size_t row) const {
  if (!deletion_) return false;
  const Column& deletions = *batch.columns[*deletion_];
  return !deletions.is_null(row) && deletions.values<std::uint8_t>()[row] != 0;
}

// `rows.watermarks[i]` becomes the watermark before row i.
Result<Batch> Scan::take_watermarks(Batch rows) {
  rows.watermarks.assign(rows.size, watermark_);
  rows.watermark_after = watermark_;
  if (!spec_ || spec_->at_end_only || rows.size == 0) return rows;
  functions::RowErrors errors;
  const ColumnPtr values = with_named_errors(
      errors, [&] { return "the watermark of '" + row_schema_.fields[spec_->column].name + "'"; },
      [&](functions::RowErrors& own) { return watermark_expr_->column(frame_of(rows), own); });
  if (!errors.empty()) {
    LEAT_ASSIGN(const auto survivors, reject(row_schema_, rows, errors));
    return take_watermarks(gather(rows, survivors));
  }
  changed_ = true;
  if (partitions_) {
    partitions_->take(rows.columns[*spec_->partition_by], *values, quiet_clock_, watermark_, rows.watermarks);
  } else {
    const auto times = values->values<std::int64_t>();
    for (std::size_t row = 0; row < rows.size; ++row) {
      rows.watermarks[row] = watermark_;
      if (!values->is_null(row)) watermark_ = std::max(watermark_, times[row]);
    }
  }
  rows.watermark_after = watermark_;
  return rows;
}

Result<std::vector<std::uint32_t>> Scan::apply_filter(const Batch& batch) {
  functions::RowErrors errors;
  const functions::Datum truth = with_named_errors(
      errors, [this] { return condition_called(filter_->expr()); },
      [&](functions::RowErrors& own) { return filter_->evaluate(frame_of(batch), own); });
  std::vector<std::uint32_t> passed = rows_where_true(truth, all_rows(batch.size));
  if (errors.empty()) return passed;
  LEAT_ASSIGN(const auto survivors, reject(row_schema_, batch, errors));
  return rows_in_both(passed, survivors);
}

// ---- Time ------------------------------------------------------------------------------------------------

std::int64_t Scan::change_splits(const SplitChanges& changes) {
  if (!spec_ || !spec_->by_split) return watermark_;
  if (changes.scope == SplitChanges::Scope::kAll) partitions_->keep_only(changes.opened);
  partitions_->open(changes.opened, quiet_clock_);
  partitions_->close(changes.ended);
  return partitions_->least(watermark_);
}

Status Scan::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  if (watermark <= watermark_ && watermark != kMaxWatermark) return {};
  if (watermark == kMaxWatermark) changed_ = changed_ || watermark_ != kMaxWatermark;
  watermark_ = watermark;
  return out.advance(watermark, now);
}

std::int64_t Scan::pass_time(std::int64_t elapsed, SourceStatus status) {
  if (!status.quiet) {
    quiet_for_ = 0;
    return watermark_;
  }
  quiet_for_ += elapsed;
  quiet_clock_ += elapsed;
  return partitions_ ? partitions_->expire(quiet_clock_, watermark_) : watermark_;
}

std::optional<std::int64_t> Scan::idle_for() const {
  if (!spec_ || spec_->idle_timeout.count() == 0 || quiet_for_ < spec_->idle_timeout.count())
    return std::nullopt;
  return quiet_for_ - spec_->idle_timeout.count();
}

// ---- State -----------------------------------------------------------------------------------------------

void Scan::save(StateChanges& changes) {
  if (!spec_) return;
  if (partitions_) partitions_->save(fingerprint_, changes);
  if (!std::exchange(changed_, false)) return;
  std::string value;
  ByteWriter(value).zigzag(watermark_);
  changes.put(fingerprint_, std::string_view(&kProgressTag, 1), value);
}

Status Scan::load(std::string_view key, std::string_view value) {
  if (partitions_ && key.starts_with(kPartitionTag)) return partitions_->load(key.substr(1), value);
  ByteReader reader(value);
  if (key == std::string_view(&kProgressTag, 1)) watermark_ = reader.zigzag();
  if (!reader.ok() || !reader.at_end())
    return fail(ErrorCode::kCorrupt, "the saved watermark of " + context_.name + " is damaged");
  return {};
}

std::size_t Scan::memory_bytes() const {
  return partitions_ ? partitions_->memory_bytes() : 0;
}

}  // namespace leat::exec
