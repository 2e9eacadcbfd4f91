#include "pipelines/exec/over_windows.h"

#include <algorithm>
#include <set>

#include "pipelines/column/schema_types.h"

namespace leat::exec {
namespace {

constexpr char kRowTag = 'r';

std::vector<Type> key_types(const plan::OverNode& node) {
  std::vector<Type> types;
  for (const std::size_t column : node.partition_by)
    types.push_back(node.inputs[0]->schema.fields[column].type);
  return types;
}

/// What frames with a begin need of a row: its key, its time and the arguments of their calls.
std::vector<std::size_t> kept_columns(const plan::OverNode& node) {
  std::set<std::size_t> kept(node.partition_by.begin(), node.partition_by.end());
  kept.insert(node.time_column);
  for (const plan::OverCall& call : node.calls) {
    if (!call.frame.preceding) continue;
    kept.insert(call.call.arguments.begin(), call.call.arguments.end());
    if (call.call.filter) kept.insert(*call.call.filter);
  }
  return {kept.begin(), kept.end()};
}

}  // namespace

OverWindows::OverWindows(const plan::OverNode& node)
    : partition_by_(node.partition_by),
      time_column_(node.time_column),
      call_count_(node.calls.size()),
      rows_{KeyMap(key_types(node)),
            {},
            RowLog(types_of(node.inputs[0]->schema), kept_columns(node), kRowTag)} {
  std::vector<plan::OverFrame> seen;
  std::vector<std::vector<std::size_t>> calls;
  for (std::size_t i = 0; i < node.calls.size(); ++i) {
    const plan::OverFrame& frame = node.calls[i].frame;
    const auto known = static_cast<std::size_t>(std::ranges::find(seen, frame) - seen.begin());
    if (known == seen.size()) {
      seen.push_back(frame);
      calls.emplace_back();
      keeps_rows_ = keeps_rows_ || frame.preceding;
      expires_ = expires_ && frame.preceding && frame.unit == plan::OverFrame::Unit::kRange;
      longest_ = std::max(longest_, frame.preceding.value_or(0));
    }
    calls[known].push_back(i);
  }
  for (std::size_t f = 0; f < calls.size(); ++f)
    frames_.push_back(std::make_unique<OverFrameRunner>(node, std::move(calls[f]), f));
}

void OverWindows::look_up(const Batch& batch, std::vector<KeyId>& ids) {
  key_columns_.clear();
  for (const std::size_t column : partition_by_) key_columns_.push_back(batch.columns[column]);
  rows_.keys.lookup(key_columns_, batch.size, ids);
  if (rows_.of_key.size() < rows_.keys.id_limit()) rows_.of_key.resize(rows_.keys.id_limit());
}

std::vector<ColumnPtr> OverWindows::run(const Batch& batch, std::span<OverEvent> events) {
  if (keeps_rows_) keep_rows(batch, events);
  std::vector<ColumnPtr> results(call_count_);
  for (const auto& frame : frames_) {
    std::vector<ColumnPtr> columns = frame->run(batch, events, rows_);
    for (std::size_t i = 0; i < columns.size(); ++i) results[frame->calls()[i]] = std::move(columns[i]);
  }
  if (keeps_rows_) release_rows(events);
  return results;
}

void OverWindows::keep_rows(const Batch& batch, std::span<OverEvent> events) {
  const std::uint32_t segment = rows_.log.open(batch);
  for (OverEvent& event : events) {
    KeyRows& rows = rows_.of_key[event.key];
    event.number = rows.end();
    if (event.kind == OverEvent::Kind::kRow) rows.push({rows_.log.hold(segment, event.row), event.time});
  }
  rows_.log.settle(segment);
}

void OverWindows::release_rows(std::span<const OverEvent> events) {
  for (const OverEvent& event : events) {
    KeyRows& rows = rows_.of_key[event.key];
    std::uint64_t needed = rows.end();
    for (const auto& frame : frames_)
      if (frame->keeps_rows()) needed = std::min(needed, frame->begin(event.key));
    while (rows.begin() < needed) {
      rows_.log.release(rows[rows.begin()].ref);
      rows.pop_front();
    }
  }
  if (rows_.log.is_sparse()) compact();
}

void OverWindows::compact() {
  std::vector<RowLog::Ref*> refs;
  for (KeyRows& rows : rows_.of_key)
    for (std::uint64_t number = rows.begin(); number < rows.end(); ++number)
      refs.push_back(&rows[number].ref);
  rows_.log.compact(refs);
}

// ---- State -----------------------------------------------------------------------------------------------

void OverWindows::save(std::string_view node, StateChanges& changes) {
  rows_.log.save(node, changes);
  for (const auto& frame : frames_) frame->save(node, rows_.keys, changes);
}

Status OverWindows::load(std::string_view key, std::string_view value) {
  if (rows_.log.owns(key)) return rows_.log.load(key, value);
  ByteReader reader(key);
  reader.u8();
  const std::uint64_t frame = reader.varint();
  if (!reader.ok() || frame >= frames_.size())
    return fail(ErrorCode::kCorrupt, "a saved frame of OVER is damaged");
  return frames_[static_cast<std::size_t>(frame)]->load(reader, value, rows_.keys);
}

Status OverWindows::loaded() {
  LEAT_ASSIGN(const std::vector<RowLog::Ref> refs, rows_.log.loaded());
  std::vector<KeyId> ids;
  for (std::size_t begin = 0; begin < refs.size();) {
    const Batch& batch = rows_.log.batch(refs[begin]);
    look_up(batch, ids);
    const auto times = batch.columns[time_column_]->values<std::int64_t>();
    for (std::size_t row = 0; row < batch.size; ++row, ++begin)
      rows_.of_key[ids[row]].push({refs[begin], times[row]});
  }
  if (rows_.of_key.size() < rows_.keys.id_limit()) rows_.of_key.resize(rows_.keys.id_limit());
  for (const auto& frame : frames_) LEAT_TRY(frame->loaded(rows_));
  return {};
}

std::size_t OverWindows::memory_bytes() const {
  std::size_t bytes = rows_.keys.memory_bytes() + rows_.log.memory_bytes();
  for (const KeyRows& rows : rows_.of_key) bytes += rows.memory_bytes();
  for (const auto& frame : frames_) bytes += frame->memory_bytes();
  return bytes;
}

}  // namespace leat::exec
