// What every source promises, whatever it reads from. One suite; a new source joins by adding its world to
// the list.
#include "tests/contract/sources/source_world.h"

/// What is not taken is kept for the next life of the source.
#define KEEPING_WORLDS \
  DatagenWorld, FilesystemWorld, HttpWorld, KafkaWorld, MqttWorld, SqliteWorld, StreamWorld
#define ALL_WORLDS KEEPING_WORLDS, ModbusWorld

namespace leat::sources {
namespace {

/// Ends by itself: all of its records must be there before it starts.
template <class World>
constexpr bool kEnds = std::is_same_v<World, DatagenWorld> || std::is_same_v<World, SqliteWorld>;

template <class World>
constexpr bool kConnects = std::is_same_v<World, HttpWorld> || std::is_same_v<World, ModbusWorld> ||
                           std::is_same_v<World, MqttWorld>;

/// A persistent session begins with the first connect: only from then on is nothing missed.
template <class World>
bool is_there(const Station& station) {
  return station.link() == SourceHealth::Link::kConnected || !kConnects<World>;
}

template <class World>
void begin(World& world, Station& station) {
  world.appear();
  REQUIRE(station.start().has_value());
  REQUIRE(eventually([&] { return is_there<World>(station); }));
}

TEST_CASE_TEMPLATE("a source gives all records in order, each once", World, ALL_WORLDS) {
  World world;
  if constexpr (kEnds<World>) world.provide(1, 3000);
  Station station(world);
  begin(world, station);
  world.provide(1, 3000);
  REQUIRE(station.receive(3000));
  CHECK(station.difference(3000) == "");
}

TEST_CASE_TEMPLATE("a source whose world is absent starts all the same, says so, and goes on when it appears",
                   World, FilesystemWorld, HttpWorld, KafkaWorld, ModbusWorld, MqttWorld) {
  World world;
  Station station(world);
  CHECK(station.start().has_value());
  const auto absent = kConnects<World> ? SourceHealth::Link::kLost : SourceHealth::Link::kUnreadable;
  REQUIRE(eventually([&] { return station.link() == absent; }));
  CHECK(station.source->health().detail.find("next") != std::string::npos);
  world.appear();
  REQUIRE(eventually([&] {
    return station.link() == SourceHealth::Link::kConnected || station.link() == SourceHealth::Link::kIdle;
  }));
  world.provide(1, 3);
  REQUIRE(station.receive(3));
  CHECK(station.difference(3) == "");
}

TEST_CASE_TEMPLATE("a source can be stopped before it was started, and twice", World, ALL_WORLDS) {
  World world;
  Station never(world, "never");
  never.build();
  never.stop();
  Station twice(world, "twice");
  REQUIRE((std::is_same_v<World, FilesystemWorld> || twice.start().has_value()));
  twice.stop();
  twice.stop();
}

TEST_CASE_TEMPLATE("nothing is appended after the stop", World, ALL_WORLDS) {
  World world;
  if constexpr (kEnds<World>) world.provide(1, 1'000'000);
  Station station(world);
  begin(world, station);
  world.provide(1, 100);
  REQUIRE(station.receive(1));
  station.stop();
  const std::uint64_t before = station.intake->counters().received;
  world.provide(101, 200);
  CHECK(station.intake->counters().received == before);
}

TEST_CASE_TEMPLATE("a new process goes on exactly behind the last commit, wherever that was", World,
                   KEEPING_WORLDS) {
  World world;
  if constexpr (kEnds<World>) world.provide(1, 5000);
  Station station(world);
  begin(world, station);
  world.provide(1, 2500);
  world.provide(2501, 5000);
  std::vector<std::string> kept;
  for (int life = 0; life < 4; ++life) {
    REQUIRE(eventually([&] {
      station.pump(1);
      return !station.received.empty();
    }));
    station.commit();
    kept.insert(kept.end(), station.received.begin(), station.received.end());
    station.received.clear();
    // Read and not committed: it comes again.
    station.pump(1);
    station.received.clear();
    station.restart();
  }
  REQUIRE(station.receive(5000 - kept.size()));
  kept.insert(kept.end(), station.received.begin(), station.received.end());
  CHECK(kept == Station::numbered(1, 5000));
}

TEST_CASE_TEMPLATE("a position that is not the source's own is refused", World, ALL_WORLDS) {
  World world;
  world.appear();
  Station station(world);
  station.committed = "\x7fnonsense";
  const Status started = station.start();
  REQUIRE(!started.has_value());
  CHECK(started.error().code == ErrorCode::kInvalid);
}

TEST_CASE_TEMPLATE("a full intake pauses the source, and after room it goes on without loss", World,
                   ALL_WORLDS) {
  World world;
  if constexpr (kEnds<World>) world.provide(1, 100'000);
  Station station(world);
  station.queue_bytes = 8000;
  begin(world, station);
  const int records = kEnds<World> ? 100'000 : 6000;
  world.provide(1, records);
  REQUIRE(eventually([&] { return station.link() == SourceHealth::Link::kPaused; }));
  CHECK(station.intake->counters().dropped == 0);
  REQUIRE(station.receive(static_cast<std::size_t>(records)));
  CHECK(station.difference(records) == "");
}

TEST_CASE_TEMPLATE("one pipeline stalls for five minutes, and another's source goes on", World, ALL_WORLDS) {
  World world;
  if constexpr (kEnds<World>) world.provide(1, 100'000);
  Station stalled(world, "stalled");
  stalled.queue_bytes = 8000;
  Station other(world, "other");
  begin(world, stalled);
  begin(world, other);
  const int records = kEnds<World> ? 100'000 : 6000;
  world.provide(1, records);
  REQUIRE(eventually([&] { return stalled.link() == SourceHealth::Link::kPaused; }));
  for (int minute = 0; minute < 5; ++minute) {
    stalled.now += 60 * kMicrosPerSecond;
    other.now += 60 * kMicrosPerSecond;
    REQUIRE(other.receive(static_cast<std::size_t>((minute + 1) * records / 5)));
    CHECK(stalled.link() == SourceHealth::Link::kPaused);
  }
  CHECK(other.difference(records) == "");
  REQUIRE(stalled.receive(static_cast<std::size_t>(records)));
  CHECK(stalled.difference(records) == "");
}

TEST_CASE_TEMPLATE("unknown options are errors that name the nearest one", World, ALL_WORLDS) {
  World world;
  OptionMap options = world.options("t");
  const std::string known = options.begin()->first;
  options[known + "x"] = "1";
  std::vector<OptionError> errors;
  find_source(world.connector())->info.validate_source(options, {}, errors);
  REQUIRE(errors.size() == 1);
  CHECK(errors.front().key == known + "x");
}

TEST_CASE("every source is in the list under its name, with documented options") {
  for (const SourceConnector& source : all_sources()) {
    CHECK(find_source(source.info.name) == &source);
    for (const OptionDoc& doc : source.info.source_options()) CHECK(!doc.doc.empty());
  }
  CHECK(find_source("nothing") == nullptr);
}

}  // namespace
}  // namespace leat::sources
