// Recovery and damage: a cut or a wrong byte anywhere costs what it hit, never more than what follows, and
// never an answer that is wrong.
#include "tests/support/eventually.h"
#include "tests/unit/sources/journal_fixture.h"

namespace leat::sources {
namespace {

constexpr std::size_t kRecord = 48 + 3 + 10 + 101;  // Head, "key", "attributes", payload.

/// With "key" and "attributes", padding included.
std::size_t size_of(std::size_t payload) {
  return static_cast<std::size_t>(record_size(3, 10, payload));
}

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
    return kRingStart + static_cast<std::size_t>(record - 1) * size_of(101);
  }
  std::string intact;
};

/// As the first version wrote it: no seed, and a slot that ends with `next`.
std::string first_version_journal() {
  JournalSlot slot{.version = 1, .epoch = 1, .sequence = 1, .ring_size = 128 * 1024 - kRingStart};
  slot.next = {1};
  std::string bytes = encode_slot(slot);
  std::fill(bytes.begin() + 76, bytes.end(), '\0');
  bytes.resize(kRingStart, '\0');
  encode_record({.epoch = 1, .number = {1}}, {"", "", "one"}, 0, bytes);
  encode_record({.epoch = 1, .number = {2}}, {"", "", "two"}, 0, bytes);
  bytes.resize(128 * 1024, '\0');
  return bytes;
}

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

TEST_CASE("a wrong byte anywhere in a record costs this record, which is counted, kept and told") {
  CutFixture it;
  const std::string hurt = it.intact.substr(CutFixture::begin_of(3), size_of(101));
  for (std::size_t at = 0; at < kRecord; ++at) {
    it.lost = 0;
    const auto payloads = it.recover([&](std::string& bytes) { bytes[it.begin_of(3) + at] ^= '\x20'; });
    REQUIRE(payloads.size() == 4);
    REQUIRE(payloads[2] == JournalFixture::numbered(4, 101));
    REQUIRE(it.lost == 1);
    REQUIRE(it.findings.lost == 1);
    REQUIRE(!it.findings.complete);
    REQUIRE(it.findings.set_aside_files == 1);
    REQUIRE(it.folder.read("journal.damaged-records-3").size() == hurt.size());
  }
  CHECK(it.findings.weight == JournalFindings::Weight::kDamaged);
  CHECK(it.findings.detail.find("1 messages from number 3 on") != std::string::npos);
}

TEST_CASE("a wrong byte anywhere in the file gives right messages only, in order, or sets the file aside") {
  CutFixture it;
  const std::size_t end = CutFixture::begin_of(6) + 64;
  int refused = 0;
  for (std::size_t at = 0; at < end; ++at) {
    it.disk->bytes = it.intact;
    it.disk->bytes[at] ^= '\x41';
    JournalFindings findings;
    auto opened = Journal::open(std::make_unique<MemoryFile>(it.disk), it.folder.file("journal"), it.options,
                                {}, findings);
    if (!opened) {
      // No slot is left: open_journal sets the file aside.
      REQUIRE(opened.error().code == ErrorCode::kCorrupt);
      ++refused;
      continue;
    }
    it.journal = *std::move(opened);
    // Padding belongs to no message.
    const std::size_t record = (at - kRingStart) / size_of(101) + 1;
    const bool is_hit = at >= kRingStart && record <= 5 && (at - kRingStart) % size_of(101) < kRecord;
    std::vector<std::string> expected;
    for (std::size_t n = 1; n <= 5; ++n)
      if (!is_hit || n != record) expected.push_back(JournalFixture::numbered(static_cast<int>(n), 101));
    REQUIRE(it.read_all() == expected);
    // The last one may as well be torn: that is how a crash ends a journal.
    REQUIRE(findings.lost == (is_hit && record < 5 ? 1 : 0));
    it.crash();
  }
  CHECK(refused == 0);
}

TEST_CASE("behind many damaged places all else is there, however large they are") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 90, 1000);
  it.crash();
  for (const std::size_t record : {0, 1, 40, 41, 42, 43, 70})
    std::fill_n(
        it.disk->bytes.begin() + static_cast<std::ptrdiff_t>(kRingStart + record * record_size(3, 10, 1000)),
        900, static_cast<char>(record));
  it.open();
  CHECK(it.journal->queued_messages() == 90);
  CHECK(it.read_all().size() == 83);
  CHECK(it.lost == 7);
  CHECK(it.last == MessageNumber{90});
  CHECK(it.journal->queued_messages() == 0);
}

TEST_CASE("damage among what is committed is no loss") {
  CutFixture it;
  it.disk->bytes[it.begin_of(3) + 60] ^= 1;
  it.open(3);
  CHECK(it.findings.weight == JournalFindings::Weight::kNotice);
  CHECK(it.findings.complete);
  CHECK(it.read_all().size() == 2);
  CHECK(it.lost == 0);
}

TEST_CASE("a lost mark at the end of a lap is no loss, and nothing behind it is missed") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 60, 1000);
  it.read_all();
  it.release_all();
  it.append_numbered(61, 120, 1000);
  it.crash();
  const std::size_t in_lap = (128 * 1024 - kRingStart) / size_of(1000);
  it.disk->bytes[kRingStart + in_lap * size_of(1000) + 8] ^= 1;
  it.open(60);
  CHECK(it.findings.detail.empty());
  int visited = 0;
  it.journal->visit_unread([&](const Message&) { ++visited; });
  CHECK(visited == 60);
  CHECK(it.read_all().size() == 60);
  CHECK(it.lost == 0);
}

TEST_CASE("of the messages before lost ones the source sees none: they may be of another session") {
  CutFixture it;
  it.disk->bytes[it.begin_of(3) + 60] ^= 1;
  it.open();
  std::vector<std::string> seen;
  it.journal->visit_unread([&](const Message& message) { seen.emplace_back(message.payload); });
  CHECK(seen == std::vector<std::string>{JournalFixture::numbered(4, 101), JournalFixture::numbered(5, 101)});
}

TEST_CASE("what an older lap has left behind the tail is never taken for what follows") {
  JournalFixture it;
  it.open();
  // Some laps, with lengths that change, so that old records stand at all kinds of places.
  for (int round = 0; round < 12; ++round) {
    it.append_numbered(round * 20 + 1, round * 20 + 20, 900 + static_cast<std::size_t>(round) * 80);
    it.read_all();
    it.release_all();
    if (round % 3 == 1) it.open(it.last.value);
  }
  it.append_numbered(241, 243, 50);
  it.crash();
  it.open(240);
  CHECK(it.findings.detail.empty());
  CHECK(it.read_all().size() == 3);
  it.append("244");
  it.crash();
  // The last record is torn: behind it are only old ones.
  it.open(243);
  CHECK(it.read_all() == std::vector<std::string>{"244"});
  CHECK(it.lost == 0);
}

TEST_CASE("a payload cannot contain what passes for a record") {
  JournalFixture it;
  it.open();
  std::string forged(43, 'x');  // Behind head, "key" and "attributes" that is up to a multiple of 8.
  for (std::uint64_t number = 2; number < 20; ++number)
    encode_record({.epoch = 1, .number = {number}}, {"", "", "forged"}, 0, forged);
  it.append("first");
  it.append(forged);
  it.append("third");
  it.crash();
  const std::size_t second = kRingStart + size_of(5);
  it.disk->bytes[second + 8] ^= 1;  // Its magic: the search goes through the payload.
  it.open();
  CHECK(it.read_all() == std::vector<std::string>{"first", "third"});
  CHECK(it.lost == 1);
}

TEST_CASE("what is appended behind damage is kept, and its numbers follow the last valid record") {
  CutFixture it;
  it.disk->bytes[it.begin_of(4) + 60] ^= 1;
  it.open();
  it.append("new");
  it.crash();
  it.open();
  const auto payloads = it.read_all();
  REQUIRE(payloads.size() == 5);
  CHECK(payloads.back() == "new");
  CHECK(it.last == MessageNumber{6});
  CHECK(it.lost == 1);
}

TEST_CASE("damage behind which synced records are known is stepped over, and told") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 5, 101);
  it.journal.reset();
  it.disk->bytes[CutFixture::begin_of(3) + 60] ^= 1;
  it.open();
  CHECK(it.findings.lost == 1);
  CHECK(it.journal->queued_messages() == 5);
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
  CHECK(it.findings.lost == 2);
  CHECK(it.findings.detail.find("2 messages from number 4 on") != std::string::npos);
  CHECK(it.read_all().size() == 3);
  CHECK(it.lost == 2);
  it.append("six");
  CHECK(it.read_all() == std::vector<std::string>{"six"});
  CHECK(it.last == MessageNumber{6});
}

TEST_CASE("a damaged end is told, too, when more is appended before it is read") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 5, 101);
  it.journal.reset();
  it.disk->bytes[CutFixture::begin_of(5) + 60] ^= 1;
  it.open();
  it.append("six");
  CHECK(it.read_all().size() == 5);
  CHECK(it.lost == 1);
  CHECK(it.journal->queued_messages() == 0);
}

TEST_CASE("a journal that ends before the store's position says so") {
  CutFixture it;
  std::fill(it.disk->bytes.begin() + static_cast<std::ptrdiff_t>(kRingStart), it.disk->bytes.end(), '\x5a');
  it.open(4);
  CHECK(it.findings.weight == JournalFindings::Weight::kNotice);
  CHECK(it.findings.detail.find("although the store has everything up to 4") != std::string::npos);
  it.append("five");
  it.read_all();
  CHECK(it.last == MessageNumber{5});
}

TEST_CASE("a new journal whose store has a position says so, one whose store has none does not") {
  JournalFixture it;
  it.open();
  CHECK(it.findings.detail.empty());
  it.disk = std::make_shared<Disk>();
  it.open(7);
  CHECK(it.findings.weight == JournalFindings::Weight::kNotice);
  CHECK(it.findings.detail.find("it is new, although the store has messages up to 7") != std::string::npos);
}

TEST_CASE("a journal of the first version is read, and gets a seed when nothing waits in it") {
  CutFixture it;
  const auto seed_of = [&] {
    JournalSlot newest;
    for (const std::size_t at : {std::size_t{0}, kSlotBytes})
      if (const auto slot = decode_slot(std::string_view(it.disk->bytes).substr(at, kSlotBytes));
          slot && slot->sequence > newest.sequence)
        newest = *slot;
    return newest.seed;
  };
  it.disk->bytes = first_version_journal();
  it.open();
  CHECK(it.read_all() == std::vector<std::string>{"one", "two"});
  CHECK(seed_of() == 0);
  it.open(2);
  CHECK(seed_of() != 0);
  it.append("three");
  it.read_all();
  CHECK(it.last == MessageNumber{3});
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
  JournalFindings findings;
  auto journal = open_journal(path, {.size = {128 * 1024}}, {7}, findings);
  REQUIRE(journal.has_value());
  CHECK(findings.detail.find(path + ".damaged-1") != std::string::npos);
  CHECK(findings.set_aside_files == 1);
  CHECK(!findings.complete);
  CHECK(folder.read("readings.journal.damaged-1") == std::string(100'000, 'x'));
  (*journal)->append("eight", "", "", 0);
  CHECK((*journal)->read(100)->messages.front().number == MessageNumber{8});
}

TEST_CASE("a journal that was allocated and never begun is begun, and nothing is told") {
  JournalFixture it;
  it.disk->bytes.assign(128 * 1024, '\0');
  it.open();
  CHECK(it.findings.detail.empty());
  it.disk->bytes.assign(128 * 1024, '\0');
  it.open(7);
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
    slot.version = kJournalVersion + 1;
    it.disk->bytes.replace(at, kSlotBytes, encode_slot(slot));
  }
  const std::string before = it.disk->bytes;
  auto opened = Journal::open(std::make_unique<MemoryFile>(it.disk), "journal", it.options, {}, it.findings);
  REQUIRE(!opened.has_value());
  CHECK(opened.error().code == ErrorCode::kConflict);
  CHECK(it.disk->bytes == before);
}

TEST_CASE("two processes can not have one journal: the second opening is a conflict") {
  const test::TemporaryFolder folder;
  JournalFindings findings;
  auto first = open_journal(folder.file("j"), {.size = {128 * 1024}}, {}, findings);
  REQUIRE(first.has_value());
  auto second = open_journal(folder.file("j"), {.size = {128 * 1024}}, {}, findings);
  REQUIRE(!second.has_value());
  CHECK(second.error().code == ErrorCode::kConflict);
}

TEST_CASE("a journal in a folder that is not there is an error that names it") {
  JournalFindings findings;
  auto journal = open_journal("/nonexistent/j", {}, {}, findings);
  REQUIRE(!journal.has_value());
  CHECK(journal.error().message.find("/nonexistent/j") != std::string::npos);
}

TEST_CASE("a record that rots while it waits is set aside and told, and the reader goes on behind it") {
  JournalFixture it;
  it.open();
  it.append_numbered(1, 5, 101);
  {
    const std::scoped_lock lock(it.disk->mutex);
    it.disk->bytes[CutFixture::begin_of(3) + 60] ^= 1;
  }
  CHECK(it.read_all() ==
        std::vector<std::string>{JournalFixture::numbered(1, 101), JournalFixture::numbered(2, 101)});
  // read_all stopped at the error of the damaged record; the next read tells of it, and begins behind it.
  CHECK(it.read_all().size() == 2);
  CHECK(it.lost == 1);
  CHECK(it.journal->counters().received == 5);
  CHECK(it.journal->queued_messages() == 0);
  CHECK(it.folder.read("journal.damaged-records-3").size() == record_size(3, 10, 101));
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
  CHECK(it.findings.detail.empty());
  CHECK(it.read_all().size() == static_cast<std::size_t>(more));
}

}  // namespace
}  // namespace leat::sources
