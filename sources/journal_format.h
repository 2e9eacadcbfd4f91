// The bytes of a journal file: what is written where, and how a reader tells a record from the remains of an
// older lap. Pure: no file is touched here. Numbers are fixed-width little endian (ByteWriter's fixed32,
// fixed64).
//
// Grammar:
//   file     := slot slot ring
//   slot     := checksum "LEATJRNL" version epoch sequence ringsize offset number headepoch last next
//               seed closed check, zeros to 4096 bytes
//     checksum  fixed64, XXH3-64 of everything behind it up to `next`, in every version
//     version   fixed32, 2; version 1 ended with `next`, its seed is 0
//     epoch     fixed32: how many times the journal has been opened
//     sequence  fixed64: slots are written in turn, the valid one with the larger sequence counts
//     ringsize  fixed64: bytes of the ring, a multiple of 8
//     offset    fixed64 \ the head: where the oldest record that is kept lies, the number that the one before
//     number    fixed64 / it has, and
//     headepoch fixed32: the epoch of that one
//     last      fixed64: number of the last record that was synced when the slot was written
//     next      fixed64: no record written later has a smaller number (they are never used again, not even
//               those of records that were found damaged)
//     seed      fixed64, drawn when the ring is made: of the records' checksums. Who sends messages does not
//               know it, so no payload can contain what passes for a record. 0: of version 1, not seeded
//     closed    fixed64, 1: the journal was closed with this slot, nothing follows record `last`; else 0
//     check     fixed64, XXH3-64 of the slot's bytes before it
//   ring     := (record | skip)*, oldest first, at `offset` modulo ringsize
//   record   := checksum magic epoch number time keylength attributeslength payloadlength kind
//               key attributes payload, zeros to a multiple of 8
//     checksum  fixed64, XXH3-64 with the seed of everything behind it up to the end of the payload
//     magic     fixed32 "LREC"; epoch, keylength, attributeslength, payloadlength fixed32
//     number    fixed64, the position: grows by one from record to record; may jump when the epoch changes
//     time      fixed64, intake time in microseconds
//     kind      fixed32: 1 record, 2 skip
//   skip     := a record without key, attributes and payload: the rest of the lap is unused. Where less room
//               is left than a record's head takes, the rest is unused without one.
//
// Offsets grow for ever (64 bits); a record never crosses the end of a lap. What follows the last record is
// whatever an older lap has left there, or what a crash has torn: it does not continue the sequence of
// numbers and epochs, or its checksum is wrong. A torn tail is no damage. A place that does not continue the
// sequence with records of it behind is damage, or after a power cut a page that had not been synced: which
// records behind such a place belong to the sequence is said at JournalBelief (journal_scan.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipelines/base/ids.h"
#include "sources/intake.h"

namespace leat::sources {

inline constexpr std::uint32_t kJournalVersion = 2;
inline constexpr std::size_t kSlotBytes = 4096;
inline constexpr std::size_t kRingStart = 2 * kSlotBytes;
inline constexpr std::size_t kRecordHeadBytes = 48;

/// A place between two records, by the record before it.
struct JournalMark {
  std::uint64_t offset = 0;  ///< Where the next record (or skip) begins.
  MessageNumber number;      ///< Number of the record before; the next is larger.
  std::uint32_t epoch = 0;   ///< Epoch of the record before; the next has at least this one.
};

struct JournalSlot {
  std::uint32_t version = kJournalVersion;
  std::uint32_t epoch = 0;
  std::uint64_t sequence = 0;
  std::uint64_t ring_size = 0;
  JournalMark head;
  MessageNumber last;
  MessageNumber next;
  std::uint64_t seed = 0;
  bool closed = false;
};

std::string encode_slot(const JournalSlot& slot);
/// Nothing if the bytes are no slot; a slot of a newer version is given back with its version only.
std::optional<JournalSlot> decode_slot(std::string_view bytes);

enum class RecordKind : std::uint32_t { kRecord = 1, kSkip = 2 };

struct RecordHead {
  std::uint64_t checksum = 0;
  std::uint32_t epoch = 0;
  MessageNumber number;
  std::int64_t intake_time = 0;
  std::uint32_t key_length = 0;
  std::uint32_t attributes_length = 0;
  std::uint32_t payload_length = 0;
  RecordKind kind = RecordKind::kRecord;

  /// Bytes the whole record takes in the ring, padding included.
  [[nodiscard]] std::uint64_t size() const;
};

/// What makes a record and is no part of its head. Views.
struct RecordParts {
  std::string_view key;
  std::string_view attributes;
  std::string_view payload;
};

/// Appends a whole record to `out`; `head` gives epoch, number, time and kind, the lengths come from the
/// parts.
void encode_record(const RecordHead& head, const RecordParts& parts, std::uint64_t seed, std::string& out);
/// The head of the record that `bytes` begin with; nothing if there is no record's magic or kind. The
/// lengths are as found: check `size()` before they are believed.
std::optional<RecordHead> decode_head(std::string_view bytes);
/// True if the checksum covers the record that `bytes` (all `head.size()` of it) begin with.
bool checksum_matches(const RecordHead& head, std::string_view bytes, std::uint64_t seed);
/// The message of a record; the views point into `bytes`.
Message message_of(const RecordHead& head, std::string_view bytes);
/// True if a record with this head may stand behind `before`.
bool continues(const JournalMark& before, const RecordHead& head);
std::uint64_t record_size(std::size_t key, std::size_t attributes, std::size_t payload);

}  // namespace leat::sources
