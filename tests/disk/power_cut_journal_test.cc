// The journal over power cuts, on its real file. With 'power' every message that was answered is there; by
// default those that were answered before the last sync are, and of the others those that the disk happens to
// have kept. In both, what is read back is what was appended, in order, what is missing between is told, and
// no number is given to a second message once the first may be in a commit.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "sources/intake.h"
#include "tests/disk/power_cut.h"
#include "tests/support/eventually.h"

namespace leat::sources {
namespace {

using Durability = IntakeOptions::Durability;

/// Message number n: its length goes up and down, its bytes name it.
std::string payload_of(std::uint64_t number) {
  const auto more = static_cast<std::size_t>(number * 97 % 1'900);
  return std::to_string(number) + std::string(40 + more, static_cast<char>('a' + number % 26));
}

struct RecordedJournal {
  test::TemporaryFolder folder;
  test::Tape tape;
  IntakeOptions options{.size = {64 * 1024}, .sync_interval = Micros(2'000)};
  std::uint64_t last = 0;                   ///< Number of the last message answered.
  std::vector<std::uint64_t> committed{0};  ///< By mark: what a store would have as committed.
  std::vector<std::uint64_t> answered{0};   ///< By mark.

  [[nodiscard]] std::unique_ptr<Intake> open_at(const std::string& where, std::uint64_t from) const {
    JournalFindings findings;
    auto opened = open_journal(where + "/readings.journal", options, {from}, findings);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    CHECK(findings.complete == (findings.lost == 0));
    if (options.durability == Durability::kPower) CHECK(findings.detail == "");
    return *std::move(opened);
  }
  void mark(std::uint64_t now_committed) {
    committed.push_back(now_committed);
    answered.push_back(last);
    tape.mark(committed.size() - 1);
  }
  void append(Intake& journal) {
    REQUIRE(test::eventually(
        [&] { return journal.append(payload_of(last + 1), "key", "topic", 77) <= Appended::kAboveHigh; }));
    ++last;
    mark(committed.back());
  }
  /// The engine reads all and commits it, the commit is answered, the room is given back.
  void read_and_commit(Intake& journal) {
    std::uint64_t read = committed.back();
    for (auto batch = journal.read(4'096); batch && !batch->messages.empty(); batch = journal.read(4'096))
      read = batch->messages.back().number.value;
    mark(read);
    journal.release({read});
  }
  void work() {
    for (int life = 0; life < 3; ++life) {
      const auto journal = open_at(folder.path(), committed.back());
      for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 12; ++i) append(*journal);
        read_and_commit(*journal);
      }
      for (int i = 0; i < 4; ++i) append(*journal);
    }
  }
  void record(Durability durability) {
    options.durability = durability;
    const test::WatchDisk watch(folder.path(), tape);
    work();
  }

  /// `must`: number of the last message that has to be there.
  void check_recovery(const test::Cut& cut, std::uint64_t must) const {
    CAPTURE(cut.call);
    CAPTURE(cut.seed);
    const std::uint64_t from = committed[cut.mark];
    std::uint64_t expected = from;
    {
      const auto journal = open_at(cut.folder, from);
      std::uint64_t before = 0;
      std::uint64_t lost_from = 0;
      journal->visit_unread([&](const Message& message) {
        CHECK(message.payload == payload_of(message.number.value));
        CHECK(message.number.value > before);
        before = message.number.value;
      });
      for (auto batch = journal->read(4'096); batch && (batch->lost > 0 || !batch->messages.empty());
           batch = journal->read(4'096)) {
        if (batch->lost > 0 && lost_from == 0) lost_from = expected + 1;
        if (batch->lost > 0) CHECK(batch->through.value - expected >= batch->lost);
        if (batch->lost > 0) expected = batch->through.value;
        for (const Message& message : batch->messages) {
          CHECK(message.number.value == ++expected);
          CHECK(message.payload == payload_of(expected));
        }
      }
      CHECK(expected >= must);
      CHECK((lost_from == 0 || lost_from > must));
      CHECK(journal->queued_messages() == 0);
      CHECK(expected <= answered[cut.mark] + 1);
      REQUIRE(journal->append("new", "", "", 0) <= Appended::kAboveHigh);
      const auto batch = journal->read(4'096);
      CHECK(batch->messages.at(0).number.value > expected);
    }
    CHECK(open_at(cut.folder, expected)->read(4'096)->messages.at(0).payload == "new");
  }
};

TEST_CASE_FIXTURE(RecordedJournal, "journal 'power', power cut: every acknowledged message is there") {
  record(Durability::kPower);
  const std::size_t cuts = test::for_each_cut(
      tape, folder.path(), [this](const test::Cut& cut) { check_recovery(cut, answered[cut.mark]); });
  MESSAGE("journal, 'power': ", tape.calls.size(), " calls, ", cuts, " different states after a cut");
  CHECK(cuts > 500);
}

TEST_CASE_FIXTURE(RecordedJournal, "journal 'power', power cut: without syncs messages would be gone") {
  record(Durability::kPower);
  tape.forget_syncs();
  std::size_t gone = 0;
  test::for_each_cut(
      tape, folder.path(),
      [&](const test::Cut& cut) {
        JournalFindings findings;
        const auto journal =
            open_journal(cut.folder + "/readings.journal", options, {committed[cut.mark]}, findings);
        REQUIRE(journal);
        if (committed[cut.mark] + (*journal)->queued_messages() < answered[cut.mark]) ++gone;
      },
      0);
  CHECK(gone > 20);
}

TEST_CASE_FIXTURE(RecordedJournal, "journal 'on', power cut: all but the last sync interval is there") {
  record(Durability::kOn);
  const std::size_t cuts = test::for_each_cut(tape, folder.path(), [this](const test::Cut& cut) {
    check_recovery(cut, std::max(committed[cut.mark], answered[cut.synced_mark]));
  });
  MESSAGE("journal, 'on': ", tape.calls.size(), " calls, ", cuts, " different states after a cut");
  CHECK(cuts > 300);
}

TEST_CASE_FIXTURE(RecordedJournal, "journal 'on', end of the process: every acknowledged message is there") {
  record(Durability::kOn);
  test::ForgetfulDisk disk;
  test::Cut cut{.folder = folder.file("cut")};
  for (const test::DiskCall& call : tape.calls) {
    ++cut.call;
    disk.apply(call);
    if (call.kind != test::DiskCall::Kind::kMark) continue;
    cut.mark = static_cast<std::size_t>(call.size);
    test::write_image(disk.cut(test::ForgetfulDisk::Keeps::kEverything, 0), folder.path(), cut.folder);
    check_recovery(cut, answered[cut.mark]);
  }
}

}  // namespace
}  // namespace leat::sources
