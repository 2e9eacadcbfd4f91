#include "pipelines/exec/session_aggregate.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/time.h"

namespace leat::exec {
namespace {

constexpr char kProgressTag = 'm';
constexpr char kSessionTag = 'w';

Status corrupt_entry() {
  return fail(ErrorCode::kCorrupt, "a state entry of a session aggregate is damaged");
}

}  // namespace

Result<std::unique_ptr<Operator>> SessionAggregate::make(const plan::WindowAggregateNode& node,
                                                         OperatorContext context) {
  LEAT_ASSIGN(WindowClock clock, WindowClock::make(node.window));
  return std::unique_ptr<Operator>(new SessionAggregate(node, std::move(context), std::move(clock)));
}

SessionAggregate::SessionAggregate(const plan::WindowAggregateNode& node, OperatorContext context,
                                   WindowClock clock)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      input_schema_(node.inputs[0]->schema),
      time_column_(node.window.time_column),
      key_columns_(node.keys),
      clock_(std::make_unique<WindowClock>(std::move(clock))),
      sessions_(node.window.size.count(), *clock_),
      state_(group_key_types(node), node.calls,
             node.inputs[0]->updating ? Accumulators::Input::kChangelog : Accumulators::Input::kInsertOnly),
      fired_(fired_rows_of(node)) {}

Status SessionAggregate::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    keys_.clear();
    for (const std::size_t column : key_columns_) keys_.push_back(batch.columns[column]);
    state_.keys().lookup(keys_, batch.size, key_ids_);
    for (std::size_t row = 0; row < batch.size; ++row) {
      if (sessions_.due(batch.watermarks[row])) {
        apply_pending(batch);
        const std::int64_t intake = row > 0 ? batch.intake_times[row - 1] : intake_time_;
        LEAT_TRY(fire_until(batch.watermarks[row], intake, out));
      }
      take_row(batch, row);
    }
    apply_pending(batch);
    report_late(context_, input_schema_, batch, late_rows_, counters_);
    intake_time_ = batch.intake_times[batch.size - 1];
    progress_changed_ = true;
    measure_heap(batch.size);
  }
  LEAT_TRY(fire_until(batch.watermark_after, intake_time_, out));
  state_.sweep();
  return out.emit(fired_.take(batch.watermark_after, *clock_));
}

Status SessionAggregate::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  LEAT_TRY(fire_until(watermark, now, out));
  LEAT_TRY(fired_.give_out(*clock_, out));
  return out.advance(watermark, now);
}

void SessionAggregate::take_row(const Batch& batch, std::size_t row) {
  const Column& time = *batch.columns[time_column_];
  if (time.is_null(row)) {
    ++counters_.filtered;
    return;
  }
  const KeyId key = key_ids_[row];
  const std::int64_t local = clock_->to_local(time.values<std::int64_t>()[row]);
  const auto placement =
      sessions_.place(key, local, std::max(batch.watermarks[row], watermark_), next_arrival_);
  if (!placement) {
    late_rows_.push_back(static_cast<std::uint32_t>(row));
    return;
  }
  ++next_arrival_;
  Content& content = content_of(placement->session);
  if (placement->created) content.state = state_.take(key);
  if (!placement->absorbed.empty()) absorb(placement->session, placement->absorbed, batch);
  if (!content.dirty) dirty_.push_back(placement->session);
  content.dirty = true;
  pending_rows_.push_back(static_cast<std::uint32_t>(row));
  pending_states_.push_back(content.state);
}

void SessionAggregate::absorb(SessionId into, std::span<const SessionId> absorbed, const Batch& batch) {
  apply_pending(batch);  // They may point to what is merged now.
  for (const SessionId id : absorbed) {
    state_.accumulators().merge(contents_[into].state, contents_[id].state);
    drop(id);
  }
  // The session may have a new name now.
  if (contents_[into].saved_as != sessions_[into].arrival) erase_entry(into);
}

SessionAggregate::Content& SessionAggregate::content_of(SessionId id) {
  if (id >= contents_.size()) contents_.resize(sessions_.id_limit());
  return contents_[id];
}

void SessionAggregate::apply_pending(const Batch& batch) {
  counters_.applied += pending_rows_.size();
  state_.accumulators().apply(batch, pending_rows_, pending_states_);
  pending_rows_.clear();
  pending_states_.clear();
}

Status SessionAggregate::fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out) {
  watermark_ = std::max(watermark_, watermark);
  if (!sessions_.due(watermark)) return {};
  progress_changed_ = true;
  fired_.set_intake_time(intake_time);
  for (const SessionId id : sessions_.take_due(watermark)) {
    emit(id);
    drop(id);
    LEAT_TRY(fired_.give_out_full(*clock_, out));
  }
  return {};
}

void SessionAggregate::emit(SessionId id) {
  const std::byte* const state = contents_[id].state;
  if (!state_.accumulators().alive(state)) return;
  const Session& session = sessions_[id];
  const std::span<ColumnBuilder> cells = fired_.cells();
  state_.keys().append_cells(session.key, cells.first(key_columns_.size()));
  state_.accumulators().append_results(state, cells.subspan(key_columns_.size()));
  fired_.close_row(session.start, session.end, clock_->fires_at(session.end));
  ++counters_.rows_out;
}

void SessionAggregate::drop(SessionId id) {
  erase_entry(id);
  state_.release(sessions_[id].key, contents_[id].state);
  contents_[id].state = nullptr;
  sessions_.release(id);
}

void SessionAggregate::erase_entry(SessionId id) {
  Content& content = contents_[id];
  if (content.saved_as == 0) return;
  std::string key;
  ByteWriter writer(key);
  write_key(content.saved_as, sessions_[id].key, writer);
  state_.accumulators().unsave_parts(content.state, key, erased_);
  erased_.add(std::move(key));
  content.saved_as = 0;
}

// ---- State -----------------------------------------------------------------------------------------------

void SessionAggregate::write_key(std::uint64_t arrival, KeyId key, ByteWriter& out) const {
  out.u8(static_cast<std::uint8_t>(kSessionTag));
  out.varint(arrival);
  state_.keys().write(key, out);
}

void SessionAggregate::save(StateChanges& changes) {
  erased_.drain([&](const std::string& key) { changes.erase(fingerprint_, key); });
  EntryBuffer key;
  EntryBuffer value;
  for (const SessionId id : dirty_) {
    contents_[id].dirty = false;
    if (!sessions_.is_open(id)) continue;
    const Session& session = sessions_[id];
    write_key(session.arrival, session.key, key.begin());
    ByteWriter& writer = value.begin();
    writer.zigzag(session.start);
    writer.zigzag(session.end);
    state_.accumulators().save(contents_[id].state, writer);
    contents_[id].saved_as = session.arrival;
    changes.put(fingerprint_, key.bytes(), value.bytes());
    state_.accumulators().save_parts(contents_[id].state, {fingerprint_, key.bytes()}, changes);
  }
  dirty_.clear();
  if (!std::exchange(progress_changed_, false)) return;
  ByteWriter& writer = value.begin();
  writer.zigzag(watermark_);
  writer.zigzag(intake_time_);
  changes.put(fingerprint_, std::string_view(&kProgressTag, 1), value.bytes());
}

Status SessionAggregate::load(std::string_view key, std::string_view value) {
  ByteReader key_reader(key);
  ByteReader reader(value);
  const char tag = static_cast<char>(key_reader.u8());
  if (tag == kProgressTag) {
    watermark_ = reader.zigzag();
    intake_time_ = reader.zigzag();
    return reader.ok() ? Status() : corrupt_entry();
  }
  if (tag != kSessionTag) return corrupt_entry();
  Session session;
  session.arrival = key_reader.varint();
  LEAT_ASSIGN(session.key, state_.keys().read(key_reader));
  if (!key_reader.ok()) return corrupt_entry();
  Loading& loaded = loading(session.arrival, session.key);
  if (!key_reader.at_end()) return state_.accumulators().load_part(loaded.state, key_reader, value);
  loaded.complete = true;
  session.start = reader.zigzag();
  session.end = reader.zigzag();
  if (!reader.ok()) return corrupt_entry();
  const SessionId id = sessions_.restore(session);
  Content& content = content_of(id);
  content = {loaded.state, session.arrival, false};
  next_arrival_ = std::max(next_arrival_, session.arrival + 1);
  return state_.accumulators().load(content.state, reader);
}

SessionAggregate::Loading& SessionAggregate::loading(std::uint64_t arrival, KeyId key) {
  Loading& found = loading_[arrival];
  if (found.state == nullptr) found.state = state_.take(key);
  return found;
}

Status SessionAggregate::loaded() {
  for (const auto& [arrival, session] : loading_)
    if (!session.complete) return corrupt_entry();
  loading_.clear();
  return {};
}

std::size_t SessionAggregate::memory_bytes() const {
  return state_.memory_bytes() + sessions_.memory_bytes() + contents_.capacity() * sizeof(Content) +
         erased_.memory_bytes();
}

void SessionAggregate::measure_heap(std::size_t rows) {
  if (!state_.heap_measure_due(rows)) return;
  std::size_t bytes = 0;
  for (const Content& content : contents_)
    if (content.state != nullptr) bytes += state_.accumulators().heap_bytes(content.state);
  state_.set_heap_bytes(bytes);
}

}  // namespace leat::exec
