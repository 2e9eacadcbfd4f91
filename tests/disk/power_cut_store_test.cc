// The store over power cuts: whatever call of a workload is the last, and whatever part of the unsynced
// writes survives, the store opens as it was at the last answered request or at the one under way, whole.
#include <algorithm>
#include <sstream>
#include <vector>

#include "daemon/store/housekeeping.h"
#include "daemon/store/sqlite.h"
#include "tests/disk/power_cut.h"
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

void append_rows(sqlite3* database, const std::string& sql, std::string& text) {
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  std::vector<std::string> rows;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    std::string& row = rows.emplace_back();
    for (int column = 0; column < sqlite3_column_count(statement); ++column) {
      const void* bytes = sqlite3_column_blob(statement, column);
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      row.append("|").append(static_cast<const char*>(bytes), bytes == nullptr ? 0 : size);
    }
  }
  sqlite3_finalize(statement);
  std::sort(rows.begin(), rows.end());
  for (const std::string& row : rows) text.append(row).append("\n");
}

/// Every row of every table.
std::string dump_of(const std::string& path) {
  auto connection = Connection::open(path, OpenMode::kReadOnly);
  REQUIRE(connection);
  std::string text;
  std::string names = *(*connection)
                           ->value(
                               "SELECT group_concat(name, char(10)) FROM (SELECT name FROM sqlite_schema "
                               "WHERE type = 'table' ORDER BY 1)");
  std::istringstream tables(names);
  for (std::string table; std::getline(tables, table);)
    append_rows((*connection)->raw(), "SELECT '" + table + "', * FROM " + table, text);
  return text;
}

const PipelineName kReader{"reader"};
const TableName kClean{"clean"};

struct RecordedStore : StoreFixture {
  const std::shared_ptr<const sources::LocalStream> stream = std::make_shared<const sources::LocalStream>(
      sources::LocalStream{"clean", Schema{{{"id", Type::big_int()}}}, 1'500, {}, plan::OnFull::kDropOldest});
  test::Tape tape;
  std::vector<std::string> expected{""};  ///< After each answered request; before the first there is nothing.

  void done() {
    expected.push_back(dump_of(options.path));
    tape.mark(expected.size() - 1);
  }
  void commit_some(int round) {
    Commit commit = next_commit();
    commit.time = round;
    commit.counters = "counters " + std::to_string(round);
    commit.positions = {{{"readings"}, "position " + std::to_string(round)}};
    for (int i = 0; i < 12; ++i)
      commit.state.push_back({"window", "key " + std::to_string((round * 5 + i) % 40), i % 4 == 3,
                              std::string(static_cast<std::size_t>(50 + 40 * i), 'v')});
    commit.blocks = {{kSink, 2, std::string(static_cast<std::size_t>(700 * (round % 7)), 'b'), round}};
    commit.streams = {{stream, 3, std::string(static_cast<std::size_t>(200 * round), 's')}};
    if (round % 3 == 0) commit.dead_letters = {letter("bad " + std::to_string(round))};
    REQUIRE(write(std::move(commit)));
    done();
  }
  void declare_stream() {
    using Role = StreamUse::Role;
    REQUIRE(store->streams().declare(kPipeline, {{kClean, stream, Role::kWrites}}));
    done();
    REQUIRE(store->streams().declare(kReader, {{kClean, stream, Role::kReads}}));
    done();
  }
  /// A reader's commit passes the oldest block.
  void read_on(int round) {
    const auto blocks = store->streams().read_stream({"clean", kReader, kClean}, 0, 1);
    REQUIRE((blocks && !blocks->empty()));
    Commit commit = next_commit(kReader);
    commit.time = round;
    commit.positions = {{kClean, "block " + std::to_string(blocks->front().number)}};
    commit.passed = {{kClean, "clean", blocks->front().number}};
    REQUIRE(write(std::move(commit)));
    done();
  }
  void ship() {
    const auto shipment = next();
    REQUIRE(shipment);
    done();
    REQUIRE(settle({.number = (*shipment)->number,
                    .sink_state = "offset " + std::to_string((*shipment)->number.value),
                    .delivered = (*shipment)->records - 1,
                    .rejected = {letter("refused")}}));
    done();
  }
  void keep_house_now() const {
    auto other = Connection::open(options.path, OpenMode::kReadWrite);
    Housekeeper keeper;
    while (keeper.step(**other, Housekeeper::Load::kQuiet, {})) {
    }
  }
  void work() {
    REQUIRE(open());
    done();
    declare_stream();
    for (int round = 1; round <= 4; ++round) commit_some(round);
    read_on(4);
    ship();
    keep_house_now();
    for (int round = 5; round <= 7; ++round) commit_some(round);
    REQUIRE(trim(1'000, Store::DropOrder::kOldest));
    done();
    reopen();
    done();
    commit_some(8);
    read_on(8);
    ship();
    store.reset();
  }
  void record() {
    const test::WatchDisk watch(folder.path.string(), tape);
    work();
  }
  /// Opens the copy, and checks that it is as after the last answer, or as after the request under way.
  void check_recovery(const test::Cut& cut) {
    CAPTURE(cut.call);
    CAPTURE(cut.seed);
    CAPTURE(cut.mark);
    StoreOptions there = options;
    there.path = cut.folder + "/leat.db";
    std::vector<std::string> said;
    auto opened = Store::open(there, said);
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    for (const std::string& note : said) CHECK_MESSAGE(note.find("set aside") == std::string::npos, note);
    if (cut.mark == 0) return;  // Nobody has been told of this store yet.
    const std::string found = dump_of(there.path);
    const bool as_answered = found == expected[cut.mark];
    const bool as_under_way = cut.mark + 1 < expected.size() && found == expected[cut.mark + 1];
    CHECK((as_answered || as_under_way));
    opened->reset();
    auto connection = Connection::open(there.path, OpenMode::kReadOnly);
    CHECK(*(*connection)->value("PRAGMA integrity_check") == "ok");
  }
};

TEST_CASE_FIXTURE(RecordedStore,
                  "store, power cut: what was answered is there, and nothing of half a commit") {
  record();
  const std::size_t cuts =
      test::for_each_cut(tape, folder.path.string(), [this](const test::Cut& cut) { check_recovery(cut); });
  MESSAGE("store: ", tape.calls.size(), " calls, ", cuts, " different states after a cut");
  CHECK(cuts > 500);
}

TEST_CASE_FIXTURE(RecordedStore, "store, power cut: without syncs answered commits would be gone") {
  record();
  tape.forget_syncs();
  std::size_t gone = 0;
  test::for_each_cut(
      tape, folder.path.string(),
      [&](const test::Cut& cut) {
        StoreOptions there = options;
        there.path = cut.folder + "/leat.db";
        std::vector<std::string> said;
        const auto opened = Store::open(there, said);
        if (!opened || dump_of(there.path) != expected[cut.mark]) ++gone;
      },
      0);
  CHECK(gone > 20);
}

TEST_CASE_FIXTURE(RecordedStore,
                  "store, power cut: a cut while it recovers from a cut loses nothing either") {
  record();
  std::size_t inner = 0;
  std::size_t outer = 0;
  test::for_each_cut(
      tape, folder.path.string(),
      [&](const test::Cut& cut) {
        if (cut.mark == 0 || ++outer % 40 != 0) return;
        // The copy's own files count as synced: the power came back with them.
        test::Tape again;
        for (const auto& entry : std::filesystem::directory_iterator(cut.folder)) {
          std::ostringstream content;
          content << std::ifstream(entry.path(), std::ios::binary).rdbuf();
          again.calls.push_back({.kind = test::DiskCall::Kind::kCreate, .path = entry.path().string()});
          again.calls.push_back(
              {.kind = test::DiskCall::Kind::kWrite, .path = entry.path().string(), .bytes = content.str()});
          again.calls.push_back({.kind = test::DiskCall::Kind::kSync, .path = entry.path().string()});
        }
        again.calls.push_back({.kind = test::DiskCall::Kind::kSyncNames});
        const std::size_t before = again.calls.size();
        {
          const test::WatchDisk watch(cut.folder, again);
          check_recovery(cut);
        }
        test::for_each_cut(
            again, cut.folder,
            [&](test::Cut second) {
              if (second.call < before) return;
              ++inner;
              second.mark = cut.mark;
              check_recovery(second);
            },
            1);
      },
      1);
  CHECK(inner > 100);
}

}  // namespace
}  // namespace leat::store
