#include <algorithm>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/column/codec.h"
#include "pipelines/column/schema_types.h"
#include "pipelines/exec/window_assign.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsPerEmission = 8192;
constexpr std::size_t kFewKeys = 1024;
constexpr char kProgressTag = 'm';
constexpr char kRowTag = 'r';

std::vector<Type> types_between(const Schema& schema, std::size_t begin, std::size_t end) {
  std::vector<Type> types;
  for (std::size_t i = begin; i < end; ++i) types.push_back(schema.fields[i].type);
  return types;
}

Status corrupt_entry() {
  return fail(ErrorCode::kCorrupt, "a saved row of a session window is damaged");
}

std::string row_key(std::uint64_t arrival) {
  std::string key(1, kRowTag);
  ByteWriter(key).varint(arrival);
  return key;
}

}  // namespace

Result<std::unique_ptr<Operator>> SessionAssign::make(const plan::WindowAssignNode& node,
                                                      OperatorContext context) {
  LEAT_ASSIGN(WindowClock clock, WindowClock::make(node.window));
  return std::unique_ptr<Operator>(new SessionAssign(node, std::move(context), std::move(clock)));
}

SessionAssign::SessionAssign(const plan::WindowAssignNode& node, OperatorContext context, WindowClock clock)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      input_schema_(node.inputs[0]->schema),
      time_column_(node.window.time_column),
      key_columns_(node.window.partition_by),
      clock_(std::make_unique<WindowClock>(std::move(clock))),
      sessions_(node.window.size.count(), *clock_),
      keys_(types_at(input_schema_, key_columns_)),
      fired_(types_between(node.schema, 0, input_schema_.size()),
             {plan::WindowProperty::kStart, plan::WindowProperty::kEnd, plan::WindowProperty::kTime},
             types_between(node.schema, input_schema_.size(), node.schema.size()), std::nullopt) {}

Status SessionAssign::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    look_up_keys(batch);
    for (std::size_t row = 0; row < batch.size; ++row) {
      const std::int64_t intake = row > 0 ? batch.intake_times[row - 1] : intake_time_;
      LEAT_TRY(fire_until(batch.watermarks[row], intake, out));
      take_row(batch, row);
    }
    intake_time_ = batch.intake_times[batch.size - 1];
    progress_changed_ = true;
    if (!late_rows_.empty()) context_.rejects->late(context_.name, input_schema_, batch, late_rows_);
    counters_.late += late_rows_.size();
    late_rows_.clear();
  }
  LEAT_TRY(fire_until(batch.watermark_after, intake_time_, out));
  return out.emit(take_fired(batch.watermark_after));
}

Status SessionAssign::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  LEAT_TRY(fire_until(watermark, now, out));
  if (fired_.size() > 0) LEAT_TRY(out.emit(take_fired(fired_.last_watermark())));
  return out.advance(watermark, now);
}

void SessionAssign::look_up_keys(const Batch& batch) {
  if (keys_.size() > kFewKeys + 2 * rows_.size()) keys_.sweep(key_uses_);
  key_cells_.clear();
  for (const std::size_t column : key_columns_) key_cells_.push_back(batch.columns[column]);
  keys_.lookup(key_cells_, batch.size, key_ids_);
  key_uses_.resize(std::max(key_uses_.size(), keys_.id_limit()));
}

void SessionAssign::take_row(const Batch& batch, std::size_t row) {
  const Column& time = *batch.columns[time_column_];
  if (time.is_null(row)) {
    ++counters_.filtered;
    return;
  }
  const std::int64_t local = clock_->to_local(time.values<std::int64_t>()[row]);
  const std::int64_t watermark = std::max(batch.watermarks[row], watermark_);
  if (!place_row(key_ids_[row], local, watermark, next_arrival_)) {
    late_rows_.push_back(static_cast<std::uint32_t>(row));
    return;
  }
  StoredRow stored;
  ByteWriter writer(stored.bytes);
  writer.u8(static_cast<std::uint8_t>(batch.kind(row)));
  for (const ColumnPtr& column : batch.columns) write_cell(*column, row, writer);
  row_bytes_ += stored.bytes.size() + sizeof(StoredRow);
  rows_.emplace_hint(rows_.end(), next_arrival_, std::move(stored));
  unsaved_.push_back(next_arrival_++);
  ++counters_.applied;
}

bool SessionAssign::place_row(KeyId key, std::int64_t time, std::int64_t watermark, std::uint64_t arrival) {
  const auto placement = sessions_.place(key, time, watermark, arrival);
  if (!placement) return false;
  members_.resize(std::max(members_.size(), sessions_.id_limit()));
  std::vector<std::uint64_t>& members = members_[placement->session];
  for (const SessionId id : placement->absorbed) {
    members.insert(members.end(), members_[id].begin(), members_[id].end());
    members_[id].clear();
    sessions_.release(id);
  }
  members.push_back(arrival);
  ++key_uses_[key];
  return true;
}

Status SessionAssign::fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out) {
  watermark_ = std::max(watermark_, watermark);
  if (!sessions_.due(watermark)) return {};
  progress_changed_ = true;
  fired_.set_intake_time(intake_time);
  for (const SessionId id : sessions_.take_due(watermark)) {
    LEAT_TRY(emit(id));
    drop(id);
    if (fired_.size() < kRowsPerEmission) continue;
    LEAT_TRY(out.emit(take_fired(fired_.last_watermark())));
  }
  return {};
}

Status SessionAssign::emit(SessionId id) {
  std::sort(members_[id].begin(), members_[id].end());
  for (const std::uint64_t arrival : members_[id])
    LEAT_TRY(emit_row(sessions_[id], rows_.find(arrival)->second));
  counters_.rows_out += members_[id].size();
  return {};
}

Status SessionAssign::emit_row(const Session& session, const StoredRow& row) {
  ByteReader reader(row.bytes);
  fired_kinds_.push_back(static_cast<RowKind>(reader.u8()));
  for (ColumnBuilder& cell : fired_.cells()) LEAT_TRY(read_cell(reader, cell));
  fired_.close_row(session.start, session.end, clock_->fires_at(session.end));
  return {};
}

Batch SessionAssign::take_fired(std::int64_t watermark_after) {
  Batch batch = fired_.take(watermark_after, *clock_);
  const auto is_insert = [](RowKind kind) { return kind == RowKind::kInsert; };
  if (!std::all_of(fired_kinds_.begin(), fired_kinds_.end(), is_insert)) batch.kinds = fired_kinds_;
  fired_kinds_.clear();
  return batch;
}

void SessionAssign::drop(SessionId id) {
  key_uses_[sessions_[id].key] -= static_cast<std::uint32_t>(members_[id].size());
  for (const std::uint64_t arrival : members_[id]) {
    const auto row = rows_.find(arrival);
    if (row->second.saved) erased_.add(row_key(arrival));
    row_bytes_ -= row->second.bytes.size() + sizeof(StoredRow);
    rows_.erase(row);
  }
  members_[id].clear();
  sessions_.release(id);
}

void SessionAssign::save(StateChanges& changes) {
  erased_.drain([&](const std::string& key) { changes.erase(fingerprint_, key); });
  for (const std::uint64_t arrival : unsaved_) {
    const auto row = rows_.find(arrival);
    if (row == rows_.end()) continue;
    row->second.saved = true;
    changes.put(fingerprint_, row_key(arrival), row->second.bytes);
  }
  unsaved_.clear();
  if (!std::exchange(progress_changed_, false)) return;
  std::string progress;
  ByteWriter writer(progress);
  writer.zigzag(watermark_);
  writer.zigzag(intake_time_);
  changes.put(fingerprint_, std::string_view(&kProgressTag, 1), progress);
}

Status SessionAssign::load(std::string_view key, std::string_view value) {
  ByteReader key_reader(key);
  const char tag = static_cast<char>(key_reader.u8());
  if (tag == kProgressTag) {
    ByteReader reader(value);
    watermark_ = reader.zigzag();
    intake_time_ = reader.zigzag();
    return reader.ok() ? Status() : corrupt_entry();
  }
  const std::uint64_t arrival = key_reader.varint();
  if (tag != kRowTag || !key_reader.ok()) return corrupt_entry();
  row_bytes_ += value.size() + sizeof(StoredRow);
  rows_[arrival] = {std::string(value), true};
  next_arrival_ = std::max(next_arrival_, arrival + 1);
  return {};
}

// Rows make their sessions again, in the order in which they came; none of them is late.
Status SessionAssign::loaded() {
  if (rows_.empty()) return {};
  std::vector<ColumnBuilder> builders;
  for (const Type::Field& field : input_schema_.fields) builders.emplace_back(field.type);
  for (const auto& [arrival, row] : rows_) {
    ByteReader reader(row.bytes);
    if (reader.u8() > static_cast<std::uint8_t>(RowKind::kDelete)) return corrupt_entry();
    for (ColumnBuilder& builder : builders) LEAT_TRY(read_cell(reader, builder));
  }
  Batch batch;
  batch.size = rows_.size();
  for (ColumnBuilder& builder : builders) batch.columns.push_back(builder.finish());
  look_up_keys(batch);
  std::size_t index = 0;
  for (const auto& [arrival, row] : rows_) {
    if (batch.columns[time_column_]->is_null(index)) return corrupt_entry();
    const std::int64_t time = batch.columns[time_column_]->values<std::int64_t>()[index];
    place_row(key_ids_[index], clock_->to_local(time), kMinWatermark, arrival);
    ++index;
  }
  return {};
}

std::size_t SessionAssign::memory_bytes() const {
  std::size_t bytes = keys_.memory_bytes() + sessions_.memory_bytes() + row_bytes_ + erased_.memory_bytes();
  bytes += rows_.size() * 2 * sizeof(std::uint64_t) + members_.capacity() * sizeof(members_[0]);
  return bytes + key_uses_.capacity() * sizeof(std::uint32_t);
}

}  // namespace leat::exec
