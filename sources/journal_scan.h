// Walking a journal's ring from record to record: what recovery, the visit of unread records and the reader
// share. No threads, no state beyond the walk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/journal_file.h"
#include "sources/journal_format.h"

namespace leat::sources {

/// What stands at one place of the ring.
struct JournalStep {
  enum class Kind : std::uint8_t {
    kRecord,    ///< `head`, whole and with a matching checksum.
    kLapEnd,    ///< Nothing more in this lap; the next record begins the next one.
    kNeedMore,  ///< `needed` bytes from this place on are necessary to tell.
    kNone,      ///< Nothing that may stand behind the mark.
  };
  Kind kind = Kind::kNone;
  RecordHead head = {};
  std::uint64_t needed = 0;
};

struct RingGeometry {
  std::uint64_t size = 0;
  std::uint64_t seed = 0;  ///< Of the records' checksums.
  [[nodiscard]] std::uint64_t lap_rest(std::uint64_t offset) const { return size - offset % size; }
  [[nodiscard]] std::uint64_t file_offset(std::uint64_t offset) const { return kRingStart + offset % size; }
};

/// `bytes` are what was read at `before.offset`.
JournalStep look_at(std::string_view bytes, const JournalMark& before, const RingGeometry& ring);

/// Gives one record after the other from a mark on, until one does not continue the sequence or `end` is
/// reached.
class JournalScanner {
 public:
  JournalScanner(const JournalFile& file, RingGeometry ring, JournalMark from, std::uint64_t end)
      : file_(file), ring_(ring), mark_(from), end_(end) {}

  /// The next message, valid until the next call; nothing at the end. Errors: io.
  Result<std::optional<Message>> next();
  /// Behind the last message given.
  [[nodiscard]] const JournalMark& mark() const { return mark_; }
  void go_on_from(const JournalMark& mark) { mark_ = mark; }

 private:
  /// Has at least `bytes` bytes at the mark in the buffer, if the lap and `end_` allow.
  Status fill(std::uint64_t bytes);

  const JournalFile& file_;
  const RingGeometry ring_;
  JournalMark mark_;
  const std::uint64_t end_;
  std::vector<char> buffer_;
  std::uint64_t buffer_offset_ = 0;  // Offset in the ring of the buffer's first byte.
};

/// Which of the records behind a place that can not be read belong to the sequence. All must have a number
/// larger, and an epoch not smaller, than the last record before that place: so no older lap's are taken,
/// since the room of an older lap is written over only when a head behind its records is in the file. Then
///   - those of `epoch`, the one of the slot that counts, or a later one (the slot that began it is lost):
///     the journal has written them in its last life, and nothing has written behind them since;
///   - those of an older epoch up to `last`, the last one that was synced when the slot was written. What is
///     beyond was cut off by an earlier recovery.
/// And within an epoch the numbers rise by one: a number that the bytes in between have no room for is not of
/// this lap.
struct JournalBelief {
  std::uint32_t epoch = 0;
  MessageNumber last;
};

/// Looks behind a place that can not be read for the next record that is believed, before `end`: the mark in
/// front of it. Reads up to the whole ring. Errors: io.
Result<std::optional<JournalMark>> find_next_record(const JournalFile& file, const RingGeometry& ring,
                                                    const JournalMark& damaged, const JournalBelief& belief,
                                                    std::uint64_t end);

/// How many messages with numbers above `committed` were in the unreadable place between the marks; where
/// the epoch changes in between, numbers may be missing from the beginning, and it is an upper bound.
std::uint64_t lost_between(const JournalMark& damaged, const JournalMark& behind, MessageNumber committed);

}  // namespace leat::sources
