// Opening a journal: choose the slot, walk from its head to the end of what is valid, find where the engine
// goes on, and begin a new epoch.
#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <utility>

#include "sources/journal.h"

#include "pipelines/base/fault_point.h"
#include "sources/journal_aside.h"

namespace leat::sources {
namespace {

/// Below it there is no sense in marks and reserves.
constexpr std::uint64_t kMinJournalBytes = 64 * 1024;

std::uint64_t ring_size_of(const IntakeOptions& options) {
  return (std::max(options.size.bytes, kMinJournalBytes) - kRingStart) & ~std::uint64_t{7};
}

tl::unexpected<Error> damaged_header(const std::string& path) {
  return fail(ErrorCode::kCorrupt, path + ": no valid journal header");
}

Result<JournalSlot> read_slot(const JournalFile& file, const std::string& path) {
  if (file.size() < kRingStart) return damaged_header(path);
  std::array<char, kRingStart> bytes{};
  LEAT_TRY(file.read(0, bytes));
  std::optional<JournalSlot> best;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto slot = decode_slot({bytes.data() + i * kSlotBytes, kSlotBytes});
    if (!slot) continue;
    if (slot->version > kJournalVersion)
      return fail(ErrorCode::kConflict,
                  path + " was written by a newer Leat (journal version " + std::to_string(slot->version) +
                      ", this one knows " + std::to_string(kJournalVersion) +
                      "): install that version again, or move the file away and lose what "
                      "waits in it");
    if (!best || slot->sequence > best->sequence) best = slot;
  }
  if (!best || best->ring_size < kRecordHeadBytes || best->ring_size % 8 != 0) return damaged_header(path);
  if (file.size() < kRingStart + best->ring_size)
    return fail(ErrorCode::kCorrupt, path + ": the file is shorter than its journal");
  return *best;
}

/// Nothing but zeros: the power went before the first slot of a new journal was written.
Result<bool> is_blank(const JournalFile& file) {
  std::vector<char> bytes;
  for (std::uint64_t at = 0; at < file.size(); at += bytes.size()) {
    bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(file.size() - at, 256 * 1024)));
    LEAT_TRY(file.read(at, bytes));
    if (std::any_of(bytes.begin(), bytes.end(), [](char byte) { return byte != 0; })) return false;
  }
  return true;
}

Status write_slot(JournalFile& file, const JournalSlot& slot) {
  LEAT_TRY(file.write(slot.sequence % 2 * kSlotBytes, encode_slot(slot)));
  return file.sync();
}

/// Never 0, which means that there is none.
std::uint64_t new_seed() {
  std::random_device chance;
  return (std::uint64_t{chance()} << 32 | chance()) | 1;
}

Result<JournalSlot> create(JournalFile& file, const IntakeOptions& options, const JournalSlot& before) {
  JournalSlot slot = before;
  slot.ring_size = ring_size_of(options);
  slot.head.offset = 0;
  slot.sequence += 1;
  slot.seed = new_seed();
  slot.version = kJournalVersion;
  LEAT_TRY(file.allocate(kRingStart + slot.ring_size));
  LEAT_FAULT_STEP("journal.allocated");
  LEAT_TRY(write_slot(file, slot));
  LEAT_FAULT_STEP("journal.created");
  return slot;
}

/// Without a seed a payload may contain what passes for a record; and behind the last record of a closed
/// journal is nothing of its own. Then only what the slot knows of is believed.
JournalBelief belief_of(const JournalSlot& slot) {
  const bool only_known = slot.closed || slot.seed == 0;
  return {only_known ? std::numeric_limits<std::uint32_t>::max() : slot.epoch, slot.last};
}

/// Where the sequence ends is the end of the journal, unless records that belong to it follow. When all that
/// can follow has been seen, the rest of the ring is not read.
Result<bool> step_over_damage(const JournalFile& file, JournalScanner& scanner, MessageNumber committed,
                              JournalRecovery& found) {
  const JournalSlot& slot = found.slot;
  const JournalMark before = scanner.mark();
  const JournalBelief belief = belief_of(slot);
  if (belief.epoch > slot.epoch && before.number >= slot.last) return false;
  const std::uint64_t end = slot.head.offset + slot.ring_size;
  LEAT_ASSIGN(const auto behind, find_next_record(file, {slot.ring_size, slot.seed}, before, belief, end));
  if (!behind) return false;
  const std::uint64_t lost = lost_between(before, *behind, committed);
  found.gaps.push_back({before.offset, *behind, behind->number.value - before.number.value, lost});
  found.queued += lost;
  scanner.go_on_from(*behind);
  return true;
}

/// Records up to `slot.last` have been synced: those that are not there are damaged.
void end_with_damage(MessageNumber committed, JournalRecovery& found) {
  const MessageNumber last = found.slot.last;
  if (last <= std::max(found.tail.number, committed)) return;
  const std::uint64_t lost = last.value - std::max(found.tail.number, committed).value;
  const JournalMark behind{found.tail.offset, last, found.tail.epoch};
  found.gaps.push_back({found.tail.offset, behind, last.value - found.tail.number.value, lost});
  found.queued += lost;
  found.tail = behind;
}

void take(const Message& message, const JournalMark& behind, MessageNumber committed,
          JournalRecovery& found) {
  found.tail = behind;
  if (message.number > committed) {
    ++found.queued;
    return;
  }
  found.committed = behind;
}

Result<JournalRecovery> scan(const JournalFile& file, const JournalSlot& slot, MessageNumber committed) {
  JournalScanner scanner(file, {slot.ring_size, slot.seed}, slot.head, slot.head.offset + slot.ring_size);
  JournalRecovery found{.slot = slot, .committed = slot.head, .tail = slot.head};
  while (true) {
    LEAT_ASSIGN(const std::optional<Message> message, scanner.next());
    if (message) {
      take(*message, scanner.mark(), committed, found);
      continue;
    }
    LEAT_ASSIGN(const bool goes_on, step_over_damage(file, scanner, committed, found));
    if (goes_on) continue;
    end_with_damage(committed, found);
    return found;
  }
}

/// A changed 'journal.size' takes effect when nothing waits in the old ring; and one without a seed gets one.
bool wants_new_ring(const JournalRecovery& found, const IntakeOptions& options) {
  return found.queued == 0 && (found.slot.ring_size != ring_size_of(options) || found.slot.seed == 0);
}

void add(JournalFindings& findings, JournalFindings::Weight weight, const std::string& sentence) {
  findings.weight = std::max(findings.weight, weight);
  findings.detail += (findings.detail.empty() ? "" : "; ") + sentence;
  if (weight == JournalFindings::Weight::kDamaged) findings.complete = false;
}

/// Where bytes of the gap lie. At the end of the journal nobody knows how many they are.
RingRange range_of(const JournalGap& gap, const JournalSlot& slot) {
  if (gap.behind.offset > gap.offset) return {gap.offset, gap.behind.offset};
  return {gap.offset, slot.head.offset + slot.ring_size};
}

/// The unreadable places: their bytes are kept, and it is told what was in them.
void tell_gaps(const JournalFile& file, const std::string& path, const JournalRecovery& found,
               MessageNumber committed, JournalFindings& findings) {
  std::vector<RingRange> ranges;
  const JournalGap* first = nullptr;
  bool passed = false;
  for (const JournalGap& gap : found.gaps) {
    // A power cut may take the mark at the end of a lap, and no message.
    passed = passed || gap.missing > 0;
    findings.lost += gap.lost;
    if (gap.lost == 0) continue;
    if (first == nullptr) first = &gap;
    ranges.push_back(range_of(gap, found.slot));
  }
  if (first == nullptr) {
    if (passed)
      add(findings, JournalFindings::Weight::kNotice,
          path + ": places are damaged that held nothing that was still needed");
    return;
  }
  const MessageNumber begin{std::max(first->behind.number.value - first->lost, committed.value) + 1};
  const std::string kept = keep_bytes(file, {found.slot.ring_size, found.slot.seed}, ranges, path, begin);
  add(findings, JournalFindings::Weight::kDamaged,
      path + ": " + std::to_string(findings.lost) + " messages from number " + std::to_string(begin.value) +
          " on cannot be read, in " + std::to_string(ranges.size()) + " places; " + kept);
}

void tell(const JournalFile& file, const std::string& path, const JournalRecovery& found,
          MessageNumber committed, JournalFindings& findings) {
  tell_gaps(file, path, found, committed, findings);
  if (committed.value != 0 && committed < found.slot.head.number)
    add(findings, JournalFindings::Weight::kDamaged,
        path + ": the store is older than the journal: it has everything up to message " +
            std::to_string(committed.value) + ", the journal keeps what follows " +
            std::to_string(found.slot.head.number.value));
  if (found.tail.number < committed)
    add(findings, JournalFindings::Weight::kNotice,
        path + ": it ends with message " + std::to_string(found.tail.number.value) +
            ", although the store has everything up to " + std::to_string(committed.value) +
            ": a power cut has taken what was not synced, or the file is damaged or an old copy; what had "
            "come in "
            "behind is lost");
}

/// Whether something is lost nobody knows: the store only knows that there were messages before.
void tell_new(const std::string& path, MessageNumber committed, JournalFindings& findings) {
  if (committed.value == 0) return;
  add(findings, JournalFindings::Weight::kNotice,
      path + ": it is new, although the store has messages up to " + std::to_string(committed.value) +
          ": if there was a journal, what waited in it is lost");
  findings.complete = false;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(std::unique_ptr<JournalFile> file, const std::string& path,
                                               const IntakeOptions& options, MessageNumber committed,
                                               JournalFindings& findings) {
  JournalSlot slot;
  LEAT_ASSIGN(const bool is_new, is_blank(*file));
  if (is_new) {
    slot.head.number = slot.last = committed;
    slot.next = committed.next();
    LEAT_ASSIGN(slot, create(*file, options, slot));
    if (findings.detail.empty()) tell_new(path, committed, findings);
  } else {
    LEAT_ASSIGN(slot, read_slot(*file, path));
  }
  LEAT_ASSIGN(JournalRecovery found, scan(*file, slot, committed));
  tell(*file, path, found, committed, findings);
  findings.set_aside_files = count_set_aside(path);
  const MessageNumber next = std::max({found.tail.number.next(), committed.next(), found.slot.next});
  // The epoch of a slot that was lost is not used again.
  const std::uint32_t epoch = std::max(slot.epoch, found.tail.epoch);
  if (wants_new_ring(found, options)) {
    slot.head = {.offset = 0, .number = found.tail.number, .epoch = epoch};
    LEAT_ASSIGN(slot, create(*file, options, slot));
    found = {.slot = slot, .committed = slot.head, .tail = slot.head};
  }
  found.slot.version = kJournalVersion;
  found.slot.epoch = epoch + 1;
  found.slot.sequence += 1;
  found.slot.last = found.tail.number;
  found.slot.next = next;
  found.slot.closed = false;
  LEAT_TRY(write_slot(*file, found.slot));
  LEAT_FAULT_STEP("journal.opened");
  return std::unique_ptr<Journal>(new Journal(std::move(file), path, options, std::move(found)));
}

Result<std::unique_ptr<Intake>> open_journal(const std::string& path, const IntakeOptions& options,
                                             MessageNumber committed, JournalFindings& findings) {
  LEAT_ASSIGN(auto file, open_journal_file(path));
  auto journal = Journal::open(std::move(file), path, options, committed, findings);
  if (journal) return journal;
  if (journal.error().code != ErrorCode::kCorrupt) return tl::unexpected<Error>(journal.error());
  LEAT_ASSIGN(const std::string aside, set_file_aside(path));
  add(findings, JournalFindings::Weight::kDamaged, journal.error().message + "; the file is now " + aside);
  LEAT_ASSIGN(auto fresh, open_journal_file(path));
  return Journal::open(std::move(fresh), path, options, committed, findings);
}

}  // namespace leat::sources
