#include "pipelines/exec/row_log.h"

#include <algorithm>
#include <utility>

#include "pipelines/column/codec.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/exec/state_entries.h"

namespace leat::exec {
namespace {
constexpr std::size_t kSegmentRows = 4096;
}  // namespace

RowLog::RowLog(std::vector<Type> types, std::vector<std::size_t> kept, char tag)
    : types_(std::move(types)), kept_(std::move(kept)), tag_(tag) {}

std::size_t RowLog::bytes_of(const Batch& batch) const {
  std::size_t bytes = 0;
  for (const std::size_t column : kept_) {
    const Column& values = *batch.columns[column];
    bytes += batch.size * (slot_width(types_[column].layout()) + 1);
    if (types_[column].layout() != Layout::kBytes) continue;
    for (const std::string_view text : values.strings()) bytes += text.size();
  }
  return bytes;
}

std::uint32_t RowLog::add_segment(Batch batch, bool saved) {
  std::uint32_t segment = static_cast<std::uint32_t>(segments_.size());
  if (free_.empty()) {
    segments_.emplace_back();
  } else {
    segment = free_.back();
    free_.pop_back();
  }
  Segment& made = segments_[segment];
  made.sequences.assign(batch.size, 0);
  made.bytes = bytes_of(batch);
  made.saved = saved;
  bytes_ += made.bytes;
  rows_ += batch.size;
  made.batch = std::move(batch);
  if (!saved) unsaved_.push_back(segment);
  return segment;
}

std::uint32_t RowLog::open(const Batch& batch) {
  Batch kept;
  kept.size = batch.size;
  kept.columns.resize(types_.size());
  for (const std::size_t column : kept_) kept.columns[column] = batch.columns[column];
  return add_segment(std::move(kept), false);
}

RowLog::Ref RowLog::hold(std::uint32_t segment, std::size_t row) {
  Segment& holder = segments_[segment];
  holder.sequences[row] = next_sequence_++;
  ++holder.held;
  ++held_;
  return {segment, static_cast<std::uint32_t>(row)};
}

void RowLog::settle(std::uint32_t segment) {
  if (segments_[segment].held == 0) drop(segment);
}

void RowLog::release(Ref ref) {
  Segment& holder = segments_[ref.segment];
  if (holder.saved) gone_.push_back(holder.sequences[ref.row]);
  holder.sequences[ref.row] = 0;
  --held_;
  if (--holder.held == 0) drop(ref.segment);
}

void RowLog::drop(std::uint32_t segment) {
  bytes_ -= segments_[segment].bytes;
  rows_ -= segments_[segment].batch.size;
  segments_[segment] = {};
  free_.push_back(segment);
}

void RowLog::compact(const std::vector<Ref*>& refs) {
  std::vector<Ref*> in_order = refs;
  std::ranges::sort(in_order, {}, [this](const Ref* ref) { return sequence(*ref); });
  // Saved rows and others never share a segment: one flag tells for all of its rows.
  std::stable_partition(in_order.begin(), in_order.end(),
                        [this](const Ref* ref) { return segments_[ref->segment].saved; });
  for (std::size_t begin = 0; begin < in_order.size();) {
    const bool saved = segments_[in_order[begin]->segment].saved;
    std::size_t end = begin;
    while (end < in_order.size() && end - begin < kSegmentRows &&
           segments_[in_order[end]->segment].saved == saved)
      ++end;
    Batch dense;
    dense.size = end - begin;
    dense.columns.resize(types_.size());
    for (const std::size_t column : kept_) {
      ColumnBuilder builder(types_[column]);
      for (std::size_t i = begin; i < end; ++i)
        builder.append_cell(*batch(*in_order[i]).columns[column], in_order[i]->row);
      dense.columns[column] = builder.finish();
    }
    const std::uint32_t segment = add_segment(std::move(dense), saved);
    for (std::size_t i = begin; i < end; ++i) {
      Ref& ref = *in_order[i];
      segments_[segment].sequences[i - begin] = sequence(ref);
      if (--segments_[ref.segment].held == 0) drop(ref.segment);
      ref = {segment, static_cast<std::uint32_t>(i - begin)};
    }
    segments_[segment].held = end - begin;
    begin = end;
  }
}

std::size_t RowLog::memory_bytes() const {
  return bytes_ + rows_ * sizeof(std::uint64_t) + segments_.capacity() * sizeof(Segment) +
         gone_.capacity() * sizeof(gone_[0]);
}

// ---- State -----------------------------------------------------------------------------------------------

std::string RowLog::key_of(std::uint64_t sequence) const {
  std::string key(9, tag_);
  for (std::size_t i = 8; i > 0; --i, sequence >>= 8) key[i] = static_cast<char>(sequence & 0xff);
  return key;
}

void RowLog::save(std::string_view node, StateChanges& changes) {
  for (const std::uint64_t sequence : gone_) changes.erase(node, key_of(sequence));
  gone_.clear();
  EntryBuffer value;
  for (const std::uint32_t index : unsaved_) {
    Segment& segment = segments_[index];
    if (segment.saved || segment.held == 0) continue;
    segment.saved = true;
    for (std::size_t row = 0; row < segment.sequences.size(); ++row) {
      if (segment.sequences[row] == 0) continue;
      ByteWriter& writer = value.begin();
      for (const std::size_t column : kept_) write_cell(*segment.batch.columns[column], row, writer);
      changes.put(node, key_of(segment.sequences[row]), value.bytes());
    }
  }
  unsaved_.clear();
}

Status RowLog::load(std::string_view key, std::string_view value) {
  if (key.size() != 9) return fail(ErrorCode::kCorrupt, "the key of a saved row is damaged");
  std::uint64_t sequence = 0;
  for (std::size_t i = 1; i < 9; ++i) sequence = (sequence << 8) | static_cast<unsigned char>(key[i]);
  if (sequence == 0) return fail(ErrorCode::kCorrupt, "the key of a saved row is damaged");
  loading_[sequence] = value;
  return {};
}

Result<std::vector<RowLog::Ref>> RowLog::loaded() {
  std::vector<Ref> refs;
  for (auto next = loading_.begin(); next != loading_.end();) {
    std::vector<ColumnBuilder> builders;
    for (const std::size_t column : kept_) builders.emplace_back(types_[column]);
    std::vector<std::uint64_t> sequences;
    for (; next != loading_.end() && sequences.size() < kSegmentRows; ++next) {
      ByteReader reader(next->second);
      for (ColumnBuilder& builder : builders) LEAT_TRY(read_cell(reader, builder));
      if (!reader.ok() || !reader.at_end()) return fail(ErrorCode::kCorrupt, "a saved row is damaged");
      sequences.push_back(next->first);
    }
    Batch batch;
    batch.size = sequences.size();
    batch.columns.resize(types_.size());
    for (std::size_t i = 0; i < kept_.size(); ++i) batch.columns[kept_[i]] = builders[i].finish();
    const std::uint32_t segment = add_segment(std::move(batch), true);
    next_sequence_ = std::max(next_sequence_, sequences.back() + 1);
    held_ += sequences.size();
    for (std::uint32_t row = 0; row < sequences.size(); ++row) refs.push_back({segment, row});
    segments_[segment].held = sequences.size();
    segments_[segment].sequences = std::move(sequences);
  }
  loading_.clear();
  return refs;
}

}  // namespace leat::exec
