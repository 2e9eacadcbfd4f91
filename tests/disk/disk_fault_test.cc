// The store on disks that refuse: once at every call, for a while, for want of room, for want of rights; and
// over files that are damaged. It opens or says what to do, loses nothing that it answered, and goes on by
// itself.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <sstream>

#include "daemon/store/health.h"
#include "tests/disk/disk_calls.h"
#include "tests/support/eventually.h"
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

using Kind = test::DiskCall::Kind;

/// Refuses the calls from `first` on, `calls` of them.
class RefusingDisk final : public test::DiskObserver {
 public:
  RefusingDisk(int error, std::size_t first, std::size_t calls)
      : error_(error), first_(first), calls_(calls) {}
  int before(const test::DiskCall&) override {
    ++seen_;
    return seen_ >= first_ && seen_ < first_ + calls_ ? error_ : 0;
  }
  [[nodiscard]] bool was_reached() const { return seen_ >= first_; }

 private:
  const int error_;
  const std::size_t first_;
  const std::size_t calls_;
  std::size_t seen_ = 0;
};

/// A disk of some bytes, all files together.
class SmallDisk final : public test::DiskObserver {
 public:
  explicit SmallDisk(std::uint64_t bytes) : room(bytes) {}
  int before(const test::DiskCall& call) override {
    const bool grows = call.kind == Kind::kWrite || call.kind == Kind::kResize;
    return grows && used() - sizes_[call.path] + size_after(call) > room ? ENOSPC : 0;
  }
  void after(const test::DiskCall& call) override {
    if (call.kind == Kind::kWrite || call.kind == Kind::kResize) sizes_[call.path] = size_after(call);
    if (call.kind == Kind::kRemove) sizes_.erase(call.path);
    if (call.kind == Kind::kRemove && call.path.ends_with("ballast")) ballast_given = true;
  }
  std::atomic<std::uint64_t> room;
  std::atomic<bool> ballast_given{false};

 private:
  std::uint64_t size_after(const test::DiskCall& call) {
    if (call.kind == Kind::kResize) return call.size;
    return std::max<std::uint64_t>(sizes_[call.path], call.offset + call.bytes.size());
  }
  [[nodiscard]] std::uint64_t used() const {
    std::uint64_t sum = 0;
    for (const auto& [path, size] : sizes_) sum += size;
    return sum;
  }
  std::map<std::string, std::uint64_t> sizes_;
};

struct FaultyDisk : StoreFixture {
  std::string received;  ///< What a sink would have, block by block.

  void clear() {
    store.reset();
    received.clear();
    for (const auto& entry : std::filesystem::directory_iterator(folder.path))
      if (entry.path().filename().string().starts_with("leat.db")) std::filesystem::remove(entry.path());
  }
  static Commit commit_number(std::uint64_t number) {
    Commit commit{.pipeline = kPipeline, .number = {number}};
    commit.state = {{"n", "last", false, std::to_string(number)}, {"n", std::to_string(number), false, "v"}};
    commit.blocks = {{kSink, 1, "<" + std::to_string(number) + ">", 1}};
    return commit;
  }
  /// Asks until the answer is a success, as pipelines and deliveries do.
  template <class Ask>
  static auto insist(Ask ask) {
    auto answer = ask();
    for (int i = 0; i < 30 && !answer; ++i) answer = ask();
    REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().message));
    return answer;
  }
  void work() {
    insist([this] { return open(); });
    for (std::uint64_t number = 1; number <= 4; ++number) {
      insist([&] { return write(commit_number(number)); });
      const auto shipment = insist([this] { return next(); });
      for (const std::string& block : (*shipment)->blocks) received += block;
      insist([&] { return settle({.number = (*shipment)->number, .delivered = (*shipment)->records}); });
      if (number != 2) continue;
      store.reset();
      insist([this] { return open(); });
    }
  }
  void check_work() {
    CHECK(received == "<1><2><3><4>");
    CHECK(noted().find("set aside") == std::string::npos);
    store.reset();
    REQUIRE(open());
    const auto saved = store->load(kPipeline);
    CHECK(saved->last_commit.value == 4);
    CHECK(saved->state.size() == 5);
    CHECK(status().delivered == 4);
    CHECK(status().records == 0);
  }
  /// The work with `calls` calls refused, beginning at each of its calls in turn.
  void refuse_at_every_call(int error, std::size_t calls) {
    bool reached = true;
    std::size_t first = 1;
    for (; reached; ++first) {
      CAPTURE(first);
      clear();
      RefusingDisk disk(error, first, calls);
      {
        const test::WatchDisk watch(folder.path.string(), disk);
        work();
        store.reset();
      }
      reached = disk.was_reached();
      check_work();
    }
    CHECK(first > 50);
  }
};

TEST_CASE_FIXTURE(FaultyDisk, "an I/O error at any call loses and doubles nothing") {
  refuse_at_every_call(EIO, 1);
}

TEST_CASE_FIXTURE(FaultyDisk, "I/O errors for a while, from any call on, lose and double nothing") {
  refuse_at_every_call(EIO, 9);
}

TEST_CASE_FIXTURE(FaultyDisk, "a full disk at any call loses and doubles nothing") {
  refuse_at_every_call(ENOSPC, 1);
}

TEST_CASE_FIXTURE(FaultyDisk, "a full disk for a while, from any call on, loses and doubles nothing") {
  refuse_at_every_call(ENOSPC, 9);
}

TEST_CASE_FIXTURE(FaultyDisk, "a store that has filled its disk empties itself and goes on") {
  SmallDisk disk(40 << 20);
  const test::WatchDisk watch(folder.path.string(), disk);
  REQUIRE(open());
  std::uint64_t number = 1;
  const auto commit = [&] {
    Commit made = commit_number(number);
    made.blocks[0].bytes = std::string(200'000, 'b');
    return write(std::move(made));
  };
  // Twice: emptying the log may have made room for another one.
  Status refused;
  while (number < 1'000 && ((refused = commit()) || (refused = commit()))) ++number;
  REQUIRE(number < 1'000);
  CHECK(refused.error().code == ErrorCode::kExhausted);
  // Housekeeping may have found room for it again by now, on a slow machine.
  CHECK(disk.ballast_given);
  for (auto shipment = next(); shipment && *shipment; shipment = next())
    REQUIRE(settle({.number = (*shipment)->number, .delivered = (*shipment)->records}));
  // Housekeeping gives the pages back when there is a moment's rest.
  REQUIRE(test::eventually([&] { return health_of(*store).has_ballast; }));
  CHECK(health_of(*store).problem.empty());
  REQUIRE(commit());
  CHECK(status().emitted == number);
}

TEST_CASE_FIXTURE(FaultyDisk, "a store opens on a disk that is full to the last byte") {
  REQUIRE(open());
  REQUIRE(write(commit_number(1)));
  store.reset();
  SmallDisk disk(0);
  {
    const test::WatchDisk watch(folder.path.string(), disk);
    REQUIRE(open());
    CHECK(store->load(kPipeline)->last_commit.value == 1);
    CHECK(write(commit_number(2)).error().code == ErrorCode::kExhausted);
    disk.room = 40 << 20;
    REQUIRE(write(commit_number(2)));
    store.reset();
  }
  REQUIRE(open());
  CHECK(store->load(kPipeline)->last_commit.value == 2);
}

TEST_CASE_FIXTURE(FaultyDisk, "files that may not be opened or written are named, with what to do") {
  struct {
    int error;
    const char* advice;
  } const cases[] = {{EACCES, "writable"}, {EROFS, "writable"}, {EPERM, "writable"}};
  REQUIRE(open());
  store.reset();
  for (const auto& [error, advice] : cases)
    for (std::size_t first = 1; first <= 4; ++first) {
      CAPTURE(first);
      RefusingDisk disk(error, first, 1'000'000);
      const test::WatchDisk watch(folder.path.string(), disk);
      const Status opened = open();
      REQUIRE_FALSE(opened);
      CHECK(opened.error().message.find("leat.db") != std::string::npos);
      CHECK_MESSAGE(opened.error().message.find(advice) != std::string::npos, opened.error().message);
    }
  CHECK(store == nullptr);
  REQUIRE(open());
}

struct DamagedFile : FaultyDisk {
  std::string sound;

  DamagedFile() {
    REQUIRE(open());
    Commit commit = commit_number(1);
    for (int i = 0; i < 800; ++i)
      commit.state.push_back({"n", "key " + std::to_string(i), false, std::string(100, 'v')});
    commit.blocks.push_back({kSink, 3, std::string(30'000, 'b'), 1});
    commit.dead_letters = {letter("bad")};
    REQUIRE(write(std::move(commit)));
    store.reset();
    std::ostringstream content;
    content << std::ifstream(options.path, std::ios::binary).rdbuf();
    sound = content.str();
  }
  /// Uses everything that is in the store; each answer is right or an error.
  void use() {
    const auto saved = store->load(kPipeline);
    if (!saved) CHECK(saved.error().code == ErrorCode::kCorrupt);
    const std::uint64_t number = saved ? saved->last_commit.value + 1 : 2;
    (void)write(commit_number(number));
    if (const auto shipment = next(); shipment && *shipment)
      (void)settle({.number = (*shipment)->number, .delivered = (*shipment)->records});
    (void)store->outbox_status();
    (void)store->dead_letters({}, {.letters = 10});
  }
  /// Opens and uses the damaged file, as often as a daemon would that is started again.
  void check_damage(const std::string& damaged, bool was_killed) {
    clear();
    write_file("leat.db", damaged);
    if (was_killed) write_file("leat.db.suspect", "");
    for (int start = 0; start < 2; ++start) {
      const Status opened = open();
      if (!opened) {
        // The bytes that say whose file it is: a wrong version, or another program's.
        CHECK(opened.error().code == ErrorCode::kConflict);
        CHECK(opened.error().message.find("choose another data folder") != std::string::npos);
        return;
      }
      const bool aside = noted().find("set aside as") != std::string::npos;
      CHECK(health_of(*store).damaged_files == (aside || exists("leat.db.damaged-1") ? 1 : 0));
      use();
      store.reset();
    }
    if (exists("leat.db.damaged-1"))
      CHECK(std::filesystem::file_size(options.path + ".damaged-1") >= sound.size());
    // Whatever was found is settled: from here on the store works.
    REQUIRE(open());
    const auto saved = store->load(kPipeline);
    if (!saved) CHECK(exists("leat.db.suspect"));
    store.reset();
  }
};

TEST_CASE_FIXTURE(DamagedFile, "damage in any page: it starts, uses what is sound, and sets the file aside") {
  constexpr std::size_t kPage = 4'096;
  REQUIRE(sound.size() / kPage > 30);
  for (const bool was_killed : {false, true})
    for (std::size_t page = 0; page < sound.size() / kPage; ++page) {
      CAPTURE(page);
      std::string damaged = sound;
      check_damage(damaged.replace(page * kPage, kPage, std::string(kPage, '\0')), was_killed);
      check_damage(damaged.replace(page * kPage, kPage, std::string(kPage, '\xff')), was_killed);
      damaged = sound;
      for (std::size_t at = page == 0 ? 100 : 0; at < kPage; at += 61) damaged[page * kPage + at] ^= '\x10';
      check_damage(damaged, was_killed);
    }
}

TEST_CASE_FIXTURE(DamagedFile, "a file cut at any page: it starts, and sets the file aside") {
  for (std::size_t length = 0; length < sound.size(); length += 4'096 - 512) {
    CAPTURE(length);
    clear();
    write_file("leat.db", sound.substr(0, length));
    write_file("leat.db.suspect", "");
    REQUIRE(open());
    // Of the last page nothing but its free middle may be gone.
    const bool aside = health_of(*store).damaged_files == 1;
    if (length > 0 && length + 4'096 < sound.size()) CHECK(aside);
    if (!aside && length > 0) CHECK(store->load(kPipeline)->state.size() == 802);
    use();
  }
}

}  // namespace
}  // namespace leat::store
