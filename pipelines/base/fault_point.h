// Fault points: named places where a test makes the process die, or a step fail, as a crash, a power switch
// or a disk would. They exist in builds with the CMake option LEAT_FAULT_POINTS only; elsewhere both macros
// below are nothing but a check of the name, and the environment is not looked at.
//
//   LEAT_FAULT=NAME[:N][:ACTION]
//     NAME    of the list below
//     N       the N-th time that the place is reached (default 1); the times before and after are as ever
//     ACTION  kill   SIGKILL at once: nothing is flushed, no destructor runs (default)
//             error  the step answers an I/O error; where a place cannot fail, the process ends and says so
//
// One point is armed per process. Before it dies the process writes "leat: fault NAME:N" to standard error.
// The tests in tests/crash reach every point of the list: a new one is a line here and a macro at its place.
#pragma once

#include <cstddef>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::faults {

struct Point {
  std::string_view name;
  std::string_view place;  ///< What has just happened, and what has not yet.
};

// Read by tests/crash, too: one line begins one point.
inline constexpr Point kPoints[] = {
    // A commit, from the loop over the storage thread to the sources.
    {"commit.collected",
     "The commit has taken state, blocks and positions out of the pipeline; nobody has it yet."},
    {"commit.handed-over", "The storage thread has the commit and may be anywhere in it."},
    {"commit.begun", "The transaction is open and empty."},
    {"commit.head-written", "Number and counters are in the transaction; positions are not."},
    {"commit.positions-written", "Positions are in the transaction; state is not."},
    {"commit.state-written", "State is in the transaction; blocks are not."},
    {"commit.block-written", "A block is in the transaction, behind the count of its outbox."},
    {"commit.blocks-written", "All blocks are in the transaction; dead letters are not."},
    {"commit.stream-written",
     "A block of a stream is in the transaction and counted; bounds are not applied."},
    {"commit.stream-passed",
     "A reader's place in a stream is in the transaction; blocks that all have passed are there."},
    {"commit.before-sync", "The transaction is complete and not committed."},
    {"commit.synced", "The transaction is synced; no sink has been woken."},
    {"commit.before-answer", "The sinks have been woken; the pipeline has no answer."},
    {"commit.answered", "The loop has the answer; no source has been told."},
    {"commit.sources-told", "The sources know the committed positions."},
    // A shipment: its number, its attempts, what becomes of it.
    {"shipment.numbered",
     "A shipment's number and block list are in the transaction, which is not committed."},
    {"shipment.given-out", "The number is synced; the sink has not seen the shipment."},
    {"delivery.before-attempt", "The bytes are packed; the sink has not got them."},
    {"delivery.after-attempt", "The sink has answered; nothing is decided about the answer."},
    {"settle.begun", "The settlement's transaction is open; the shipment's blocks are there."},
    {"settle.blocks-deleted",
     "The shipment's blocks are deleted in the transaction; its outbox does not know."},
    {"settle.before-sync", "The settlement is complete and not committed."},
    {"settle.synced", "The settlement is synced; delivery has no answer."},
    {"part.before-sync", "The bounds of a refused shipment's first part are written and not committed."},
    {"part.synced", "The bounds of the part are synced; it has not been attempted."},
    {"part.settled-before-sync",
     "A part is settled and the bounds of the next one are written; not committed."},
    {"trim.before-sync", "Blocks are dropped and counted for a full outbox; not committed."},
    {"trim.synced", "The dropped blocks are gone; the level of the outbox is the old one."},
    {"sink-state.before-sync", "A sink's state is replaced between two shipments; not committed."},
    {"sink-state.synced", "The sink's new state is synced; delivery has no answer."},
    // The journal: a record's way into the ring, the head's way through it, the file's beginning.
    {"journal.before-write", "A record has its number and is in memory only."},
    {"journal.written", "Records are in the file, neither synced nor known to the reader."},
    {"journal.stored", "The record is readable; the source has not recorded that it has come."},
    {"journal.before-acknowledgement", "The source knows the record; the broker has no acknowledgement."},
    {"journal.power-synced", "With 'power': the records are synced, and not known to the reader."},
    {"journal.lap-left", "The rest of a lap is marked as unused; the record behind it is not written."},
    {"journal.tail-synced", "What was written is synced; the slot does not say so."},
    {"journal.head-written", "The slot with the new head is written, not synced; its room is not reused."},
    {"journal.head-synced", "The slot with the new head is synced; its room is not offered yet."},
    {"journal.truncated", "The file is cut to nothing, to be allocated anew."},
    {"journal.allocated", "The file has its size and no slot."},
    {"journal.created", "The first slot is synced; the journal is not opened."},
    {"journal.opened", "The slot of the new epoch is synced; no record of it is written."},
    // The files of a filesystem sink.
    {"file.written", "A shipment's lines are in the hidden file, not synced."},
    {"file.synced", "The hidden file is synced; its folder is not."},
    {"file.appended", "File and folder are synced; the attempt is not answered."},
    {"file.before-rename", "The hidden file has its final length and its hidden name."},
    {"file.renamed", "The file has its final name; the folder is not synced."},
    // A transaction into Kafka.
    {"kafka.begun", "The transaction is open and empty."},
    {"kafka.handed-over", "The records are with the library, some with the broker; the number is not sent."},
    {"kafka.number-sent", "The number is in the transaction; records may be on their way."},
    {"kafka.before-commit", "Records and number have arrived; the transaction is open."},
    {"kafka.committed", "The transaction is committed; delivery has no answer."},
    // A change of what runs, while it runs.
    {"deploy.drained", "The former version has committed and takes nothing in; the new one is not built."},
    {"deploy.declared", "The new version's local tables are there; it is not built."},
    {"deploy.built", "The new version is built of what the former one left; the text is the former one."},
    {"deploy.put", "The new text is the pipeline's; nothing of it runs."},
    {"deploy.running", "The new version runs; nobody has been told."},
    {"rename.away", "The pipeline has committed and is gone; the store has its former name."},
    {"rename.renamed", "The store has the new name; nothing runs under it."},
    {"rename.running", "It runs under its new name; nobody has been told."},
};

inline constexpr std::size_t kUnknown = sizeof kPoints / sizeof kPoints[0];

/// The index of a point; kUnknown if there is none of the name.
constexpr std::size_t index_of(std::string_view name) {
  for (std::size_t i = 0; i < kUnknown; ++i)
    if (kPoints[i].name == name) return i;
  return kUnknown;
}

/// The process is here. Dies if this is the armed time of the armed point.
void reach(std::size_t point);
/// The same; with the action `error` the answer is io.
Status reach_or_fail(std::size_t point);

}  // namespace leat::faults

/// A name that is not on the list does not compile, in any build.
#define LEAT_FAULT_INDEX(name)                                             \
  constexpr std::size_t leat_fault_index = ::leat::faults::index_of(name); \
  static_assert(leat_fault_index != ::leat::faults::kUnknown, "no such fault point: " name)

#ifdef LEAT_FAULT_POINTS
#define LEAT_FAULT_HERE(use) use
#else
#define LEAT_FAULT_HERE(use)
#endif

/// In any function.
#define LEAT_FAULT_POINT(name)                                \
  do {                                                        \
    LEAT_FAULT_INDEX(name);                                   \
    LEAT_FAULT_HERE(::leat::faults::reach(leat_fault_index)); \
  } while (false)
/// In a function that returns a Status or a Result: the step may fail here, too.
#define LEAT_FAULT_STEP(name)                                                   \
  do {                                                                          \
    LEAT_FAULT_INDEX(name);                                                     \
    LEAT_FAULT_HERE(LEAT_TRY(::leat::faults::reach_or_fail(leat_fault_index))); \
  } while (false)
