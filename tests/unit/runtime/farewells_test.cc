#include "daemon/runtime/farewells.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "daemon/log/log.h"
#include "tests/support/eventually.h"

using namespace leat;
using namespace leat::runtime;
using leat::test::eventually;

namespace {

/// A broker that can be away.
struct FarewellWorld {
  FarewellWorld() {
    log::configure({.form = log::Form::kText, .level = log::Level::kError});
    connector.end_session = [this](const OptionMap&, const sources::SourceContext&, Micros) -> Status {
      ++asked;
      if (away) return fail(ErrorCode::kUnavailable, "no connection");
      ++ended;
      return {};
    };
  }
  Session session(const std::string& key) {
    Session made{.key = key, .connector = &connector, .options = {}, .context = {}};
    made.context.table = {"readings"};
    return made;
  }
  std::vector<std::string> end(std::vector<Session> sessions) {
    return farewells.await(farewells.begin(std::move(sessions)));
  }
  void pass(Micros time) {
    clock.advance(time);
    (void)farewells.keep({});  // Which also has the thread look at the clock.
  }

  loop::SimulatedClock clock{1'764'000'000 * kMicrosPerSecond};
  sources::SourceConnector connector;
  std::atomic<bool> away = false;
  std::atomic<int> asked = 0;
  std::atomic<int> ended = 0;
  Farewells farewells{clock};
};

}  // namespace

TEST_CASE("a session is ended at once where its broker answers") {
  FarewellWorld world;
  const auto told = world.end({world.session("a"), world.session("b")});
  REQUIRE(told.size() == 2);
  CHECK(told[0] == "the session of table 'readings' has ended: a");
  CHECK(world.ended == 2);
}

TEST_CASE("a session whose broker is away is told, and ended when that is back") {
  FarewellWorld world;
  world.away = true;
  const auto told = world.end({world.session("a")});
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("the session of table 'readings' is still there (a): no connection.") == 0);
  world.pass(Micros(11 * kMicrosPerSecond));
  CHECK(eventually([&] { return world.asked == 2; }));
  world.away = false;
  CHECK(eventually([&] {
    world.pass(Micros(21 * kMicrosPerSecond));
    return world.ended == 1;
  }));
}

TEST_CASE("a session that is wanted again is not ended any more") {
  FarewellWorld world;
  world.away = true;
  (void)world.end({world.session("a")});
  CHECK(world.farewells.keep({world.session("a")}).size() == 1);
  world.away = false;
  world.pass(Micros(kMicrosPerHour));
  (void)world.end({world.session("b")});
  CHECK(world.ended == 1);
  CHECK(world.asked == 2);
}

TEST_CASE("a session that is wanted again while its broker is asked is not asked about again") {
  FarewellWorld world;
  std::atomic<bool> asking = false;
  std::atomic<bool> answer = false;
  world.connector.end_session = [&](const OptionMap&, const sources::SourceContext&, Micros) -> Status {
    ++world.asked;
    asking = true;
    while (!answer) std::this_thread::yield();
    return fail(ErrorCode::kUnavailable, "no connection");
  };
  const auto keys = world.farewells.begin({world.session("a")});
  REQUIRE(eventually([&] { return asking.load(); }));
  std::thread answering([&] { answer = true; });
  CHECK(world.farewells.keep({world.session("a")}).size() == 1);
  answering.join();
  CHECK(world.farewells.await(keys) ==
        std::vector<std::string>{"a session is not ended, as it is wanted again: a"});
  world.pass(Micros(kMicrosPerHour));
  CHECK(world.asked == 1);
}

TEST_CASE("brokers that take their time are asked side by side") {
  FarewellWorld world;
  std::atomic<int> inside = 0;
  world.connector.end_session = [&](const OptionMap&, const sources::SourceContext&, Micros) -> Status {
    ++inside;
    return eventually([&] { return inside >= 3; }) ? Status() : fail(ErrorCode::kUnavailable, "alone");
  };
  for (const std::string& told : world.end({world.session("a"), world.session("b"), world.session("c")}))
    CHECK(told.find("has ended") != std::string::npos);
}

TEST_CASE("sessions that another has, too, are not given up") {
  FarewellWorld world;
  const auto rest = without({world.session("a"), world.session("b")}, {world.session("b")});
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].key == "a");
}
