// The intake journal: a bounded, preallocated ring file (grammar: journal_format.h). A message is in the file
// before its source acknowledges it; the engine reads it from there; its number is part of the commit.
//
// The head, from which recovery starts, is in the file's first two pages. It follows the released records in
// steps of a sixteenth of the ring, so that it costs next to nothing and opening reads little more than what
// is live. Room is reused only once the head that gives it up is synced: so the record at the head in the
// file always stands, whatever a power cut keeps of later writes.
//
// A write per message is what a journal costs most, so messages that are not acknowledged (QoS 0) are
// gathered: they have their place, number and checksum at once, and go into the file in one piece: when the
// group is full, when the reader has read all else, with the next acknowledged message, and before each sync.
// The tail is what is written: the reader, the syncs and recovery go by it. The end, behind what is gathered,
// decides about room. 'power' gathers nothing: there the loop, which reads, would wait for syncs.
//
// Threads: `append` on the source's threads (they take turns), `read`, `release`, `visit_unread` on the loop.
// A thread of the journal syncs, moves the head in the file, and calls `on_room`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "sources/disk_trouble.h"
#include "sources/intake.h"
#include "sources/intake_tally.h"
#include "sources/journal_file.h"
#include "sources/journal_format.h"
#include "sources/journal_scan.h"

namespace leat::sources {

/// Records that were there and can not be read any more: reading goes on behind them.
struct JournalGap {
  std::uint64_t offset = 0;
  JournalMark behind;
  std::uint64_t missing = 0;  ///< Numbers in between,
  std::uint64_t lost = 0;     ///< and how many messages of them are not committed.
};

/// What recovery found in a journal file.
struct JournalRecovery {
  JournalSlot slot;             ///< The one that counts, as read.
  JournalMark committed;        ///< Reading begins here.
  JournalMark tail;             ///< Writing goes on here.
  std::uint64_t queued = 0;     ///< Records between the two, those that are lost included.
  std::deque<JournalGap> gaps;  ///< In order.
};

class Journal final : public Intake {
 public:
  /// Opens what `open_journal_file` gave; `open_journal` (intake.h) is this over a real file. `path` is for
  /// messages and for what is set aside. Errors: corrupt (the file holds no journal), conflict (of a newer
  /// version), io.
  static Result<std::unique_ptr<Journal>> open(std::unique_ptr<JournalFile> file, const std::string& path,
                                               const IntakeOptions& options, MessageNumber committed,
                                               JournalFindings& findings);
  /// Syncs what is there and leaves the head in the file, so that the next opening reads only what is live.
  ~Journal() override;

  Appended append(std::string_view payload, std::string_view key, std::string_view attributes,
                  std::int64_t intake_time) override;
  Appended append_unacknowledged(std::string_view payload, std::string_view key, std::string_view attributes,
                                 std::int64_t intake_time) override;
  void end() override;
  void interrupt() override;
  void count_redelivered() override { tally_.redelivered(); }
  void count_dropped(std::uint64_t messages) override { tally_.dropped(messages); }
  void visit_unread(const std::function<void(const Message&)>& visit) override;

  Result<MessageBatch> read(std::size_t max_bytes) override;
  void release(MessageNumber number) override;

  [[nodiscard]] std::uint64_t used_bytes() const override { return end_offset_.load() - released_.load(); }
  [[nodiscard]] IntakeCounters counters() const override { return tally_.snapshot(); }
  void restore_counters(const IntakeCounters& counters) override { tally_.restore(counters); }
  [[nodiscard]] std::string trouble() const override;

  void on_readable(std::function<void()> wake) override;
  void on_room(std::function<void()> resume) override;

 private:
  Journal(std::unique_ptr<JournalFile> file, std::string path, const IntakeOptions& options,
          JournalRecovery recovery);

  enum class Urgency : std::uint8_t {
    kGather,  ///< Written with its group.
    kWrite,   ///< In the file (and with 'power' on the medium) before the answer.
  };
  /// A record that is to be stored. The views are the caller's.
  struct Draft {
    std::string_view payload;
    std::string_view key;
    std::string_view attributes;
    std::int64_t intake_time = 0;
  };
  Appended store(const Draft& draft, Urgency urgency);
  /// Writes what is gathered; from any thread. What the disk refuses stays gathered. Errors: io.
  Status flush();

  // Appending, under append_mutex_.
  Appended store_record(const Draft& draft, Urgency urgency);
  Status add_to_group(const Draft& draft, std::uint64_t offset, Urgency urgency);
  Status leave_lap(std::uint64_t rest);
  Status write_group();
  /// Writes into the ring, and with 'power' syncs; notes what becomes of it.
  Status write_noted(std::uint64_t offset, std::string_view bytes);
  Status write_down(std::uint64_t offset, std::string_view bytes);
  struct Refused {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };
  void note_write(const Status& written, const Refused& place);
  void publish_group();
  void mark_dirty();

  // Reading, on the loop.
  [[nodiscard]] bool something_to_read();
  [[nodiscard]] bool nothing_to_read();
  /// True: there was one, and `batch` tells what is lost.
  bool step_over_gap(MessageBatch& batch);
  /// Fills `batch` from one contiguous piece of the ring of about `max_bytes`.
  Status read_piece(std::uint64_t max_bytes, MessageBatch& batch);
  /// Takes whole records out of `bytes`; the answer is what stopped it.
  JournalStep take_records(std::string_view bytes, MessageBatch& batch);
  /// Records have become unreadable: keeps their bytes in a file, makes a gap of them, and says so.
  tl::unexpected<Error> set_aside();
  void move_head(MessageNumber released);

  // The journal's thread.
  void run();
  void settle();
  /// Errors: io; what the disk refuses is tried again in the next round.
  Status settle_file();
  Status sync_tail();
  Status write_again(std::uint64_t begin, std::uint64_t end);
  enum class Closing : bool { kNo, kYes };
  Status move_head_in_file(Closing closing = Closing::kNo);
  Status ask_again();
  /// From any thread, one at a time. `failures` is what sync_failures_ was before the bytes that matter were
  /// written: Linux tells of what could not be written once, and it may have told another caller.
  Status sync_since(std::uint64_t failures);
  void offer_room();
  void wake_reader();
  void poke();

  const std::unique_ptr<JournalFile> file_;
  const std::string path_;
  const IntakeOptions options_;
  const RingGeometry ring_;
  const std::uint64_t high_;
  const std::uint64_t low_;
  const std::uint64_t group_limit_;
  const std::uint32_t epoch_;
  IntakeTally tally_;
  Doorbell bell_;

  std::mutex append_mutex_;
  MessageNumber next_;  // Of the next record.
  std::string group_;   // Records that are not written yet: the bytes that belong to group_offset_.
  std::uint64_t group_offset_ = 0;
  std::atomic<std::uint64_t> end_offset_;   // Behind the last record stored, gathered or written.
  std::atomic<std::uint64_t> tail_offset_;  // Behind the last record written; its number:
  std::atomic<std::uint64_t> tail_number_;
  std::atomic<bool> ended_{false};

  JournalMark read_;               // Loop: behind the last record given out.
  std::deque<JournalGap> gaps_;    // Loop: known since the opening.
  std::deque<JournalMark> marks_;  // Loop: the head, then the ends of the pieces read, oldest first.
  std::atomic<std::uint64_t> released_;

  std::mutex head_mutex_;
  JournalMark head_;                     // How far the head may move; under head_mutex_.
  std::atomic<std::uint64_t> reusable_;  // The head in the file, synced: up to here room may be overwritten.
  JournalSlot slot_;                     // The journal's thread: the last slot written.
  std::uint64_t synced_;                 // The journal's thread: offset up to which the ring is synced.
  std::atomic<std::uint64_t> synced_number_;
  DiskTrouble write_trouble_;
  Refused refused_write_;  // Under append_mutex_: the place that the disk refused, while it is in trouble.
  DiskTrouble sync_trouble_;
  std::mutex sync_mutex_;
  std::atomic<std::uint64_t> sync_failures_{0};
  std::atomic<bool> failed_{false};   // A sync failed: nothing is taken until the same bytes are down.
  std::atomic<bool> refused_{false};  // An append answered kAboveHigh or kFull since the last `on_room`.

  std::mutex callback_mutex_;  // Held while the thread calls back, so that `interrupt` waits for its end.
  std::function<void()> on_room_;
  bool interrupted_ = false;

  std::mutex wake_mutex_;
  std::condition_variable wake_;
  std::atomic<bool> dirty_{false};  // Something is written and not synced.
  bool poked_ = false;
  bool stopping_ = false;
  std::thread thread_;  // Last: it uses the rest.
};

}  // namespace leat::sources
