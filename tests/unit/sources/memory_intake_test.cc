#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "sources/intake.h"
#include "tests/support/eventually.h"

namespace leat::sources {
namespace {

using test::eventually;

struct QueueFixture {
  explicit QueueFixture(WhenFull when_full, std::uint64_t size = 10'000)
      : intake(make_memory_intake({.size = {size}}, when_full)) {}
  Appended append(std::string_view payload) { return intake->append(payload, "k", "a", 5); }
  MessageBatch read(std::size_t max_bytes = 1 << 20) {
    auto batch = intake->read(max_bytes);
    REQUIRE(batch.has_value());
    return *std::move(batch);
  }
  std::unique_ptr<Intake> intake;
};

TEST_CASE("a queue in memory gives back what was appended, in order") {
  QueueFixture it(WhenFull::kNever);
  it.append("one");
  it.append("two");
  const MessageBatch batch = it.read();
  REQUIRE(batch.messages.size() == 2);
  CHECK(batch.messages[0].payload == "one");
  CHECK(batch.messages[0].key == "k");
  CHECK(batch.messages[0].attributes == "a");
  CHECK(batch.messages[1].number == MessageNumber{2});
  CHECK(it.read().messages.empty());
}

TEST_CASE("what was received is what became of it, whenever somebody looks") {
  QueueFixture it(WhenFull::kNever, 1 << 20);
  std::atomic<bool> stop = false;
  std::thread source([&] {
    while (!stop) {
      it.append("one");
      it.intake->count_redelivered();
      it.intake->count_dropped(2);
    }
  });
  std::uint64_t taken = 0;
  bool holds = true;
  for (int i = 0; taken < 20'000; ++i) {
    const IntakeCounters now = it.intake->counters();
    holds = holds && now.received == taken + now.queued + now.redelivered + now.dropped;
    if (i % 8 == 0) taken += it.read().messages.size();
  }
  stop = true;
  source.join();
  CHECK(holds);
}

TEST_CASE("messages live as long as the batch's memory, whatever is appended and released later") {
  QueueFixture it(WhenFull::kNever, 1 << 20);
  it.append("stays");
  const MessageBatch batch = it.read();
  for (int i = 0; i < 1000; ++i) it.append(std::string(500, 'x'));
  CHECK(batch.messages[0].payload == "stays");
}

TEST_CASE("a queue that never waits answers that it is above the mark, then that it is full") {
  QueueFixture it(WhenFull::kNever);
  int stored = 0;
  Appended last = Appended::kStored;
  while ((last = it.append(std::string(500, 'x'))) == Appended::kStored) ++stored;
  CHECK(last == Appended::kAboveHigh);
  while (it.append(std::string(500, 'x')) == Appended::kAboveHigh) {
  }
  CHECK(it.append(std::string(500, 'x')) == Appended::kFull);
  CHECK(it.intake->used_bytes() <= 10'000);
}

TEST_CASE("room is announced once, within the read that falls below the low-water mark") {
  QueueFixture it(WhenFull::kNever);
  int resumed = 0;
  it.intake->on_room([&] { ++resumed; });
  while (it.append(std::string(500, 'x')) != Appended::kFull) {
  }
  it.read(1500);
  CHECK(resumed == 0);
  it.read();
  CHECK(resumed == 1);
  CHECK(it.intake->used_bytes() == 0);
  it.append("more");
  it.read();
  CHECK(resumed == 1);
}

TEST_CASE("an append that waits goes on when there is room") {
  QueueFixture it(WhenFull::kWait);
  std::atomic<int> appended{0};
  std::thread source([&] {
    for (int i = 0; i < 100; ++i, ++appended) it.append(std::string(500, 'x'));
  });
  int read = 0;
  CHECK(eventually([&] {
    read += static_cast<int>(it.read(1000).messages.size());
    return read == 100;
  }));
  source.join();
  CHECK(appended == 100);
}

TEST_CASE("an interrupt releases an append that waits") {
  QueueFixture it(WhenFull::kWait, 1000);
  it.append(std::string(900, 'x'));
  std::atomic<bool> refused{false};
  std::thread source([&] { refused = it.append(std::string(900, 'x')) == Appended::kFull; });
  it.intake->interrupt();
  source.join();
  CHECK(refused);
}

TEST_CASE("a message larger than the whole queue goes through when it is alone") {
  QueueFixture it(WhenFull::kNever, 1000);
  CHECK(it.append(std::string(5000, 'x')) == Appended::kAboveHigh);
  CHECK(it.append("y") == Appended::kFull);
  CHECK(it.read().messages.front().payload.size() == 5000);
}

TEST_CASE("the end comes with the last batch") {
  QueueFixture it(WhenFull::kNever);
  int rings = 0;
  it.intake->on_readable([&] { ++rings; });
  it.append("one");
  CHECK(!it.read().end);
  it.intake->end();
  CHECK(rings == 2);
  CHECK(it.read().end);
}

TEST_CASE("counters are restored, and count refused messages only when they are dropped") {
  QueueFixture it(WhenFull::kNever, 1000);
  it.intake->restore_counters({.received = 10, .redelivered = 2, .dropped = 1, .received_bytes = 100});
  it.append(std::string(900, 'x'));
  it.append(std::string(900, 'x'));
  CHECK(it.intake->counters().received == 11);
  it.intake->count_dropped(1);
  it.intake->count_redelivered();
  const IntakeCounters counters = it.intake->counters();
  CHECK(counters.received == 13);
  CHECK(counters.dropped == 2);
  CHECK(counters.redelivered == 3);
  CHECK(counters.received_bytes == 1000);
}

}  // namespace
}  // namespace leat::sources
