#include "pipelines/exec/window_aggregate.h"

#include <algorithm>

#include "pipelines/base/time.h"
#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

constexpr std::size_t kSpareSlices = 4;

std::vector<std::size_t> key_columns_of(const plan::WindowAggregateNode& node) {
  std::vector<std::size_t> columns = node.keys;
  // Of two attached windows with the same end the start tells them apart (sessions).
  if (node.attached) columns.push_back(node.attached->first);
  return columns;
}

std::vector<Type> cell_types(const plan::WindowAggregateNode& node) {
  std::vector<Type> types = types_at(node.inputs[0]->schema, key_columns_of(node));
  for (const plan::AggregateCall& call : node.calls) types.push_back(call.function->result_type());
  return types;
}

std::vector<Type> property_types(const plan::WindowAggregateNode& node) {
  std::vector<Type> types;
  for (std::size_t i = node.keys.size() + node.calls.size(); i < node.schema.size(); ++i)
    types.push_back(node.schema.fields[i].type);
  return types;
}

std::optional<std::size_t> start_cell(const plan::WindowAggregateNode& node) {
  if (!node.attached) return std::nullopt;
  return node.keys.size();
}

}  // namespace

Result<std::unique_ptr<Operator>> WindowAggregate::make(const plan::WindowAggregateNode& node,
                                                        OperatorContext context) {
  LEAT_ASSIGN(WindowClock clock, WindowClock::make(node.window));
  WindowSlices slices = WindowSlices::attached();
  if (!node.attached) {
    LEAT_ASSIGN(slices, WindowSlices::make(node.window));
  }
  return std::unique_ptr<Operator>(new WindowAggregate(node, std::move(context), std::move(clock), slices));
}

WindowAggregate::WindowAggregate(const plan::WindowAggregateNode& node, OperatorContext context,
                                 WindowClock clock, WindowSlices slices)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      input_schema_(node.inputs[0]->schema),
      time_column_(node.attached ? node.attached->second : node.window.time_column),
      key_columns_(key_columns_of(node)),
      clock_(std::move(clock)),
      slices_(slices),
      attached_(node.attached.has_value()),
      shifts_(node.window.local_time && !attached_),
      state_(types_at(input_schema_, key_columns_), node.calls,
             node.inputs[0]->updating ? Accumulators::Input::kChangelog : Accumulators::Input::kInsertOnly),
      fired_(cell_types(node), node.properties, property_types(node), start_cell(node)) {
  if (slices_.kind() == plan::WindowKind::kHop)
    sliding_.emplace(state_, slices_.width(), slices_.size(), slices_.offset());
}

// ---- Rows in ---------------------------------------------------------------------------------------------

Status WindowAggregate::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    look_up_keys(batch);
    const std::span<const std::int64_t> times = local_times(batch);
    for (std::size_t row = 0; row < batch.size;) {
      if (!timers_.empty() && next_fire_ <= batch.watermarks[row]) {
        apply_pending(batch);
        const std::int64_t intake = row > 0 ? batch.intake_times[row - 1] : intake_time_;
        LEAT_TRY(fire_until(batch.watermarks[row], intake, out));
      }
      row = take_run(batch, times, row);
    }
    apply_pending(batch);
    report_late(context_, input_schema_, batch, late_rows_, counters_);
    intake_time_ = batch.intake_times[batch.size - 1];
    progress_changed_ = true;
    measure_heap(batch.size);
  }
  LEAT_TRY(fire_until(batch.watermark_after, intake_time_, out));
  state_.sweep();
  return out.emit(fired_.take(batch.watermark_after, clock_));
}

Status WindowAggregate::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  LEAT_TRY(fire_until(watermark, now, out));
  LEAT_TRY(fired_.give_out(clock_, out));
  return out.advance(watermark, now);
}

void WindowAggregate::look_up_keys(const Batch& batch) {
  keys_.clear();
  for (const std::size_t column : key_columns_) keys_.push_back(batch.columns[column]);
  state_.keys().lookup(keys_, batch.size, key_ids_);
  pending_rows_.resize(batch.size);
  pending_states_.resize(batch.size);
  pending_rows_.clear();
  pending_states_.clear();
}

std::span<const std::int64_t> WindowAggregate::local_times(const Batch& batch) {
  const auto values = batch.columns[time_column_]->values<std::int64_t>();
  if (!shifts_ && !attached_) return values;
  times_.resize(batch.size);
  for (std::size_t i = 0; i < batch.size; ++i)
    times_[i] = attached_ ? values[i] - 1 : clock_.to_local(values[i]);
  return times_;
}

// Takes rows that go into one slice and that no timer separates; gives the first row behind them.
std::size_t WindowAggregate::take_run(const Batch& batch, std::span<const std::int64_t> times,
                                      std::size_t row) {
  const Column& time_column = *batch.columns[time_column_];
  if (time_column.is_null(row)) {
    ++counters_.filtered;
    return row + 1;
  }
  select_slice(times[row]);
  if (current_.between_windows) {
    ++counters_.filtered;
    return row + 1;
  }
  // After a restart the source may stand a little before what has fired here already.
  const std::int64_t watermark = std::max(batch.watermarks[row], watermark_);
  if (watermark >= current_.late_at) {
    late_rows_.push_back(static_cast<std::uint32_t>(row));
    return row + 1;
  }
  if (current_.groups == nullptr) open_slice(watermark);
  if (sliding_) sliding_->row_in(current_.end);
  const std::int64_t limit = timers_.empty() ? current_.late_at : std::min(next_fire_, current_.late_at);
  const auto valid = time_column.validity();
  SliceGroups& groups = *current_.groups;
  do {
    pending_rows_.push_back(static_cast<std::uint32_t>(row));
    pending_states_.push_back(group_of(groups, key_ids_[row]).state);
    ++row;
  } while (row < batch.size && times[row] >= current_.begin && times[row] < current_.end &&
           batch.watermarks[row] < limit && (valid.empty() || valid[row] != 0));
  return row;
}

Group& WindowAggregate::group_of(SliceGroups& groups, KeyId key) {
  Group* group = groups.find(key);
  if (group == nullptr) group = &groups.add(key, state_.take(key), next_arrival_++);
  groups.mark_dirty(*group);
  return *group;
}

void WindowAggregate::select_slice(std::int64_t time) {
  if (time >= current_.begin && time < current_.end) return;
  const std::int64_t end = slices_.slice_of(time);
  const std::int64_t last = slices_.last_window(end);
  current_ = {end - slices_.width(), end, clock_.fires_at(last), nullptr, slices_.first_window(end) > last};
  if (const auto found = open_.find(end); found != open_.end()) current_.groups = &found->second;
}

// The slice gets its first row, at this watermark.
void WindowAggregate::open_slice(std::int64_t watermark) {
  const std::int64_t window =
      first_unfired(slices_.first_window(current_.end), slices_.last_window(current_.end), watermark);
  const bool merged_already =
      slices_.kind() == plan::WindowKind::kCumulate && window > slices_.first_window(current_.end);
  Slices& slices = merged_already ? running_ : open_;
  const std::int64_t end = merged_already ? slices_.last_window(current_.end) : current_.end;
  auto found = slices.find(end);
  if (found == slices.end()) {
    found = slices.try_emplace(end).first;
    if (!spare_.empty()) {
      found->second = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  current_.groups = &found->second;
  set_timer(window);
}

void WindowAggregate::apply_pending(const Batch& batch) {
  counters_.applied += pending_rows_.size();
  state_.accumulators().apply(batch, pending_rows_, pending_states_);
  pending_rows_.clear();
  pending_states_.clear();
}

// ---- Windows out -----------------------------------------------------------------------------------------

void WindowAggregate::set_timer(std::int64_t end) {
  timers_.insert(end);
  next_fire_ = clock_.fires_at(*timers_.begin());
}

std::int64_t WindowAggregate::first_unfired(std::int64_t window, std::int64_t last, std::int64_t watermark) {
  while (window < last && clock_.fires_at(window) <= watermark) window += slices_.step();
  return window;
}

Status WindowAggregate::fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out) {
  while (!timers_.empty() && next_fire_ <= watermark) {
    const std::int64_t end = *timers_.begin();
    const std::int64_t fires_at = next_fire_;
    const std::size_t before = fired_.size();
    timers_.erase(timers_.begin());
    fired_.set_intake_time(intake_time);
    progress_changed_ = true;
    fire(end, fires_at);
    counters_.rows_out += fired_.size() - before;
    if (!timers_.empty()) next_fire_ = clock_.fires_at(*timers_.begin());
    LEAT_TRY(fired_.give_out_full(clock_, out));
  }
  watermark_ = std::max(watermark_, watermark);
  return {};
}

void WindowAggregate::fire(std::int64_t end, std::int64_t fires_at) {
  current_ = {};
  switch (slices_.kind()) {
    case plan::WindowKind::kHop:
      return fire_hop(end, fires_at);
    case plan::WindowKind::kCumulate:
      return fire_cumulate(end, fires_at);
    case plan::WindowKind::kTumble:
    case plan::WindowKind::kSession:
      return fire_slice(end, fires_at);
  }
}

void WindowAggregate::fire_slice(std::int64_t end, std::int64_t fires_at) {
  const auto slice = open_.find(end);
  if (slice == open_.end()) return;
  emit_groups(slice->second, end, fires_at);
  drop(open_, slice, 's');
}

void WindowAggregate::fire_hop(std::int64_t end, std::int64_t fires_at) {
  const std::int64_t start = slices_.window_start(end);
  if (const auto first = open_.upper_bound(start); first != open_.end() && first->first <= end)
    emit_groups(sliding_->window(end, open_), end, fires_at);
  while (!open_.empty() && slices_.last_window(open_.begin()->first) <= end) drop(open_, open_.begin(), 's');
  const std::int64_t next = end + slices_.step();
  const auto rest = open_.upper_bound(slices_.window_start(next));
  if (rest != open_.end() && rest->first <= next) timers_.insert(next);
}

void WindowAggregate::fire_cumulate(std::int64_t end, std::int64_t fires_at) {
  const std::int64_t last = slices_.last_window(end);
  const auto window = running_.try_emplace(last).first;
  if (const auto slice = open_.find(end); slice != open_.end()) {
    merge_into(window->second, slice->second);
    drop(open_, slice, 's');
  }
  emit_groups(window->second, end, fires_at);
  if (end == last)
    drop(running_, window, 'c');
  else
    timers_.insert(end + slices_.step());
}

void WindowAggregate::emit_groups(const SliceGroups& groups, std::int64_t end, std::int64_t fires_at) {
  const std::int64_t start = slices_.window_start(end);
  const std::span<ColumnBuilder> cells = fired_.cells();
  const std::span<ColumnBuilder> keys = cells.first(key_columns_.size());
  const std::span<ColumnBuilder> results = cells.subspan(key_columns_.size());
  for (const Group* const group : by_arrival(groups)) {
    if (!state_.accumulators().alive(group->state)) continue;
    state_.keys().append_cells(group->key, keys);
    state_.accumulators().append_results(group->state, results);
    fired_.close_row(start, end, fires_at);
  }
}

void WindowAggregate::merge_into(SliceGroups& into, const SliceGroups& from) {
  for (const Group& group : from.groups()) {
    Group* target = into.find(group.key);
    if (target == nullptr) target = &into.add(group.key, state_.take(group.key), group.arrival);
    target->arrival = std::min(target->arrival, group.arrival);
    state_.accumulators().merge(target->state, group.state);
    into.mark_dirty(*target);
  }
}

void WindowAggregate::drop(Slices& slices, Slices::iterator slice, char tag) {
  for (const Group& group : slice->second.groups()) {
    if (group.saved) {
      std::string key;
      ByteWriter writer(key);
      write_key(tag, slice->first, group.key, writer);
      state_.accumulators().unsave_parts(group.state, key, erased_);
      erased_.add(std::move(key));
    }
    state_.release(group.key, group.state);
  }
  if (spare_.size() < kSpareSlices) {
    slice->second.clear();
    spare_.push_back(std::move(slice->second));
  }
  slices.erase(slice);
}

}  // namespace leat::exec
