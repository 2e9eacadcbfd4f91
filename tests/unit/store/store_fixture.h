// A store in a temporary folder or in memory, with blocking verbs for what is asynchronous, and a check of
// the accounting equations at the end of each test.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/store/store.h"

namespace leat::store {

inline const PipelineName kPipeline{"plant"};
inline const TableName kSink{"upstream"};

struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "leat-store-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

/// Calls an asynchronous request and waits for its answer.
template <class T, class Request>
Result<T> wait_for(Request request) {
  std::promise<Result<T>> answer;
  request([&answer](Result<T> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

struct StoreFixture {
  TemporaryFolder folder;
  StoreOptions options;
  std::vector<std::string> notes;
  std::unique_ptr<Store> store;

  StoreFixture() {
    options.path = (folder.path / "leat.db").string();
    options.machine_id_file = (folder.path / "machine-id").string();
    write_file("machine-id", "machine-a\n");
  }
  ~StoreFixture() {
    if (store) check_accounts();
  }

  Status open() {
    notes.clear();
    Result<std::unique_ptr<Store>> opened = Store::open(options, notes);
    if (!opened) return tl::unexpected<Error>(opened.error());
    store = *std::move(opened);
    return {};
  }
  void reopen() {
    store.reset();
    REQUIRE(open());
  }
  [[nodiscard]] std::string noted() const {
    std::string all;
    for (const std::string& note : notes) all += note + "\n";
    return all;
  }
  void write_file(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path / name, std::ios::binary) << text;
  }
  [[nodiscard]] bool exists(const std::string& name) const {
    return std::filesystem::exists(folder.path / name);
  }

  /// The next commit of the pipeline, empty.
  [[nodiscard]] Commit next_commit(const PipelineName& pipeline = kPipeline) const {
    Commit commit;
    commit.pipeline = pipeline;
    commit.number = store->load(pipeline)->last_commit.next();
    commit.time = 1'000;
    return commit;
  }
  Status write(Commit commit) {
    auto shared = std::make_shared<const Commit>(std::move(commit));
    return wait_for<void>([&](auto done) { store->commit(shared, std::move(done)); });
  }
  /// One commit with a block of `records` records for the sink.
  void put_block(std::uint64_t records, std::string bytes, std::int64_t created = 1'000) {
    Commit commit = next_commit();
    commit.blocks.push_back({kSink, records, std::move(bytes), created});
    REQUIRE(write(std::move(commit)));
  }
  Result<std::optional<OutboxShipment>> next(const ShipmentLimits& limits = {}) {
    return wait_for<std::optional<OutboxShipment>>(
        [&](auto done) { store->next_shipment(kPipeline, kSink, limits, std::move(done)); });
  }
  Status settle(Settlement settlement) {
    return wait_for<void>([&](auto done) { store->settle(kPipeline, kSink, settlement, std::move(done)); });
  }
  Status split(ShipmentNumber number, std::uint64_t first, std::uint64_t records) {
    return wait_for<void>(
        [&](auto done) { store->split(kPipeline, kSink, number, first, records, std::move(done)); });
  }
  Result<std::uint64_t> trim(std::uint64_t max_bytes, Store::DropOrder order,
                             std::int64_t oldest_allowed = INT64_MIN) {
    return wait_for<std::uint64_t>(
        [&](auto done) { store->trim(kPipeline, kSink, max_bytes, oldest_allowed, order, std::move(done)); });
  }
  [[nodiscard]] OutboxStatus status() const {
    const auto all = store->outbox_status();
    REQUIRE(all);
    for (const OutboxStatus& one : *all)
      if (one.pipeline == kPipeline && one.sink == kSink) return one;
    return {};
  }
  /// emitted = delivered + rejected + dropped + waiting, and the level in memory is the one on disk.
  void check_accounts() const {
    if (const auto letters = store->dead_letter_status())
      CHECK(letters->written == letters->letters + letters->pushed_out + letters->replayed + letters->purged);
    const auto all = store->outbox_status();
    REQUIRE(all);
    for (const OutboxStatus& one : *all) {
      CHECK(one.emitted == one.delivered + one.rejected + one.dropped + one.records);
      const OutboxLevel level = store->outbox_level(one.pipeline, one.sink);
      CHECK(level.records == one.records);
      CHECK(level.bytes == one.bytes);
      CHECK(level.blocks == one.blocks);
      CHECK(level.oldest == one.oldest);
    }
  }
};

/// Runs a test on a store in a file and on one in memory.
struct BothStores : StoreFixture {
  void on_both(const std::function<void()>& test) {
    for (const bool in_memory : {false, true}) {
      CAPTURE(in_memory);
      if (in_memory) options.path.clear();
      store.reset();
      REQUIRE(open());
      test();
      check_accounts();
    }
  }
};

inline DeadLetter letter(std::string payload, std::string reason = "no JSON") {
  return {"source readings", std::move(reason), std::move(payload), "{}", 7};
}

}  // namespace leat::store
