// Recovery and damage: a cut or a wrong byte anywhere costs what it hit, never more than what follows, and
// never an answer that is wrong.
#include "tests/support/eventually.h"
#include "tests/unit/sources/journal_fixture.h"

namespace leat::sources {
namespace {

constexpr std::size_t kRecord = 48 + 3 + 10 + 101;  // Head, "key", "attributes", payload.

struct CutFixture : JournalFixture {
  CutFixture() {
    open();
    append_numbered(1, 5, 101);
    crash();
    intact = disk->bytes;
  }
  /// Recovers over a copy with `change` applied, and reads.
  std::vector<std::string> recover(const std::function<void(std::string&)>& change) {
    disk->bytes = intact;
    change(disk->bytes);
    open();
    auto payloads = read_all();
    crash();
    return payloads;
  }
  static std::size_t begin_of(int record) {
    return kRingStart + static_cast<std::size_t>(record - 1) * record_size(3, 10, 101);
  }
  std::string intact;
};

TEST_CASE("a record cut at any byte is not there, and the ones before are") {
  CutFixture it;
  for (std::size_t cut = 0; cut < kRecord; ++cut) {
    const auto payloads = it.recover([&](std::string& bytes) {
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(it.begin_of(5) + cut), kRecord - cut, '\0');
    });
    // The payload's padding character is no zero, so each cut changes the record.
    REQUIRE(payloads.size() == 4);
    CHECK(payloads.back() == JournalFixture::numbered(4, 101));
  }
}

TEST_CASE("a wrong byte anywhere in a record ends recovery before it") {
  CutFixture it;
  for (std::size_t at = 0; at < kRecord; ++at) {
    const auto payloads = it.recover([&](std::string& bytes) { bytes[it.begin_of(3) + at] ^= '\x20'; });
    REQUIRE(payloads.size() == 2);
  }
}

TEST_CASE("a wrong byte anywhere in the file gives right messages only, in order, or sets the file aside") {
  CutFixture it;
  const std::size_t end = CutFixture::begin_of(6) + 64;
  int refused = 0;
  for (std::size_t at = 0; at < end; ++at) {
    it.disk->bytes = it.intact;
    it.disk->bytes[at] ^= '\x41';
    auto opened = Journal::open(std::make_unique<MemoryFile>(it.disk), "journal", it.options, {}, &it.damage);
    if (!opened) {
      // No slot is left: open_journal sets the file aside.
      REQUIRE(opened.error().code == ErrorCode::kCorrupt);
      ++refused;
      continue;
    }
    it.journal = *std::move(opened);
    int expected = 0;
    for (const std::string& payload : it.read_all())
      REQUIRE(payload == JournalFixture::numbered(++expected, 101));
    // Padding belongs to no message.
    const std::size_t record = (at - kRingStart) / record_size(3, 10, 101);
    const bool is_hit =
        at >= kRingStart && record < 5 && (at - kRingStart) % record_size(3, 10, 101) < kRecord;
    CHECK(expected == (is_hit ? static_cast<int>(record) : 5));
    it.crash();
  }
  CHECK(refused == 0);
}

TEST_CASE("what is appended after a cut is kept, and its numbers follow the last valid record") {
  CutFixture it;
  it.disk->bytes[it.begin_of(4) + 60] ^= 1;
  it.open();
  it.append("new");
  it.crash();
  it.open();
  const auto payloads = it.read_all();
  REQUIRE(payloads.size() == 4);
  CHECK(payloads.back() == "new");
  CHECK(it.last == MessageNumber{4});
}

TEST_CASE("an old record behind a cut does not come back when a new one ends exactly before it") {
  CutFixture it;
  // Record 4 is lost in a power cut that kept record 5; a new record 4 of the same length takes its place.
  it.disk->bytes[it.begin_of(4) + 60] ^= 1;
  it.open();
  it.append(JournalFixture::numbered(44, 101));
  it.crash();
  it.open();
  const auto payloads = it.read_all();
  REQUIRE(payloads.size() == 4);
  CHECK(payloads.back() == JournalFixture::numbered(44, 101));
}

TEST_CASE("damage behind which synced records are known is stepped over, and told") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 5, 101);
  it.journal.reset();
  it.disk->bytes[CutFixture::begin_of(3) + 60] ^= 1;
  it.open();
  CHECK(it.damage.find("before number 4") != std::string::npos);
  CHECK(it.journal->queued_messages() == 4);
  const auto payloads = it.read_all();
  REQUIRE(payloads.size() == 4);
  CHECK(payloads[2] == JournalFixture::numbered(4, 101));
  CHECK(it.journal->queued_messages() == 0);
}

TEST_CASE("a damaged end of what was synced is told, and its numbers are not used again") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 5, 101);
  it.journal.reset();
  it.disk->bytes[CutFixture::begin_of(4) + 60] ^= 1;
  it.disk->bytes[CutFixture::begin_of(5) + 60] ^= 1;
  it.open();
  CHECK(it.damage.find("cut behind record 3") != std::string::npos);
  CHECK(it.read_all().size() == 3);
  it.append("six");
  it.read_all();
  CHECK(it.last == MessageNumber{6});
}

TEST_CASE("a torn header page falls back to the one before") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 5);
  it.crash();
  const std::string intact = it.disk->bytes;
  for (const std::size_t slot : {std::size_t{0}, kSlotBytes}) {
    it.disk->bytes = intact;
    it.disk->bytes[slot + 40] ^= 1;
    it.open();
    CHECK(it.read_all().size() == 5);
    it.crash();
  }
}

TEST_CASE("a file without a valid header is renamed aside and told, and a new one takes over") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("readings.journal");
  folder.write("readings.journal", std::string(100'000, 'x'));
  std::string damage;
  auto journal = open_journal(path, {.size = {128 * 1024}}, {7}, &damage);
  REQUIRE(journal.has_value());
  CHECK(damage.find(path + ".damaged-1") != std::string::npos);
  CHECK(folder.read("readings.journal.damaged-1") == std::string(100'000, 'x'));
  (*journal)->append("eight", "", "", 0);
  CHECK((*journal)->read(100)->messages.front().number == MessageNumber{8});
}

TEST_CASE("a journal that was allocated and never begun is begun, and nothing is told") {
  JournalFixture it;
  it.disk->bytes.assign(128 * 1024, '\0');
  it.open(7);
  CHECK(it.damage.empty());
  it.append("eight");
  it.read_all();
  CHECK(it.last == MessageNumber{8});
}

TEST_CASE("a journal of a newer version is refused and left alone") {
  JournalFixture it;
  it.open();
  it.journal.reset();
  for (const std::size_t at : {std::size_t{0}, kSlotBytes}) {
    JournalSlot slot = *decode_slot(std::string_view(it.disk->bytes).substr(at));
    slot.version = 2;
    it.disk->bytes.replace(at, kSlotBytes, encode_slot(slot));
  }
  const std::string before = it.disk->bytes;
  auto opened = Journal::open(std::make_unique<MemoryFile>(it.disk), "journal", it.options, {}, nullptr);
  REQUIRE(!opened.has_value());
  CHECK(opened.error().code == ErrorCode::kConflict);
  CHECK(it.disk->bytes == before);
}

TEST_CASE("two processes can not have one journal: the second opening is a conflict") {
  const test::TemporaryFolder folder;
  auto first = open_journal(folder.file("j"), {.size = {128 * 1024}}, {}, nullptr);
  REQUIRE(first.has_value());
  auto second = open_journal(folder.file("j"), {.size = {128 * 1024}}, {}, nullptr);
  REQUIRE(!second.has_value());
  CHECK(second.error().code == ErrorCode::kConflict);
}

TEST_CASE("a journal in a folder that is not there is an error that names it") {
  auto journal = open_journal("/nonexistent/j", {}, {}, nullptr);
  REQUIRE(!journal.has_value());
  CHECK(journal.error().message.find("/nonexistent/j") != std::string::npos);
}

TEST_CASE("a record that rots while it waits is counted as dropped, and the reader goes on behind it") {
  const test::TemporaryFolder folder;
  JournalFixture it;
  it.open();
  it.append_numbered(1, 5, 101);
  {
    const std::scoped_lock lock(it.disk->mutex);
    it.disk->bytes[CutFixture::begin_of(3) + 60] ^= 1;
  }
  CHECK(it.read_all() ==
        std::vector<std::string>{JournalFixture::numbered(1, 101), JournalFixture::numbered(2, 101)});
  // read_all stopped at the error of the damaged record; the next read begins behind it.
  CHECK(it.read_all().size() == 2);
  CHECK(it.journal->counters().received == 5);
  CHECK(it.journal->counters().dropped == 1);
  CHECK(it.journal->queued_messages() == 0);
  std::filesystem::remove("journal.damaged-records-3");
}

TEST_CASE("while the head can not be moved in the file, the room it would give is not reused") {
  JournalFixture it;
  it.options.sync_interval = Micros(3'600'000'000);
  it.open();
  it.append_numbered(1, 90, 1000);
  it.read_all();
  it.disk->refuse_syncs = true;
  it.release_all();
  int more = 0;
  while (it.append(std::string(1000, 'x')) <= Appended::kAboveHigh) ++more;
  CHECK(more < 30);
  it.crash();
  it.open(90);
  CHECK(it.damage.empty());
  CHECK(it.read_all().size() == static_cast<std::size_t>(more));
}

}  // namespace
}  // namespace leat::sources
