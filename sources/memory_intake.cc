// The queue in memory. Messages are copied into blocks that are shared with the batches read from them, so
// that string columns may point into a block for as long as they live. A block is filled while its first
// messages are already being read: bytes that were published are never touched again.
//
// A message's room is given back when it is read, not when it is committed: its source rewinds (or the user
// has asked for no more), and a queue that waited for commits would bind the rate to their interval.
#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>

#include "pipelines/formats/format.h"
#include "sources/intake.h"
#include "sources/intake_tally.h"

namespace leat::sources {
namespace {

constexpr std::size_t kBlockBytes = 64 * 1024;
/// What a message costs beside its bytes: its entry in the queue.
constexpr std::uint64_t kEntryBytes = sizeof(Message) + sizeof(HeapPtr) + formats::kPayloadPadding;

struct Block {
  std::shared_ptr<char[]> bytes;
  std::size_t size = 0;
  std::size_t used = 0;

  [[nodiscard]] bool fits(std::size_t length) const { return size - used >= length; }
  std::string_view copy(std::string_view text) {
    char* to = bytes.get() + used;
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    used += text.size();
    return {to, text.size()};
  }
};

struct Entry {
  Message message;
  HeapPtr block;
};

class MemoryIntake final : public Intake {
 public:
  MemoryIntake(const IntakeOptions& options, WhenFull when_full)
      : size_(options.size.bytes),
        high_(static_cast<std::uint64_t>(static_cast<double>(size_) * options.high_water)),
        low_(static_cast<std::uint64_t>(static_cast<double>(size_) * options.low_water)),
        when_full_(when_full) {}

  Appended append(std::string_view payload, std::string_view key, std::string_view attributes,
                  std::int64_t intake_time) override;
  void end() override;
  void interrupt() override;
  void count_redelivered() override { tally_.redelivered(); }
  void count_dropped(std::uint64_t messages) override { tally_.dropped(messages); }

  Result<MessageBatch> read(std::size_t max_bytes) override;
  void release(MessageNumber) override {}

  [[nodiscard]] std::uint64_t used_bytes() const override;
  [[nodiscard]] IntakeCounters counters() const override { return tally_.snapshot(); }
  void restore_counters(const IntakeCounters& counters) override { tally_.restore(counters); }

  void on_readable(std::function<void()> wake) override { bell_.connect(std::move(wake)); }
  void on_room(std::function<void()> resume) override;

 private:
  /// True if a message of `bytes` may come in. One larger than the whole queue may when it is alone.
  [[nodiscard]] bool has_room(std::uint64_t bytes) const { return used_ == 0 || used_ + bytes <= size_; }
  MessageBatch take(std::size_t max_bytes);
  void store(std::string_view payload, std::string_view key, std::string_view attributes,
             std::int64_t intake_time);

  const std::uint64_t size_;
  const std::uint64_t high_;
  const std::uint64_t low_;
  const WhenFull when_full_;
  IntakeTally tally_;
  Doorbell bell_;
  std::function<void()> on_room_;

  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::deque<Entry> queue_;
  Block block_;
  MessageNumber last_;
  std::uint64_t used_ = 0;
  bool refused_ = false;  // An append answered kAboveHigh or kFull since the last `on_room`.
  bool interrupted_ = false;
  bool ended_ = false;
};

std::uint64_t cost_of(const Message& message) {
  return message.payload.size() + message.key.size() + message.attributes.size() + kEntryBytes;
}

Appended MemoryIntake::append(std::string_view payload, std::string_view key, std::string_view attributes,
                              std::int64_t intake_time) {
  const std::uint64_t bytes = payload.size() + key.size() + attributes.size() + kEntryBytes;
  bool above = false;
  {
    std::unique_lock lock(mutex_);
    if (when_full_ == WhenFull::kWait) room_.wait(lock, [&] { return interrupted_ || has_room(bytes); });
    if (!has_room(bytes)) {
      refused_ = true;
      return Appended::kFull;
    }
    tally_.stored(payload.size());
    store(payload, key, attributes, intake_time);
    used_ += bytes;
    above = used_ > high_;
    if (above) refused_ = true;
  }
  bell_.ring();
  return above ? Appended::kAboveHigh : Appended::kStored;
}

void MemoryIntake::store(std::string_view payload, std::string_view key, std::string_view attributes,
                         std::int64_t intake_time) {
  // The payload comes last, so that it is followed by room that is readable and filled later or never.
  const std::size_t length = key.size() + attributes.size() + payload.size() + formats::kPayloadPadding;
  if (!block_.fits(length)) {
    const std::size_t size = std::max(kBlockBytes, length);
    block_ = {.bytes = std::make_shared_for_overwrite<char[]>(size), .size = size};
  }
  Message message{.number = last_.next(), .intake_time = intake_time};
  message.key = block_.copy(key);
  message.attributes = block_.copy(attributes);
  message.payload = block_.copy(payload);
  // A later message must not write where a reader's parser looks ahead.
  block_.used += formats::kPayloadPadding;
  last_ = message.number;
  queue_.push_back({message, block_.bytes});
}

void MemoryIntake::end() {
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  bell_.ring();
}

void MemoryIntake::interrupt() {
  {
    const std::scoped_lock lock(mutex_);
    interrupted_ = true;
  }
  room_.notify_all();
}

MessageBatch MemoryIntake::take(std::size_t max_bytes) {
  MessageBatch batch;
  auto blocks = std::make_shared<std::vector<HeapPtr>>();
  std::size_t taken = 0;
  while (!queue_.empty() && (taken == 0 || taken + queue_.front().message.payload.size() <= max_bytes)) {
    Entry& entry = queue_.front();
    // An empty payload counts a byte, so that a flood of them ends, too.
    taken += std::max<std::size_t>(1, entry.message.payload.size());
    used_ -= cost_of(entry.message);
    if (blocks->empty() || blocks->back() != entry.block) blocks->push_back(std::move(entry.block));
    batch.messages.push_back(entry.message);
    queue_.pop_front();
  }
  tally_.taken(batch.messages.size());
  batch.end = ended_ && queue_.empty();
  batch.memory = std::move(blocks);
  return batch;
}

Result<MessageBatch> MemoryIntake::read(std::size_t max_bytes) {
  MessageBatch batch;
  bool resume = false;
  {
    const std::scoped_lock lock(mutex_);
    batch = take(max_bytes);
    if (queue_.empty()) bell_.arm();
    resume = refused_ && !interrupted_ && used_ <= low_;
    if (resume) refused_ = false;
  }
  room_.notify_all();
  if (resume && on_room_) on_room_();
  return batch;
}

void MemoryIntake::on_room(std::function<void()> resume) {
  const std::scoped_lock lock(mutex_);
  on_room_ = std::move(resume);
  interrupted_ = false;
}

std::uint64_t MemoryIntake::used_bytes() const {
  const std::scoped_lock lock(mutex_);
  return used_;
}

}  // namespace

std::unique_ptr<Intake> make_memory_intake(const IntakeOptions& options, WhenFull when_full) {
  return std::make_unique<MemoryIntake>(options, when_full);
}

}  // namespace leat::sources
