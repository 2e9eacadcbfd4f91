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

/// `bytes` are what was read at `before.offset`; `lap_rest` is what the lap has from there on.
JournalStep look_at(std::string_view bytes, const JournalMark& before, std::uint64_t lap_rest);

struct RingGeometry {
  std::uint64_t size = 0;
  [[nodiscard]] std::uint64_t lap_rest(std::uint64_t offset) const { return size - offset % size; }
  [[nodiscard]] std::uint64_t file_offset(std::uint64_t offset) const { return kRingStart + offset % size; }
};

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

/// Looks behind a record that can not be read for the next one that can, before `end`: the mark in front of
/// it. Errors: io.
Result<std::optional<JournalMark>> find_next_record(const JournalFile& file, RingGeometry ring,
                                                    const JournalMark& damaged, std::uint64_t end);

}  // namespace leat::sources
