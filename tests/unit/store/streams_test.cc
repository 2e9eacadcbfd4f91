// Streams between pipelines: what is written in one commit, read, and deleted in others.
#include "daemon/store/streams.h"

#include "daemon/store/salvage.h"
#include "daemon/store/sqlite.h"
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

const PipelineName kWriter{"line"};
const PipelineName kReader{"alarms"};
const TableName kTable{"cells"};

struct StreamFixture : StoreFixture {
  StreamFixture() {
    REQUIRE(open());
    stream.name = "cells";
    stream.columns = Schema{{{"id", Type::big_int()}, {"v", Type::float64().with_nullable(false)}}};
    stream.max_bytes = 1'000;
  }
  ~StreamFixture() {
    if (!store) return;
    const auto listed = store->streams().list();
    for (const StreamStatus& each : *listed)
      CHECK(each.written == each.passed + each.dropped + each.unread + each.waiting);
  }

  [[nodiscard]] StreamUse use(StreamUse::Role role) const {
    return {kTable, std::make_shared<const sources::LocalStream>(stream), role};
  }
  Status declare_writer() { return store->streams().declare(kWriter, {use(StreamUse::Role::kWrites)}); }
  Status declare_reader(const PipelineName& reader = kReader) {
    return store->streams().declare(reader, {use(StreamUse::Role::kReads)});
  }
  void both() {
    REQUIRE(declare_writer());
    REQUIRE(declare_reader());
  }
  /// A commit with one block.
  void put(std::string bytes, std::uint64_t rows = 1, std::int64_t time = 1'000) {
    Commit commit = next_commit(kWriter);
    commit.time = time;
    commit.streams.push_back({std::make_shared<const sources::LocalStream>(stream), rows, std::move(bytes)});
    REQUIRE(write(std::move(commit)));
  }
  [[nodiscard]] std::vector<sources::StreamBlock> read(std::uint64_t after = 0,
                                                       const PipelineName& reader = kReader) const {
    const auto blocks = store->streams().read_stream({"cells", reader, kTable}, after, 1 << 20);
    REQUIRE_MESSAGE(blocks, (blocks ? "" : blocks.error().message));
    return *blocks;
  }
  [[nodiscard]] std::string bodies(std::uint64_t after = 0, const PipelineName& reader = kReader) const {
    std::string text;
    for (const sources::StreamBlock& block : read(after, reader)) text += block.body + ";";
    return text;
  }
  void pass(std::uint64_t block, const PipelineName& reader = kReader) {
    Commit commit = next_commit(reader);
    commit.passed.push_back({kTable, "cells", block});
    REQUIRE(write(std::move(commit)));
  }
  [[nodiscard]] StreamStatus counts() const { return store->streams().list()->at(0); }

  sources::LocalStream stream;
};

TEST_CASE_FIXTURE(StreamFixture, "a reader sees what was committed, in order, behind its place") {
  both();
  CHECK(bodies() == "");
  put("a", 2);
  put("b");
  CHECK(bodies() == "a;b;");
  CHECK(read()[0].created == 1'000);
  CHECK(bodies(read()[0].number) == "b;");
  CHECK(store->streams().waiting_bytes("cells") == 2);
  pass(read()[0].number);
  CHECK(bodies() == "b;");
  CHECK(counts().passed == 2);
  CHECK(counts().waiting == 1);
  reopen();
  CHECK(bodies() == "b;");
  CHECK(store->streams().waiting_bytes("cells") == 1);
}

TEST_CASE_FIXTURE(StreamFixture,
                  "a stream that nobody reads keeps nothing, and a new reader begins behind it") {
  REQUIRE(declare_writer());
  put("early", 3);
  REQUIRE(declare_reader());
  CHECK(bodies() == "");
  put("late");
  CHECK(bodies() == "late;");
  CHECK(counts().unread == 3);
}

TEST_CASE_FIXTURE(StreamFixture, "a block goes when the last reader has passed it, or has gone") {
  both();
  const PipelineName second{"archive"};
  REQUIRE(declare_reader(second));
  put("a");
  put("b");
  pass(read()[1].number);
  CHECK(bodies() == "");
  CHECK(bodies(0, second) == "a;b;");
  CHECK(counts().waiting == 2);
  pass(read(0, second)[0].number, second);
  CHECK(bodies(0, second) == "b;");
  REQUIRE(store->streams().declare(second, {}));
  CHECK(counts().waiting == 0);
  CHECK(counts().passed == 2);
  REQUIRE(store->pipelines().remove(kReader));
  put("c");
  CHECK(counts().unread == 1);
}

TEST_CASE_FIXTURE(StreamFixture, "a reader that is declared again goes on where it was") {
  both();
  put("a");
  put("b");
  pass(read()[0].number);
  REQUIRE(declare_reader());
  REQUIRE(declare_writer());
  CHECK(bodies() == "b;");
  REQUIRE(store->pipelines().rename(kReader, {"renamed"}, ""));
  CHECK(bodies(0, {"renamed"}) == "b;");
}

TEST_CASE_FIXTURE(StreamFixture, "pipelines that are gone at the start keep nothing") {
  both();
  put("a");
  REQUIRE(store->streams().forget_others({kWriter, kReader}));
  CHECK(bodies() == "a;");
  REQUIRE(store->streams().forget_others({kWriter}));
  CHECK(counts().waiting == 0);
  CHECK(counts().readers.empty());
  REQUIRE(store->streams().forget_others({}));
  CHECK(store->streams().list()->empty());
}

TEST_CASE_FIXTURE(StreamFixture, "who uses a stream must declare the same columns") {
  both();
  put("a");
  const sources::LocalStream right = stream;
  stream.columns.fields[1].type = Type::float64();
  const Status nullable = declare_reader({"other"});
  REQUIRE_FALSE(nullable);
  CHECK(nullable.error().code == ErrorCode::kConflict);
  CHECK(nullable.error().message ==
        "table 'cells': the stream 'cells' has the columns (id BIGINT, v DOUBLE NOT NULL), as used by "
        "alarms.cells, line.cells, but the table declares (id BIGINT, v DOUBLE): names, types, order and NOT "
        "NULL must be the same; a stream of other columns needs another name");
  CHECK_FALSE(store->streams().rehearse({"other"}, {use(StreamUse::Role::kReads)}));
  REQUIRE(store->streams().declare(kReader, {}));
  REQUIRE(declare_writer());  // Alone, and nothing waits.
  CHECK(counts().columns == "id BIGINT, v DOUBLE");
  stream = right;
}

TEST_CASE_FIXTURE(StreamFixture, "a pipeline does not read what it writes") {
  const Status own =
      store->streams().declare(kWriter, {use(StreamUse::Role::kWrites), use(StreamUse::Role::kReads)});
  REQUIRE_FALSE(own);
  CHECK(own.error().message.find("would wait for itself") != std::string::npos);
  CHECK(store->streams().list()->empty());
}

TEST_CASE_FIXTURE(StreamFixture, "a rehearsal changes nothing") {
  REQUIRE(store->streams().rehearse(kWriter, {use(StreamUse::Role::kWrites)}));
  CHECK(store->streams().list()->empty());
}

TEST_CASE_FIXTURE(StreamFixture, "what is over the bound is dropped as the policy says, and counted") {
  stream.max_bytes = 10;
  SUBCASE("oldest") {
    stream.on_full = plan::OnFull::kDropOldest;
    both();
    for (const char* block : {"aaaa", "bbbb", "cccc", "dddddddddddd"}) put(block);
    CHECK(bodies() == "dddddddddddd;");
    CHECK(counts().dropped == 3);
  }
  SUBCASE("newest") {
    stream.on_full = plan::OnFull::kDropNewest;
    both();
    for (const char* block : {"aaaa", "bbbb", "cccc", "dd"}) put(block);
    CHECK(bodies() == "aaaa;bbbb;dd;");
    CHECK(counts().dropped == 1);
  }
  SUBCASE("none") {
    both();
    for (const char* block : {"aaaa", "bbbb", "cccc"}) put(block);
    CHECK(bodies() == "aaaa;bbbb;cccc;");
    CHECK(store->streams().waiting_bytes("cells") == 12);
  }
}

TEST_CASE_FIXTURE(StreamFixture, "what is older than the bound is dropped with the next commit") {
  stream.max_age = Micros(100);
  both();
  put("a", 1, 1'000);
  put("b", 1, 1'050);
  put("c", 1, 1'120);
  CHECK(bodies() == "b;c;");
  CHECK(counts().dropped == 1);
}

TEST_CASE_FIXTURE(StreamFixture, "who waits for a stream is woken by a commit, until it leaves") {
  both();
  std::atomic<int> woken = 0;
  const sources::StreamReaderName reader{"cells", kReader, kTable};
  store->streams().on_stream(reader, [&] { ++woken; });
  put("a");
  CHECK(woken == 1);
  pass(read()[0].number);
  CHECK(woken == 1);
  store->streams().on_stream(reader, {});
  put("b");
  CHECK(woken == 1);
}

TEST_CASE_FIXTURE(StreamFixture, "a commit that was written already writes nothing twice") {
  both();
  Commit commit = next_commit(kWriter);
  commit.streams.push_back({std::make_shared<const sources::LocalStream>(stream), 1, "a"});
  REQUIRE(write(commit));
  REQUIRE(write(commit));
  CHECK(bodies() == "a;");
}

TEST_CASE_FIXTURE(StreamFixture,
                  "a repaired store goes on behind what readers have passed, and counts again") {
  both();
  put("a");
  put("b");
  const std::uint64_t last = read()[1].number;
  SUBCASE("all was passed") {
    pass(last);
    store.reset();
    REQUIRE(repair_store(options.path));
    REQUIRE(open());
    put("c");
    CHECK(bodies(last) == "c;");
  }
  SUBCASE("a block is gone") {
    store.reset();
    {
      const auto connection = Connection::open(options.path, OpenMode::kReadWrite);
      REQUIRE((*connection)->exec("DELETE FROM leat_stream_blocks WHERE body = x'61'"));
    }
    REQUIRE(repair_store(options.path));
    REQUIRE(open());
    CHECK(bodies() == "b;");
    CHECK(counts().dropped == 1);
    CHECK(store->streams().waiting_bytes("cells") == 1);
  }
}

TEST_CASE_FIXTURE(StreamFixture, "nobody but a declared reader reads") {
  both();
  const auto stranger = store->streams().read_stream({"cells", {"nobody"}, kTable}, 0, 100);
  REQUIRE_FALSE(stranger);
  CHECK(stranger.error().code == ErrorCode::kNotFound);
}

TEST_CASE("streams are kept in memory as on the disk") {
  std::vector<std::string> notes;
  const auto store = *Store::open({.path = ""}, notes);
  const auto stream = std::make_shared<const sources::LocalStream>(
      sources::LocalStream{"s", Schema{{{"id", Type::big_int()}}}, 1'000});
  REQUIRE(store->streams().declare({"w"}, {{{"t"}, stream, StreamUse::Role::kWrites}}));
  REQUIRE(store->streams().declare({"r"}, {{{"t"}, stream, StreamUse::Role::kReads}}));
  auto commit = std::make_shared<Commit>();
  commit->pipeline = {"w"};
  commit->number = {1};
  commit->streams.push_back({stream, 1, "a"});
  REQUIRE(wait_for<void>([&](auto done) { store->commit(commit, std::move(done)); }));
  CHECK(store->streams().read_stream({"s", {"r"}, {"t"}}, 0, 100)->at(0).body == "a");
}

}  // namespace
}  // namespace leat::store
