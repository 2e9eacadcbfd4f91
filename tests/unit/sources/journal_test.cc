#include "sources/journal.h"

#include <thread>

#include "tests/support/eventually.h"
#include "tests/unit/sources/journal_fixture.h"

namespace leat::sources {
namespace {

using test::eventually;

TEST_CASE("the journal gives back what was appended, in order and whole") {
  JournalFixture it;
  it.open();
  it.append("first");
  it.append("");
  it.append(std::string(20'000, 'x'));
  auto batch = it.journal->read(1 << 20);
  REQUIRE(batch->messages.size() == 3);
  const Message& first = batch->messages[0];
  CHECK(first.number == MessageNumber{1});
  CHECK(first.payload == "first");
  CHECK(first.key == "key");
  CHECK(first.attributes == "attributes");
  CHECK(first.intake_time == 77);
  CHECK(batch->messages[1].payload.empty());
  CHECK(batch->messages[2].payload == std::string(20'000, 'x'));
}

TEST_CASE("a read takes about the bytes it is allowed, and one message at least") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 10, 1000);
  CHECK(it.journal->read(1)->messages.size() == 1);
  CHECK(it.journal->read(3500)->messages.size() == 3);
  CHECK(it.journal->queued_messages() == 6);
  CHECK(it.read_all().size() == 6);
  CHECK(it.journal->read(1000)->messages.empty());
}

TEST_CASE("what is appended and not committed is there again after a crash") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 5);
  CHECK(it.read_all().size() == 5);
  it.crash();
  it.open(3);
  CHECK(it.journal->queued_messages() == 2);
  CHECK(it.read_all() == std::vector<std::string>{"4", "5"});
  CHECK(it.findings.detail.empty());
}

TEST_CASE("numbers go on behind the larger of the last record and what is committed") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 3);
  it.crash();
  it.open(10);
  it.append("eleven");
  it.read_all();
  CHECK(it.last == MessageNumber{11});
  it.crash();
  it.open(10);
  CHECK(it.read_all() == std::vector<std::string>{"eleven"});
  it.append("twelve");
  it.read_all();
  CHECK(it.last == MessageNumber{12});
}

TEST_CASE("numbers are not used again when nothing was appended between two openings") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 3);
  it.open(20);
  it.open(0);
  it.append("next");
  it.read_all();
  CHECK(it.last == MessageNumber{21});
  CHECK(it.findings.detail.empty());
}

TEST_CASE("the ring goes round many times, and each crash on the way keeps what is not committed") {
  JournalFixture it;
  it.open();
  int next = 1;
  for (int round = 0; round < 60; ++round) {
    const int begin = next;
    const std::size_t bytes = static_cast<std::size_t>(round) * 37 % 3000;
    next += 20;
    it.append_numbered(begin, next - 1, bytes);
    if (round % 7 == 3) {
      it.crash();
      it.open(static_cast<std::uint64_t>(begin - 1));
    }
    const auto payloads = it.read_all(1 + static_cast<std::size_t>(round) * 911 % 9000);
    REQUIRE(payloads.size() == 20);
    CHECK(payloads.front() == JournalFixture::numbered(begin, bytes));
    CHECK(payloads.back() == JournalFixture::numbered(next - 1, bytes));
    it.release_all();
    REQUIRE(it.journal->used_bytes() == 0);
    CHECK(it.findings.detail.empty());
  }
}

TEST_CASE("above the high-water mark the answer says so, and beyond the reserve nothing is taken") {
  JournalFixture it;
  it.open();
  int stored = 0;
  int above = 0;
  while (true) {
    const Appended appended = it.append(JournalFixture::numbered(stored, 1000));
    if (appended == Appended::kFull) break;
    ++stored;
    if (appended == Appended::kAboveHigh) ++above;
  }
  CHECK(stored > 100);
  CHECK(above > stored / 5);
  CHECK(above < stored / 3);
  CHECK(it.journal->counters().received == static_cast<std::uint64_t>(stored));
  CHECK(it.read_all().size() == static_cast<std::size_t>(stored));
}

TEST_CASE("room below the low-water mark is announced once after a refusal") {
  JournalFixture it;
  it.open();
  std::atomic<int> resumed{0};
  it.journal->on_room([&] { ++resumed; });
  while (it.append(std::string(1000, 'x')) != Appended::kFull) {
  }
  it.read_all();
  CHECK(resumed == 0);
  it.release_all();
  REQUIRE(eventually([&] { return resumed == 1; }));
  CHECK(it.append("more") == Appended::kStored);
}

TEST_CASE("after an interrupt no room is announced") {
  JournalFixture it;
  it.open();
  std::atomic<int> resumed{0};
  it.journal->on_room([&] { ++resumed; });
  while (it.append(std::string(1000, 'x')) != Appended::kFull) {
  }
  it.journal->interrupt();
  it.read_all();
  it.release_all();
  REQUIRE(eventually([&] { return it.append("more") == Appended::kStored; }));
  CHECK(resumed == 0);
}

TEST_CASE("before the first read the source sees all that is not committed") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 9);
  it.read_all();
  it.open(6);
  std::vector<std::string> unread;
  it.journal->visit_unread([&](const Message& message) { unread.emplace_back(message.payload); });
  CHECK(unread == std::vector<std::string>{"7", "8", "9"});
  CHECK(it.read_all().size() == 3);
}

TEST_CASE("opening reads only the live part of the ring") {
  JournalFixture it;
  it.open();
  for (int round = 0; round < 5; ++round) {
    it.append_numbered(1, 15, 1000);
    it.read_all();
    it.release_all();
  }
  it.journal.reset();
  const JournalSlot a = *decode_slot(std::string_view(it.disk->bytes).substr(0, kSlotBytes));
  const JournalSlot b = *decode_slot(std::string_view(it.disk->bytes).substr(kSlotBytes, kSlotBytes));
  CHECK(std::max(a.head.number, b.head.number) == it.last);
}

TEST_CASE("the reader's bell rings once when there is something after there was nothing") {
  JournalFixture it;
  it.open();
  int rings = 0;
  it.journal->on_readable([&] { ++rings; });
  it.append_numbered(1, 3);
  CHECK(rings == 1);
  it.read_all();
  it.append_numbered(4, 5);
  CHECK(rings == 2);
}

TEST_CASE("a journal with messages from before rings as soon as the bell is there") {
  JournalFixture it;
  it.open();
  it.append("kept");
  it.open();
  int rings = 0;
  it.journal->on_readable([&] { ++rings; });
  CHECK(rings == 1);
}

TEST_CASE("a disk that refuses a write loses nothing that was taken and is asked again") {
  JournalFixture it;
  it.open();
  it.append("before");
  it.disk->refuse_writes = true;
  CHECK(it.append("refused") == Appended::kFailed);
  CHECK(it.journal->trouble() == "refused");
  it.disk->refuse_writes = false;
  CHECK(it.append("after") == Appended::kStored);
  CHECK(it.journal->trouble().empty());
  CHECK(it.read_all() == std::vector<std::string>{"before", "after"});
  CHECK(it.last == MessageNumber{2});
}

TEST_CASE("a disk that is well again is seen without a message that asks it") {
  JournalFixture it;
  it.open();
  it.append("before");
  it.disk->refuse_writes = true;
  CHECK(it.append("refused") == Appended::kFailed);
  CHECK(it.journal->trouble() == "refused");
  it.disk->refuse_writes = false;
  CHECK(eventually([&] { return it.journal->trouble().empty(); }));
  CHECK(it.append("after") == Appended::kStored);
  CHECK(it.read_all() == std::vector<std::string>{"before", "after"});
}

TEST_CASE("a failed sync of the head may have lost records: they are written again before more is taken") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 30, 1000);
  it.read_all();
  std::atomic<bool> at_head{false};
  std::atomic<bool> refused{false};
  it.disk->written = [&](std::uint64_t offset) { at_head = offset < kRingStart; };
  it.disk->may_sync = [&] {
    if (!at_head || refused) return true;
    it.append("between");
    refused = true;
    return false;
  };
  it.release_all();
  REQUIRE(eventually([&] { return refused.load(); }));
  REQUIRE(eventually([&] { return it.append("after") == Appended::kStored; }));
  it.power_cut();
  it.open(30);
  CHECK(it.read_all().at(0) == "between");
}

TEST_CASE("'power': a sync that fails elsewhere while a record is written is not taken for its own success") {
  JournalFixture it;
  it.options.durability = IntakeOptions::Durability::kPower;
  it.open();
  it.append_numbered(1, 30, 1000);
  it.read_all();
  std::atomic<bool> at_head{false};
  std::atomic<bool> stored{false};
  std::atomic<bool> refused{false};
  it.disk->written = [&](std::uint64_t offset) {
    if (offset < kRingStart) {
      at_head = true;
      CHECK(eventually([&] { return stored.load(); }));
    } else if (!stored.exchange(true)) {
      CHECK(eventually([&] { return refused.load(); }));
    }
  };
  // The journal's thread is told of the record's failure, and the append of none.
  it.disk->may_sync = [&] { return refused.exchange(true); };
  it.release_all();
  REQUIRE(eventually([&] { return at_head.load(); }));
  CHECK(it.append("unsafe") == Appended::kFailed);
  REQUIRE(eventually([&] { return it.append("safe") == Appended::kStored; }));
  it.power_cut();
  it.open(30);
  CHECK(it.read_all() == std::vector<std::string>{"safe"});
}

TEST_CASE("when a sync fails nothing is taken until the same bytes are down") {
  JournalFixture it;
  it.open();
  it.disk->refuse_syncs = true;
  it.append("maybe lost");
  REQUIRE(eventually([&] { return it.append("x") == Appended::kFailed; }));
  CHECK(eventually([&] { return it.journal->trouble() == "refused"; }));
  it.disk->refuse_syncs = false;
  REQUIRE(eventually([&] { return it.append("y") == Appended::kStored; }));
  CHECK(eventually([&] { return it.journal->trouble().empty(); }));
  CHECK(it.read_all().front() == "maybe lost");
}

TEST_CASE("'power' syncs before the append answers, and takes nothing that it could not sync") {
  JournalFixture it;
  it.options.durability = IntakeOptions::Durability::kPower;
  it.open();
  const int before = it.disk->syncs;
  CHECK(it.append("safe") == Appended::kStored);
  CHECK(it.disk->syncs == before + 1);
  it.disk->refuse_syncs = true;
  CHECK(it.append("unsafe") == Appended::kFailed);
  it.disk->refuse_syncs = false;
  REQUIRE(eventually([&] { return it.append("again") == Appended::kStored; }));
  CHECK(it.read_all() == std::vector<std::string>{"safe", "again"});
}

TEST_CASE("a changed size takes effect when nothing waits, and numbers go on") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 3);
  it.options.size.bytes = 256 * 1024;
  it.open();
  CHECK(it.disk->bytes.size() == 128 * 1024);
  it.open(3);
  CHECK(it.disk->bytes.size() == 256 * 1024);
  it.append("four");
  CHECK(it.read_all() == std::vector<std::string>{"four"});
  CHECK(it.last == MessageNumber{4});
}

TEST_CASE("appending and reading at the same time keeps every message, once and in order") {
  JournalFixture it;
  it.open();
  constexpr int kMessages = 20'000;
  std::atomic<bool> room{false};
  it.journal->on_room([&] { room = true; });
  std::thread writer([&] {
    for (int i = 1; i <= kMessages;) {
      const Appended appended = it.append(std::to_string(i));
      if (appended <= Appended::kAboveHigh) ++i;
      if (appended != Appended::kStored) {
        if (!eventually([&] { return room.load(); })) return;
        room = false;
      }
    }
  });
  int next = 1;
  const bool all = eventually([&] {
    for (const std::string& payload : it.read_all(3000)) {
      if (payload != std::to_string(next)) return false;
      ++next;
    }
    it.release_all();
    return next > kMessages;
  });
  writer.join();
  CHECK(all);
  CHECK(it.journal->counters().received == kMessages);
}

TEST_CASE("the end of the source is given out with the last batch") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 2, 100);
  it.journal->end();
  CHECK(!it.journal->read(150)->end);
  CHECK(it.journal->read(1000)->end);
}

}  // namespace
}  // namespace leat::sources
