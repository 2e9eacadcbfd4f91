#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

std::map<std::string, std::string> state_of(const SavedPipeline& saved) {
  std::map<std::string, std::string> state;
  for (const exec::StateChange& entry : saved.state) state[entry.node + "/" + entry.key] = entry.value;
  return state;
}

TEST_CASE_FIXTURE(BothStores, "a pipeline that was never committed is empty") {
  on_both([&] {
    const auto saved = store->load(kPipeline);
    REQUIRE(saved);
    CHECK(saved->last_commit.value == 0);
    CHECK(saved->positions.empty());
    CHECK(saved->state.empty());
  });
}

TEST_CASE_FIXTURE(BothStores, "what a commit holds is loaded again, byte for byte") {
  on_both([&] {
    const std::string bytes("\0\xff bytes\0", 9);
    Commit commit = next_commit();
    commit.positions = {{{"a"}, bytes}, {{"b"}, ""}};
    commit.state = {{"node 1", bytes, false, bytes}, {"node 2", "", false, ""}};
    commit.counters = bytes;
    REQUIRE(write(commit));

    const auto saved = store->load(kPipeline);
    REQUIRE(saved);
    CHECK(saved->last_commit.value == 1);
    CHECK(saved->last_commit_time == 1'000);
    CHECK(saved->counters == bytes);
    REQUIRE(saved->positions.size() == 2);
    CHECK(saved->positions[0].position == bytes);
    CHECK(saved->positions[1].position.empty());
    CHECK(state_of(*saved) ==
          std::map<std::string, std::string>{{"node 1/" + bytes, bytes}, {"node 2/", ""}});
  });
}

TEST_CASE_FIXTURE(BothStores, "a commit changes the given keys and positions and no others") {
  on_both([&] {
    Commit first = next_commit();
    first.positions = {{{"a"}, "1"}, {{"b"}, "1"}};
    first.state = {{"n", "kept", false, "1"}, {"n", "changed", false, "1"}, {"n", "erased", false, "1"}};
    REQUIRE(write(first));
    Commit second = next_commit();
    second.positions = {{{"b"}, "2"}};
    second.state = {{"n", "changed", false, "2"}, {"n", "erased", true, ""}, {"n", "never there", true, ""}};
    REQUIRE(write(second));

    const auto saved = store->load(kPipeline);
    REQUIRE(saved);
    CHECK(saved->positions[0].position == "1");
    CHECK(saved->positions[1].position == "2");
    CHECK(state_of(*saved) == std::map<std::string, std::string>{{"n/kept", "1"}, {"n/changed", "2"}});
  });
}

TEST_CASE_FIXTURE(BothStores, "pipelines do not see each other's state under the same node and key") {
  on_both([&] {
    for (const std::string name : {"one", "two"}) {
      Commit commit = next_commit({name});
      commit.state = {{"n", "k", false, name}};
      REQUIRE(write(commit));
    }
    CHECK(state_of(*store->load({"one"})) == std::map<std::string, std::string>{{"n/k", "one"}});
    CHECK(state_of(*store->load({"two"})) == std::map<std::string, std::string>{{"n/k", "two"}});
  });
}

TEST_CASE_FIXTURE(BothStores, "a commit handed in twice is written once") {
  on_both([&] {
    Commit commit = next_commit();
    commit.blocks = {{kSink, 3, "block", 1'000}};
    commit.dead_letters = {letter("x")};
    REQUIRE(write(commit));
    REQUIRE(write(commit));
    CHECK(status().emitted == 3);
    CHECK(status().blocks == 1);
    CHECK(store->dead_letter_status()->letters == 1);
  });
}

TEST_CASE_FIXTURE(BothStores, "a commit that skips a number or goes back is a conflict and changes nothing") {
  on_both([&] {
    put_block(1, "a");
    put_block(1, "b");
    for (const std::uint64_t number : {0, 1, 4}) {
      CAPTURE(number);
      Commit wrong = next_commit();
      wrong.number = {number};
      wrong.blocks = {{kSink, 1, "c", 1'000}};
      const Status written = write(wrong);
      REQUIRE_FALSE(written);
      CHECK(written.error().code == ErrorCode::kConflict);
      CHECK(written.error().message.find("the store's last, 2") != std::string::npos);
    }
    CHECK(store->load(kPipeline)->last_commit.value == 2);
    CHECK(status().emitted == 2);
  });
}

TEST_CASE_FIXTURE(BothStores, "number 0 is no commit, not even of a new pipeline") {
  on_both([&] {
    Commit commit = next_commit();
    commit.number = {0};
    CHECK(write(commit).error().code == ErrorCode::kConflict);
  });
}

TEST_CASE_FIXTURE(BothStores, "requests are done in order without waiting for answers") {
  on_both([&] {
    std::atomic<int> answers = 0;
    for (std::uint64_t number = 1; number <= 20; ++number) {
      auto commit = std::make_shared<Commit>();
      commit->pipeline = kPipeline;
      commit->number = {number};
      store->commit(commit, [&answers](const Status& done) { answers += done ? 1 : 0; });
    }
    CHECK(store->load(kPipeline)->last_commit.value == 20);
    CHECK(answers == 20);
  });
}

TEST_CASE_FIXTURE(BothStores, "threads may use the store at the same time") {
  on_both([&] {
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        const PipelineName name{"pipeline " + std::to_string(t)};
        for (int i = 0; i < 10; ++i) {
          Commit commit = next_commit(name);
          commit.blocks = {{kSink, 2, "block", 1'000}};
          commit.state = {{"n", std::to_string(i), false, "v"}};
          failures += write(std::move(commit)) ? 0 : 1;
          failures += store->outbox_status() ? 0 : 1;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    CHECK(store->load({"pipeline 3"})->state.size() == 10);
  });
}

TEST_CASE_FIXTURE(StoreFixture, "everything that was answered is there after a restart") {
  REQUIRE(open());
  Commit commit = next_commit();
  commit.positions = {{{"a"}, "position"}};
  commit.state = {{"n", "k", false, "v"}};
  commit.counters = "counters";
  commit.blocks = {{kSink, 2, "block", 5}};
  commit.dead_letters = {letter("x")};
  REQUIRE(write(commit));
  reopen();

  const auto saved = store->load(kPipeline);
  REQUIRE(saved);
  CHECK(saved->last_commit.value == 1);
  CHECK(saved->positions[0].position == "position");
  CHECK(state_of(*saved) == std::map<std::string, std::string>{{"n/k", "v"}});
  CHECK(saved->counters == "counters");
  CHECK(status().records == 2);
  CHECK(store->dead_letter_status()->letters == 1);
}

TEST_CASE_FIXTURE(BothStores, "after close every request is answered with cancelled") {
  on_both([&] {
    const Commit commit = next_commit();
    check_accounts();
    store->close();
    store->close();
    CHECK(write(commit).error().code == ErrorCode::kCancelled);
    CHECK(next().error().code == ErrorCode::kCancelled);
    CHECK(store->load(kPipeline).error().code == ErrorCode::kCancelled);
    CHECK(store->outbox_status().error().code == ErrorCode::kCancelled);
    REQUIRE(open());
  });
}

TEST_CASE_FIXTURE(BothStores, "close finishes the requests that wait") {
  on_both([&] {
    std::atomic<int> done = 0;
    for (std::uint64_t number = 1; number <= 50; ++number) {
      auto commit = std::make_shared<Commit>();
      commit->pipeline = kPipeline;
      commit->number = {number};
      store->commit(commit, [&done](const Status& written) { done += written ? 1 : 0; });
    }
    store->close();
    CHECK(done == 50);
    REQUIRE(open());
  });
}

}  // namespace
}  // namespace leat::store
