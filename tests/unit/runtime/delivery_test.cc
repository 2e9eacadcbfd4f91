#include "daemon/runtime/delivery.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/unit/runtime/delivery_fixture.h"

namespace leat::runtime {
namespace {

using namespace std::chrono_literals;

/// Long enough for any machine; never waited for when all is well.
constexpr Micros kPatience = 60s;

/// Attempts wait at the gate until it is opened or the sink is interrupted.
class Gate {
 public:
  bool pass() {
    std::unique_lock lock(mutex_);
    waiting_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_ || interrupted_; });
    return open_;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }
  bool wait_until_somebody_waits() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] { return waiting_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  bool waiting_ = false;
  bool interrupted_ = false;
};

class GatedSink final : public sinks::Sink {
 public:
  GatedSink(Gate& gate, Script& script) : gate_(gate), inner_(script) {}
  sinks::Delivery deliver(const sinks::Shipment& shipment) override {
    if (!gate_.pass()) return sinks::Retry{"interrupted", {}};
    return inner_.deliver(shipment);
  }
  void interrupt() override { gate_.interrupt(); }
  Status finish(std::string& sink_state) override { return inner_.finish(sink_state); }
  [[nodiscard]] std::optional<Micros> check_interval() const override { return inner_.check_interval(); }
  Status check(std::string& sink_state) override { return inner_.check(sink_state); }

 private:
  Gate& gate_;
  ScriptedSink inner_;
};

struct DeliveryFixture : OutboxFixture {
  DeliverySetup setup{.route = route, .limits = {}, .options = {}};
  Gate gate;
  std::atomic<int> changes = 0;
  std::unique_ptr<Delivery> delivery;

  DeliveryFixture() {
    setup.changed = [this] { ++changes; };
  }
  void start() {
    delivery = std::make_unique<Delivery>(*store, std::make_unique<GatedSink>(gate, script), setup, clock);
    delivery->start();
  }
  /// Time for the next check.
  void look_again() {
    clock.advance(1min);
    put({"wakes it"});
  }
  bool drain(Delivery::End end = Delivery::End::kShutdown) {
    delivery->drain(end);
    return test::eventually([this] { return delivery->drained(); });
  }
};

TEST_CASE_FIXTURE(DeliveryFixture, "what waited before the start and what comes later is delivered") {
  gate.open();
  put({"a"});
  start();
  put({"b"});
  REQUIRE(drain());
  CHECK(status().delivered == 2);
}

TEST_CASE_FIXTURE(DeliveryFixture, "draining an outbox that never had a block ends") {
  gate.open();
  start();
  CHECK(drain());
  delivery->stop();
  CHECK(changes == 1);
}

TEST_CASE_FIXTURE(DeliveryFixture, "drained means settled: never while an attempt is under way") {
  put({"a"});
  start();
  REQUIRE(gate.wait_until_somebody_waits());
  delivery->drain(Delivery::End::kShutdown);
  CHECK_FALSE(delivery->drained());
  gate.open();
  CHECK(drain());
  CHECK(status().delivered == 1);
}

TEST_CASE_FIXTURE(DeliveryFixture, "draining does not wait for a shipment to fill") {
  gate.open();
  setup.limits.linger = 24h;
  start();
  put({"a"});
  REQUIRE(drain());
  CHECK(status().delivered == 1);
}

TEST_CASE_FIXTURE(DeliveryFixture, "at the end of a bounded run the sink publishes, and its state is kept") {
  gate.open();
  script.answers = {sinks::Delivered{"one record"}};
  put({"a"});
  start();
  REQUIRE(drain(Delivery::End::kBoundedRun));
  CHECK(script.finished == "finished after one record");
  CHECK(status().sink_state == "closed");
}

TEST_CASE_FIXTURE(DeliveryFixture, "a sink that is taken away publishes") {
  gate.open();
  script.answers = {sinks::Delivered{"one record"}};
  put({"a"});
  start();
  REQUIRE(test::eventually([this] { return status().delivered == 1; }));
  REQUIRE(drain(Delivery::End::kTakenAway));
  CHECK(status().sink_state == "closed");
}

TEST_CASE_FIXTURE(DeliveryFixture, "a sink that is taken away in the midst of a shipment publishes nothing") {
  gate.open();
  script.answers = {sinks::Delivered{"one record"}, sinks::Retry{"away", Micros(1h)}};
  put({"a"});
  start();
  REQUIRE(test::eventually([this] { return status().delivered == 1; }));
  put({"b"});
  REQUIRE(test::eventually([this] { return waits(delivery->status().state); }));
  REQUIRE(drain(Delivery::End::kTakenAway));
  CHECK(status().sink_state == "one record");
  CHECK(status().records == 1);
  CHECK(delivery->status().finish_error == "a shipment is not settled");
}

TEST_CASE_FIXTURE(DeliveryFixture,
                  "a sink that is looked at now and then, and leaves nothing open, is not waited for") {
  script.checks = {""};
  start();
  CHECK_FALSE(delivery->may_publish());
}

TEST_CASE_FIXTURE(DeliveryFixture, "a check that is well ends the trouble of the one before") {
  gate.open();
  script.checks = {"the folder is away", ""};
  clock.advance(1min);
  start();
  CHECK(test::eventually([this] { return delivery->status().last_error == "the folder is away"; }));
  look_again();
  CHECK(test::eventually([this] { return delivery->status().last_error.empty(); }));
}

TEST_CASE_FIXTURE(DeliveryFixture,
                  "a check that is well leaves what a delivery has said since the last one") {
  gate.open();
  script.checks = {"the folder is away", ""};
  clock.advance(1min);
  script.answers = {sinks::Retry{"the disk is full", Micros(1s)}};
  start();
  CHECK(test::eventually([this] { return delivery->status().last_error == "the folder is away"; }));
  put({"a"});
  CHECK(test::eventually([this] { return delivery->status().last_error == "the disk is full"; }));
  look_again();
  REQUIRE(delivery->command(Delivery::Command::kResume));
  CHECK(test::eventually([this] { return script.checked == 2; }));
  REQUIRE(drain());
  CHECK(delivery->status().last_error == "the disk is full");
}

TEST_CASE_FIXTURE(DeliveryFixture, "at a shutdown the sink does not publish what waits for more") {
  gate.open();
  put({"a"});
  start();
  REQUIRE(drain(Delivery::End::kShutdown));
  delivery->stop();
  CHECK(script.finished.empty());
}

TEST_CASE_FIXTURE(DeliveryFixture,
                  "stop interrupts an attempt, and the shipment is resumed by the next delivery") {
  put({"a"});
  start();
  REQUIRE(gate.wait_until_somebody_waits());
  delivery->stop();
  delivery->stop();
  CHECK(delivery->status().state == DeliveryStatus::State::kStopped);
  CHECK(status().records == 1);
  gate.open();
  start();
  REQUIRE(drain());
  CHECK(script.attempts == std::vector<std::string>{"1#2: a"});
}

TEST_CASE_FIXTURE(DeliveryFixture, "a paused sink tries nothing, also after a restart, until it is resumed") {
  using Command = Delivery::Command;
  gate.open();
  start();
  REQUIRE(delivery->command(Command::kPause));
  REQUIRE(store->set_paused(route.pipeline, route.sink, true));
  CHECK(test::eventually([this] { return delivery->status().hold == DeliveryStatus::Hold::kByUser; }));
  put({"a"});
  delivery.reset();
  start();
  CHECK(test::eventually([this] { return delivery->status().hold == DeliveryStatus::Hold::kByUser; }));
  CHECK(script.attempts.empty());
  REQUIRE(delivery->command(Command::kResume));
  CHECK(drain());
  CHECK(script.attempts == std::vector<std::string>{"1: a"});
  CHECK(delivery->status().hold == DeliveryStatus::Hold::kNone);
}

TEST_CASE_FIXTURE(DeliveryFixture, "a decision is taken for a shipment that is held only") {
  using Command = Delivery::Command;
  script.answers = {sinks::Held{"nobody knows"}};
  gate.open();
  start();
  const Status none = delivery->command(Command::kSkip);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kConflict);
  put({"a"});
  CHECK(test::eventually([this] { return delivery->status().hold == DeliveryStatus::Hold::kUndecided; }));
  REQUIRE(delivery->command(Command::kSkip));
  CHECK(drain());
  CHECK(delivery->status().skipped == 1);
  CHECK(status().delivered == 1);
}

TEST_CASE_FIXTURE(DeliveryFixture, "stop ends a hold and a pause") {
  script.answers = {sinks::Held{"nobody knows"}};
  gate.open();
  start();
  put({"a"});
  CHECK(test::eventually([this] { return delivery->status().hold == DeliveryStatus::Hold::kUndecided; }));
  SUBCASE("held") {}
  SUBCASE("paused as well") {
    REQUIRE(delivery->command(Delivery::Command::kPause));
  }
  delivery->stop();
  CHECK(delivery->status().state == DeliveryStatus::State::kStopped);
}

TEST_CASE_FIXTURE(DeliveryFixture, "stop ends a long wait between two attempts at once") {
  gate.open();
  script.otherwise = [](const auto&) { return sinks::Retry{"busy", 1h}; };
  put({"a"});
  start();
  delivery->stop();
  CHECK(status().records == 1);
}

TEST_CASE_FIXTURE(DeliveryFixture, "after stop a commit wakes nobody") {
  gate.open();
  start();
  delivery->stop();
  put({"a"});
  CHECK(script.attempts.empty());
  CHECK(status().records == 1);
}

TEST_CASE_FIXTURE(DeliveryFixture, "threads may stop, drain and look at the same time") {
  gate.open();
  start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([this] { delivery->drain(Delivery::End::kShutdown); });
    threads.emplace_back([this] { (void)delivery->status(); });
    threads.emplace_back([this] { (void)delivery->full(); });
    threads.emplace_back([this] { delivery->stop(); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(delivery->status().state == DeliveryStatus::State::kStopped);
}

TEST_CASE_FIXTURE(DeliveryFixture,
                  "with the policy block the outbox is full at its bound, and says when it is not") {
  setup.options.buffer_max_bytes = {20};
  start();
  put({std::string(30, 'x')});
  CHECK(delivery->full());
  CHECK(status().dropped == 0);
  CHECK(changes == 0);
  gate.open();
  REQUIRE(drain());
  CHECK_FALSE(delivery->full());
  delivery->stop();
  CHECK(changes == 2);
}

TEST_CASE_FIXTURE(DeliveryFixture, "with the policy drop-oldest the newest stay within the bound") {
  setup.options.on_full = plan::OnFull::kDropOldest;
  setup.options.buffer_max_bytes = {250};
  start();
  put({"first"});
  REQUIRE(gate.wait_until_somebody_waits());
  for (char c = 'a'; c <= 'e'; ++c) put({std::string(70, c)});
  CHECK_FALSE(delivery->full());
  CHECK(status().bytes <= 250);
  CHECK(status().dropped >= 2);
  gate.open();
  REQUIRE(drain());
  CHECK(script.attempts.front() == "1: first");
  CHECK(script.attempts.back().find(std::string(70, 'e')) != std::string::npos);
}

TEST_CASE_FIXTURE(DeliveryFixture, "with the policy drop-newest the oldest stay within the bound") {
  setup.options.on_full = plan::OnFull::kDropNewest;
  setup.options.buffer_max_bytes = {250};
  start();
  put({"first"});
  REQUIRE(gate.wait_until_somebody_waits());
  for (char c = 'a'; c <= 'e'; ++c) put({std::string(70, c)});
  CHECK(status().bytes <= 250);
  gate.open();
  REQUIRE(drain());
  CHECK(script.attempts.back().find(std::string(70, 'a')) != std::string::npos);
  CHECK(script.attempts.back().find(std::string(70, 'e')) == std::string::npos);
}

TEST_CASE_FIXTURE(DeliveryFixture,
                  "blocks past their age are dropped and counted, but not what is on its way") {
  setup.options.buffer_max_age = 60s;
  start();
  put({"on its way"});
  REQUIRE(gate.wait_until_somebody_waits());
  put({"old"});
  clock.advance(120s);
  put({"new"});
  gate.open();
  REQUIRE(drain());
  CHECK(script.attempts == std::vector<std::string>{"1: on its way", "2: new"});
  CHECK(status().dropped == 1);
}

}  // namespace
}  // namespace leat::runtime
