// The kafka source against a real broker: where it begins and ends, what it tells of records, new partitions,
// what the broker has deleted, what the group is told, brokers that go away.
#include "sources/kafka/kafka_metadata.h"
#include "sources/kafka/kafka_position.h"
#include "tests/contract/sources/source_world.h"

namespace leat::sources {
namespace {

using Link = SourceHealth::Link;
using Sent = contract::KafkaBroker::Sent;

struct KafkaFixture {
  explicit KafkaFixture(int partitions = 1) { world.broker.create_topic(world.topic, partitions); }
  void start() { REQUIRE(station.start().has_value()); }
  void connected() {
    REQUIRE(eventually([&] { return station.link() == Link::kConnected; }));
  }
  void send(int partition, const std::vector<std::string>& values) {
    std::vector<Sent> records;
    for (const std::string& value : values) records.push_back({.value = value});
    world.broker.produce(world.topic, records, partition);
  }
  bool ended() {
    return eventually([&] {
      station.pump();
      return station.link() == Link::kEnded;
    });
  }
  /// Nothing that was on its way comes beyond these.
  bool receives(const std::vector<std::string>& values) {
    const bool enough = station.receive(values.size());
    CHECK(station.received == values);
    return enough;
  }
  [[nodiscard]] std::string detail() const { return station.source->health().detail; }
  /// The mock cluster has no commands of administrators and no transactions to hide.
  [[nodiscard]] bool real() const { return world.broker.real(); }

  KafkaWorld world;
  Station station{world};
};

TEST_CASE("where a source begins follows from its startup mode") {
  KafkaFixture it;
  std::vector<Sent> records;
  for (int i = 1; i <= 6; ++i) records.push_back({.value = std::to_string(i), .timestamp = i * 1000});
  it.world.broker.produce(it.world.topic, records);
  const auto begins_with = [&](const OptionMap& options, const std::vector<std::string>& expected) {
    Station station(it.world);
    station.extra = options;
    REQUIRE(station.start().has_value());
    REQUIRE(station.receive(expected.size()));
    CHECK(station.received == expected);
  };
  begins_with({{"scan.startup.mode", "earliest-offset"}}, {"1", "2", "3", "4", "5", "6"});
  begins_with({{"scan.startup.mode", "timestamp"}, {"scan.startup.timestamp-millis", "4000"}},
              {"4", "5", "6"});
  begins_with(
      {{"scan.startup.mode", "specific-offsets"}, {"scan.startup.specific-offsets", "partition:0,offset:4"}},
      {"5", "6"});
  begins_with({{"scan.startup.mode", "group-offsets"},
               {"properties.group.id", "nobody"},
               {"properties.auto.offset.reset", "earliest"}},
              {"1", "2", "3", "4", "5", "6"});
}

TEST_CASE(
    "a source that begins at the latest offset misses nothing from its first look on, restarts included") {
  KafkaFixture it;
  it.send(0, {"old"});
  it.station.extra = {{"scan.startup.mode", "latest-offset"}};
  it.start();
  it.connected();
  it.station.commit();
  it.station.stop();
  it.send(0, {"1", "2"});
  it.station.restart();
  CHECK(it.receives({"1", "2"}));
}

TEST_CASE("a group is told how far the commits are, and another source begins there") {
  KafkaFixture it;
  it.send(0, {"1", "2", "3"});
  it.station.extra = {{"properties.group.id", it.world.topic + "-group"}};
  it.start();
  REQUIRE(it.station.receive(3));
  it.station.commit();
  CHECK(
      eventually([&] { return it.world.broker.committed(it.world.topic + "-group", it.world.topic) == 3; }));
  it.send(0, {"4"});
  Station other(it.world, "other");
  other.extra = {{"scan.startup.mode", "group-offsets"}, {"properties.group.id", it.world.topic + "-group"}};
  REQUIRE(other.start().has_value());
  REQUIRE(other.receive(1));
  CHECK(other.received == std::vector<std::string>{"4"});
}

TEST_CASE("a group without an offset and no rule for that says what to do") {
  KafkaFixture it;
  it.station.extra = {{"scan.startup.mode", "group-offsets"}, {"properties.group.id", "unheard-of"}};
  it.start();
  REQUIRE(eventually([&] { return it.station.link() == Link::kUnreadable; }));
  CHECK(it.detail().find("properties.auto.offset.reset") != std::string::npos);
}

TEST_CASE("a bounded source ends where it is to, and takes nothing from behind") {
  KafkaFixture it(2);
  std::vector<Sent> records;
  for (int i = 1; i <= 5; ++i) records.push_back({.value = std::to_string(i), .timestamp = i * 1000});
  it.world.broker.produce(it.world.topic, records);
  const auto ends_with = [&](const OptionMap& options, const std::vector<std::string>& expected) {
    Station station(it.world);
    station.extra = options;
    REQUIRE(station.start().has_value());
    REQUIRE(eventually([&] {
      station.pump();
      return station.link() == Link::kEnded;
    }));
    station.pump();
    CHECK(station.received == expected);
  };
  ends_with({{"scan.bounded.mode", "latest-offset"}}, {"1", "2", "3", "4", "5"});
  ends_with({{"scan.bounded.mode", "timestamp"}, {"scan.bounded.timestamp-millis", "3000"}}, {"1", "2"});
  ends_with(
      {{"scan.bounded.mode", "specific-offsets"}, {"scan.bounded.specific-offsets", "partition:0,offset:4"}},
      {"1", "2", "3", "4"});
  ends_with(
      {{"scan.bounded.mode", "specific-offsets"}, {"scan.bounded.specific-offsets", "partition:1,offset:0"}},
      {});
}

TEST_CASE("a bounded source that has ended reads what came since at its next start") {
  KafkaFixture it;
  it.send(0, {"1", "2"});
  it.station.extra = {{"scan.bounded.mode", "latest-offset"}};
  it.start();
  REQUIRE(it.ended());
  it.station.pump();
  it.station.commit();
  it.send(0, {"3"});
  it.station.restart();
  REQUIRE(it.ended());
  it.station.pump();
  CHECK(it.station.received == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("an open end of a transaction does not hold a bounded source") {
  KafkaFixture it;
  if (!it.real()) return;
  it.send(0, {"1"});
  it.world.broker.leave_open_transaction(it.world.topic + "-t", it.world.topic, "never");
  it.station.extra = {{"scan.bounded.mode", "latest-offset"},
                      {"properties.isolation.level", "read_uncommitted"}};
  it.start();
  REQUIRE(it.ended());
  it.station.pump();
  CHECK(it.station.received == std::vector<std::string>{"1", "never"});
}

TEST_CASE("partitions that appear are read from their beginning") {
  KafkaFixture it;
  if (!it.real()) return;
  it.station.extra = {{"scan.startup.mode", "latest-offset"},
                      {"scan.topic-partition-discovery.interval", "50 ms"}};
  it.start();
  it.connected();
  it.world.broker.add_partitions(it.world.topic, 2);
  it.send(1, {"1", "2"});
  CHECK(it.receives({"1", "2"}));
  const auto sets = it.station.source->take_split_sets();
  REQUIRE(sets.size() == 2);
  CHECK(sets[0].splits == std::vector<std::string>{it.world.topic + "-0"});
  CHECK(sets[1].splits == std::vector<std::string>{it.world.topic + "-0", it.world.topic + "-1"});
}

TEST_CASE("a source reads its share of the partitions, of all topics that match") {
  KafkaFixture it(3);
  for (int partition = 0; partition < 3; ++partition) it.send(partition, {std::to_string(partition)});
  it.station.extra = {{"scan.partitions", "1-2"}};
  it.start();
  REQUIRE(it.station.receive(2));
  std::sort(it.station.received.begin(), it.station.received.end());
  CHECK(it.station.received == std::vector<std::string>{"1", "2"});
}

TEST_CASE(
    "over several partitions each record comes once, in the order of its partition, whatever the commits") {
  KafkaFixture it(3);
  for (int partition = 0; partition < 3; ++partition) {
    std::vector<std::string> values;
    for (int i = 0; i < 1000; ++i) values.push_back(std::to_string(10'000 * partition + i));
    it.send(partition, values);
  }
  it.start();
  std::vector<std::string> kept;
  for (int life = 0; life < 5; ++life) {
    REQUIRE(eventually([&] {
      it.station.pump(300);
      return !it.station.received.empty();
    }));
    it.station.commit();
    kept.insert(kept.end(), it.station.received.begin(), it.station.received.end());
    it.station.pump(500);  // Read and not committed: it comes again.
    it.station.received.clear();
    it.station.restart();
  }
  REQUIRE(it.station.receive(3000 - kept.size()));
  kept.insert(kept.end(), it.station.received.begin(), it.station.received.end());
  REQUIRE(kept.size() == 3000);
  std::vector<int> next{0, 10'000, 20'000};
  for (const std::string& value : kept) {
    const int number = std::stoi(value);
    CHECK(number == next[static_cast<std::size_t>(number / 10'000)]++);
  }
}

TEST_CASE("what the broker has deleted is counted as dropped and named, and reading goes on behind it") {
  KafkaFixture it;
  if (!it.real()) return;
  it.send(0, Station::numbered(1, 3));
  it.start();
  REQUIRE(it.station.receive(3));
  it.station.stop();
  it.send(0, Station::numbered(4, 10));
  it.world.broker.delete_before(it.world.topic, 8);
  it.station.restart();
  REQUIRE(it.station.receive(5));
  CHECK(it.station.received == std::vector<std::string>{"1", "2", "3", "9", "10"});
  CHECK(it.station.intake->counters().dropped == 5);
  CHECK(it.station.intake->counters().received == 7);
  const SourceHealth health = it.station.source->health();
  CHECK(health.jumps == 1);
  CHECK(health.messages_gone == 5);
  CHECK(health.last_jump.find("offset 3") != std::string::npos);
}

TEST_CASE("without a rule a source waits where the broker has nothing, and says what to do") {
  KafkaFixture it;
  if (!it.real()) return;
  it.send(0, Station::numbered(1, 3));
  it.start();
  REQUIRE(it.station.receive(1));
  it.station.stop();
  it.world.broker.delete_before(it.world.topic, 3);
  it.send(0, {"4"});
  it.station.committed = encode_kafka_position({{it.world.topic + "-0", {.next = 1, .end = {}}}});
  it.station.extra = {{"properties.auto.offset.reset", "none"}};
  it.station.restart();
  REQUIRE(eventually([&] { return it.station.link() == Link::kUnreadable; }));
  CHECK(it.detail().find("nothing at offset 1") != std::string::npos);
  CHECK(it.station.intake->counters().received == 0);
}

TEST_CASE("metadata gives topic, partition, offset, time and headers") {
  KafkaFixture it;
  it.world.broker.produce(
      it.world.topic, {{.key = "k", .value = "1", .timestamp = 1234, .headers = {{"a", "x"}, {"b", ""}}}});
  for (const plan::MetadataColumn& column : kafka_metadata_columns())
    it.station.metadata_keys.push_back(column.key);
  it.start();
  REQUIRE(eventually([&] { return it.station.intake->queued_messages() == 1; }));
  auto batch = it.station.intake->read(1000);
  std::vector<ColumnBuilder> builders;
  for (const plan::MetadataColumn& column : kafka_metadata_columns()) builders.emplace_back(column.type);
  std::vector<ColumnBuilder*> columns;
  for (ColumnBuilder& builder : builders) columns.push_back(&builder);
  it.station.source->append_metadata(batch->messages.front(), columns);
  std::vector<ColumnPtr> cells;
  for (ColumnBuilder& builder : builders) cells.push_back(builder.finish());
  CHECK(cells[0]->value(0) == Value::string(it.world.topic));
  CHECK(cells[1]->value(0) == Value::integer(0));
  CHECK(cells[2]->child(0)->value(1) == Value::string("b"));
  CHECK(cells[3]->value(0) == Value::integer(0));
  CHECK(cells[4]->value(0) == Value::integer(1'234'000));
  CHECK(cells[5]->value(0) == Value::string("CreateTime"));
  CHECK(batch->messages.front().key == "k");
  CHECK(it.station.source->describe(batch->messages.front()) ==
        std::vector<std::pair<std::string, std::string>>{
            {"topic", it.world.topic}, {"partition", "0"}, {"offset", "0"}});
}

TEST_CASE("a broker that is killed is a lost connection, and its return goes on where it was") {
  KafkaFixture it;
  it.send(0, {"1"});
  it.start();
  REQUIRE(it.station.receive(1));
  it.world.broker.go_away();
  REQUIRE(eventually([&] { return it.station.link() == Link::kLost; }));
  CHECK(it.detail().find("next try") != std::string::npos);
  it.world.broker.come_back();
  it.send(0, {"2"});
  CHECK(it.receives({"1", "2"}));
  it.connected();
  CHECK(it.station.source->health().losses == 1);
}

TEST_CASE("properties that the library refuses are an error with its reason") {
  KafkaFixture it;
  it.station.extra = {{"properties.security.protocol", "ssl"},
                      {"properties.ssl.ca.location", "/no/such/file.pem"}};
  const Status started = it.station.start();
  REQUIRE_FALSE(started.has_value());
  CAPTURE(started.error().message);
  CHECK(started.error().message.find("ssl.ca.location") != std::string::npos);
}

TEST_CASE("an absent broker is no error, and is named") {
  KafkaFixture it;
  it.station.extra = {{"properties.bootstrap.servers", "127.0.0.1:1"}};
  it.start();
  REQUIRE(eventually([&] { return it.station.link() == Link::kLost; }));
  CAPTURE(it.detail());
  CHECK(it.detail().find("refused") != std::string::npos);
}

}  // namespace
}  // namespace leat::sources
