#include "sources/journal.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "pipelines/base/fault_point.h"
#include "pipelines/formats/format.h"
#include "sources/journal_aside.h"

namespace leat::sources {
namespace {

/// The head in the file follows in steps of this share of the ring.
constexpr std::uint64_t kHeadSteps = 16;
/// A place to which the head may move is remembered after each read, and within long ones in these steps.
constexpr std::uint64_t kMarkSteps = 64;

/// A group is written when it has so many bytes: that is a write for some hundred messages, and beyond it
/// there is little more to gain. A small ring has small groups.
std::uint64_t group_limit(std::uint64_t ring_size) {
  return std::min<std::uint64_t>(64 * 1024, ring_size / 16);
}

std::uint64_t share(std::uint64_t bytes, double of) {
  return static_cast<std::uint64_t>(static_cast<double>(bytes) * of);
}

}  // namespace

Journal::Journal(std::unique_ptr<JournalFile> file, std::string path, const IntakeOptions& options,
                 JournalRecovery recovery)
    : file_(std::move(file)),
      path_(std::move(path)),
      options_(options),
      ring_{recovery.slot.ring_size, recovery.slot.seed},
      high_(share(recovery.slot.ring_size, options.high_water)),
      low_(share(recovery.slot.ring_size, options.low_water)),
      group_limit_(group_limit(recovery.slot.ring_size)),
      epoch_(recovery.slot.epoch),
      tally_(recovery.queued),
      next_(recovery.slot.next),
      end_offset_(recovery.tail.offset),
      tail_offset_(recovery.tail.offset),
      tail_number_(recovery.tail.number.value),
      read_(recovery.committed),
      gaps_(std::move(recovery.gaps)),
      marks_{recovery.committed},
      released_(recovery.committed.offset),
      head_(marks_.front()),
      reusable_(recovery.slot.head.offset),
      slot_(recovery.slot),
      synced_(recovery.tail.offset),
      synced_number_(recovery.tail.number.value),
      thread_([this] { run(); }) {}

Journal::~Journal() {
  {
    const std::scoped_lock lock(wake_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Journal::end() {
  ended_.store(true);
  bell_.ring();
}

void Journal::interrupt() {
  const std::scoped_lock lock(callback_mutex_);
  interrupted_ = true;
}

void Journal::on_readable(std::function<void()> wake) {
  bell_.connect(std::move(wake));
  if (queued_messages() > 0) bell_.ring();
}

void Journal::on_room(std::function<void()> resume) {
  const std::scoped_lock lock(callback_mutex_);
  on_room_ = std::move(resume);
  interrupted_ = false;
}

void Journal::visit_unread(const std::function<void(const Message&)>& visit) {
  // What is in front of lost messages does not tell what was in them: only what follows is of one piece.
  JournalMark from = read_;
  for (const JournalGap& gap : gaps_)
    if (gap.lost > 0) from = gap.behind;
  JournalScanner scanner(*file_, ring_, from, tail_offset_.load());
  while (true) {
    const auto message = scanner.next();
    // What cannot be read is reported when the engine comes to it; what is behind it is not visited.
    if (!message) return;
    if (*message) {
      visit(**message);
      continue;
    }
    const auto gap = std::find_if(gaps_.begin(), gaps_.end(), [&](const JournalGap& each) {
      return each.offset == scanner.mark().offset;
    });
    if (gap == gaps_.end() || gap->behind.offset <= gap->offset) return;
    scanner.go_on_from(gap->behind);
  }
}

bool Journal::step_over_gap(MessageBatch& batch) {
  while (!gaps_.empty() && gaps_.front().offset < read_.offset) gaps_.pop_front();
  if (gaps_.empty() || gaps_.front().offset != read_.offset) return false;
  const JournalGap gap = gaps_.front();
  gaps_.pop_front();
  read_ = gap.behind;
  batch.lost = std::min(gap.lost, queued_messages());
  batch.through = gap.behind.number;
  tally_.taken(batch.lost);
  marks_.push_back(read_);
  return batch.lost > 0;
}

bool Journal::something_to_read() {
  // What the disk refuses now is written, and announced, by the journal's thread.
  if (read_.offset == tail_offset_.load()) [[maybe_unused]]
    const Status flushed = flush();
  return read_.offset != tail_offset_.load();
}

bool Journal::nothing_to_read() {
  if (something_to_read()) return false;
  bell_.arm();
  return !something_to_read();
}

Result<MessageBatch> Journal::read(std::size_t max_bytes) {
  MessageBatch batch;
  const bool ended = ended_.load();
  while (batch.messages.empty()) {
    if (step_over_gap(batch)) return batch;
    if (nothing_to_read()) break;
    if (Status piece = read_piece(max_bytes, batch); !piece) {
      if (piece.error().code == ErrorCode::kCorrupt) return set_aside();
      return tl::unexpected<Error>(piece.error());
    }
  }
  tally_.taken(batch.messages.size());
  if (!batch.messages.empty() && marks_.back().number < read_.number) marks_.push_back(read_);
  batch.end = ended && read_.offset == end_offset_.load();
  return batch;
}

Status Journal::read_piece(std::uint64_t max_bytes, MessageBatch& batch) {
  // A gap is never read over, although what was appended at its place may follow without one.
  const std::uint64_t end = gaps_.empty() ? tail_offset_.load() : gaps_.front().offset;
  const std::uint64_t available = std::min(end - read_.offset, ring_.lap_rest(read_.offset));
  auto length =
      static_cast<std::size_t>(std::min(std::max<std::uint64_t>(max_bytes, kRecordHeadBytes), available));
  while (true) {
    auto memory = std::make_shared_for_overwrite<char[]>(length + formats::kPayloadPadding);
    std::fill_n(memory.get() + length, formats::kPayloadPadding, '\0');
    LEAT_TRY(file_->read(ring_.file_offset(read_.offset), {memory.get(), length}));
    const JournalStep stopped = take_records({memory.get(), length}, batch);
    batch.memory = std::move(memory);
    if (!batch.messages.empty()) return {};
    if (stopped.kind == JournalStep::Kind::kLapEnd) return {};
    if (stopped.kind == JournalStep::Kind::kNone || stopped.needed > available)
      return fail(ErrorCode::kCorrupt, "");
    length = static_cast<std::size_t>(stopped.needed);  // One record longer than `max_bytes`.
  }
}

JournalStep Journal::take_records(std::string_view bytes, MessageBatch& batch) {
  while (!bytes.empty()) {
    const JournalStep step = look_at(bytes, read_, ring_);
    if (step.kind == JournalStep::Kind::kLapEnd) read_.offset += ring_.lap_rest(read_.offset);
    if (step.kind != JournalStep::Kind::kRecord) return step;
    batch.messages.push_back(message_of(step.head, bytes));
    read_ = {read_.offset + step.head.size(), step.head.number, step.head.epoch};
    if (read_.offset - marks_.back().offset >= ring_.size / kMarkSteps) marks_.push_back(read_);
    bytes.remove_prefix(static_cast<std::size_t>(step.head.size()));
  }
  return {.kind = JournalStep::Kind::kLapEnd};
}

tl::unexpected<Error> Journal::set_aside() {
  const std::uint64_t tail = tail_offset_.load();
  const MessageNumber last{tail_number_.load()};
  // All up to the tail were valid when they were written or found.
  auto found =
      find_next_record(*file_, ring_, read_, {std::numeric_limits<std::uint32_t>::max(), last}, tail);
  if (!found) return tl::unexpected<Error>(found.error());
  JournalGap gap{read_.offset, found->value_or(JournalMark{tail, last, epoch_})};
  gap.missing = gap.lost = gap.behind.number.value - read_.number.value;
  gaps_.push_front(gap);
  const std::string kept =
      keep_bytes(*file_, ring_, {{read_.offset, gap.behind.offset}}, path_, read_.number.next());
  return fail(ErrorCode::kCorrupt, path_ + ": " + std::to_string(gap.lost) + " messages up to number " +
                                       std::to_string(gap.behind.number.value) + " cannot be read; " + kept);
}

void Journal::release(MessageNumber number) {
  const auto behind =
      std::upper_bound(marks_.begin(), marks_.end(), number,
                       [](MessageNumber value, const JournalMark& mark) { return value < mark.number; });
  if (behind == marks_.begin()) return;
  const JournalMark& released = *std::prev(behind);
  if (released.offset > released_.load()) released_.store(released.offset);
  move_head(released.number);
}

/// The head follows what is released.
void Journal::move_head(MessageNumber released) {
  while (marks_.size() > 1 && marks_[1].number <= released) marks_.pop_front();
  bool due = false;
  {
    const std::scoped_lock lock(head_mutex_);
    head_ = marks_.front();
    due = head_.offset - reusable_.load() >= ring_.size / kHeadSteps || refused_.load();
  }
  if (due) poke();
}

void Journal::poke() {
  {
    const std::scoped_lock lock(wake_mutex_);
    poked_ = true;
  }
  wake_.notify_one();
}

void Journal::run() {
  std::unique_lock lock(wake_mutex_);
  while (!stopping_) {
    wake_.wait(lock, [this] { return stopping_ || poked_ || dirty_.load(); });
    wake_.wait_for(lock, options_.sync_interval, [this] { return stopping_ || poked_; });
    poked_ = false;
    lock.unlock();
    settle();
    lock.lock();
  }
  lock.unlock();
  if (flush() && sync_tail()) [[maybe_unused]]
    const Status moved = move_head_in_file(Closing::kYes);
}

/// One round of the journal's thread. A disk that refuses is asked again after the sync interval.
void Journal::settle() {
  dirty_.store(false);
  const Status settled = settle_file();
  sync_trouble_.note(settled);
  if (!settled) dirty_.store(true);
}

Status Journal::settle_file() {
  const std::uint64_t failures = sync_failures_.load();
  Status down = flush();
  if (down) down = sync_tail();
  if (!down) {
    failed_.store(true);
    return down;
  }
  if (sync_failures_.load() == failures && failed_.exchange(false)) wake_reader();
  LEAT_TRY(ask_again());
  bool due = false;
  {
    const std::scoped_lock lock(head_mutex_);
    const std::uint64_t step = refused_.load() ? 1 : ring_.size / kHeadSteps;
    due = head_.offset >= reusable_.load() + step;
  }
  if (due) LEAT_TRY(move_head_in_file());
  offer_room();
  return {};
}

std::string Journal::trouble() const {
  std::string text = write_trouble_.text();
  return text.empty() ? sync_trouble_.text() : text;
}

Status Journal::sync_since(std::uint64_t failures) {
  const std::scoped_lock lock(sync_mutex_);
  Status down = file_->sync();
  if (!down) {
    sync_failures_.fetch_add(1);
    failed_.store(true);
  } else if (sync_failures_.load() != failures) {
    down = fail(ErrorCode::kIo, path_ + ": a sync failed meanwhile");
  }
  return down;
}

/// What the ring holds between two offsets is to be synced once more: the kernel took the pages of a failed
/// sync for written.
Status Journal::write_again(std::uint64_t begin, std::uint64_t end) {
  std::vector<char> bytes;
  for (std::uint64_t offset = begin; offset < end; offset += bytes.size()) {
    bytes.resize(static_cast<std::size_t>(std::min(end - offset, ring_.lap_rest(offset))));
    LEAT_TRY(file_->read(ring_.file_offset(offset), bytes));
    LEAT_TRY(file_->write(ring_.file_offset(offset), {bytes.data(), bytes.size()}));
  }
  return {};
}

Status Journal::sync_tail() {
  const std::uint64_t failures = sync_failures_.load();
  const std::uint64_t number = tail_number_.load();
  const std::uint64_t tail = tail_offset_.load();
  const bool again = failed_.load();
  if (tail == synced_ && !again) return {};
  if (again) LEAT_TRY(write_again(synced_, tail));
  // With 'power' each append has synced what it wrote.
  if (again || options_.durability != IntakeOptions::Durability::kPower) LEAT_TRY(sync_since(failures));
  LEAT_FAULT_STEP("journal.tail-synced");
  synced_ = tail;
  synced_number_.store(number);
  return {};
}

Status Journal::move_head_in_file(Closing closing) {
  JournalSlot slot = slot_;
  {
    const std::scoped_lock lock(head_mutex_);
    slot.head = head_;
  }
  slot.sequence += 1;
  slot.last.value = synced_number_.load();
  slot.next = std::max(slot.next, slot.last.next());
  slot.closed = closing == Closing::kYes;
  const std::uint64_t failures = sync_failures_.load();
  LEAT_TRY(file_->write(slot.sequence % 2 * kSlotBytes, encode_slot(slot)));
  LEAT_FAULT_STEP("journal.head-written");
  LEAT_TRY(sync_since(failures));
  LEAT_FAULT_STEP("journal.head-synced");
  slot_ = slot;
  reusable_.store(slot.head.offset);
  return {};
}

/// After a refused write the source may have nothing to append for long: whether the disk is well again is
/// seen by zeros in the place that it refused. Nothing is there yet. What is gathered asks by itself.
Status Journal::ask_again() {
  if (!write_trouble_.any()) return {};
  const std::scoped_lock lock(append_mutex_);
  if (!write_trouble_.any() || !group_.empty() || refused_write_.offset < tail_offset_.load()) return {};
  return write_noted(refused_write_.offset,
                     std::string(static_cast<std::size_t>(refused_write_.bytes), '\0'));
}

void Journal::offer_room() {
  if (!refused_.load() || end_offset_.load() - reusable_.load() > low_) return;
  refused_.store(false);
  const std::scoped_lock lock(callback_mutex_);
  if (!interrupted_ && on_room_) on_room_();
}

/// The reader may have found nothing while the disk refused what was gathered.
void Journal::wake_reader() {
  const std::scoped_lock lock(callback_mutex_);
  if (!interrupted_) bell_.ring();
}

}  // namespace leat::sources
