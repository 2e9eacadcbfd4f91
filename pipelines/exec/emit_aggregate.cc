#include "pipelines/exec/emit_aggregate.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/column/codec.h"

namespace leat::exec {
Result<std::unique_ptr<Operator>> EmitAggregate::make(const plan::WindowAggregateNode& node,
                                                      OperatorContext context,
                                                      std::int64_t clock_plausible_from) {
  LEAT_ASSIGN(WindowClock clock, WindowClock::make(node.window));
  LEAT_ASSIGN(const WindowSlices slices, WindowSlices::make(node.window));
  return std::unique_ptr<Operator>(
      new EmitAggregate(node, std::move(context), std::move(clock), slices, clock_plausible_from));
}

EmitAggregate::EmitAggregate(const plan::WindowAggregateNode& node, OperatorContext context,
                             WindowClock clock, WindowSlices slices, std::int64_t clock_plausible_from)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      input_schema_(node.inputs[0]->schema),
      time_column_(node.window.time_column),
      key_columns_(node.keys),
      emit_(*node.emit),
      clock_(std::move(clock)),
      slices_(slices),
      time_(clock_plausible_from),
      state_(group_key_types(node), node.calls,
             node.inputs[0]->updating ? Accumulators::Input::kChangelog : Accumulators::Input::kInsertOnly),
      fired_(fired_rows_of(node)) {
  for (const plan::AggregateCall& call : node.calls) builders_.emplace_back(call.function->result_type());
}

// ---- Rows in ---------------------------------------------------------------------------------------------

Status EmitAggregate::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    look_up_keys(batch);
    state_.accumulators().open(batch);
    for (std::uint32_t row = 0; row < batch.size; ++row) {
      const std::int64_t intake = row > 0 ? batch.intake_times[row - 1] : intake_time_;
      LEAT_TRY(pass_watermark(batch.watermarks[row], intake, out));
      LEAT_TRY(pass_time(batch.intake_times[row], out));
      fired_.set_intake_time(batch.intake_times[row]);
      take_row(batch, row);
      LEAT_TRY(fired_.give_out_full(clock_, out));
    }
    report_late(context_, input_schema_, batch, late_rows_, counters_);
    intake_time_ = batch.intake_times[batch.size - 1];
    progress_changed_ = true;
    measure_heap(batch.size);
  }
  LEAT_TRY(pass_watermark(batch.watermark_after, intake_time_, out));
  state_.sweep();
  return out.emit(fired_.take(batch.watermark_after, clock_));
}

Status EmitAggregate::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  LEAT_TRY(pass_watermark(watermark, now, out));
  LEAT_TRY(fired_.give_out(clock_, out));
  return out.advance(watermark, now);
}

Status EmitAggregate::tick(std::int64_t now, Output& out) {
  LEAT_TRY(pass_time(now, out));
  return fired_.give_out(clock_, out);
}

void EmitAggregate::look_up_keys(const Batch& batch) {
  keys_.clear();
  for (const std::size_t column : key_columns_) keys_.push_back(batch.columns[column]);
  state_.keys().lookup(keys_, batch.size, key_ids_);
}

void EmitAggregate::take_row(const Batch& batch, std::uint32_t row) {
  const Column& time = *batch.columns[time_column_];
  if (time.is_null(row)) {
    ++counters_.filtered;
    return;
  }
  const std::int64_t slice = slices_.slice_of(clock_.to_local(time.values<std::int64_t>()[row]));
  const std::int64_t last = slices_.last_window(slice);
  std::int64_t end = slices_.first_window(slice);
  if (end > last) {
    ++counters_.filtered;
    return;
  }
  if (expires_at(last) <= watermark_) return late_rows_.push_back(row);
  ++counters_.applied;
  while (expires_at(end) <= watermark_) end += slices_.step();
  for (; end <= last; end += slices_.step()) add_to_window(end, batch, row);
}

void EmitAggregate::add_to_window(std::int64_t end, const Batch& batch, std::uint32_t row) {
  const ResultId id = result_of(end, key_ids_[row]);
  state_.accumulators().apply_one(batch, row, results_[id].state);
  touch(id);
  react(id);
}

EmitAggregate::ResultId EmitAggregate::result_of(std::int64_t end, KeyId key) {
  const auto [window, is_new] = windows_.try_emplace(end);
  if (is_new) open_window(end);
  const auto found = window->second.find(key);
  if (found != window->second.end()) return found->second;
  const ResultId id = make_result(window->second, end, key);
  results_[id].arrival = next_arrival_++;
  return id;
}

EmitAggregate::ResultId EmitAggregate::make_result(Window& window, std::int64_t end, KeyId key) {
  if (free_.empty()) {
    free_.push_back(static_cast<ResultId>(results_.size()));
    results_.emplace_back();
  }
  const ResultId id = free_.back();
  free_.pop_back();
  WindowResult& result = results_[id];
  result.state = state_.take(key);
  result.end = end;
  result.key = key;
  window.emplace(key, id);
  return id;
}

void EmitAggregate::open_window(std::int64_t end) {
  if (clock_.fires_at(end) > watermark_) open_ends_.insert(end);
  find_next_event();
}

// A row has changed the result.
void EmitAggregate::react(ResultId id) {
  WindowResult& result = results_[id];
  if (open_ends_.contains(result.end)) {
    if (emit_.early) wait_or_give(id, result.early_from, emit_.early->count());
  } else if (!result.ended || !emit_.late) {
    give(id, watermark_);
  } else {
    wait_or_give(id, emit_.early == emit_.late ? result.early_from : result.late_from, emit_.late->count());
  }
}

void EmitAggregate::wait_or_give(ResultId id, std::optional<std::int64_t>& from, std::int64_t delay) {
  if (delay == 0) return give(id, watermark_);
  if (!from) from = time_.now();
  WindowResult& result = results_[id];
  if (result.due) return;
  result.due = saturating_add(*from, ((time_.now() - *from) / delay + 1) * delay);
  due_.emplace(*result.due, result.end, result.arrival, id);
}

// ---- Time ------------------------------------------------------------------------------------------------

Status EmitAggregate::pass_watermark(std::int64_t watermark, std::int64_t intake_time, Output& out) {
  while (true) {
    const bool end_due = !open_ends_.empty() && next_end_ <= watermark;
    const bool expiry_due = !windows_.empty() && next_expiry_ <= watermark;
    if (!end_due && !expiry_due) break;
    progress_changed_ = true;
    fired_.set_intake_time(intake_time);
    if (end_due && next_end_ <= next_expiry_)
      end_window();
    else
      expire_window();
    find_next_event();
    LEAT_TRY(fired_.give_out_full(clock_, out));
  }
  watermark_ = std::max(watermark_, watermark);
  return {};
}

Status EmitAggregate::pass_time(std::int64_t now, Output& out) {
  time_.move_to(now);
  while (!due_.empty() && std::get<0>(*due_.begin()) <= time_.now()) {
    const ResultId id = std::get<ResultId>(*due_.begin());
    fired_.set_intake_time(time_.now());
    stop_waiting(id);
    give(id, watermark_);
    LEAT_TRY(fired_.give_out_full(clock_, out));
  }
  return {};
}

void EmitAggregate::end_window() {
  const std::int64_t end = *open_ends_.begin();
  open_ends_.erase(open_ends_.begin());
  for (const ResultId id : by_arrival(windows_.at(end))) {
    stop_waiting(id);
    results_[id].ended = true;
    touch(id);
    give(id, saturating_add(next_end_, -1));
  }
}

void EmitAggregate::expire_window() {
  const auto window = windows_.begin();
  for (const ResultId id : by_arrival(window->second)) {
    if (stop_waiting(id)) give(id, saturating_add(next_expiry_, -1));
    drop(id);
  }
  windows_.erase(window);
}

void EmitAggregate::find_next_event() {
  if (!open_ends_.empty()) next_end_ = clock_.fires_at(*open_ends_.begin());
  if (!windows_.empty()) next_expiry_ = expires_at(windows_.begin()->first);
}

std::int64_t EmitAggregate::expires_at(std::int64_t end) {
  return clock_.fires_at(saturating_add(end, emit_.lateness.count()));
}

std::vector<EmitAggregate::ResultId> EmitAggregate::by_arrival(const Window& window) const {
  std::vector<ResultId> ids;
  ids.reserve(window.size());
  for (const auto& [key, id] : window) ids.push_back(id);
  std::ranges::sort(ids, {}, [this](ResultId id) { return results_[id].arrival; });
  return ids;
}

// ---- Results out -----------------------------------------------------------------------------------------

// False: it did not wait.
bool EmitAggregate::stop_waiting(ResultId id) {
  WindowResult& result = results_[id];
  if (!result.due) return false;
  due_.erase({*result.due, result.end, result.arrival, id});
  result.due.reset();
  touch(id);
  return true;
}

void EmitAggregate::give(ResultId id, std::int64_t watermark) {
  WindowResult& result = results_[id];
  const bool alive = state_.accumulators().alive(result.state);
  if (!alive && !result.given) return;
  std::string cells = alive ? compute(result.state) : std::string();
  if (alive && result.given == cells) return;
  if (result.given) append(alive ? RowKind::kUpdateBefore : RowKind::kDelete, result, watermark);
  if (alive) append(result.given ? RowKind::kUpdateAfter : RowKind::kInsert, result, watermark);
  if (result.given) given_bytes_ -= result.given->size();
  given_bytes_ += cells.size();
  result.given = alive ? std::optional(std::move(cells)) : std::nullopt;
  touch(id);
}

// The results of the calls, in `computed_`; gives them as bytes.
std::string EmitAggregate::compute(const std::byte* state) {
  std::string bytes;
  ByteWriter writer(bytes);
  state_.accumulators().append_results(state, builders_);
  computed_.clear();
  for (ColumnBuilder& builder : builders_) {
    computed_.push_back(builder.finish());
    write_cell(*computed_.back(), 0, writer);
  }
  return bytes;
}

// What is taken back has the cells of `given`, which `load` has checked.
void EmitAggregate::append(RowKind kind, const WindowResult& result, std::int64_t watermark) {
  const std::span<ColumnBuilder> cells = fired_.cells();
  state_.keys().append_cells(result.key, cells.first(key_columns_.size()));
  const std::span<ColumnBuilder> calls = cells.subspan(key_columns_.size());
  if (kind == RowKind::kInsert || kind == RowKind::kUpdateAfter) {
    for (std::size_t i = 0; i < calls.size(); ++i) calls[i].append_cell(*computed_[i], 0);
  } else {
    ByteReader reader(*result.given);
    for (ColumnBuilder& call : calls) (void)read_cell(reader, call);
  }
  fired_.close_change(kind, slices_.window_start(result.end), result.end, watermark);
  ++counters_.rows_out;
}

void EmitAggregate::touch(ResultId id) {
  if (!std::exchange(results_[id].dirty, true)) dirty_.push_back(id);
}

void EmitAggregate::drop(ResultId id) {
  WindowResult& result = results_[id];
  if (result.saved) {
    std::string key;
    ByteWriter writer(key);
    write_key(result, writer);
    state_.accumulators().unsave_parts(result.state, key, erased_);
    erased_.add(std::move(key));
  }
  if (result.given) given_bytes_ -= result.given->size();
  state_.release(result.key, result.state);
  result = {};
  free_.push_back(id);
}

}  // namespace leat::exec
