// Appending to a journal: numbering, gathering, writing.
#include "sources/journal.h"

#include "pipelines/base/fault_point.h"

namespace leat::sources {

Appended Journal::append(std::string_view payload, std::string_view key, std::string_view attributes,
                         std::int64_t intake_time) {
  return store({payload, key, attributes, intake_time}, Urgency::kWrite);
}

Appended Journal::append_unacknowledged(std::string_view payload, std::string_view key,
                                        std::string_view attributes, std::int64_t intake_time) {
  const bool gathers = options_.durability != IntakeOptions::Durability::kPower;
  return store({payload, key, attributes, intake_time}, gathers ? Urgency::kGather : Urgency::kWrite);
}

Appended Journal::store(const Draft& draft, Urgency urgency) {
  Appended appended{};
  {
    const std::scoped_lock lock(append_mutex_);
    appended = store_record(draft, urgency);
  }
  LEAT_FAULT_POINT("journal.stored");
  if (appended == Appended::kStored || appended == Appended::kAboveHigh) bell_.ring();
  if (appended == Appended::kAboveHigh || appended == Appended::kFull) {
    // The journal's thread looks whether room is there already: the last release may be over.
    refused_.store(true);
    poke();
  }
  return appended;
}

Appended Journal::store_record(const Draft& draft, Urgency urgency) {
  if (failed_.load(std::memory_order_relaxed)) return Appended::kFailed;
  const std::uint64_t size = record_size(draft.key.size(), draft.attributes.size(), draft.payload.size());
  const std::uint64_t end = end_offset_.load(std::memory_order_relaxed);
  const std::uint64_t lap_rest = ring_.lap_rest(end);
  const std::uint64_t skip = size > lap_rest ? lap_rest : 0;
  if (size > ring_.size || end + skip + size - reusable_.load() > ring_.size) return Appended::kFull;
  if (skip > 0 && !leave_lap(skip)) return Appended::kFailed;
  if (!add_to_group(draft, end + skip, urgency)) return Appended::kFailed;
  next_ = next_.next();
  tally_.stored(draft.payload.size());
  end_offset_.store(end + skip + size);
  if (urgency == Urgency::kWrite) publish_group();
  if (options_.durability != IntakeOptions::Durability::kPower) mark_dirty();
  return end + skip + size - reusable_.load() > high_ ? Appended::kAboveHigh : Appended::kStored;
}

/// A group lies within one lap: what is gathered is written, and the rest of the lap is marked as unused.
Status Journal::leave_lap(std::uint64_t rest) {
  if (!group_.empty()) {
    LEAT_TRY(write_group());
    publish_group();
  }
  if (rest < kRecordHeadBytes) return {};
  std::string skip;
  encode_record({.epoch = epoch_, .number = next_, .kind = RecordKind::kSkip}, {}, ring_.seed, skip);
  const std::uint64_t end = end_offset_.load();
  Status skipped = file_->write(ring_.file_offset(end), skip);
  note_write(skipped, {end, skip.size()});
  if (!skipped) return skipped;
  LEAT_FAULT_STEP("journal.lap-left");
  return {};
}

/// Numbers the record and puts it into the group; after an error it is not in it, and the next one takes its
/// place and number.
Status Journal::add_to_group(const Draft& draft, std::uint64_t offset, Urgency urgency) {
  if (group_.size() >= group_limit_) {
    LEAT_TRY(write_group());
    publish_group();
  }
  if (group_.empty()) group_offset_ = offset;
  const std::size_t before = group_.size();
  encode_record({.epoch = epoch_, .number = next_, .intake_time = draft.intake_time},
                {draft.key, draft.attributes, draft.payload}, ring_.seed, group_);
  if (urgency == Urgency::kGather) return {};
  Status written = write_group();
  if (!written) group_.resize(before);
  return written;
}

Status Journal::write_group() {
  return write_noted(group_offset_, group_);
}

Status Journal::write_noted(std::uint64_t offset, std::string_view bytes) {
  Status written = write_down(offset, bytes);
  note_write(written, {offset, bytes.size()});
  return written;
}

void Journal::note_write(const Status& written, const Refused& place) {
  write_trouble_.note(written);
  if (written) return;
  refused_write_ = place;
  mark_dirty();  // The journal's thread asks the disk again.
}

Status Journal::write_down(std::uint64_t offset, std::string_view bytes) {
  const std::uint64_t failures = sync_failures_.load();
  LEAT_FAULT_STEP("journal.before-write");
  LEAT_TRY(file_->write(ring_.file_offset(offset), bytes));
  LEAT_FAULT_STEP("journal.written");
  if (options_.durability != IntakeOptions::Durability::kPower) return {};
  LEAT_TRY(sync_since(failures));
  LEAT_FAULT_STEP("journal.power-synced");
  return {};
}

/// The group is written, its last record has the number before next_: now it may be read.
void Journal::publish_group() {
  tail_number_.store(next_.value - 1);
  tail_offset_.store(group_offset_ + group_.size());
  group_.clear();
}

Status Journal::flush() {
  const std::scoped_lock lock(append_mutex_);
  if (group_.empty()) return {};
  LEAT_TRY(write_group());
  publish_group();
  return {};
}

void Journal::mark_dirty() {
  if (dirty_.load(std::memory_order_relaxed) || dirty_.exchange(true)) return;
  // The thread is waiting for this, or about to look at dirty_ under the mutex.
  { const std::scoped_lock lock(wake_mutex_); }
  wake_.notify_one();
}

}  // namespace leat::sources
