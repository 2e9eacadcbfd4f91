#include "daemon/runtime/row_channel.h"

#include <algorithm>
#include <utility>

#include "pipelines/column/column_builder.h"

namespace leat::runtime {
namespace {

/// Of a table, for all its readers: more than anybody reads, and nothing to the loop.
constexpr double kRowsPerSecond = 1'000;
constexpr double kBytesPerSecond = 1 << 20;
constexpr std::int64_t kHandOverMicros = 200'000;
constexpr std::size_t kMostNotes = 20;

/// Its reader has left, or never came.
bool is_gone(const std::shared_ptr<RowChannel>& channel) {
  return channel.use_count() == 1 || channel->left();
}

std::uint64_t bytes_of_cell(const Column& column, std::size_t row) {
  constexpr std::uint64_t kSlot = 16;
  if (column.is_null(row)) return kSlot;
  switch (column.type().layout()) {
    case Layout::kBytes:
      return kSlot + column.strings()[row].size();
    case Layout::kList: {
      std::uint64_t bytes = kSlot;
      for (std::size_t child = 0; child < column.child_count(); ++child)
        for (std::size_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i)
          bytes += bytes_of_cell(*column.child(child), i);
      return bytes;
    }
    case Layout::kStruct: {
      std::uint64_t bytes = kSlot;
      for (std::size_t child = 0; child < column.child_count(); ++child)
        bytes += bytes_of_cell(*column.child(child), row);
      return bytes;
    }
    default:
      return kSlot;
  }
}

}  // namespace

Batch copy_rows(const Batch& batch, std::size_t begin, std::size_t count) {
  Batch copy{.size = count};
  for (const ColumnPtr& column : batch.columns) {
    ColumnBuilder builder(column->type());
    builder.reserve(count);
    for (std::size_t row = begin; row < begin + count; ++row) builder.append_cell(*column, row);
    copy.columns.push_back(builder.finish());
  }
  for (std::size_t row = begin; row < begin + count && !batch.kinds.empty(); ++row)
    copy.kinds.push_back(batch.kinds[row]);
  return copy;
}

std::uint64_t bytes_of_row(const Batch& batch, std::size_t row) {
  std::uint64_t bytes = 0;
  for (const ColumnPtr& column : batch.columns) bytes += bytes_of_cell(*column, row);
  return bytes;
}

// ---- One reader ------------------------------------------------------------------------------------------

void RowChannel::put(const std::vector<Piece>& pieces, std::uint64_t skipped) {
  const std::lock_guard lock(mutex_);
  if (ended_ || left_) return;
  skipped_ += skipped;
  const bool was_empty = ring_.empty();
  for (const Piece& piece : pieces) {
    if (rows_ + piece.rows->size > bounds_.rows || (bytes_ > 0 && bytes_ + piece.bytes > bounds_.bytes)) {
      skipped_ += piece.rows->size;
      continue;
    }
    rows_ += piece.rows->size;
    bytes_ += piece.bytes;
    ring_.push_back(piece);
  }
  // That something was left out is no reason to wake the reader: it is told with the next rows, or soon.
  if (was_empty && !ring_.empty()) changed_.notify_one();
}

void RowChannel::note(std::string sentence) {
  const std::lock_guard lock(mutex_);
  if (notes_.size() < kMostNotes) notes_.push_back(std::move(sentence));
  changed_.notify_one();
}

void RowChannel::end(std::string why) {
  const std::lock_guard lock(mutex_);
  if (!ended_) ended_ = std::move(why);
  changed_.notify_one();
}

bool RowChannel::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

RowChannel::Seen RowChannel::wait(std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, longest, [this] { return !ring_.empty() || !notes_.empty() || ended_; });
  Seen seen{.skipped = std::exchange(skipped_, 0), .notes = std::exchange(notes_, {}), .ended = ended_};
  for (Piece& piece : ring_) seen.rows.push_back(std::move(piece.rows));
  ring_.clear();
  rows_ = 0;
  bytes_ = 0;
  return seen;
}

void RowChannel::leave() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  ring_.clear();
}

// ---- All readers of a table ------------------------------------------------------------------------------

void RowTap::add(std::shared_ptr<RowChannel> channel) {
  std::erase_if(channels_, is_gone);
  channels_.push_back(std::move(channel));
}

/// How many of the batch's rows may be copied now, and their bytes.
std::size_t RowTap::allowed(const Batch& batch, std::int64_t monotonic, std::uint64_t& bytes) {
  const double seconds = static_cast<double>(monotonic - std::exchange(refilled_, monotonic)) / 1e6;
  row_tokens_ = std::min(row_tokens_ + seconds * kRowsPerSecond, kRowsPerSecond);
  byte_tokens_ = std::min(byte_tokens_ + seconds * kBytesPerSecond, kBytesPerSecond);
  std::size_t rows = 0;
  while (rows < batch.size && row_tokens_ >= 1 && byte_tokens_ > 0) {
    const std::uint64_t row = bytes_of_row(batch, rows++);
    bytes += row;
    row_tokens_ -= 1;
    byte_tokens_ -= static_cast<double>(row);
  }
  return rows;
}

void RowTap::rows(const Batch& batch, std::int64_t monotonic) {
  if (batch.size == 0 || idle()) return;
  std::uint64_t bytes = 0;
  const std::size_t copied = allowed(batch, monotonic, bytes);
  if (copied > 0) pending_.push_back({std::make_shared<const Batch>(copy_rows(batch, 0, copied)), bytes});
  skipped_ += batch.size - copied;
  tick(monotonic);
}

void RowTap::tick(std::int64_t monotonic) {
  if (monotonic - handed_over_ >= kHandOverMicros) hand_over(monotonic);
}

void RowTap::hand_over(std::int64_t monotonic) {
  std::erase_if(channels_, is_gone);
  if (pending_.empty() && skipped_ == 0) return;
  handed_over_ = monotonic;
  for (const auto& channel : channels_) channel->put(pending_, skipped_);
  pending_.clear();
  skipped_ = 0;
}

void RowTap::end(const std::string& why) {
  hand_over(handed_over_);
  for (const auto& channel : std::exchange(channels_, {})) channel->end(why);
}

}  // namespace leat::runtime
