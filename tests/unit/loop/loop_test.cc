#include "daemon/loop/loop.h"

#include <doctest/doctest.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/loop/clock.h"
#include "daemon/loop/handles.h"

namespace leat::loop {
namespace {

using namespace std::chrono_literals;

// Owns a loop, and checks at the end of the test that libuv got everything back.
struct LoopFixture {
  std::unique_ptr<Loop> owned = *Loop::create();
  Loop& loop = *owned;
  std::string calls;

  ~LoopFixture() { CHECK(loop.close()); }

  auto note(std::string name) {
    return [this, name] { calls += name; };
  }
  auto note_and_stop(std::string name) {
    return [this, name] {
      calls += name;
      loop.stop();
    };
  }
};

TEST_CASE_FIXTURE(LoopFixture, "posted work runs on the loop in the order of the posts") {
  loop.post(note("a"));
  loop.post(note("b"));
  loop.post(note_and_stop("c"));
  loop.run();
  CHECK(calls == "abc");
}

TEST_CASE_FIXTURE(LoopFixture, "every post of every thread arrives once, in its thread's order") {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2'000;
  std::vector<int> next(kThreads, 0);
  int in_order = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i)
        loop.post([&, t, i] {
          const auto slot = static_cast<std::size_t>(t);
          in_order += next[slot]++ == i ? 1 : 0;
          if (in_order == kThreads * kPosts) loop.stop();
        });
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  CHECK(in_order == kThreads * kPosts);
}

TEST_CASE_FIXTURE(LoopFixture, "after stop not even work that was posted before it is called") {
  loop.post(note_and_stop("a"));
  loop.post(note("b"));
  loop.run();
  CHECK(calls == "a");
}

TEST_CASE_FIXTURE(LoopFixture, "a second run takes up what the first one left") {
  loop.post(note_and_stop("a"));
  loop.post(note_and_stop("b"));
  loop.run();
  loop.run();
  CHECK(calls == "ab");
}

TEST_CASE_FIXTURE(LoopFixture, "stop before run makes run return at once") {
  loop.post(note("never"));
  loop.stop();
  loop.run();
  CHECK(calls.empty());
}

TEST_CASE_FIXTURE(LoopFixture, "stop from another thread ends an idle loop") {
  std::thread stopper([&] { loop.stop(); });
  loop.run();
  stopper.join();
  CHECK_FALSE(loop.stopping());
}

TEST_CASE_FIXTURE(LoopFixture, "work posted after close is destroyed uncalled") {
  CHECK(loop.close());
  auto token = std::make_shared<int>(0);
  loop.post([token] { *token = 1; });
  CHECK(token.use_count() == 1);
  CHECK(*token == 0);
}

TEST_CASE_FIXTURE(LoopFixture, "close destroys waiting work uncalled") {
  auto token = std::make_shared<int>(0);
  loop.post([token] { *token = 1; });
  CHECK(loop.close());
  CHECK(token.use_count() == 1);
  CHECK(*token == 0);
}

TEST_CASE_FIXTURE(LoopFixture, "the loop knows its thread") {
  CHECK(loop.on_loop_thread());
  bool elsewhere = true;
  std::thread([&] { elsewhere = loop.on_loop_thread(); }).join();
  CHECK_FALSE(elsewhere);
}

TEST_CASE("closing a loop whose handle is alive is reported") {
  auto loop = *Loop::create();
  std::optional<Timer> timer(std::in_place, *loop, [] {});
  CHECK(loop->close().error().code == ErrorCode::kInternal);
  timer.reset();
  CHECK(loop->close());
}

TEST_CASE_FIXTURE(LoopFixture, "timers fire in the order of their delays, each once") {
  Timer late(loop, note_and_stop("late"));
  Timer early(loop, note("early "));
  late.start(2ms);
  early.start(1ms);
  loop.run();
  CHECK(calls == "early late");
  CHECK_FALSE(early.active());
}

TEST_CASE_FIXTURE(LoopFixture, "a repeating timer fires until it is stopped") {
  int rounds = 0;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    if (++rounds == 3) loop.stop();
  });
  timer->repeat(1ms);
  loop.run();
  CHECK(rounds == 3);
  CHECK(timer->active());
  timer->stop();
  CHECK_FALSE(timer->active());
}

TEST_CASE_FIXTURE(LoopFixture, "a stopped timer does not fire") {
  Timer stopped(loop, note("never"));
  Timer end(loop, note_and_stop("end"));
  stopped.start(1ms);
  end.start(2ms);
  stopped.stop();
  loop.run();
  CHECK(calls == "end");
}

TEST_CASE_FIXTURE(LoopFixture, "a timer may destroy itself in its callback") {
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&] {
    timer.reset();
    calls += "gone";
    loop.stop();
  });
  timer->start(0ms);
  loop.run();
  CHECK(calls == "gone");
}

TEST_CASE_FIXTURE(LoopFixture, "a timer that is due when the loop stops fires in the next run only") {
  Timer first(loop, note_and_stop("1"));
  Timer second(loop, note_and_stop("2"));
  first.start(1ms);
  second.start(1ms);
  loop.run();
  CHECK(calls == "1");
  loop.run();
  CHECK(calls == "12");
}

TEST_CASE_FIXTURE(LoopFixture, "a wake-up sent from another thread arrives") {
  Async async(loop, note_and_stop("woken"));
  std::thread sender([&] { async.send(); });
  loop.run();
  sender.join();
  CHECK(calls == "woken");
}

TEST_CASE_FIXTURE(LoopFixture, "wake-ups sent before the loop comes round are one call") {
  Async async(loop, note("w"));
  for (int i = 0; i < 5; ++i) async.send();
  Timer end(loop, note_and_stop(""));
  end.start(1ms);
  loop.run();
  CHECK(calls == "w");
}

TEST_CASE_FIXTURE(LoopFixture, "a signal is handled on the loop") {
  SignalHandler handler(loop, SIGUSR2, note_and_stop("usr2"));
  loop.post([] { std::raise(SIGUSR2); });
  loop.run();
  CHECK(calls == "usr2");
}

TEST_CASE("the simulated clock moves only when it is told to") {
  SimulatedClock clock(1'000);
  clock.advance(5us);
  CHECK(clock.wall() == 1'005);
  CHECK(clock.monotonic() == 5);
  clock.set_wall(7);
  CHECK(clock.wall() == 7);
  CHECK(clock.monotonic() == 5);
}

TEST_CASE("the system clock gives this century and never goes back") {
  const SystemClock clock;
  CHECK(clock.wall() > 1'600'000'000 * kMicrosPerSecond);
  const std::int64_t before = clock.monotonic();
  CHECK(clock.monotonic() >= before);
}

}  // namespace
}  // namespace leat::loop
