// Opening a journal: choose the slot, walk from its head to the end of what is valid, find where the engine
// goes on, and begin a new epoch.
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "sources/journal.h"

#include "pipelines/base/fault_point.h"

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
  if (!best || best->ring_size < kRecordHeadBytes || best->ring_size % 8 != 0 ||
      file.size() < kRingStart + best->ring_size)
    return damaged_header(path);
  return *best;
}

/// Nothing but zeros: the power went before the first slot of a new journal was written.
Result<bool> is_blank(const JournalFile& file) {
  std::vector<char> bytes;
  for (std::uint64_t at = 0; at < file.size(); at += bytes.size()) {
    bytes.resize(std::min<std::uint64_t>(file.size() - at, 256 * 1024));
    LEAT_TRY(file.read(at, bytes));
    if (std::any_of(bytes.begin(), bytes.end(), [](char byte) { return byte != 0; })) return false;
  }
  return true;
}

Status write_slot(JournalFile& file, const JournalSlot& slot) {
  LEAT_TRY(file.write(slot.sequence % 2 * kSlotBytes, encode_slot(slot)));
  return file.sync();
}

Result<JournalSlot> create(JournalFile& file, const IntakeOptions& options, const JournalSlot& before) {
  JournalSlot slot = before;
  slot.ring_size = ring_size_of(options);
  slot.head.offset = 0;
  slot.sequence += 1;
  LEAT_TRY(file.allocate(kRingStart + slot.ring_size));
  LEAT_FAULT_STEP("journal.allocated");
  LEAT_TRY(write_slot(file, slot));
  LEAT_FAULT_STEP("journal.created");
  return slot;
}

/// The end of the sequence is the end of the journal, unless the slot knows of later records: then what is
/// between was damaged after it had been synced, and the walk goes on behind it. Without that knowledge what
/// follows may be torn or old, and nothing of it is believed.
Result<bool> step_over_damage(const JournalFile& file, JournalScanner& scanner, JournalRecovery& found) {
  if (scanner.mark().number >= found.slot.last) return false;
  const std::uint64_t end = found.slot.head.offset + found.slot.ring_size;
  LEAT_ASSIGN(const auto behind, find_next_record(file, {found.slot.ring_size}, scanner.mark(), end));
  if (!behind || behind->number >= found.slot.last) return false;
  found.gaps.push_back({scanner.mark().offset, *behind});
  scanner.go_on_from(*behind);
  return true;
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
  JournalScanner scanner(file, {slot.ring_size}, slot.head, slot.head.offset + slot.ring_size);
  JournalRecovery found{.slot = slot, .committed = slot.head, .tail = slot.head};
  while (true) {
    LEAT_ASSIGN(const std::optional<Message> message, scanner.next());
    if (message) {
      take(*message, scanner.mark(), committed, found);
      continue;
    }
    LEAT_ASSIGN(const bool goes_on, step_over_damage(file, scanner, found));
    if (!goes_on) return found;
  }
}

/// A changed 'journal.size' takes effect when nothing waits in the old ring.
bool wants_resize(const JournalRecovery& found, const IntakeOptions& options) {
  return found.queued == 0 && found.slot.ring_size != ring_size_of(options);
}

/// Empty when nothing is lost.
std::string describe_loss(const std::string& path, const JournalRecovery& found, MessageNumber committed) {
  if (!found.gaps.empty())
    return path + ": damaged records before number " +
           std::to_string(found.gaps.back().behind.number.value + 1) + " are left out, in " +
           std::to_string(found.gaps.size()) + " places";
  if (found.tail.number < found.slot.last)
    return path + ": cut behind record " + std::to_string(found.tail.number.value) + "; what follows up to " +
           std::to_string(found.slot.last.value) + " is damaged";
  if (committed.value != 0 && committed < found.slot.head.number)
    return path + ": the store is older than the journal: it has everything up to message " +
           std::to_string(committed.value) + ", the journal keeps what follows " +
           std::to_string(found.slot.head.number.value);
  return {};
}

Result<std::string> set_file_aside(const std::string& path) {
  for (int n = 1;; ++n) {
    const std::string aside = path + ".damaged-" + std::to_string(n);
    struct stat status {};
    if (::stat(aside.c_str(), &status) == 0) continue;
    if (std::rename(path.c_str(), aside.c_str()) != 0)
      return fail(ErrorCode::kIo, "renaming " + path + " to " + aside + " failed");
    return aside;
  }
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(std::unique_ptr<JournalFile> file, const std::string& path,
                                               const IntakeOptions& options, MessageNumber committed,
                                               std::string* damage) {
  JournalSlot slot;
  LEAT_ASSIGN(const bool is_new, is_blank(*file));
  if (is_new) {
    slot.head.number = slot.last = committed;
    slot.next = committed.next();
    LEAT_ASSIGN(slot, create(*file, options, slot));
  } else {
    LEAT_ASSIGN(slot, read_slot(*file, path));
  }
  LEAT_ASSIGN(JournalRecovery found, scan(*file, slot, committed));
  if (damage != nullptr) *damage = describe_loss(path, found, committed);
  const MessageNumber next = std::max({found.tail.number.next(), committed.next(), found.slot.next});
  if (wants_resize(found, options)) {
    slot.head = {.offset = 0, .number = found.tail.number, .epoch = slot.epoch};
    LEAT_ASSIGN(slot, create(*file, options, slot));
    found = {.slot = slot, .committed = slot.head, .tail = slot.head};
  }
  found.slot.epoch += 1;
  found.slot.sequence += 1;
  found.slot.last = found.tail.number;
  found.slot.next = next;
  LEAT_TRY(write_slot(*file, found.slot));
  LEAT_FAULT_STEP("journal.opened");
  return std::unique_ptr<Journal>(new Journal(std::move(file), path, options, std::move(found)));
}

Result<std::unique_ptr<Intake>> open_journal(const std::string& path, const IntakeOptions& options,
                                             MessageNumber committed, std::string* damage) {
  LEAT_ASSIGN(auto file, open_journal_file(path));
  auto journal = Journal::open(std::move(file), path, options, committed, damage);
  if (journal) return journal;
  if (journal.error().code != ErrorCode::kCorrupt) return tl::unexpected<Error>(journal.error());
  LEAT_ASSIGN(const std::string aside, set_file_aside(path));
  if (damage != nullptr) *damage = journal.error().message + "; the file is now " + aside;
  LEAT_ASSIGN(auto fresh, open_journal_file(path));
  return Journal::open(std::move(fresh), path, options, committed, nullptr);
}

}  // namespace leat::sources
