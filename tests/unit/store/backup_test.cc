// Backups, checks and repairs of the store's file.
#include "daemon/store/backup.h"

#include <sstream>

#include "daemon/store/salvage.h"
#include "daemon/store/sqlite.h"
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

constexpr std::size_t kPage = 4'096;

struct FilledStore : StoreFixture {
  std::string backup = (folder.path / "backup.db").string();

  FilledStore() {
    REQUIRE(open());
    Commit commit = next_commit();
    commit.positions = {{{"readings"}, "position"}};
    for (int i = 0; i < 3'000; ++i)
      commit.state.push_back({"n", "key " + std::to_string(i), false, std::string(100, 'v')});
    for (int i = 0; i < 100; ++i) commit.blocks.push_back({kSink, 2, std::string(3'000, 'b'), 1});
    commit.dead_letters = {letter("bad")};
    REQUIRE(write(std::move(commit)));
  }
  void damage(std::size_t page) const {
    std::fstream file(options.path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(page * kPage));
    file << std::string(kPage, '\x5a');
  }
  [[nodiscard]] std::size_t pages() const {
    return static_cast<std::size_t>(std::filesystem::file_size(options.path)) / kPage;
  }
};

TEST_CASE_FIXTURE(FilledStore, "a backup of an open store is one sound file with everything of a commit") {
  REQUIRE(back_up_store(options.path, backup));
  put_block(1, "later");
  CHECK_FALSE(exists("backup.db-wal"));
  const auto report = check_store(backup);
  REQUIRE(report);
  CHECK(report->damage.empty());
  CHECK(report->state_entries == 3'000);
  CHECK(report->waiting_records == 200);
  CHECK(report->dead_letters == 1);
}

TEST_CASE_FIXTURE(FilledStore, "a store begun with a backup has a new id and says so, and has all the rest") {
  const StoreId id = store->id();
  REQUIRE(back_up_store(options.path, backup));
  store.reset();
  std::filesystem::rename(backup, options.path);
  REQUIRE(open());
  CHECK(store->id() != id);
  CHECK(noted().find("comes from a backup or a repair") != std::string::npos);
  CHECK(store->load(kPipeline)->state.size() == 3'000);
  CHECK(status().records == 200);
  const StoreId renewed = store->id();
  reopen();
  CHECK(store->id() == renewed);
  CHECK(notes.empty());
}

TEST_CASE_FIXTURE(FilledStore, "a backup does not replace a file, and leaves none behind when it fails") {
  write_file("backup.db", "precious");
  CHECK(back_up_store(options.path, backup).error().code == ErrorCode::kConflict);
  CHECK(std::filesystem::file_size(backup) == 8);
  CHECK_FALSE(back_up_store(options.path, (folder.path / "missing" / "backup.db").string()));
  store.reset();
  damage(20);
  CHECK(back_up_store(options.path, (folder.path / "other.db").string()).error().code == ErrorCode::kCorrupt);
  CHECK_FALSE(exists("other.db"));
  CHECK_FALSE(exists("other.db.unfinished"));
}

TEST_CASE_FIXTURE(FilledStore, "a check names what is damaged, and what is not there") {
  CHECK(check_store(options.path)->damage.empty());
  CHECK(check_store(folder.path / "nothing.db").error().code == ErrorCode::kNotFound);
  store.reset();
  damage(20);
  CHECK_FALSE(check_store(options.path)->damage.empty());
}

TEST_CASE_FIXTURE(FilledStore, "a store that a daemon has open is not repaired") {
  CHECK(repair_store(options.path).error().code == ErrorCode::kConflict);
}

TEST_CASE_FIXTURE(FilledStore, "the repair of a sound store keeps everything but the id") {
  const StoreId id = store->id();
  store.reset();
  const auto report = repair_store(options.path);
  REQUIRE(report);
  CHECK(report->lost_records == 0);
  for (const SalvagedTable& table : report->tables) CHECK(table.damaged_places == 0);
  CHECK(std::filesystem::exists(report->aside));
  REQUIRE(open());
  CHECK(store->id() != id);
  const auto saved = store->load(kPipeline);
  CHECK(saved->state.size() == 3'000);
  CHECK(saved->positions.size() == 1);
  CHECK(status().records == 200);
  CHECK(store->dead_letter_status()->letters == 1);
}

TEST_CASE_FIXTURE(FilledStore, "with any page damaged a repair keeps the rest, and counts what is lost") {
  store.reset();
  std::ostringstream content;
  content << std::ifstream(options.path, std::ios::binary).rdbuf();
  const std::string sound = content.str();
  std::size_t gave_up = 0;
  for (std::size_t page = 0; page < sound.size() / kPage; page += 3) {
    CAPTURE(page);
    write_file("leat.db", sound);
    damage(page);
    const auto report = repair_store(options.path);
    if (!report) {
      CHECK((report.error().code == ErrorCode::kCorrupt || report.error().code == ErrorCode::kConflict));
      ++gave_up;
      continue;
    }
    REQUIRE(open());
    const auto saved = store->load(kPipeline);
    REQUIRE(saved);
    // One page holds some 30 entries; an inner one, the way to some thousand of them.
    if (saved->last_commit.value > 0 && !saved->state.empty()) CHECK(saved->state.size() > 2'900);
    CHECK(status().dropped == report->lost_records);
    put_block(1, "goes on");
    check_accounts();
    store.reset();
  }
  CHECK(gave_up <= 2);
}

TEST_CASE_FIXTURE(FilledStore,
                  "records whose blocks cannot be read count as dropped, and the others are delivered") {
  REQUIRE(next({.max_records = 20}));
  store.reset();
  // Blocks lie behind the state: damage the file from the middle of them on.
  for (std::size_t page = pages() - 40; page < pages() - 10; ++page) damage(page);
  const auto report = repair_store(options.path);
  REQUIRE(report);
  CHECK(report->lost_records > 0);
  REQUIRE(open());
  CHECK(status().dropped == report->lost_records);
  CHECK(status().records == 200 - report->lost_records);
  std::uint64_t delivered = 0;
  for (auto shipment = next(); shipment && *shipment; shipment = next()) {
    delivered += (*shipment)->records;
    REQUIRE(settle({.number = (*shipment)->number, .delivered = (*shipment)->records}));
  }
  CHECK(delivered == 200 - report->lost_records);
}

}  // namespace
}  // namespace leat::store
