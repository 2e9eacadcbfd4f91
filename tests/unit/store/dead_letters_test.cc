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
    const auto rows = store->dead_letters(limit, before);
    std::string all;
    for (const DeadLetterRow& row : *rows) all += row.letter.payload;
    return all;
  }
};

TEST_CASE_FIXTURE(DeadLettersFixture, "a dead letter keeps its origin, reason, bytes, metadata and time") {
  on_both([&] {
    const std::string bytes("\xff\0x", 3);
    bury({{"source a", "no JSON", bytes, R"({"topic":"t"})", 99}});
    const auto rows = store->dead_letters(10, 0);
    REQUIRE(rows->size() == 1);
    const DeadLetterRow& row = rows->front();
    CHECK(row.pipeline == kPipeline);
    CHECK(row.letter.origin == "source a");
    CHECK(row.letter.reason == "no JSON");
    CHECK(row.letter.payload == bytes);
    CHECK(row.letter.metadata == R"({"topic":"t"})");
    CHECK(row.letter.time == 99);
    CHECK(row.payload_bytes == 3);
  });
}

TEST_CASE_FIXTURE(DeadLettersFixture, "dead letters are read in pages, newest first") {
  on_both([&] {
    bury({letter("a"), letter("b"), letter("c")});
    CHECK(payloads() == "cba");
    const auto page = store->dead_letters(2, 0);
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
    CHECK(status->letters == store->dead_letters(100, 0)->size());
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
    const DeadLetterRow row = store->dead_letters(1, 0)->front();
    CHECK(row.letter.payload == std::string(10, 'x'));
    CHECK(row.payload_bytes == 5'000);
  });
}

}  // namespace
}  // namespace leat::store
