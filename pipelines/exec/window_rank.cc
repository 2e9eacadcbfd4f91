#include "pipelines/exec/window_rank.h"

#include <algorithm>
#include <limits>

#include "pipelines/base/time.h"
#include "pipelines/exec/rank.h"

namespace leat::exec {
namespace {

constexpr std::size_t kRowsPerEmission = 8192;
constexpr std::size_t kFewKeys = 1024;
constexpr char kProgressTag = 'm';
constexpr char kPartitionTag = 'k';

Status damaged() {
  return fail(ErrorCode::kCorrupt, "the saved state of a window rank is damaged");
}

}  // namespace

Result<std::unique_ptr<WindowRank>> WindowRank::make(const plan::WindowRankNode& node,
                                                     OperatorContext context) {
  LEAT_ASSIGN(WindowClock clock, WindowClock::make(node.window));
  return std::unique_ptr<WindowRank>(new WindowRank(node, std::move(context), std::move(clock)));
}

WindowRank::WindowRank(const plan::WindowRankNode& node, OperatorContext context, WindowClock clock)
    : context_(std::move(context)),
      fingerprint_(node.fingerprint),
      input_schema_(node.inputs[0]->schema),
      passed_(node.passed),
      window_end_(node.window_end),
      gives_number_(node.gives_number),
      first_(static_cast<std::size_t>(node.range.first - 1)),
      last_(node.range.last ? static_cast<std::size_t>(*node.range.last)
                            : std::numeric_limits<std::size_t>::max()),
      clock_(std::move(clock)),
      rows_(node, node.ties == plan::WindowRankNode::Ties::kFirstArrival ? RankedRows::Ties::kFirstArrival
                                                                         : RankedRows::Ties::kLastArrival) {
  for (const Type& type : numbered_types(node)) fired_.emplace_back(type);
}

Status WindowRank::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  if (batch.size > 0) {
    counters_.rows_in += batch.size;
    sweep();
    rows_.look_up(batch, ids_);
    partitions_.resize(std::max(partitions_.size(), rows_.keys().id_limit()));
    for (std::size_t row = 0; row < batch.size; ++row) {
      LEAT_TRY(fire_until(batch.watermarks[row], row > 0 ? batch.intake_times[row - 1] : intake_time_, out));
      take_row(batch, row);
    }
    intake_time_ = batch.intake_times.back();
    progress_changed_ = true;
    if (!late_rows_.empty()) context_.rejects->late(context_.name, input_schema_, batch, late_rows_);
    counters_.late += late_rows_.size();
    late_rows_.clear();
  }
  LEAT_TRY(fire_until(batch.watermark_after, intake_time_, out));
  return out.emit(take_fired(batch.watermark_after));
}

Status WindowRank::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  LEAT_TRY(fire_until(watermark, now, out));
  if (!fired_watermarks_.empty()) {
    const std::int64_t last = fired_watermarks_.back();
    LEAT_TRY(out.emit(take_fired(last)));
  }
  return out.advance(watermark, now);
}

void WindowRank::take_row(const Batch& batch, std::size_t row) {
  const Column& ends = *batch.columns[window_end_];
  if (ends.is_null(row)) {
    ++counters_.filtered;
    return;
  }
  const KeyId id = ids_[row];
  Partition& partition = partitions_[id];
  if (partition.firing.second == 0) {
    const std::int64_t fires_at = clock_.fires_at(ends.values<std::int64_t>()[row]);
    if (fires_at <= watermark_) {
      late_rows_.push_back(static_cast<std::uint32_t>(row));
      return;
    }
    partition.firing = {fires_at, next_arrival_++};
    due_[partition.firing] = id;
    unsaved_.push_back(id);
  }
  ++counters_.applied;
  const std::size_t place = rows_.place_of(id, batch, row);
  if (place >= last_) return;
  rows_.insert(id, place, batch, row);
  if (rows_.size(id) > last_) rows_.erase(id, last_);
}

Status WindowRank::fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out) {
  watermark_ = std::max(watermark_, watermark);
  while (!due_.empty() && due_.begin()->first.first <= watermark_) {
    const auto [firing, id] = *due_.begin();
    due_.erase(due_.begin());
    progress_changed_ = true;
    give(id, firing.first, intake_time);
    if (partitions_[id].saved) erased_.add(entry_key(id));
    partitions_[id] = {};
    rows_.clear(id);
    if (fired_watermarks_.size() < kRowsPerEmission) continue;
    const std::int64_t last = fired_watermarks_.back();
    LEAT_TRY(out.emit(take_fired(last)));
  }
  return {};
}

void WindowRank::give(KeyId partition, std::int64_t fires_at, std::int64_t intake_time) {
  const std::size_t width = input_schema_.size();
  for (std::size_t place = first_; place < std::min(rows_.size(partition), last_); ++place) {
    rows_.rows().append(rows_.at(partition, place), std::span(fired_).first(width));
    if (gives_number_) fired_[width].append<std::int64_t>(static_cast<std::int64_t>(place) + 1);
    fired_watermarks_.push_back(saturating_add(fires_at, -1));
    fired_intakes_.push_back(intake_time);
    ++counters_.rows_out;
  }
}

Batch WindowRank::take_fired(std::int64_t watermark_after) {
  Batch batch;
  batch.watermark_after = watermark_after;
  batch.size = fired_watermarks_.size();
  if (batch.size == 0) return batch;
  std::vector<ColumnPtr> columns;
  for (ColumnBuilder& builder : fired_) columns.push_back(builder.finish());
  for (const std::size_t column : passed_) batch.columns.push_back(columns[column]);
  if (gives_number_) batch.columns.push_back(columns.back());
  batch.watermarks = std::exchange(fired_watermarks_, {});
  batch.intake_times = std::exchange(fired_intakes_, {});
  return batch;
}

void WindowRank::sweep() {
  if (rows_.keys().size() < kFewKeys + 2 * due_.size()) return;
  std::vector<std::uint32_t> uses(rows_.keys().id_limit());
  for (const auto& [firing, id] : due_) uses[id] = 1;
  rows_.keys().sweep(uses);
}

// ---- State -----------------------------------------------------------------------------------------------

std::string WindowRank::entry_key(KeyId partition) {
  std::string key(1, kPartitionTag);
  ByteWriter writer(key);
  rows_.keys().write(partition, writer);
  return key;
}

void WindowRank::save(StateChanges& changes) {
  erased_.drain([&](const std::string& key) { changes.erase(fingerprint_, key); });
  rows_.save(fingerprint_, changes);
  EntryBuffer value;
  for (const KeyId id : unsaved_) {
    Partition& partition = partitions_[id];
    if (partition.firing.second == 0 || partition.saved) continue;
    ByteWriter& writer = value.begin();
    writer.zigzag(partition.firing.first);
    writer.varint(partition.firing.second);
    changes.put(fingerprint_, entry_key(id), value.bytes());
    partition.saved = true;
  }
  unsaved_.clear();
  if (!std::exchange(progress_changed_, false)) return;
  ByteWriter& writer = value.begin();
  writer.zigzag(watermark_);
  writer.zigzag(intake_time_);
  writer.varint(next_arrival_);
  changes.put(fingerprint_, std::string_view(&kProgressTag, 1), value.bytes());
}

Status WindowRank::load(std::string_view key, std::string_view value) {
  if (rows_.owns(key)) return rows_.load(key, value);
  ByteReader key_reader(key);
  ByteReader reader(value);
  const char tag = static_cast<char>(key_reader.u8());
  if (tag == kProgressTag) {
    watermark_ = reader.zigzag();
    intake_time_ = reader.zigzag();
    next_arrival_ = reader.varint();
    return reader.ok() ? Status() : damaged();
  }
  if (tag != kPartitionTag) return damaged();
  LEAT_ASSIGN(const KeyId id, rows_.keys().read(key_reader));
  partitions_.resize(std::max<std::size_t>(partitions_.size(), id + 1));
  partitions_[id].firing.first = reader.zigzag();
  partitions_[id].firing.second = reader.varint();
  partitions_[id].saved = true;
  due_[partitions_[id].firing] = id;
  return reader.ok() ? Status() : damaged();
}

Status WindowRank::loaded() {
  rows_.loaded();
  partitions_.resize(std::max(partitions_.size(), rows_.keys().id_limit()));
  return {};
}

std::size_t WindowRank::memory_bytes() const {
  constexpr std::size_t kLinks = 64;
  return rows_.memory_bytes() + due_.size() * kLinks + partitions_.capacity() * sizeof(Partition) +
         erased_.memory_bytes();
}

}  // namespace leat::exec
