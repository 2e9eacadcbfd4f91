// The mqtt source against a real broker: what survives broken connections, restarts and refusals.
#include "sources/mqtt/delivery.h"
#include "tests/contract/sources/source_world.h"

namespace leat::sources {
namespace {

/// Passes everything on, and lets a test do something at the n-th append.
class IntakeProbe final : public Intake {
 public:
  using Hook = std::function<std::optional<Appended>()>;
  explicit IntakeProbe(std::unique_ptr<Intake> intake) : intake_(std::move(intake)) {}
  Hook before;                  ///< An answer in place of the append.
  std::function<void()> after;  ///< The message is stored and not acknowledged yet.

  Appended append(std::string_view payload, std::string_view key, std::string_view attributes,
                  std::int64_t time) override {
    if (before)
      if (const auto answer = before()) return *answer;
    const Appended appended = intake_->append(payload, key, attributes, time);
    if (after) after();
    return appended;
  }
  void end() override { intake_->end(); }
  void interrupt() override { intake_->interrupt(); }
  void count_redelivered() override { intake_->count_redelivered(); }
  void count_dropped(std::uint64_t messages) override { intake_->count_dropped(messages); }
  void visit_unread(const std::function<void(const Message&)>& visit) override {
    intake_->visit_unread(visit);
  }
  Result<MessageBatch> read(std::size_t max_bytes) override { return intake_->read(max_bytes); }
  void release(MessageNumber number) override { intake_->release(number); }
  [[nodiscard]] std::uint64_t used_bytes() const override { return intake_->used_bytes(); }
  [[nodiscard]] IntakeCounters counters() const override { return intake_->counters(); }
  void restore_counters(const IntakeCounters& counters) override { intake_->restore_counters(counters); }
  void on_readable(std::function<void()> wake) override { intake_->on_readable(std::move(wake)); }
  void on_room(std::function<void()> resume) override { intake_->on_room(std::move(resume)); }

 private:
  std::unique_ptr<Intake> intake_;
};

struct MqttFixture {
  MqttFixture() {
    world.appear();
    station.wrap = [this](std::unique_ptr<Intake> intake) {
      auto wrapped = std::make_unique<IntakeProbe>(std::move(intake));
      probe = wrapped.get();
      return wrapped;
    };
  }
  void start() {
    REQUIRE(station.start().has_value());
    connected();
  }
  void connected() {
    REQUIRE(eventually([&] { return station.link() == SourceHealth::Link::kConnected; }));
  }
  IntakeCounters counters() const { return station.intake->counters(); }

  MqttWorld world;
  IntakeProbe* probe = nullptr;
  Station station{world};
};

TEST_CASE("the source comes back to a broker that was killed, and subscribes again") {
  MqttFixture it;
  it.start();
  it.world.provide(1, 3);
  REQUIRE(it.station.receive(3));
  it.world.broker.kill();
  REQUIRE(eventually([&] { return it.station.link() == SourceHealth::Link::kLost; }));
  REQUIRE(it.world.broker.start());
  it.connected();
  it.world.provide(4, 6);
  REQUIRE(it.station.receive(6));
  CHECK(it.station.received == Station::numbered(1, 6));
}

TEST_CASE("what is published while the source is away waits in the kept session") {
  MqttFixture it;
  it.start();
  it.station.stop();
  it.world.provide(1, 50);
  it.station.restart();
  REQUIRE(it.station.receive(50));
  CHECK(it.station.received == Station::numbered(1, 50));
}

/// Stores the first message and ends the broker before the acknowledgement can reach it.
void store_without_acknowledging(MqttFixture& it, int qos) {
  it.station.extra["qos"] = std::to_string(qos);
  it.start();
  it.probe->after = [&, done = false]() mutable {
    if (!std::exchange(done, true)) it.world.broker.stop();
  };
  it.world.broker.publish("site/a", {"1"}, qos);  // Its own answer may be cut off, too.
  REQUIRE(eventually([&] { return it.station.link() == SourceHealth::Link::kLost; }));
}

TEST_CASE("a message that was stored and not acknowledged is sent again by the broker, and skipped") {
  for (const std::string version : {"5", "3.1.1"}) {
    CAPTURE(version);
    MqttFixture it;
    it.station.extra = {{"protocol-version", version}};
    store_without_acknowledging(it, 1);
    REQUIRE(it.world.broker.start());
    REQUIRE(eventually([&] { return it.counters().redelivered == 1; }));
    it.world.provide(1, 1);  // The same once more, but new.
    REQUIRE(it.station.receive(2));
    CHECK(it.station.received == std::vector<std::string>{"1", "1"});
    CHECK(it.counters().received == 3);
  }
}

TEST_CASE("the same holds when the process dies in between: the journal's tail knows the message") {
  for (const int qos : {1, 2}) {
    CAPTURE(qos);
    MqttFixture it;
    store_without_acknowledging(it, qos);
    REQUIRE(it.station.receive(1));  // Processed and committed, too.
    it.station.restart();
    REQUIRE(it.world.broker.start());
    REQUIRE(eventually([&] { return it.counters().redelivered == 1; }));
    it.world.provide(2, 2);
    REQUIRE(it.station.receive(2));
    CHECK(it.station.received == Station::numbered(1, 2));
  }
}

TEST_CASE("a message that the disk refuses stays unacknowledged and comes again") {
  for (const std::string qos : {"1", "2"}) {
    CAPTURE(qos);
    MqttFixture it;
    it.station.extra = {{"qos", qos}};
    it.start();
    std::atomic<int> refused{0};
    it.probe->before = [&]() -> std::optional<Appended> {
      return ++refused <= 2 ? std::optional(Appended::kFailed) : std::nullopt;
    };
    REQUIRE(it.world.broker.publish("site/a", Station::numbered(1, 5), std::stoi(qos)));
    REQUIRE(it.station.receive(5));
    CHECK(it.station.received == Station::numbered(1, 5));
    CHECK(it.counters().dropped == 0);
  }
}

TEST_CASE("QoS 0 that finds no room is dropped and counted") {
  MqttFixture it;
  it.station.extra = {{"qos", "0"}};
  it.start();
  it.probe->before = [] { return std::optional(Appended::kFailed); };
  REQUIRE(it.world.broker.publish("site/a", Station::numbered(1, 5), 0));
  REQUIRE(eventually([&] { return it.counters().dropped == 5; }));
  CHECK(it.counters().received == 5);
}

TEST_CASE("retained messages come with the first subscription and not with each reconnect") {
  MqttFixture it;
  REQUIRE(it.world.broker.publish("site/a", {"1"}, 1, true));
  it.start();
  REQUIRE(it.station.receive(1));
  it.station.restart();
  it.connected();
  it.world.provide(2, 2);
  REQUIRE(it.station.receive(2));
  CHECK(it.station.received == Station::numbered(1, 2));
}

TEST_CASE("a shared subscription takes part in its group") {
  MqttFixture it;
  it.station.extra = {{"topic", "$share/leat/site/+;other/#"}};
  it.start();
  it.world.provide(1, 3);
  REQUIRE(it.world.broker.publish("other/x/y", {"4"}, 1));
  REQUIRE(it.station.receive(4));
  CHECK(it.station.received == Station::numbered(1, 4));
}

TEST_CASE("metadata gives topic, flags, receive time and the named levels of the topic") {
  MqttFixture it;
  it.station.extra = {{"topic", "site/#"}, {"topic.pattern", "site/{site}/+/{machine}"}};
  it.station.metadata_keys = {"machine", "topic", "qos", "retained", "duplicate", "timestamp", "site"};
  it.station.now = 1'234'567;
  it.station.clock_step = 0;
  it.start();
  REQUIRE(it.world.broker.publish("site/lyon/hall 2/m7", {"1"}, 1));
  REQUIRE(eventually([&] { return it.station.intake->queued_messages() == 1; }));
  auto batch = it.station.intake->read(1000);
  std::vector<ColumnBuilder> builders;
  for (const Type& type : {Type::string(), Type::string(), Type::integer(), Type::boolean(), Type::boolean(),
                           Type::timestamp_ltz(3), Type::string()})
    builders.emplace_back(type);
  std::vector<ColumnBuilder*> columns;
  for (ColumnBuilder& builder : builders) columns.push_back(&builder);
  it.station.source->append_metadata(batch->messages.front(), columns);
  std::vector<Value> cells;
  for (ColumnBuilder& builder : builders) cells.push_back(builder.finish()->value(0));
  CHECK(cells == std::vector<Value>{Value::string("m7"), Value::string("site/lyon/hall 2/m7"),
                                    Value::integer(1), Value::boolean(false), Value::boolean(false),
                                    Value::integer(1'234'000), Value::string("lyon")});
}

TEST_CASE("a wrong password is a state that names the reason, and is tried again") {
  MqttWorld world;
  test::MosquittoServer closed({.extra_lines = {"allow_anonymous false"}});
  REQUIRE(closed.start());
  Station station(world);
  station.extra = {{"url", closed.url()}, {"username", "u"}, {"password", "p"}};
  REQUIRE(station.start().has_value());
  REQUIRE(eventually([&] { return station.link() == SourceHealth::Link::kLost; }));
  CAPTURE(station.source->health().detail);
  CHECK(station.source->health().detail.find("uthor") != std::string::npos);
}

}  // namespace
}  // namespace leat::sources
