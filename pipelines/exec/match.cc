#include "pipelines/exec/match.h"

#include <algorithm>

#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsPerEmission = 8192;

std::vector<Type> key_types(const plan::MatchNode& node) {
  std::vector<Type> types;
  for (const std::size_t key : node.partition_by) types.push_back(node.inputs[0]->schema.fields[key].type);
  return types;
}

}  // namespace

Match::Match(const plan::MatchNode& node, OperatorContext context)
    : context_(std::move(context)),
      node_(node),
      input_schema_(node.inputs[0]->schema),
      keys_(key_types(node)),
      rows_(types_of(node.inputs[0]->schema)),
      machine_(node, rows_),
      output_(node, rows_) {}

Status Match::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  rows_.begin(batch.columns);
  if (batch.size > 0) take_rows(batch);
  LEAT_TRY(run_until(batch.watermark_after, {.batch = &batch, .now = intake_time_}, out));
  keep_rows();
  rows_.end();
  if (batch.size > 0) intake_time_ = batch.intake_times[batch.size - 1];
  sweep();
  LEAT_ASSIGN(Batch rows, output_.take(batch.watermark_after, context_, counters_.dead));
  counters_.rows_out += rows.size;
  return out.emit(std::move(rows));
}

Status Match::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  LEAT_TRY(run_until(watermark, {.now = now}, out));
  if (watermark == kMaxWatermark) LEAT_TRY(end_input(out));
  keep_rows();
  rows_.end();
  sweep();
  if (output_.size() > 0) {
    LEAT_ASSIGN(Batch rows, output_.take(output_.last_watermark(), context_, counters_.dead));
    counters_.rows_out += rows.size;
    LEAT_TRY(out.emit(std::move(rows)));
  }
  return out.advance(watermark, now);
}

// ---- Rows that come
// ----------------------------------------------------------------------------------------

void Match::take_rows(const Batch& batch) {
  counters_.rows_in += batch.size;
  progress_changed_ = true;
  look_up_keys(batch.columns, batch.size);
  const std::vector<std::uint64_t> truths = truths_of(batch.columns, batch.size);
  const Column& time = *batch.columns[node_.time_column];
  const auto times = time.values<std::int64_t>();
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    if (time.is_null(row)) {
      ++counters_.filtered;
    } else if (times[row] <= std::max(batch.watermarks[row], watermark_)) {
      late_.push_back(row);
    } else {
      WaitingRow& waiting = fresh_.emplace_back();
      waiting.row = {times[row], truths[row], {row, false}};
      waiting.key = key_ids_[row];
      if (!node_.order_by.empty()) waiting.order = order_bytes(node_.order_by, batch.columns, row);
    }
  }
  counters_.applied += fresh_.size();
  order_.add(fresh_);
  if (late_.empty()) return;
  counters_.late += late_.size();
  context_.rejects->late(context_.name, input_schema_, batch, late_);
  late_.clear();
}

void Match::look_up_keys(std::span<const ColumnPtr> columns, std::size_t rows) {
  key_columns_.clear();
  for (const std::size_t column : node_.partition_by) key_columns_.push_back(columns[column]);
  keys_.lookup(key_columns_, rows, key_ids_);
  if (partitions_.size() < keys_.id_limit()) partitions_.resize(keys_.id_limit());
}

std::vector<std::uint64_t> Match::truths_of(std::span<const ColumnPtr> columns, std::size_t rows) const {
  std::uint64_t always = 0;
  for (std::size_t v = 0; v < node_.variables.size(); ++v)
    if (!node_.variables[v].row_condition) always |= std::uint64_t{1} << v;
  std::vector<std::uint64_t> truths(rows, always);
  for (std::size_t v = 0; v < node_.variables.size(); ++v) {
    if (!node_.variables[v].row_condition) continue;
    const Column& condition = *columns[*node_.variables[v].row_condition];
    const auto values = condition.values<std::uint8_t>();  // 0 where it is NULL.
    for (std::size_t row = 0; row < rows; ++row) truths[row] |= std::uint64_t{values[row]} << v;
  }
  return truths;
}

// ---- Time
// --------------------------------------------------------------------------------------------------

// The row or tick whose watermark is the first to reach `time`.
std::int64_t Match::intake_at(std::int64_t time, Moment& moment) const {
  if (moment.batch == nullptr || moment.batch->size == 0) return moment.now;
  const Batch& batch = *moment.batch;
  while (moment.row < batch.size && batch.watermarks[moment.row] < time) ++moment.row;
  return moment.row == 0 ? intake_time_ : batch.intake_times[moment.row - 1];
}

void Match::preload(std::int64_t watermark) {
  std::vector<RowStore::Handle> stored;
  for (const WaitingRow& waiting : order_.waiting()) {
    if (waiting.row.time > watermark) break;
    if (waiting.row.place.stored) stored.push_back(waiting.row.place.index);
  }
  if (stored.size() > 1) rows_.preload(stored);
}

Status Match::run_until(std::int64_t watermark, Moment moment, Output& out) {
  const bool due = order_.has_until(watermark) || (!timers_.empty() && timers_.front().at <= watermark);
  stamp_ = std::max(stamp_, watermark_);
  watermark_ = std::max(watermark_, watermark);
  if (!due) return {};
  progress_changed_ = true;
  preload(watermark);
  while (true) {
    const bool timer = !timers_.empty() && timers_.front().at <= watermark;
    const bool row = order_.has_until(watermark);
    if (!timer && !row) break;
    LEAT_TRY(out.go_on());
    if (timer && (!row || timers_.front().at <= order_.front().row.time)) {
      intake_ = intake_at(timers_.front().at, moment);
      LEAT_TRY(fire_timer(out));
    } else {
      intake_ = intake_at(order_.front().row.time, moment);
      LEAT_TRY(run_row(order_.front(), out));
      order_.pop();
    }
  }
  order_.compact();
  return {};
}

Status Match::run_row(const WaitingRow& waiting, Output& out) {
  key_ = waiting.key;
  MatchPartition& partition = partitions_[key_];
  const bool idle = partition.threads.empty() && machine_.lookback() == 0 && machine_.lookahead() == 0;
  if (idle && !machine_.may_begin(waiting.row.truths)) {
    rows_.drop(waiting.row.place);
    return {};
  }
  change(partition, key_);
  if (!partition.touched) {
    partition.touched = true;
    partition.unkept = partition.rows.end();
    touched_.push_back(key_);
  }
  machine_.push(partition, waiting.row);
  if (partition.rows.end() - partition.next <= machine_.lookahead()) return {};
  return step(partition, out);
}

Status Match::step(MatchPartition& partition, Output& out) {
  const std::int64_t time = partition.rows.row(partition.rows.end() - 1).time;
  const RowNumber number = partition.next;
  machine_.time_out(partition, partition.rows.row(number).time);
  LEAT_TRY(report(partition, time, out));
  error_.clear();
  machine_.step(partition, intake_, error_);
  if (!error_.empty()) LEAT_TRY(reject(partition, number, error_));
  LEAT_TRY(report(partition, time, out));
  machine_.drop_rows(partition);
  if (!partition.threads.empty() && !partition.timed) arm(partition, key_);
  return {};
}

bool Match::later(const Timer& a, const Timer& b) const {
  return a.at != b.at ? a.at > b.at : key_text(a.key) > key_text(b.key);
}

// With rows that wait for those behind them the next row ends what is over.
void Match::arm(MatchPartition& partition, KeyId key) {
  if (!node_.within || machine_.lookahead() > 0) return;
  const auto open = std::ranges::find(partition.threads, 0U, &MatchThread::end);
  if (open == partition.threads.end()) return;
  partition.timed = true;
  timers_.push_back({saturating_add(open->start_time, node_.within->count()), key});
  std::ranges::push_heap(timers_, [this](const Timer& a, const Timer& b) { return later(a, b); });
}

Status Match::fire_timer(Output& out) {
  std::ranges::pop_heap(timers_, [this](const Timer& a, const Timer& b) { return later(a, b); });
  const Timer timer = timers_.back();
  timers_.pop_back();
  key_ = timer.key;
  MatchPartition& partition = partitions_[key_];
  partition.timed = false;
  change(partition, key_);
  machine_.time_out(partition, timer.at);
  LEAT_TRY(report(partition, timer.at, out));
  machine_.drop_rows(partition);
  if (!partition.threads.empty()) arm(partition, key_);
  return {};
}

// What waits for more rows is decided: in the order of the keys' first rows that are still there.
Status Match::end_input(Output& out) {
  std::vector<KeyId> open;
  for (KeyId key = 0; key < partitions_.size(); ++key)
    if (!partitions_[key].threads.empty() || partitions_[key].next < partitions_[key].rows.end())
      open.push_back(key);
  const auto first = [this](KeyId key) {
    const MatchWindow& rows = partitions_[key].rows;
    return std::pair(rows.row(rows.first()).time, key_text(key));
  };
  std::ranges::sort(open, {}, first);
  for (const KeyId key : open) {
    MatchPartition& partition = partitions_[key];
    key_ = key;
    change(partition, key);
    while (partition.next < partition.rows.end()) LEAT_TRY(step(partition, out));
    machine_.end_all(partition);
    LEAT_TRY(report(partition, saturating_add(stamp_, 1), out));
    machine_.drop_rows(partition);
  }
  return {};
}

// ---- Matches
// -----------------------------------------------------------------------------------------------

Status Match::report(MatchPartition& partition, std::int64_t time, Output& out) {
  stamp_ = std::max(stamp_, time - 1);
  while (const std::optional<MatchThread> match = machine_.take_match(partition)) {
    LEAT_TRY(report(partition, *match));
    machine_.forget(*match);
    if (output_.size() < kRowsPerEmission) continue;
    LEAT_ASSIGN(Batch rows, output_.take(output_.last_watermark(), context_, counters_.dead));
    counters_.rows_out += rows.size;
    LEAT_TRY(out.emit(std::move(rows)));
  }
  return {};
}

Status Match::report(MatchPartition& partition, const MatchThread& match) {
  machine_.paths().read(match.path, match.end - match.start + 1, runs_);
  LEAT_ASSIGN(const RowNumber resume, resume_behind(partition, match));
  if (resume != 0) {
    if (node_.counts_matches()) ++partition.matches;
    output_.add({&partition, match.start, &runs_, stamp_, intake_});
  }
  machine_.skip_to(partition, resume != 0 ? resume : match.end + 1, match.start);
  return {};
}

// 0: nowhere, which has been reported.
Result<RowNumber> Match::resume_behind(MatchPartition& partition, const MatchThread& match) {
  using Skip = plan::MatchNode::Skip;
  if (node_.skip == Skip::kPastLastRow) return match.end + 1;
  if (node_.skip == Skip::kToNextRow) return match.start + 1;
  RowNumber target = 0;
  RowNumber row = match.start;
  for (const PathRun& run : runs_) {
    const std::uint32_t variable = node_.automaton.positions[run.position].variable;
    if ((node_.skip_to >> variable & 1) != 0 && (target == 0 || node_.skip == Skip::kToLast))
      target = node_.skip == Skip::kToFirst ? row : row + run.count - 1;
    row += run.count;
  }
  if (target > match.start) return target;
  LEAT_TRY(reject(partition, match.end,
                  target == 0
                      ? "AFTER MATCH SKIP TO a variable that no row of this match went to; skip TO NEXT "
                        "ROW or to a variable that every match has"
                      : "AFTER MATCH SKIP TO the first row of the match would find it again for ever; "
                        "skip TO NEXT ROW"));
  return RowNumber{0};
}

Status Match::reject(const MatchPartition& partition, RowNumber row, std::string_view reason) {
  if (context_.on_row_error == RowErrorPolicy::kFail)
    return fail(ErrorCode::kInvalid, context_.name + ": " + std::string(reason));
  const MatchRows::Cells at = rows_.cells(partition.rows.row(row).place);
  Batch one;
  one.size = 1;
  for (const ColumnPtr& column : *at.columns) one.columns.push_back(gather(column, {&at.row, 1}));
  one.watermarks = {watermark_};
  one.intake_times = {intake_};
  context_.rejects->dead(context_.name, input_schema_, one, 0, reason);
  ++counters_.dead;  // It was applied before.
  --counters_.applied;
  return {};
}

}  // namespace leat::exec
