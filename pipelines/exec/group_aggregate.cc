#include "pipelines/exec/group_aggregate.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/time.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsPerEmission = 8192;
constexpr char kGroupTag = 'g';
constexpr char kTimeTag = 't';
constexpr char kEndTag = 'e';

std::vector<Type> key_types(const plan::GroupAggregateNode& node) {
  std::vector<Type> types;
  for (const std::size_t key : node.keys) types.push_back(node.inputs[0]->schema.fields[key].type);
  return types;
}

std::vector<Type> result_types(const plan::GroupAggregateNode& node) {
  std::vector<Type> types;
  for (const plan::AggregateCall& call : node.calls) types.push_back(call.function->result_type());
  return types;
}

std::vector<Type> all_types(const plan::GroupAggregateNode& node) {
  std::vector<Type> types = key_types(node);
  for (Type& type : result_types(node)) types.push_back(std::move(type));
  return types;
}

Accumulators::Input input_kind(const plan::GroupAggregateNode& node) {
  return node.inputs[0]->updating ? Accumulators::Input::kChangelog : Accumulators::Input::kInsertOnly;
}

Status corrupt_entry() {
  return fail(ErrorCode::kCorrupt, "a state entry of a group aggregate is damaged");
}

}  // namespace

GroupAggregate::GroupAggregate(const plan::GroupAggregateNode& node)
    : fingerprint_(node.fingerprint),
      key_columns_(node.keys),
      output_types_(all_types(node)),
      final_results_(node.results == plan::Results::kFinal),
      rows_change_groups_(!node.calls.empty() || node.inputs[0]->updating || node.state_ttl.count() > 0),
      state_(key_types(node), node.calls, input_kind(node)),
      ttl_(node.state_ttl),
      changes_(result_types(node)) {}

// ---- Rows in ---------------------------------------------------------------------------------------------

Status GroupAggregate::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    keys_.clear();
    for (const std::size_t column : key_columns_) keys_.push_back(batch.columns[column]);
    state_.keys().lookup(keys_, batch.size, key_ids_);
    if (groups_.size() < state_.keys().id_limit()) groups_.resize(state_.keys().id_limit());
    state_.accumulators().open(batch);
    for (std::uint32_t row = 0; row < batch.size; ++row) apply_row(batch, row, key_ids_[row]);
    measure_heap(batch.size);
  }
  state_.sweep();
  Batch changes =
      changes_.take(batch, key_columns_, ttl_.enabled() ? UnchangedRows::kEmit : UnchangedRows::kSuppress);
  counters_.rows_out += changes.size;
  if (final_results_ && batch.watermark_after == kMaxWatermark)
    LEAT_TRY(give_final_results(batch.size > 0 ? batch.intake_times.back() : 0, out));
  return out.emit(std::move(changes));
}

Status GroupAggregate::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  if (final_results_ && watermark == kMaxWatermark) LEAT_TRY(give_final_results(now, out));
  return out.advance(watermark, now);
}

void GroupAggregate::apply_row(const Batch& batch, std::uint32_t row, KeyId key) {
  if (ttl_.enabled()) {
    ttl_.pass(batch.intake_times[row]);
    drop_expired();
    if (groups_[key].state != nullptr && ttl_.expired(groups_[key].written)) drop(key);
  }
  if (groups_[key].state != nullptr) return change_group(batch, row, key);
  if (takes_back(batch.kind(row))) {
    ++counters_.filtered;
    return;
  }
  ++counters_.applied;
  start_group(key);
  state_.accumulators().apply_one(batch, row, groups_[key].state);
  add_change(RowKind::kInsert, row, groups_[key]);
}

void GroupAggregate::start_group(KeyId key) {
  Group& group = groups_[key];
  group.state = state_.take(key);
  group.arrival = next_arrival_++;
  touch(key);
  if (ttl_.enabled()) expiries_.add(key, group.written);
}

// The old result is what the state gives before the row: nothing of it is kept.
void GroupAggregate::change_group(const Batch& batch, std::uint32_t row, KeyId key) {
  ++counters_.applied;
  if (!rows_change_groups_) return;
  Group& group = groups_[key];
  const bool gives_changes = !final_results_ && state_.accumulators().call_count() > 0;
  if (gives_changes) state_.accumulators().append_results(group.state, changes_.computed());
  state_.accumulators().apply_one(batch, row, group.state);
  if (state_.accumulators().alive(group.state)) {
    touch(key);
    if (!gives_changes) return;
    changes_.close_change(RowKind::kUpdateBefore, row);
    return add_change(RowKind::kUpdateAfter, row, group);
  }
  if (!final_results_) changes_.close_change(RowKind::kDelete, row);
  drop(key);
}

void GroupAggregate::add_change(RowKind kind, std::uint32_t row, const Group& group) {
  if (final_results_) return;
  state_.accumulators().append_results(group.state, changes_.computed());
  changes_.close_change(kind, row);
}

void GroupAggregate::touch(KeyId key) {
  Group& group = groups_[key];
  group.written = ttl_.now();
  if (!std::exchange(group.dirty, true)) dirty_.push_back(key);
}

void GroupAggregate::drop(KeyId key) {
  Group& group = groups_[key];
  if (group.saved || state_.accumulators().has_parts()) {
    std::string entry;
    ByteWriter writer(entry);
    write_key(key, writer);
    state_.accumulators().unsave_parts(group.state, entry, erased_);
    if (group.saved) erased_.add(std::move(entry));
  }
  state_.release(key, group.state);
  group = {};
}

void GroupAggregate::drop_expired() {
  const auto written_of = [this](KeyId key) {
    return groups_[key].state == nullptr ? std::nullopt : std::optional(groups_[key].written);
  };
  while (const std::optional<KeyId> key = expiries_.next(ttl_, written_of)) drop(*key);
}

// ---- Final results ---------------------------------------------------------------------------------------

Status GroupAggregate::give_final_results(std::int64_t intake_time, Output& out) {
  if (std::exchange(ended_, true)) return {};
  if (key_columns_.empty() && state_.group_count() == 0) {
    state_.keys().lookup({}, 1, key_ids_);
    if (groups_.size() < state_.keys().id_limit()) groups_.resize(state_.keys().id_limit());
    start_group(key_ids_[0]);
  }
  std::vector<KeyId> keys;
  for (KeyId key = 0; key < groups_.size(); ++key)
    if (groups_[key].state != nullptr) keys.push_back(key);
  std::ranges::sort(keys, {}, [this](KeyId key) { return groups_[key].arrival; });
  for (std::size_t begin = 0; begin < keys.size(); begin += kRowsPerEmission) {
    const std::size_t count = std::min(kRowsPerEmission, keys.size() - begin);
    counters_.rows_out += count;
    LEAT_TRY(out.emit(final_batch(std::span(keys).subspan(begin, count), intake_time)));
  }
  for (const KeyId key : keys) drop(key);
  return {};
}

Batch GroupAggregate::final_batch(std::span<const KeyId> keys, std::int64_t intake_time) {
  std::vector<ColumnBuilder> builders;
  for (const Type& type : output_types_) builders.emplace_back(type).reserve(keys.size());
  const auto cells = std::span(builders);
  for (const KeyId key : keys) {
    if (!key_columns_.empty()) state_.keys().append_cells(key, cells.first(key_columns_.size()));
    state_.accumulators().append_results(groups_[key].state, cells.subspan(key_columns_.size()));
  }
  Batch batch;
  batch.size = keys.size();
  for (ColumnBuilder& builder : builders) batch.columns.push_back(builder.finish());
  // Before the end, so that nothing behind takes them for late (fired_rows.h).
  batch.watermarks.assign(batch.size, kMaxWatermark - 1);
  batch.watermark_after = kMaxWatermark - 1;
  batch.intake_times.assign(batch.size, intake_time);
  return batch;
}

// ---- State -----------------------------------------------------------------------------------------------

void GroupAggregate::write_key(KeyId key, ByteWriter& out) const {
  out.u8(kGroupTag);
  state_.keys().write(key, out);
}

void GroupAggregate::save_group(KeyId key, StateChanges& changes) {
  Group& group = groups_[key];
  if (!std::exchange(group.dirty, false)) return;  // Dropped, or written already under its second mention.
  group.saved = true;
  EntryBuffer name;
  EntryBuffer value;
  write_key(key, name.begin());
  ByteWriter& writer = value.begin();
  writer.zigzag(group.written);
  writer.varint(group.arrival);
  state_.accumulators().save(group.state, writer);
  changes.put(fingerprint_, name.bytes(), value.bytes());
  state_.accumulators().save_parts(group.state, {fingerprint_, name.bytes()}, changes);
}

void GroupAggregate::save(StateChanges& changes) {
  erased_.drain([&](const std::string& key) { changes.erase(fingerprint_, key); });
  for (const KeyId key : dirty_) save_group(key, changes);
  dirty_.clear();
  if (ended_ && !std::exchange(end_saved_, true)) changes.put(fingerprint_, {&kEndTag, 1}, {});
  if (!ttl_.enabled() || saved_now_ == ttl_.now()) return;
  saved_now_ = ttl_.now();
  EntryBuffer time;
  time.begin().zigzag(saved_now_);
  changes.put(fingerprint_, {&kTimeTag, 1}, time.bytes());
}

Status GroupAggregate::load(std::string_view key, std::string_view value) {
  ByteReader reader(key);
  switch (static_cast<char>(reader.u8())) {
    case kGroupTag:
      return load_group(reader, value);
    case kTimeTag: {
      ByteReader time(value);
      ttl_.pass(time.zigzag());
      saved_now_ = ttl_.now();
      return time.ok() ? Status() : corrupt_entry();
    }
    case kEndTag:
      ended_ = end_saved_ = true;
      return {};
    default:
      return corrupt_entry();
  }
}

// A part may come before the entry of its group.
Status GroupAggregate::load_group(ByteReader& key, std::string_view value) {
  LEAT_ASSIGN(const KeyId id, state_.keys().read(key));
  if (groups_.size() <= id) groups_.resize(state_.keys().id_limit());
  Group& group = groups_[id];
  if (group.state == nullptr) group.state = state_.take(id);
  if (!key.at_end()) return state_.accumulators().load_part(group.state, key, value);
  ByteReader reader(value);
  group.written = reader.zigzag();
  group.arrival = reader.varint();
  group.saved = true;
  next_arrival_ = std::max(next_arrival_, group.arrival + 1);
  return state_.accumulators().load(group.state, reader);
}

Status GroupAggregate::loaded() {
  for (KeyId key = 0; key < groups_.size(); ++key) {
    const Group& group = groups_[key];
    if (group.state == nullptr) continue;
    if (!group.saved) return corrupt_entry();
    if (ttl_.enabled()) expiries_.add(key, group.written);
  }
  return {};
}

std::size_t GroupAggregate::memory_bytes() const {
  return state_.memory_bytes() + groups_.capacity() * sizeof(Group) + dirty_.capacity() * sizeof(KeyId) +
         erased_.memory_bytes() + expiries_.memory_bytes();
}

void GroupAggregate::measure_heap(std::size_t rows) {
  if (!state_.heap_measure_due(rows)) return;
  std::size_t bytes = 0;
  for (const Group& group : groups_)
    if (group.state != nullptr) bytes += state_.accumulators().heap_bytes(group.state);
  state_.set_heap_bytes(bytes);
}

}  // namespace leat::exec
