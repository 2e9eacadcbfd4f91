// Who gives something up when the whole file has reached its bound.
#include <chrono>

#include "tests/support/eventually.h"
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

constexpr std::size_t kBlock = 64 << 10;

struct FileBoundFixture : StoreFixture {
  FileBoundFixture() {
    options.max_bytes = 1 << 20;
    REQUIRE(open());
  }
  void yields(const std::string& sink, std::optional<Store::DropOrder> order) const {
    store->set_yield(kPipeline, {sink}, order);
  }
  /// One commit with one block of a record for the sink.
  void put(const std::string& sink) {
    Commit commit = next_commit();
    commit.blocks.push_back({{sink}, 1, std::string(kBlock, 'x'), 1'000});
    REQUIRE(write(std::move(commit)));
  }
  void put_many(const std::string& sink, int blocks) {
    for (int i = 0; i < blocks; ++i) put(sink);
  }
  [[nodiscard]] OutboxStatus of(const std::string& sink) const {
    const auto all = store->outbox_status();
    REQUIRE(all);
    for (const OutboxStatus& one : *all)
      if (one.sink.value == sink) return one;
    return {};
  }
};

TEST_CASE_FIXTURE(FileBoundFixture, "below its bound a file is not full, and nothing is dropped") {
  yields("a", Store::DropOrder::kOldest);
  put_many("a", 8);
  CHECK_FALSE(store->file_full());
  CHECK(of("a").dropped == 0);
}

TEST_CASE_FIXTURE(FileBoundFixture, "sinks that give up their oldest do it in the order of the commits") {
  yields("a", Store::DropOrder::kOldest);
  yields("b", Store::DropOrder::kOldest);
  put_many("a", 5);
  put_many("b", 5);
  put_many("a", 7);
  // The file takes about fourteen blocks: what is too much came from the oldest, which are a's first five.
  CHECK(of("a").dropped_by.file >= 1);
  CHECK(of("b").dropped == 0);
  put_many("a", 4);
  CHECK(of("a").dropped_by.file == 5);
  CHECK(of("b").dropped_by.file >= 1);
}

TEST_CASE_FIXTURE(FileBoundFixture, "the oldest go before the newest, whoever fills the file") {
  yields("old", Store::DropOrder::kOldest);
  yields("new", Store::DropOrder::kNewest);
  put_many("old", 3);
  put_many("new", 20);
  CHECK(of("old").dropped_by.file == 3);
  CHECK(of("new").dropped_by.file >= 4);
  const auto oldest = wait_for<std::optional<OutboxShipment>>(
      [&](auto done) { store->next_shipment(kPipeline, {"new"}, {}, std::move(done)); });
  CHECK((*oldest)->block_numbers.front().value == 4);
}

TEST_CASE_FIXTURE(FileBoundFixture,
                  "a sink that blocks gives nothing up; the file is full until it is delivered") {
  put_many("a", 20);
  CHECK(store->file_full());
  CHECK(of("a").dropped == 0);
  while (store->file_full()) {
    const auto shipment = wait_for<std::optional<OutboxShipment>>(
        [&](auto done) { store->next_shipment(kPipeline, {"a"}, {.max_records = 1}, std::move(done)); });
    REQUIRE(*shipment);
    REQUIRE(wait_for<void>([&](auto done) {
      store->settle(kPipeline, {"a"}, {.number = (*shipment)->number, .delivered = 1}, std::move(done));
    }));
  }
  CHECK(of("a").records >= 10);
}

TEST_CASE_FIXTURE(FileBoundFixture,
                  "a block that carries a number stays; a full file is known at the start") {
  yields("a", Store::DropOrder::kOldest);
  put("a");
  const auto shipment = wait_for<std::optional<OutboxShipment>>(
      [&](auto done) { store->next_shipment(kPipeline, {"a"}, {}, std::move(done)); });
  put_many("b", 30);
  CHECK(of("a").records == 1);
  CHECK(of("a").dropped == 0);
  reopen();
  CHECK(store->file_full());
}

TEST_CASE_FIXTURE(FileBoundFixture, "a sink that has gone gives nothing up any more") {
  yields("a", Store::DropOrder::kOldest);
  yields("a", std::nullopt);
  put_many("a", 20);
  CHECK(of("a").dropped == 0);
}

TEST_CASE_FIXTURE(BothStores, "drops are counted by the bound that asked for them") {
  on_both([&] {
    for (int i = 0; i < 6; ++i) put_block(1, "aaaa", 10 * (i + 1));
    REQUIRE(trim(UINT64_MAX, Store::DropOrder::kOldest, 15));
    REQUIRE(trim(16, Store::DropOrder::kOldest));
    REQUIRE(trim(8, Store::DropOrder::kNewest));
    CHECK(status().dropped_by.age == 1);
    CHECK(status().dropped_by.oldest == 1);
    CHECK(status().dropped_by.newest == 2);
    CHECK(status().dropped_by.file == 0);
    CHECK(status().dropped == 4);
  });
}

TEST_CASE_FIXTURE(StoreFixture, "space is given back in one round of idle time") {
  REQUIRE(open());
  for (int i = 0; i < 40; ++i) put_block(1, std::string(1 << 20, 'x'));
  REQUIRE(std::filesystem::file_size(options.path) > (20 << 20));
  REQUIRE(trim(0, Store::DropOrder::kOldest));
  const auto begin = std::chrono::steady_clock::now();
  CHECK(test::eventually([&] { return std::filesystem::file_size(options.path) < (4 << 20); }));
  // One step of a megabyte per idle time would take twenty seconds.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(15));
}

/// A step of a whole scan costs a hundred thousand rows here: thousands of them would take minutes.
TEST_CASE_FIXTURE(StoreFixture,
                  "choosing, settling and dropping cost the same with a hundred thousand blocks") {
  options.path.clear();
  REQUIRE(open());
  for (int commits = 0; commits < 10; ++commits) {
    Commit commit = next_commit();
    for (int i = 0; i < 10'000; ++i) commit.blocks.push_back({kSink, 1, "x", 1'000});
    REQUIRE(write(std::move(commit)));
  }
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t number = 1; number <= 2'000; ++number) {
    const auto order =
        number % 2 == 0 ? ShipmentLimits::Order::kNewestFirst : ShipmentLimits::Order::kOldestFirst;
    REQUIRE(next({.max_records = 2, .order = order}));
    Settlement settlement;
    settlement.number = {number};
    settlement.delivered = 2;
    REQUIRE(settle(settlement));
    REQUIRE(trim((100'000 - number * 3),
                 number % 2 == 0 ? Store::DropOrder::kNewest : Store::DropOrder::kOldest));
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
  CHECK(status().records == 94'000);
}

}  // namespace
}  // namespace leat::store
