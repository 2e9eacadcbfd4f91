#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>

#include "daemon/store/health.h"
#include "daemon/store/housekeeping.h"
#include "daemon/store/schema.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/sqlite_tables.h"
#include "daemon/store/storage_thread.h"
#include "tests/support/eventually.h"
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

struct FileFixture : StoreFixture {
  void fill() {
    REQUIRE(open());
    Commit commit = next_commit();
    for (int i = 0; i < 2'000; ++i)
      commit.state.push_back({"n", "key " + std::to_string(i), false, std::string(100, 'v')});
    commit.blocks = {{kSink, 1, "block", 1}};
    REQUIRE(write(std::move(commit)));
  }
  // What a kill leaves: the files as they are while the daemon runs.
  void copy_as_killed(const std::string& to) {
    std::filesystem::create_directory(folder.path / to);
    for (const char* suffix : {"", "-wal"})
      std::filesystem::copy(options.path + suffix, folder.path / to / (std::string("leat.db") + suffix));
    store.reset();
    options.path = (folder.path / to / "leat.db").string();
  }
  void overwrite(std::streamoff at, const std::string& bytes) const {
    std::fstream file(options.path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(at);
    file << bytes;
  }
  void sql(const std::string& text) const {
    auto connection = Connection::open(options.path, OpenMode::kReadWrite);
    REQUIRE(connection);
    REQUIRE((*connection)->exec(text.c_str()));
  }
};

TEST_CASE_FIXTURE(FileFixture, "a new store has an id of 32 hex digits, which it keeps") {
  REQUIRE(open());
  const StoreId id = store->id();
  CHECK(id.value.size() == 32);
  CHECK(std::all_of(id.value.begin(), id.value.end(), [](unsigned char c) { return std::isxdigit(c) != 0; }));
  reopen();
  CHECK(store->id() == id);
  CHECK(notes.empty());
}

TEST_CASE_FIXTURE(FileFixture, "two stores have different ids") {
  REQUIRE(open());
  const StoreId id = store->id();
  options.path = (folder.path / "other" / "leat.db").string();
  REQUIRE(open());
  CHECK(store->id() != id);
}

TEST_CASE_FIXTURE(FileFixture, "on another machine the store gets a new id and says so") {
  REQUIRE(open());
  const StoreId id = store->id();
  store.reset();
  write_file("machine-id", "machine-b\n");
  REQUIRE(open());
  CHECK(store->id() != id);
  CHECK(noted().find("machine-a, this is machine-b") != std::string::npos);
  const StoreId renewed = store->id();
  reopen();
  CHECK(store->id() == renewed);
  CHECK(notes.empty());
}

TEST_CASE_FIXTURE(FileFixture, "what waited when the id was renewed is inherited, what comes later is not") {
  REQUIRE(open());
  Commit before = next_commit();
  before.blocks = {{kSink, 1, "old", 1}};
  REQUIRE(write(std::move(before)));
  CHECK_FALSE((*next())->inherited);
  store.reset();
  write_file("machine-id", "machine-b\n");
  REQUIRE(open());
  Commit later = next_commit();
  later.blocks = {{kSink, 1, "new", 1}};
  REQUIRE(write(std::move(later)));
  const auto old = *next();
  CHECK(old->blocks.at(0) == "old");
  CHECK(old->inherited);
  REQUIRE(settle({.number = old->number, .delivered = 1}));
  CHECK(old->blocks.size() == 1);
  CHECK_FALSE((*next())->inherited);
  reopen();
  CHECK_FALSE((*next())->inherited);
}

TEST_CASE_FIXTURE(FileFixture, "a machine without an id does not renew the store's") {
  REQUIRE(open());
  const StoreId id = store->id();
  store.reset();
  write_file("machine-id", "");
  REQUIRE(open());
  CHECK(store->id() == id);
}

TEST_CASE_FIXTURE(FileFixture, "a second opener is told the folder and the process that has it") {
  REQUIRE(open());
  std::vector<std::string> other_notes;
  const auto second = Store::open(options, other_notes);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kConflict);
  CHECK(second.error().message.find(folder.path.string()) != std::string::npos);
  CHECK(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
}

TEST_CASE_FIXTURE(FileFixture, "a clean stop leaves no log behind") {
  fill();
  CHECK(exists("leat.db-wal"));
  store.reset();
  CHECK_FALSE(exists("leat.db-wal"));
}

TEST_CASE_FIXTURE(FileFixture, "what a kill leaves is recovered, checked and complete") {
  fill();
  copy_as_killed("killed");
  REQUIRE(open());
  CHECK(noted().find("was checked and is sound") != std::string::npos);
  CHECK(store->load(kPipeline)->state.size() == 2'000);
  CHECK(status().blocks == 1);
}

TEST_CASE_FIXTURE(FileFixture, "a file that is no database is set aside and a new store begun") {
  std::ofstream(options.path) << "this is not a database, and long enough to be read as one"
                              << std::string(600, '.');
  REQUIRE(open());
  CHECK(noted().find("leat.db.damaged-1") != std::string::npos);
  CHECK(std::filesystem::file_size(options.path + ".damaged-1") > 600);
  CHECK(store->load(kPipeline)->last_commit.value == 0);
  put_block(1, "works");
}

TEST_CASE_FIXTURE(FileFixture, "damaged files are numbered and none is overwritten") {
  for (const char* aside : {"leat.db.damaged-1", "leat.db.damaged-2"}) {
    store.reset();
    std::ofstream(options.path) << std::string(1'000, 'x');
    REQUIRE(open());
    CHECK(exists(aside));
  }
}

TEST_CASE_FIXTURE(FileFixture, "damage inside the file is found after an unclean stop") {
  fill();
  store.reset();
  fill();
  const StoreId id = store->id();
  copy_as_killed("killed");
  for (std::streamoff page = 8; page < 20; ++page) overwrite(page * 4096, std::string(4096, '\x5a'));
  REQUIRE(open());
  CHECK(noted().find("set aside as") != std::string::npos);
  CHECK(noted().find("and repaired: ") != std::string::npos);
  CHECK(store->id() != id);
  CHECK(store->load(kPipeline)->state.size() == 2'000);
}

TEST_CASE_FIXTURE(FileFixture, "a schema version that makes no sense costs nothing but the id") {
  for (const char* version : {"0", "-1"}) {
    fill();
    store.reset();
    sql(std::string("PRAGMA user_version = ") + version);
    REQUIRE(open());
    CHECK(noted().find("and repaired: ") != std::string::npos);
    CHECK(store->load(kPipeline)->state.size() == 2'000);
    store.reset();
  }
}

TEST_CASE_FIXTURE(FileFixture, "a repair that was cut between its two renames is ended at the next start") {
  fill();
  store.reset();
  std::filesystem::rename(options.path, options.path + ".repaired");
  REQUIRE(open());
  CHECK(noted().find("is ended") != std::string::npos);
  CHECK(store->load(kPipeline)->state.size() == 2'000);
  CHECK_FALSE(exists("leat.db.repaired"));
}

TEST_CASE_FIXTURE(FileFixture, "a store that has gone, or is empty, is told") {
  fill();
  CHECK(noted().empty());
  store.reset();
  std::filesystem::remove(options.path);
  REQUIRE(open());
  CHECK(noted().find("it is gone") != std::string::npos);
  reopen();
  CHECK(noted().empty());
  store.reset();
  std::filesystem::resize_file(options.path, 0);
  REQUIRE(open());
  CHECK(noted().find("it is gone") != std::string::npos);
}

TEST_CASE_FIXTURE(FileFixture,
                  "damage that was seen is told until the next start, whatever goes well since") {
  fill();
  store.reset();
  for (std::streamoff page = 34; page < 39; ++page) overwrite(page * 4096, std::string(4096, '\x5a'));
  REQUIRE(open());
  CHECK(health_of(*store).damage.empty());
  CHECK_FALSE(store->load(kPipeline));
  REQUIRE(store->set_paused({"other"}, true));
  CHECK(health_of(*store).damage.find("leat store repair") != std::string::npos);
  reopen();
  CHECK(health_of(*store).damage.empty());
  CHECK(noted().find("and repaired: ") != std::string::npos);
  // Parts of a state may not load: it is dropped as a whole. Positions and commits are there.
  CHECK(noted().find("all pipelines start without it") != std::string::npos);
  const SavedPipeline saved = *store->load(kPipeline);
  CHECK(saved.state.empty());
  CHECK(saved.last_commit.value == 1);
}

TEST_CASE_FIXTURE(FileFixture, "a log that a reader keeps from being emptied is tried again") {
  using std::chrono::milliseconds;
  fill();
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  REQUIRE(apply_settings(**connection));
  auto reader = Connection::open(options.path, OpenMode::kReadOnly);
  REQUIRE((*reader)->exec("BEGIN; SELECT * FROM store"));
  REQUIRE((*connection)->exec("UPDATE pipelines SET last_commit_time = 5"));
  Housekeeper keeper;
  CHECK(keeper.step(**connection, Housekeeper::Load::kQuiet, {}) == milliseconds(10'000));
  REQUIRE((*reader)->exec("COMMIT"));
  CHECK(keeper.step(**connection, Housekeeper::Load::kQuiet,
                    Housekeeper::Clock::time_point(milliseconds(10'000))) == std::nullopt);
}

TEST_CASE_FIXTURE(FileFixture,
                  "damage met while running is answered with corrupt, and checked at the next start") {
  fill();
  store.reset();
  for (std::streamoff page = 34; page < 39; ++page) overwrite(page * 4096, std::string(4096, '\x5a'));
  REQUIRE(open());
  CHECK(notes.empty());
  CHECK(store->load(kPipeline).error().code == ErrorCode::kCorrupt);
  CHECK(exists("leat.db.suspect"));
  reopen();
  CHECK(noted().find("damaged-1") != std::string::npos);
  CHECK_FALSE(exists("leat.db.suspect"));
}

TEST_CASE_FIXTURE(FileFixture, "damage that the first reads meet sets the file aside without a check") {
  fill();
  store.reset();
  for (std::streamoff page = 1; page < 30; ++page) overwrite(page * 4096, std::string(4096, '\x5a'));
  REQUIRE(open());
  CHECK(noted().find("damaged-1") != std::string::npos);
}

TEST_CASE_FIXTURE(FileFixture, "a newer schema is refused and left alone") {
  fill();
  store.reset();
  sql("PRAGMA user_version = 1000");
  const Status opened = open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kConflict);
  CHECK(opened.error().message.find("schema 1000, this one knows ") != std::string::npos);
  CHECK(opened.error().message.find("install that version again") != std::string::npos);
  CHECK_FALSE(exists("leat.db.damaged-1"));
}

TEST_CASE_FIXTURE(FileFixture, "another program's database is refused and left alone") {
  sql("CREATE TABLE cats (name TEXT)");
  CHECK(open().error().code == ErrorCode::kConflict);
  CHECK_FALSE(exists("leat.db.damaged-1"));
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  CHECK(*(*connection)->value("PRAGMA journal_mode") == "delete");
}

TEST_CASE_FIXTURE(FileFixture, "a folder that cannot be made is named") {
  write_file("file", "in the way");
  options.path = (folder.path / "file" / "leat.db").string();
  const Status opened = open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kIo);
  CHECK(opened.error().message.find("file") != std::string::npos);
}

TEST_CASE_FIXTURE(FileFixture, "a setting that SQLite does not take is an error") {
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  REQUIRE(connection);
  CHECK((*connection)->set_pragma("page_size", "4097", "4097").error().code == ErrorCode::kInternal);
}

TEST_CASE_FIXTURE(FileFixture, "the file is written with auto-vacuum, a log and full syncs") {
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  REQUIRE(connection);
  REQUIRE(apply_settings(**connection));
  REQUIRE(migrate(**connection, 0));
  CHECK(*(*connection)->value("PRAGMA auto_vacuum") == "2");
  CHECK(*(*connection)->value("PRAGMA journal_mode") == "wal");
  CHECK(*(*connection)->value("PRAGMA synchronous") == "2");
  CHECK(*(*connection)->value("PRAGMA secure_delete") == "0");
}

TEST_CASE_FIXTURE(FileFixture, "the database refuses a transaction that breaks the accounting equation") {
  fill();
  store.reset();
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  CHECK_FALSE((*connection)->exec("UPDATE outboxes SET delivered = delivered + 1"));
  CHECK((*connection)->exec("UPDATE outboxes SET delivered = delivered + 1, waiting = waiting - 1"));
}

TEST_CASE_FIXTURE(FileFixture, "housekeeping gives space back in steps and leaves a floor") {
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  REQUIRE(apply_settings(**connection));
  REQUIRE(migrate(**connection, 0));
  REQUIRE((*connection)->exec("INSERT INTO blocks VALUES (1, 1, 1, 1, 1, zeroblob(8000000))"));
  REQUIRE((*connection)->exec("DELETE FROM blocks"));
  Housekeeper keeper;
  int steps = 0;
  while (keeper.step(**connection, Housekeeper::Load::kQuiet, {})) ++steps;
  CHECK(steps >= 6);
  CHECK(std::stol(*(*connection)->value("PRAGMA freelist_count")) <= 256);
  CHECK(std::filesystem::file_size(options.path) < 2'000'000);
}

TEST_CASE_FIXTURE(FileFixture,
                  "under load pages are moved only when most of the file is free, and checkpoints are rare") {
  using std::chrono::milliseconds;
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  REQUIRE(apply_settings(**connection));
  REQUIRE(migrate(**connection, 0));
  REQUIRE((*connection)->exec("INSERT INTO blocks VALUES (1, 1, 1, 1, 1, zeroblob(8000000))"));
  REQUIRE((*connection)->exec("INSERT INTO blocks VALUES (2, 1, 1, 1, 1, zeroblob(8000000))"));
  REQUIRE((*connection)->exec("DELETE FROM blocks WHERE number = 1"));
  Housekeeper keeper;
  Housekeeper::Clock::time_point now{};
  const auto step = [&](Housekeeper::Load load) { return keeper.step(**connection, load, now); };
  CHECK(step(Housekeeper::Load::kBusy) == std::nullopt);
  now += milliseconds(1'000);
  CHECK(step(Housekeeper::Load::kBusy) == milliseconds(9'000));
  now += milliseconds(9'000);
  CHECK(step(Housekeeper::Load::kBusy) == std::nullopt);
  REQUIRE((*connection)->exec("UPDATE blocks SET body = x''"));
  CHECK(step(Housekeeper::Load::kBusy) == milliseconds(0));
  while (step(Housekeeper::Load::kBusy) == milliseconds(0)) continue;
  CHECK(std::filesystem::file_size(options.path) < 6'000'000);
  CHECK(step(Housekeeper::Load::kUrgent) == std::nullopt);
}

/// Of two megabytes.
void insert_block(Connection& connection, int number) {
  const std::string text =
      "INSERT INTO blocks VALUES (" + std::to_string(number) + ", 1, 1, 1, 1, zeroblob(2000000))";
  REQUIRE(connection.exec(text.c_str()));
}

TEST_CASE_FIXTURE(FileFixture,
                  "while a backlog drains nothing is moved, and behind it the file is written anew") {
  using std::chrono::milliseconds;
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  REQUIRE(apply_settings(**connection));
  REQUIRE(migrate(**connection, 0));
  constexpr int kBlocks = 60;
  for (int number = 1; number <= kBlocks; ++number) insert_block(**connection, number);
  Housekeeper keeper;
  Housekeeper::Clock::time_point now{};
  const auto pages = [&] { return std::stol(*(*connection)->value("PRAGMA page_count")); };
  const long all = pages();
  keeper.step(**connection, Housekeeper::Load::kQuiet, now);
  for (int number = 1; number <= kBlocks / 2; ++number) {
    REQUIRE((*connection)->exec(("DELETE FROM blocks WHERE number = " + std::to_string(number)).c_str()));
    now += milliseconds(500);
    CHECK(keeper.step(**connection, Housekeeper::Load::kQuiet, now) != milliseconds(0));
  }
  CHECK(pages() == all);
  REQUIRE((*connection)->exec("DELETE FROM blocks"));
  CHECK(keeper.step(**connection, Housekeeper::Load::kQuiet, now) == milliseconds(0));
  CHECK(pages() < 400);
  CHECK(keeper.step(**connection, Housekeeper::Load::kQuiet, now) == std::nullopt);
  CHECK(std::filesystem::file_size(options.path) < 2'000'000);
  CHECK(*(*connection)->value("PRAGMA auto_vacuum") == "2");
  CHECK(*(*connection)->value("PRAGMA integrity_check") == "ok");
}

TEST_CASE_FIXTURE(FileFixture, "what stays free when a backlog has drained in part is given back in time") {
  using std::chrono::milliseconds;
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  REQUIRE(apply_settings(**connection));
  REQUIRE(migrate(**connection, 0));
  for (int number = 1; number <= 60; ++number) insert_block(**connection, number);
  Housekeeper keeper;
  Housekeeper::Clock::time_point now{};
  keeper.step(**connection, Housekeeper::Load::kQuiet, now);
  REQUIRE((*connection)->exec("DELETE FROM blocks WHERE number % 3 = 0"));
  CHECK(keeper.step(**connection, Housekeeper::Load::kQuiet, now) != milliseconds(0));
  now += milliseconds(10'000);
  CHECK(keeper.step(**connection, Housekeeper::Load::kQuiet, now) == milliseconds(10'000));
  now += milliseconds(10'000);
  while (keeper.step(**connection, Housekeeper::Load::kQuiet, now) == milliseconds(0)) continue;
  CHECK(std::stol(*(*connection)->value("PRAGMA freelist_count")) <= 256);
  CHECK(std::filesystem::file_size(options.path) < 85'000'000);
}

TEST_CASE_FIXTURE(FileFixture, "tables without retention want no housekeeping, others every ten seconds") {
  using std::chrono::milliseconds;
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  REQUIRE(apply_settings(**connection));
  REQUIRE(migrate(**connection, 0));
  TableParts parts(**connection);
  std::int64_t now = 1'000'000'000;
  SqliteTables tables({.path = options.path,
                       .write = [&](const SqliteTables::Work& work) { return work(parts); },
                       .read = [&](const SqliteTables::Read& read) { return read(**connection); },
                       .now = [&] { return now; }});
  CHECK(tables.keep_house(parts) == std::nullopt);
  CHECK(tables.keep_house(parts) == std::nullopt);
  REQUIRE((*connection)
              ->exec("INSERT INTO leat_tables (name, shape, keep_for, order_column) VALUES ('t', '{}', "
                     "1000000, 'a');"
                     "CREATE TABLE t (a INTEGER)"));
  now += 10'000'000;
  CHECK(tables.keep_house(parts) == milliseconds(10'001));
  now += 4'000'000;
  CHECK(tables.keep_house(parts) == milliseconds(6'001));
}

/// Were the answers of `idle` not kept to, it would be called as fast as the machine can.
TEST_CASE("the storage thread calls for housekeeping behind requests only") {
  std::atomic<int> quiet = 0, calls = 0;
  StorageThread thread(std::chrono::milliseconds(1), [&](bool is_quiet) {
    quiet += is_quiet ? 1 : 0;
    ++calls;
    return std::optional(std::chrono::milliseconds(3'600'000));
  });
  for (int round = 1; round <= 20; ++round) {
    REQUIRE(thread.post([] {}));
    REQUIRE(test::eventually([&] { return quiet >= round; }));
  }
  thread.finish();
  CHECK(quiet == 20);
  CHECK(calls <= 40);
}

TEST_CASE_FIXTURE(FileFixture, "a reader is cut at its time limit") {
  auto connection = Connection::open(options.path, OpenMode::kReadWrite);
  (*connection)->limit_time(std::chrono::milliseconds(1));
  const auto counted =
      (*connection)
          ->value("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
  CHECK(counted.error().code == ErrorCode::kCancelled);
}

}  // namespace
}  // namespace leat::store
