#include <atomic>

#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

std::string joined(const Result<std::optional<OutboxShipment>>& shipment) {
  REQUIRE(shipment);
  if (!*shipment) return "nothing";
  std::string all;
  for (const std::string& block : (*shipment)->blocks) all += block;
  return all;
}

Settlement delivered(std::uint64_t number, std::uint64_t records) {
  Settlement settlement;
  settlement.number = {number};
  settlement.delivered = records;
  return settlement;
}

TEST_CASE_FIXTURE(BothStores, "without a block there is no shipment") {
  on_both([&] { CHECK(joined(next()) == "nothing"); });
}

TEST_CASE_FIXTURE(BothStores, "a shipment takes blocks in the order of their commits up to its limits") {
  on_both([&] {
    put_block(2, "a");
    put_block(2, "b");
    put_block(2, "c");
    const auto first = next({.max_records = 5});
    CHECK(joined(first) == "ab");
    CHECK((*first)->number.value == 1);
    CHECK((*first)->records == 4);
    CHECK_FALSE((*first)->resumed);
    REQUIRE(settle(delivered(1, 4)));
    const auto second = next({.max_records = 5});
    CHECK(joined(second) == "c");
    CHECK((*second)->number.value == 2);
  });
}

TEST_CASE_FIXTURE(BothStores, "a block larger than the limits travels alone") {
  on_both([&] {
    put_block(10, std::string(100, 'x'));
    put_block(1, "y");
    CHECK(joined(next({.max_records = 1'000, .max_bytes = 10})) == std::string(100, 'x'));
  });
}

TEST_CASE_FIXTURE(BothStores, "with linger only a full shipment is formed") {
  on_both([&] {
    const ShipmentLimits full{.max_records = 4, .max_bytes = 100, .fill = ShipmentLimits::Fill::kOnlyFull};
    put_block(3, "a");
    CHECK(joined(next(full)) == "nothing");
    CHECK(status().last_shipment.value == 0);
    put_block(1, "b");
    CHECK(joined(next(full)) == "ab");
  });
}

TEST_CASE_FIXTURE(BothStores, "the unsettled shipment is given out again, the same, until it is settled") {
  on_both([&] {
    put_block(1, "a");
    CHECK(joined(next()) == "a");
    put_block(1, "b");
    const auto again = next();
    CHECK(joined(again) == "a");
    CHECK((*again)->number.value == 1);
    CHECK((*again)->resumed);
    REQUIRE(settle(delivered(1, 1)));
    CHECK(joined(next()) == "b");
  });
}

TEST_CASE_FIXTURE(StoreFixture, "after a restart the unsettled shipment is resumed under its number") {
  REQUIRE(open());
  put_block(2, "a");
  put_block(1, "b");
  CHECK(joined(next({.max_records = 2})) == "a");
  reopen();
  const auto resumed = next();
  CHECK(joined(resumed) == "a");
  CHECK((*resumed)->number.value == 1);
  CHECK((*resumed)->resumed);
  REQUIRE(settle(delivered(1, 2)));
  reopen();
  const auto fresh = next();
  CHECK(joined(fresh) == "b");
  CHECK((*fresh)->number.value == 2);
  CHECK_FALSE((*fresh)->resumed);
}

TEST_CASE_FIXTURE(BothStores, "settling counts, keeps the sink's state and buries what was rejected") {
  on_both([&] {
    put_block(5, "a");
    REQUIRE(next());
    Settlement settlement = delivered(1, 3);
    settlement.sink_state = "offset 7";
    settlement.rejected = {letter("bad"), letter("worse")};
    REQUIRE(settle(settlement));
    CHECK(status().delivered == 3);
    CHECK(status().rejected == 2);
    CHECK(status().records == 0);
    CHECK(status().blocks == 0);
    CHECK(status().bytes == 0);
    CHECK(store->dead_letter_status()->letters == 2);
    put_block(1, "b");
    CHECK((*next())->sink_state == "offset 7");
  });
}

TEST_CASE_FIXTURE(BothStores, "a settlement handed in twice counts once") {
  on_both([&] {
    put_block(2, "a");
    REQUIRE(next());
    Settlement settlement = delivered(1, 1);
    settlement.rejected = {letter("bad")};
    REQUIRE(settle(settlement));
    REQUIRE(settle(settlement));
    CHECK(status().delivered == 1);
    CHECK(status().rejected == 1);
    CHECK(store->dead_letter_status()->letters == 1);
  });
}

TEST_CASE_FIXTURE(BothStores, "a settlement of another shipment or of too many records is a conflict") {
  on_both([&] {
    put_block(2, "a");
    REQUIRE(next());
    CHECK(settle(delivered(2, 2)).error().code == ErrorCode::kConflict);
    CHECK(settle(delivered(1, 3)).error().code == ErrorCode::kConflict);
    CHECK(status().records == 2);
  });
}

TEST_CASE_FIXTURE(BothStores, "a shipment is settled part by part, and the equations hold in between") {
  on_both([&] {
    put_block(6, "a");
    put_block(4, "b");
    REQUIRE(next());
    REQUIRE(split({1}, 0, 5));
    CHECK((*next())->part == 5);
    Settlement part = delivered(1, 5);
    part.next_part = 1;
    REQUIRE(settle(part));
    REQUIRE(settle(part));
    CHECK(status().records == 5);
    CHECK((*next())->settled == 5);
    CHECK((*next())->part == 1);
    check_accounts();
    REQUIRE(settle({.number = {1}, .rejected = {letter("bad")}, .first = 5}));
    CHECK(joined(next()) == "ab");
    CHECK((*next())->part == 0);
    REQUIRE(settle({.number = {1}, .delivered = 4, .first = 6}));
    CHECK(joined(next()) == "nothing");
    CHECK(status().delivered == 9);
    CHECK(status().rejected == 1);
  });
}

TEST_CASE_FIXTURE(StoreFixture, "a restart in the middle of a split shipment goes on at the same part") {
  REQUIRE(open());
  put_block(10, "a");
  REQUIRE(next());
  REQUIRE(split({1}, 0, 4));
  REQUIRE(settle({.number = {1}, .delivered = 4, .next_part = 3}));
  reopen();
  const auto resumed = next();
  CHECK((*resumed)->settled == 4);
  CHECK((*resumed)->part == 3);
  CHECK((*resumed)->records == 10);
}

TEST_CASE_FIXTURE(BothStores,
                  "a part must begin where the settled records end, and lie inside the shipment") {
  on_both([&] {
    put_block(10, "a");
    CHECK(split({1}, 0, 5).error().code == ErrorCode::kConflict);
    REQUIRE(next());
    CHECK(split({1}, 1, 5).error().code == ErrorCode::kConflict);
    CHECK(split({1}, 0, 11).error().code == ErrorCode::kConflict);
    CHECK(split({1}, 0, 0).error().code == ErrorCode::kConflict);
    CHECK(split({2}, 0, 5).error().code == ErrorCode::kConflict);
  });
}

TEST_CASE_FIXTURE(BothStores, "trimming drops the oldest or the newest blocks down to the bound") {
  on_both([&] {
    for (const char* bytes : {"aaaa", "bbbb", "cccc", "dddd"}) put_block(2, bytes);
    CHECK(*trim(9, Store::DropOrder::kOldest) == 4);
    CHECK(status().dropped == 4);
    CHECK(status().bytes == 8);
    CHECK(*trim(4, Store::DropOrder::kNewest) == 2);
    CHECK(joined(next()) == "cccc");
  });
}

TEST_CASE_FIXTURE(BothStores, "trimming below what waits already does nothing") {
  on_both([&] {
    put_block(2, "aaaa");
    CHECK(*trim(4, Store::DropOrder::kOldest) == 0);
    CHECK(status().dropped == 0);
  });
}

TEST_CASE_FIXTURE(BothStores, "a block that carries a number is never dropped") {
  on_both([&] {
    put_block(1, "aaaa");
    put_block(1, "bbbb");
    REQUIRE(next({.max_records = 1}));
    CHECK(*trim(0, Store::DropOrder::kOldest, INT64_MAX) == 1);
    CHECK(joined(next()) == "aaaa");
    CHECK(*trim(0, Store::DropOrder::kNewest) == 0);
    CHECK(status().records == 1);
  });
}

TEST_CASE_FIXTURE(BothStores, "blocks older than allowed are dropped, whatever the order of the policy") {
  on_both([&] {
    put_block(1, "a", 10);
    put_block(1, "b", 20);
    put_block(1, "c", 30);
    CHECK(*trim(UINT64_MAX, Store::DropOrder::kNewest, 25) == 2);
    CHECK(joined(next()) == "c");
  });
}

TEST_CASE_FIXTURE(BothStores, "a trim of more blocks than one transaction takes is finished") {
  on_both([&] {
    Commit commit = next_commit();
    for (int i = 0; i < 1'000; ++i) commit.blocks.push_back({kSink, 1, "x", 1'000});
    REQUIRE(write(std::move(commit)));
    CHECK(*trim(100, Store::DropOrder::kOldest) == 900);
    CHECK(status().blocks == 100);
  });
}

TEST_CASE_FIXTURE(BothStores, "a wake-up follows each commit with blocks for the sink, and no other") {
  on_both([&] {
    std::atomic<int> woken = 0;
    store->on_blocks(kPipeline, kSink, [&woken] { ++woken; });
    put_block(1, "a");
    REQUIRE(write(next_commit()));
    CHECK(woken == 1);
    store->on_blocks(kPipeline, kSink, {});
    put_block(1, "b");
    CHECK(woken == 1);
  });
}

TEST_CASE_FIXTURE(BothStores, "at the wake-up the block is there to be shipped") {
  on_both([&] {
    std::promise<std::uint64_t> records;
    store->on_blocks(kPipeline, kSink, [&] {
      store->next_shipment(kPipeline, kSink, {},
                           [&](const auto& shipment) { records.set_value((*shipment)->records); });
    });
    put_block(7, "a");
    CHECK(records.get_future().get() == 7);
    store->on_blocks(kPipeline, kSink, {});
  });
}

TEST_CASE_FIXTURE(StoreFixture, "a sink is paused by its name, and over restarts") {
  REQUIRE(open());
  CHECK_FALSE(store->is_paused(kPipeline, kSink));
  REQUIRE(store->set_paused(kPipeline, kSink, true));
  REQUIRE(store->set_paused(kPipeline, kSink, true));
  reopen();
  CHECK(store->is_paused(kPipeline, kSink));
  CHECK_FALSE(store->is_paused(kPipeline, {"other"}));
  CHECK_FALSE(store->is_paused({"other"}, kSink));
  REQUIRE(store->set_paused(kPipeline, kSink, false));
  CHECK_FALSE(store->is_paused(kPipeline, kSink));
}

TEST_CASE_FIXTURE(StoreFixture, "a pipeline is paused by its name, over restarts, and not with its sinks") {
  REQUIRE(open());
  REQUIRE(store->set_paused(kPipeline, kSink, true));
  CHECK_FALSE(store->is_paused(kPipeline));
  REQUIRE(store->set_paused(kPipeline, true));
  reopen();
  CHECK(store->is_paused(kPipeline));
  CHECK_FALSE(store->is_paused({"other"}));
  REQUIRE(store->set_paused(kPipeline, false));
  CHECK_FALSE(store->is_paused(kPipeline));
  CHECK(store->is_paused(kPipeline, kSink));
}

TEST_CASE_FIXTURE(BothStores, "the sink's state can be replaced between shipments only") {
  on_both([&] {
    const auto keep = [&](const std::string& state) {
      return wait_for<void>(
          [&](auto done) { store->keep_sink_state(kPipeline, kSink, state, std::move(done)); });
    };
    CHECK(keep("x").error().code == ErrorCode::kNotFound);
    put_block(1, "a");
    REQUIRE(keep("final"));
    CHECK((*next())->sink_state == "final");
    CHECK(keep("x").error().code == ErrorCode::kConflict);
  });
}

TEST_CASE_FIXTURE(StoreFixture, "the status names the oldest block and survives a restart") {
  REQUIRE(open());
  put_block(1, "aa", 10);
  put_block(2, "bbb", 20);
  reopen();
  CHECK(status().oldest == 10);
  CHECK(status().blocks == 2);
  CHECK(status().bytes == 5);
  CHECK(status().records == 3);
  CHECK(status().emitted == 3);
}

}  // namespace
}  // namespace leat::store
