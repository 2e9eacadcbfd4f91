// The store on a disk that fails. A VFS before the system's own refuses writes or syncs on command; SQLite
// and the store do not know.
#include <sqlite3.h>

#include <array>
#include <atomic>

#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

enum class Fault : int { kNone, kFull, kSync };
std::atomic<Fault> armed = Fault::kNone;

// SQLite's own VFS has one method table for databases and one for logs. Each gets a twin that asks first.
struct Twin {
  const sqlite3_io_methods* original = nullptr;
  sqlite3_io_methods patched{};
};
std::array<Twin, 4> twins;

const sqlite3_io_methods* original_of(sqlite3_file* file) {
  for (const Twin& twin : twins)
    if (&twin.patched == file->pMethods) return twin.original;
  return nullptr;
}

int faulty_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
  return armed == Fault::kFull ? SQLITE_FULL : original_of(file)->xWrite(file, data, size, at);
}

int faulty_sync(sqlite3_file* file, int flags) {
  return armed == Fault::kSync ? SQLITE_IOERR_FSYNC : original_of(file)->xSync(file, flags);
}

void patch(sqlite3_file* file) {
  for (Twin& twin : twins) {
    if (twin.original == nullptr) {
      twin.original = file->pMethods;
      twin.patched = *file->pMethods;
      twin.patched.xWrite = faulty_write;
      twin.patched.xSync = faulty_sync;
    }
    if (twin.original == file->pMethods) {
      file->pMethods = &twin.patched;
      return;
    }
  }
}

sqlite3_vfs* system_vfs = nullptr;

int faulty_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int rc = system_vfs->xOpen(system_vfs, name, file, flags, out_flags);
  if (rc == SQLITE_OK) patch(file);
  return rc;
}

struct FailingDisk : StoreFixture {
  sqlite3_vfs vfs;

  FailingDisk() {
    system_vfs = sqlite3_vfs_find("unix");
    vfs = *system_vfs;
    vfs.zName = "faulty";
    vfs.xOpen = faulty_open;
    sqlite3_vfs_register(&vfs, 1);
    armed = Fault::kNone;
    REQUIRE(open());
  }
  ~FailingDisk() {
    armed = Fault::kNone;
    check_accounts();
    store.reset();
    sqlite3_vfs_unregister(&vfs);
  }
  Commit block_commit(std::string bytes) {
    Commit commit = next_commit();
    commit.blocks = {{kSink, 1, std::move(bytes), 1'000}};
    commit.state = {{"n", "k", false, "v"}};
    return commit;
  }
  ErrorCode code_of(const Status& status) {
    REQUIRE_FALSE(status);
    return status.error().code;
  }
};

TEST_CASE_FIXTURE(FailingDisk, "a full disk refuses a commit, and takes the same one when there is room") {
  put_block(1, "before");
  const Commit commit = block_commit("after");
  armed = Fault::kFull;
  CHECK(code_of(write(commit)) == ErrorCode::kExhausted);
  CHECK(code_of(write(commit)) == ErrorCode::kExhausted);
  armed = Fault::kNone;
  REQUIRE(write(commit));
  CHECK(status().emitted == 2);
  reopen();
  CHECK(status().emitted == 2);
  CHECK(store->load(kPipeline)->last_commit.value == 2);
}

TEST_CASE_FIXTURE(FailingDisk, "on a full disk everything can still be read") {
  REQUIRE(write(block_commit("block")));
  armed = Fault::kFull;
  CHECK(store->load(kPipeline)->state.size() == 1);
  CHECK(status().records == 1);
  CHECK(store->dead_letter_status());
}

TEST_CASE_FIXTURE(FailingDisk, "a commit whose sync failed is there once after it is handed in again") {
  put_block(1, "before");
  const Commit commit = block_commit("unknown");
  armed = Fault::kSync;
  CHECK(code_of(write(commit)) == ErrorCode::kIo);
  armed = Fault::kNone;
  REQUIRE(write(commit));
  CHECK(status().emitted == 2);
  CHECK(status().blocks == 2);
  CHECK(store->load(kPipeline)->last_commit.value == 2);
  reopen();
  CHECK(status().emitted == 2);
}

TEST_CASE_FIXTURE(FailingDisk, "while syncs fail no request is answered with success, afterwards all are") {
  put_block(1, "a");
  const Commit commit = block_commit("b");
  armed = Fault::kSync;
  for (int i = 0; i < 3; ++i) CHECK(code_of(write(commit)) == ErrorCode::kIo);
  CHECK_FALSE(next());
  CHECK_FALSE(store->load(kPipeline));
  armed = Fault::kNone;
  CHECK(next());
  REQUIRE(write(commit));
  CHECK(status().emitted == 2);
}

TEST_CASE_FIXTURE(FailingDisk, "a settlement whose sync failed counts once") {
  put_block(2, "a");
  REQUIRE(next());
  const Settlement settlement{.number = {1}, .sink_state = "s", .delivered = 1, .rejected = {letter("bad")}};
  armed = Fault::kSync;
  CHECK(code_of(settle(settlement)) == ErrorCode::kIo);
  armed = Fault::kNone;
  REQUIRE(settle(settlement));
  CHECK(status().delivered == 1);
  CHECK(status().rejected == 1);
  CHECK(store->dead_letter_status()->letters == 1);
}

TEST_CASE_FIXTURE(FailingDisk, "a wake-up is not lost when the commit's first answer was a failure") {
  std::atomic<int> woken = 0;
  store->on_blocks(kPipeline, kSink, [&woken] { ++woken; });
  const Commit commit = block_commit("block");
  armed = Fault::kSync;
  CHECK_FALSE(write(commit));
  armed = Fault::kNone;
  REQUIRE(write(commit));
  CHECK(woken == 1);
}

}  // namespace
}  // namespace leat::store
