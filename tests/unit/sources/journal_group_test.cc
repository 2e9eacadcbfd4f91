// Messages that are not acknowledged: gathered and written together, and never out of order with the others.
#include <thread>

#include "tests/support/eventually.h"
#include "tests/unit/sources/journal_fixture.h"

namespace leat::sources {
namespace {

using test::eventually;

/// The journal's thread does nothing by itself.
struct GroupFixture : JournalFixture {
  GroupFixture() {
    options.sync_interval = Micros(3'600'000'000);
    open();
  }
  void gather_numbered(int from, int to, std::size_t bytes = 0) {
    for (int i = from; i <= to; ++i) REQUIRE(gather(numbered(i, bytes)) == Appended::kStored);
  }
};

TEST_CASE("messages that are not acknowledged are written together when the reader comes") {
  GroupFixture it;
  const int before = it.disk->writes;
  it.gather_numbered(1, 50);
  CHECK(it.disk->writes == before);
  CHECK(it.journal->queued_messages() == 50);
  CHECK(it.journal->used_bytes() > 50 * kRecordHeadBytes);
  CHECK(it.journal->counters().received == 50);
  const auto payloads = it.read_all();
  REQUIRE(payloads.size() == 50);
  CHECK(payloads.back() == "50");
  CHECK(it.last == MessageNumber{50});
  CHECK(it.disk->writes == before + 1);
  it.release_all();
  CHECK(it.journal->used_bytes() == 0);
}

TEST_CASE("an acknowledged message takes what was gathered before it into the file") {
  GroupFixture it;
  it.gather_numbered(1, 3);
  const int before = it.disk->writes;
  CHECK(it.append("4") == Appended::kStored);
  CHECK(it.disk->writes == before + 1);
  it.gather("lost with the process");
  it.crash();
  it.open();
  CHECK(it.findings.detail.empty());
  CHECK(it.read_all() == std::vector<std::string>{"1", "2", "3", "4"});
}

TEST_CASE("a crash loses what is gathered and nothing else, and the numbers go on without a gap") {
  GroupFixture it;
  it.append("1");
  it.gather_numbered(2, 9);
  it.crash();
  it.open();
  it.append("2");
  CHECK(it.read_all() == std::vector<std::string>{"1", "2"});
  CHECK(it.last == MessageNumber{2});
  CHECK(it.findings.detail.empty());
}

TEST_CASE("what is gathered is in the file after the sync interval, and when the journal is closed") {
  JournalFixture it;
  it.open();
  const int syncs = it.disk->syncs;
  it.gather("soon");
  REQUIRE(eventually([&] { return it.disk->syncs > syncs; }));
  it.crash();
  it.options.sync_interval = Micros(3'600'000'000);
  it.open();
  it.gather("at the end");
  it.open();
  CHECK(it.read_all() == std::vector<std::string>{"soon", "at the end"});
}

TEST_CASE("a group has a bound, and is written when it is full") {
  GroupFixture it;
  const int before = it.disk->writes;
  it.gather_numbered(1, 60, 1000);
  CHECK(it.disk->writes >= before + 5);
  it.crash();
  it.open();
  CHECK(it.read_all().size() >= 50);
}

TEST_CASE("groups and single records go round the ring together, over crashes, in order") {
  GroupFixture it;
  int next = 1;
  for (int round = 0; round < 80; ++round) {
    const int begin = next;
    const std::size_t bytes = static_cast<std::size_t>(round) * 37 % 1500;
    for (; next < begin + 20; ++next) {
      const std::string payload = JournalFixture::numbered(next, bytes);
      const bool acknowledged = next % (1 + round % 5) == 0 || next == begin + 19;
      REQUIRE(eventually(
          [&] { return (acknowledged ? it.append(payload) : it.gather(payload)) <= Appended::kAboveHigh; }));
    }
    if (round % 7 == 3) {
      it.crash();
      it.open(static_cast<std::uint64_t>(begin - 1));
    }
    const auto payloads = it.read_all(1 + static_cast<std::size_t>(round) * 911 % 9000);
    REQUIRE(payloads.size() == 20);
    for (int i = 0; i < 20; ++i)
      REQUIRE(payloads[static_cast<std::size_t>(i)] == JournalFixture::numbered(begin + i, bytes));
    CHECK(it.last == MessageNumber{static_cast<std::uint64_t>(next - 1)});
    CHECK(it.findings.detail.empty());
    it.release_all();
  }
}

TEST_CASE("a full ring refuses what would be gathered, too, and keeps what it took") {
  GroupFixture it;
  std::size_t stored = 0;
  while (it.gather(std::string(1000, 'x')) <= Appended::kAboveHigh) ++stored;
  CHECK(it.gather(std::string(1000, 'x')) == Appended::kFull);
  CHECK(stored > 100);
  CHECK(it.read_all().size() == stored);
}

TEST_CASE("a disk that refuses a group keeps it in memory, bounded, and gets it later") {
  GroupFixture it;
  it.disk->refuse_writes = true;
  std::size_t stored = 0;
  while (it.gather(std::string(1000, 'x')) == Appended::kStored) ++stored;
  CHECK(it.gather("more") == Appended::kFailed);
  CHECK(stored > 1);
  CHECK(stored < 10);
  CHECK(it.append("acknowledged") == Appended::kFailed);
  CHECK(it.read_all().empty());
  it.disk->refuse_writes = false;
  CHECK(it.append("acknowledged") == Appended::kStored);
  const auto payloads = it.read_all();
  REQUIRE(payloads.size() == stored + 1);
  CHECK(payloads.back() == "acknowledged");
  CHECK(it.last == MessageNumber{stored + 1});
}

TEST_CASE("the reader is woken when the disk takes a group that it had refused") {
  JournalFixture it;
  it.open();
  std::atomic<int> rings{0};
  it.journal->on_readable([&] { ++rings; });
  it.disk->refuse_writes = true;
  it.gather("late");
  // Until the journal's thread has failed; the reader finds nothing and waits for the bell.
  REQUIRE(eventually([&] {
    CHECK(it.read_all().empty());
    return it.gather("later") == Appended::kFailed;
  }));
  const int before = rings;
  it.disk->refuse_writes = false;
  REQUIRE(eventually([&] { return rings > before; }));
  CHECK(it.read_all().front() == "late");
}

TEST_CASE("'power' gathers nothing") {
  JournalFixture it;
  it.options.durability = IntakeOptions::Durability::kPower;
  it.open();
  const int before = it.disk->syncs;
  CHECK(it.gather("safe") == Appended::kStored);
  CHECK(it.disk->syncs == before + 1);
  it.crash();
  it.open();
  CHECK(it.read_all() == std::vector<std::string>{"safe"});
}

TEST_CASE("gathering and reading at the same time keeps every message, once and in order") {
  JournalFixture it;
  it.open();
  constexpr int kMessages = 20'000;
  std::atomic<bool> room{false};
  it.journal->on_room([&] { room = true; });
  std::thread writer([&] {
    for (int i = 1; i <= kMessages;) {
      const std::string payload = std::to_string(i);
      const Appended appended = i % 64 == 0 ? it.append(payload) : it.gather(payload);
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

}  // namespace
}  // namespace leat::sources
