// What a pipeline counts of its journal, over crashes and damage: the equation of the messages holds, and
// nothing that has come in vanishes from it.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "sources/intake.h"
#include "sources/journal_format.h"
#include "sources/mqtt/delivery.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/runtime/pipeline_fixture.h"

using namespace leat;
using namespace leat::runtime;

namespace {

constexpr int kMessages = 7;

/// A pipeline whose broker is away: all that comes in is what the journal holds.
struct JournalWorld : PipelineWorld {
  JournalWorld() { put_in(kMessages); }

  /// As a source that stored them and died.
  void put_in(int messages) {
    sources::JournalFindings findings;
    const auto journal = sources::open_journal(file(), {.size = {64 * 1024}}, {}, findings);
    REQUIRE(journal);
    for (int i = 0; i < messages; ++i) (*journal)->append("row", "", attributes(), 77);
  }
  static std::string attributes() {
    std::string bytes;
    sources::encode_delivery({.topic = "t", .qos = 1}, bytes);
    return bytes;
  }
  /// Where message n begins in the file.
  static std::size_t begin_of(std::size_t n) {
    return static_cast<std::size_t>(sources::kRingStart +
                                    (n - 1) * sources::record_size(0, attributes().size(), 3));
  }
  [[nodiscard]] std::string file() const { return folder.file("test.readings.journal"); }
  void damage_from(std::size_t offset) {
    std::string bytes = folder.read("test.readings.journal");
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(offset), bytes.end(), 'x');
    folder.write("test.readings.journal", bytes);
  }

  Result<std::unique_ptr<Pipeline>> make(PipelineEvents events = {}) {
    PipelineContext context{.loop = loop.get(), .clock = &clock, .store = store.get(), .results = &rows};
    context.journal_dir = folder.path();
    context.lock_step = true;
    context.batch_bytes = 1;
    return Pipeline::create(PipelineName{"test"}, "test.sql", planned(kText), context, std::move(events));
  }
  PipelineStatus as_opened() {
    const auto made = make();
    REQUIRE_MESSAGE(made, made.error().message);
    PipelineStatus status = (*made)->status_now();
    CHECK(accounting_violations(status) == std::vector<std::string>());
    return status;
  }
  /// Until so many messages are decoded and committed, then it is destroyed as a crash would; the next ones
  /// may be committed, too.
  void run_until(std::uint64_t decoded) {
    Pipeline* running = nullptr;
    auto made = make({.ended = {}, .batch_done = {}, .committed = [&] {
                        if (running->status_now().sources.at(0).counters.decoded >= decoded) crash();
                      }});
    REQUIRE_MESSAGE(made, made.error().message);
    running = made->get();
    REQUIRE(running->start());
    loop->run();
  }

  const std::string kText = R"(
    CREATE TABLE readings (line STRING) WITH ('connector' = 'mqtt', 'url' = 'tcp://127.0.0.1:1',
      'topic' = 't', 'qos' = '1', 'format' = 'csv', 'journal.size' = '64 kb', 'max-packet-size' = '4 kb');
    SELECT line FROM readings;)";
  test::TemporaryFolder folder;
};

}  // namespace

TEST_CASE("what waits in the journal has been received, although there was no commit yet") {
  JournalWorld world;
  const auto counters = world.as_opened().sources.at(0).counters;
  CHECK(counters.received == kMessages);
  CHECK(counters.queued == kMessages);
}

TEST_CASE("what was received and is not there any more ends as lost, whatever has become of the journal") {
  for (const bool removed : {false, true}) {
    JournalWorld world;
    world.run_until(1);
    if (removed)
      std::filesystem::remove(world.file());
    else
      world.damage_from(sources::kRingStart);
    const auto counters = world.as_opened().sources.at(0).counters;
    CHECK(counters.received == kMessages);
    CHECK(counters.decoded >= 1);
    CHECK(counters.dropped == counters.lost);
    CHECK(counters.decoded + counters.lost + counters.queued == kMessages);
    CHECK(counters.lost + counters.queued > 0);
  }
}

TEST_CASE("a lost message is queued until the position has passed it, then it is dropped, once") {
  JournalWorld world;
  std::string bytes = world.folder.read("test.readings.journal");
  bytes[JournalWorld::begin_of(5) + 50] ^= 1;
  world.folder.write("test.readings.journal", bytes);
  CHECK(world.as_opened().sources.at(0).counters.queued == kMessages);
  world.run_until(1);
  CHECK(world.as_opened().sources.at(0).counters.lost == 0);
  world.run_until(kMessages - 1);
  const PipelineStatus status = world.as_opened();
  const auto& counters = status.sources.at(0).counters;
  CHECK(counters.received == kMessages);
  CHECK(counters.decoded == kMessages - 1);
  CHECK(counters.lost == 1);
  CHECK(counters.queued == 0);
  CHECK(status.sources.at(0).set_aside_files == 1);
  CHECK(journal_damages(status).size() == 1);
}
