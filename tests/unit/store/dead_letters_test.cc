#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

struct DeadLettersFixture : BothStores {
  void bury(std::vector<DeadLetter> letters) {
    Commit commit = next_commit();
    commit.dead_letters = std::move(letters);
    REQUIRE(write(std::move(commit)));
  }
  std::string payloads(std::size_t limit = 100, std::int64_t before = 0) {
    const auto rows = store->dead_letters({.below_id = before == 0 ? INT64_MAX : before}, {.letters = limit});
    std::string all;
    for (const DeadLetterRow& row : *rows) all += row.letter.payload;
    return all;
  }
};

TEST_CASE_FIXTURE(DeadLettersFixture, "a dead letter keeps its origin, reason, bytes, metadata and time") {
  on_both([&] {
    const std::string bytes("\xff\0x", 3);
    bury({{"source a", "no JSON", bytes, R"({"topic":"t"})", 99}});
    const auto rows = store->dead_letters({}, {});
    REQUIRE(rows->size() == 1);
    const DeadLetterRow& row = rows->front();
    CHECK(row.pipeline == kPipeline);
    CHECK(row.letter.origin == "source a");
    CHECK(row.letter.reason == "no JSON");
    CHECK(row.letter.payload == bytes);
    CHECK(row.letter.metadata == R"({"topic":"t"})");
    CHECK(row.letter.time == 99);
    CHECK(row.letter.payload_bytes == 3);
    CHECK(row.kept_bytes == 3);
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture, "dead letters are read in pages, newest first") {
  on_both([&] {
    bury({letter("a"), letter("b"), letter("c")});
    CHECK(payloads() == "cba");
    const auto page = store->dead_letters({}, {.letters = 2});
    CHECK(payloads(2, page->back().id) == "a");
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture, "above the bound the oldest letters are pushed out and counted") {
  options.dead_letters_max_bytes = 1'000;
  on_both([&] {
    for (char c = 'a'; c <= 'z'; ++c) bury({letter(std::string(100, c))});
    const auto status = store->dead_letter_status();
    REQUIRE(status);
    CHECK(status->bytes <= 1'000);
    CHECK(status->letters + status->pushed_out == 26);
    CHECK(status->letters == store->dead_letters({}, {})->size());
    CHECK(status->letters >= 5);
    CHECK(payloads(1) == std::string(100, 'z'));
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture, "one commit with more letters than fit keeps the newest of them") {
  options.dead_letters_max_bytes = 500;
  on_both([&] {
    bury(std::vector<DeadLetter>(1'000, letter("x")));
    const auto status = store->dead_letter_status();
    CHECK(status->bytes <= 500);
    CHECK(status->letters > 0);
    CHECK(status->letters + status->pushed_out == 1'000);
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture, "a large payload is cut and its size kept") {
  options.dead_letter_payload_bytes = 10;
  on_both([&] {
    bury({letter(std::string(5'000, 'x'))});
    const DeadLetterRow row = store->dead_letters({}, {.letters = 1})->front();
    CHECK(row.letter.payload == std::string(10, 'x'));
    CHECK(row.letter.payload_bytes == 5'000);
    CHECK(row.kept_bytes == 10);
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture, "above the number that is kept the oldest letters are pushed out") {
  options.dead_letters_max_count = 3;
  on_both([&] {
    bury({letter("a"), letter("b")});
    bury({letter("c"), letter("d"), letter("e")});
    CHECK(payloads() == "edc");
    CHECK(store->dead_letter_status()->pushed_out == 2);
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture,
                  "a letter that the pipeline had cut keeps its message and the whole size") {
  on_both([&] {
    DeadLetter cut = letter("beginning");
    cut.payload_bytes = 20'000'000;
    cut.key = std::string("k\0", 2);
    cut.attributes = "\x01\x02";
    bury({cut});
    const DeadLetterRow row = store->dead_letters({}, {})->front();
    CHECK(row.letter.payload_bytes == 20'000'000);
    CHECK(row.kept_bytes == 9);
    CHECK(row.letter.key == cut.key);
    CHECK(row.letter.attributes == cut.attributes);
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture, "a filter means the letters for which all of it holds") {
  on_both([&] {
    DeadLetter late = letter("late");
    late.time = 100;
    DeadLetter sink = letter("sink");
    sink.origin = "sink upstream";
    bury({letter("early"), late, sink});
    const auto found = [&](DeadLetterFilter filter) {
      const auto rows = store->dead_letters(filter, {});
      std::string all;
      for (const DeadLetterRow& row : *rows) all += row.letter.payload + " ";
      return all;
    };
    const std::int64_t first = store->dead_letters({}, {})->back().id;
    CHECK(found({.origin = "readings"}) == "late early ");
    CHECK(found({.origin = "source readings"}) == "late early ");
    CHECK(found({.origin = "sink upstream"}) == "sink ");
    CHECK(found({.since = 100}) == "late ");
    CHECK(found({.until = 100}) == "sink early ");
    CHECK(found({.above_id = first}) == "sink late ");
    CHECK(found({.ids = {first, first + 2}}) == "sink early ");
    CHECK(found({.pipeline = "plant", .origin = "readings", .since = 100}) == "late ");
    CHECK(found({.pipeline = "another"}).empty());
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture, "a page is bounded by its letters, their payloads and the sum") {
  on_both([&] {
    bury({letter(std::string(100, 'a')), letter(std::string(100, 'b')), letter(std::string(100, 'c'))});
    const auto oldest = DeadLetterPage::Order::kOldestFirst;
    CHECK(store->dead_letters({}, {.order = oldest, .letters = 2})->back().letter.payload[0] == 'b');
    CHECK(store->dead_letters({}, {.payload_bytes = 5})->front().letter.payload == "ccccc");
    CHECK(store->dead_letters({}, {.payload_bytes = 5})->front().kept_bytes == 100);
    CHECK(store->dead_letters({}, {.total_bytes = 250})->size() == 2);
    CHECK(store->dead_letters({}, {.total_bytes = 1})->size() == 1);
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture,
                  "letters that are replayed go with the commit, and others that are purged") {
  on_both([&] {
    bury({letter("a"), letter("b"), letter("c"), letter("d")});
    const std::int64_t first = store->dead_letters({}, {})->back().id;
    Commit commit = next_commit();
    commit.replayed = {first, first + 2, 77'777};
    commit.dead_letters = {letter("again")};
    REQUIRE(write(commit));
    CHECK(payloads() == "againdb");
    const auto purged = wait_for<std::uint64_t>(
        [&](auto done) { store->purge_dead_letters({.above_id = first + 1}, 1, std::move(done)); });
    CHECK(purged == 1);
    CHECK(payloads() == "againb");
    const DeadLetterStatus status = *store->dead_letter_status();
    CHECK(status.replayed == 2);
    CHECK(status.purged == 1);
    CHECK(status.written == 5);
    CHECK(status.letters == 2);
    CHECK(status.bytes ==
          2 * 64 + 2 * std::string("source readingsno JSON{}").size() + std::string("bagain").size());
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture, "a commit that is handed in twice replays its letters once") {
  on_both([&] {
    bury({letter("a"), letter("b")});
    Commit commit = next_commit();
    commit.replayed = {store->dead_letters({}, {})->back().id};
    REQUIRE(write(commit));
    REQUIRE(write(commit));
    CHECK(payloads() == "b");
    CHECK(store->dead_letter_status()->replayed == 1);
  });
}

}  // namespace
}  // namespace leat::store
