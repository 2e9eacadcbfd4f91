// The intake: where a source's thread leaves messages and the engine's loop picks them up. Two kinds: a
// bounded queue in memory, and the journal (journal.h), a preallocated ring file that survives the process.
//
// Threads: `append` on the source's threads; `read`, `release` on the loop; the rest from anywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/ids.h"
#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/column/column.h"

namespace leat::sources {

/// A raw message. Views are owned by the batch they came in; the payload is followed by kPayloadPadding
/// readable bytes.
struct Message {
  MessageNumber number;
  std::int64_t intake_time = 0;  ///< Gateway clock, microseconds.
  std::string_view payload;
  std::string_view key;
  /// Connector-encoded: topic, QoS and flags of MQTT, path and offset of a file, partition and offset of
  /// Kafka. Read by the source's `append_metadata` and `PositionTracker` only.
  std::string_view attributes;
};

/// Messages in order, and the memory they live in: columns may keep it.
struct MessageBatch {
  std::vector<Message> messages;
  HeapPtr memory;
  /// The source has ended and this is the last batch (bounded sources).
  bool end = false;
  /// Not 0: there are no messages in this batch, but so many were here and can not be read any more, up to
  /// number `through`. They have been queued until now, and end as dropped. More may follow: read again.
  std::uint64_t lost = 0;
  MessageNumber through;
};

struct IntakeOptions {
  /// 'journal' = 'none': no file, a queue in memory even for a source that cannot rewind;
  /// 'on': synced every `sync_interval`; 'power': synced before each acknowledgement.
  enum class Durability : std::uint8_t { kNone, kOn, kPower };
  Durability durability = Durability::kOn;
  ByteSize size{64ULL << 20};  ///< 'journal.size': preallocated; the bound of the queue in memory, too.
  Micros sync_interval{200'000};
  /// Above this share of `size` the source is paused; below the low one it is resumed.
  double high_water = 0.75;
  double low_water = 0.5;
};

/// What became of an `append`.
enum class Appended : std::uint8_t {
  kStored,     ///< It is safe to acknowledge (as the durability says).
  kAboveHigh,  ///< Stored, and the intake is above its high-water mark: pause the source.
  kFull,    ///< Not stored: even the reserve is used up. QoS 0 drops and counts; others stay unacknowledged.
  kFailed,  ///< Not stored: the disk refused. The source pauses and tries again.
};

/// Counts of one intake since the pipeline was first started; part of the commit. A message that was refused
/// (kFull, kFailed) is not received: it comes again, unless its source counts it as dropped.
struct IntakeCounters {
  std::uint64_t received = 0;     ///< Stored, redelivered or dropped.
  std::uint64_t redelivered = 0;  ///< Skipped: the broker sent again what is already here.
  std::uint64_t dropped = 0;      ///< QoS 0 beyond the reserve, and what was lost.
  std::uint64_t received_bytes = 0;
  std::uint64_t queued = 0;  ///< Stored and not yet given out by `read`; not restored, but known.
};

class Intake {
 public:
  virtual ~Intake() = default;

  /// Views are copied. `intake_time` in microseconds.
  virtual Appended append(std::string_view payload, std::string_view key, std::string_view attributes,
                          std::int64_t intake_time) = 0;
  /// As `append`, for a message that nobody will be told about (MQTT's QoS 0): a journal may gather it in
  /// memory and write it together with others, before `read` gives it out, before the next `append` is
  /// answered, and after the sync interval at the latest. What is gathered is lost with the process.
  virtual Appended append_unacknowledged(std::string_view payload, std::string_view key,
                                         std::string_view attributes, std::int64_t intake_time) {
    return append(payload, key, attributes, intake_time);
  }
  /// Bounded sources: nothing follows.
  virtual void end() = 0;
  /// A source calls it when it stops. Releases an `append` that waits for room (it answers kFull, as do all
  /// later ones that would wait); when it returns `on_room` is not called any more until it is set anew.
  virtual void interrupt() {}
  /// A message was received and skipped as redelivered (messages were given up as dropped) in place of being
  /// appended.
  virtual void count_redelivered() = 0;
  virtual void count_dropped(std::uint64_t messages) = 0;

  /// Visits what `read` will give out, oldest first, as far as it can be read. The views are valid during the
  /// visit. Before the first `read`: these are the messages that survived the previous process without being
  /// committed; nothing for a queue in memory.
  virtual void visit_unread(const std::function<void(const Message&)>& visit) { (void)visit; }

  /// Up to `max_bytes` of payloads (at least one message if there is any), in order, each once.
  /// Errors: io, corrupt (the journal; what cannot be read is set aside, the next call tells how much).
  virtual Result<MessageBatch> read(std::size_t max_bytes) = 0;
  /// Everything up to `number` is committed: its room may be reused. (In memory it is reused as soon as it
  /// has been read.)
  virtual void release(MessageNumber number) = 0;

  /// What takes room: the journal's messages until they are released, those in memory until they are read.
  [[nodiscard]] virtual std::uint64_t used_bytes() const = 0;
  /// Of one moment, if the thread that reads asks.
  [[nodiscard]] virtual IntakeCounters counters() const = 0;
  [[nodiscard]] std::uint64_t queued_messages() const { return counters().queued; }
  virtual void restore_counters(const IntakeCounters& counters) = 0;
  /// What the disk refuses at present, in a sentence; empty: nothing, or there is no disk. Any thread.
  [[nodiscard]] virtual std::string trouble() const { return {}; }

  /// Called from any thread when there is something to read after there was nothing; set before the source
  /// starts. A journal that has messages from before calls it at once.
  virtual void on_readable(std::function<void()> wake) = 0;
  /// Called when the use has fallen below the low-water mark after an `append` answered kAboveHigh or kFull:
  /// within `read`, or on the journal's own thread. It must not call the intake. Set before the source
  /// starts.
  virtual void on_room(std::function<void()> resume) = 0;
};

/// A bounded queue in memory; `append` waits for room (sources that rewind have time), or answers kFull when
/// `size` is reached and waiting is `kNever`.
enum class WhenFull : std::uint8_t { kWait, kNever };
std::unique_ptr<Intake> make_memory_intake(const IntakeOptions& options, WhenFull when_full);

/// What the opening of a journal found that people should know.
struct JournalFindings {
  enum class Weight : std::uint8_t {
    kNone,     ///< Nothing.
    kNotice,   ///< It is not as the store left it, as far as is known without harm.
    kDamaged,  ///< Messages are lost, or may be.
  };
  Weight weight = Weight::kNone;
  std::string detail;  ///< In sentences, with the file's name; empty: nothing.
  /// Messages between `committed` and the end that can not be read; `read` gives them out as `lost`.
  std::uint64_t lost = 0;
  /// False: messages may be missing between those that the store has and those that `read` gives out.
  bool complete = true;
  std::uint64_t set_aside_files = 0;  ///< PATH.damaged-…, beside the journal, from now and before.
};

/// Opens or creates the journal at `path`. `committed` is the number up to which the store has everything;
/// reading begins behind it. The next number is 1 + max(last valid record, committed). Errors: io, conflict
/// (in use, or of a newer Leat). A damaged file is no error: what can not be read is stepped over and its
/// bytes are copied to PATH.damaged-records-NUMBER, or the file is renamed to PATH.damaged-N when nothing of
/// it is of use, and `findings` tells.
Result<std::unique_ptr<Intake>> open_journal(const std::string& path, const IntakeOptions& options,
                                             MessageNumber committed, JournalFindings& findings);

}  // namespace leat::sources
