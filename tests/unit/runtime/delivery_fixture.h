// A store in memory, a sink that answers by a script, and a clock that the test moves.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/loop/clock.h"
#include "daemon/runtime/delivery_courier.h"
#include "daemon/store/store.h"
#include "sinks/block.h"
#include "sinks/sink.h"

namespace leat::runtime {

/// What the sinks of a test share, as a sink is owned by its delivery. Single-threaded, but for tests that
/// take care themselves.
struct Script {
  /// Answers in order; when they are used up, `otherwise`.
  std::deque<sinks::Delivery> answers;
  std::function<sinks::Delivery(const std::vector<std::string>& records)> otherwise =
      [](const std::vector<std::string>&) { return sinks::Delivered{}; };
  /// "1: a b c" for shipment 1; "1[2+3]#2: c d e" for the second attempt of a part.
  std::vector<std::string> attempts;
  std::string last_state;  ///< The sink_state of the last shipment.
  sinks::Shipment::Decision last_decision = sinks::Shipment::Decision::kNone;  ///< Of the last shipment.
  std::string finished;  ///< The state that `finish` was called with.
  /// What checks say, in order, empty for one that is well; none: the sink wants no checks.
  std::deque<std::string> checks;
  std::atomic<int> checked = 0;
};

class ScriptedSink final : public sinks::Sink {
 public:
  explicit ScriptedSink(Script& script) : script_(script) {}

  sinks::Delivery deliver(const sinks::Shipment& shipment) override {
    std::vector<std::string> records;
    const auto read = sinks::read_blocks(shipment.blocks);
    if (!read) return sinks::Rejected{read.error().message, {}};
    for (const sinks::Record& record : *read) records.emplace_back(record.payload);
    script_.attempts.push_back(label(shipment, records));
    script_.last_state = shipment.sink_state;
    script_.last_decision = shipment.decision;
    if (script_.answers.empty()) return script_.otherwise(records);
    sinks::Delivery answer = script_.answers.front();
    script_.answers.pop_front();
    return answer;
  }
  void interrupt() override {}
  Status finish(std::string& sink_state) override {
    script_.finished = "finished after " + sink_state;
    sink_state = "closed";
    return {};
  }
  [[nodiscard]] std::optional<Micros> check_interval() const override { return interval_; }
  Status check(std::string&) override {
    if (script_.checks.empty()) return {};
    const std::string error = script_.checks.front();
    script_.checks.pop_front();
    ++script_.checked;
    return error.empty() ? Status() : fail(ErrorCode::kIo, error);
  }

 private:
  static std::string label(const sinks::Shipment& shipment, const std::vector<std::string>& records) {
    std::string text = std::to_string(shipment.number.value);
    if (shipment.part)
      text += "[" + std::to_string(shipment.part->first) + "+" + std::to_string(shipment.part->count) + "]";
    if (shipment.attempt > 1) text += "#" + std::to_string(shipment.attempt);
    text += ":";
    for (const std::string& record : records) text += " " + record;
    return text;
  }

  Script& script_;
  const std::optional<Micros> interval_ =
      script_.checks.empty() ? std::nullopt : std::optional(Micros(kMicrosPerMinute));
};

struct OutboxFixture {
  DeliveryRoute route{{"plant"}, {"upstream"}};
  std::vector<std::string> notes;
  std::unique_ptr<store::Store> store = *store::Store::open({}, notes);
  loop::SimulatedClock clock{1'000 * kMicrosPerSecond};
  Script script;

  Status try_put(const std::vector<std::string>& records) {
    sinks::BlockBuilder builder;
    for (const std::string& record : records) builder.add("key " + record, record);
    auto commit = std::make_shared<store::Commit>();
    commit->pipeline = route.pipeline;
    commit->number = store->load(route.pipeline)->last_commit.next();
    commit->blocks = {{route.sink, records.size(), builder.seal(), clock.wall()}};
    std::promise<Status> written;
    store->commit(commit, [&written](Status done) { written.set_value(std::move(done)); });
    return written.get_future().get();
  }
  /// One block with these records.
  void put(const std::vector<std::string>& records) { REQUIRE(try_put(records)); }

  [[nodiscard]] store::OutboxStatus status() const {
    const auto all = store->outbox_status();
    REQUIRE(all);
    REQUIRE(all->size() == 1);
    const store::OutboxStatus& one = all->front();
    CHECK(one.emitted == one.delivered + one.rejected + one.dropped + one.records);
    return one;
  }
  /// Payloads of the dead letters, oldest first.
  [[nodiscard]] std::string dead() const {
    const auto rows = store->dead_letters({}, {.order = store::DeadLetterPage::Order::kOldestFirst});
    std::string all;
    for (const auto& row : *rows) all += (all.empty() ? "" : " ") + row.letter.payload;
    return all;
  }
};

}  // namespace leat::runtime
