// What is particular to polling: against devices of libmodbus's server side, over TCP and on a serial line.
#include <algorithm>
#include <chrono>

#include "tests/contract/sources/source_world.h"

namespace leat::sources {
namespace {

using Link = SourceHealth::Link;
using test::ModbusDevice;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A table over a device, polled every 5 ms, and its rows as they come.
class Poller {
 public:
  Poller(const std::string& url, Schema schema, const OptionMap& options) : schema_(std::move(schema)) {
    OptionMap map{{"url", url},
                  {"scan.interval", "5 ms"},
                  {"timeout", "200 ms"},
                  {"reconnect.min-delay", "10 ms"},
                  {"reconnect.max-delay", "20 ms"}};
    for (const auto& [key, value] : options) map[key] = value;
    const SourceConnector& connector = *find_source("modbus");
    std::vector<OptionError> errors;
    connector.info.validate_source(map, {}, errors);
    if (errors.empty())
      connector.info.validate_table(map, {.name = "t", .physical = schema_, .primary_key = {}}, errors);
    REQUIRE_MESSAGE(errors.empty(), (errors.empty() ? "" : errors.front().message));
    SourceContext context;
    context.physical = schema_;
    for (std::size_t i = 0; i < schema_.size(); ++i) context.wanted.push_back(i);
    context.metadata_keys = {"unit", "scheduled", "timestamp", "url"};
    context.now = [] { return test_clock(); };
    auto built = connector.build(map, context);
    REQUIRE_MESSAGE(built.has_value(), (built ? "" : built.error().message));
    source = *std::move(built);
    decoder_ = source->own_decoder();
    intake_ = make_memory_intake(connector.intake_options(map), WhenFull::kNever);
    intake_->on_room([this] { source->resume(); });
    REQUIRE(source->start(*intake_, {}).has_value());
  }
  ~Poller() { source->stop(); }

  struct Row {
    std::vector<Value> values;
    std::int64_t unit = 0;
    std::int64_t scheduled = 0;
    std::int64_t timestamp = 0;
  };
  /// What has come since the last call.
  std::vector<Row> take() {
    std::vector<Row> rows;
    auto batch = intake_->read(1 << 20);
    REQUIRE(batch.has_value());
    for (const Message& message : batch->messages) rows.push_back(decode(message));
    return rows;
  }
  /// The next row, of whatever unit.
  Row next() {
    std::vector<Row> rows;
    const bool came = eventually([&] {
      rows = take();
      return !rows.empty();
    });
    REQUIRE_MESSAGE(came, health().detail);
    return rows.back();
  }
  /// A row that is polled from now on.
  Row fresh() {
    take();
    return next();
  }
  [[nodiscard]] SourceHealth health() const { return source->health(); }
  bool reaches(Link link) const {
    return eventually([&] { return health().link == link; });
  }

  std::unique_ptr<Source> source;

 private:
  static std::int64_t test_clock() {
    return std::chrono::duration_cast<Micros>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  Row decode(const Message& message) {
    std::vector<ColumnBuilder> builders;
    for (const Type::Field& field : schema_.fields) builders.emplace_back(field.type);
    std::vector<ColumnBuilder*> columns;
    for (ColumnBuilder& builder : builders) columns.push_back(&builder);
    std::vector<formats::BadRecord> bad;
    REQUIRE(decoder_->decode(message.payload, columns, bad).rows == 1);
    Row row;
    for (ColumnBuilder& builder : builders) {
      builder.keep(nullptr);
      row.values.push_back(builder.finish()->value(0));
    }
    ColumnBuilder unit(Type::integer()), scheduled(Type::timestamp_ltz(3)), timestamp(Type::timestamp_ltz(3)),
        url(Type::string());
    ColumnBuilder* const metadata[] = {&unit, &scheduled, &timestamp, &url};
    source->append_metadata(message, metadata);
    row.unit = unit.finish()->value(0).as_integer();
    row.scheduled = scheduled.finish()->value(0).as_integer();
    row.timestamp = timestamp.finish()->value(0).as_integer();
    CHECK(!url.finish()->value(0).as_string().empty());
    return row;
  }

  const Schema schema_;
  std::unique_ptr<formats::Decoder> decoder_;
  std::unique_ptr<Intake> intake_;
};

struct Plant {
  Plant() { REQUIRE(device.listen()); }
  ModbusDevice device;
};

const Schema kSpeed{{{"speed", Type::small_int()}}};
const OptionMap kSpeedOptions{{"registers.speed", "holding 10 int16"}};

OptionMap with(OptionMap options, const OptionMap& more) {
  for (const auto& [key, value] : more) options[key] = value;
  return options;
}

TEST_CASE("a row has the values of all tables of the device, exactly") {
  Plant it;
  it.device.change(1, [](ModbusDevice::Registers& registers) {
    registers.coils[3] = 1;
    registers.input[100] = 235;
    registers.holding = {0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0x3DCC, 0xCCCD, 0x4142, 0x4300, 0x8000};
    registers.holding.resize(200);
  });
  Poller poller(it.device.url(),
                {{{"on", Type::boolean()},
                  {"door", Type::boolean()},
                  {"temperature", Type::decimal(5, 1)},
                  {"total", Type::decimal(20, 0)},
                  {"level", Type::float64()},
                  {"name", Type::string()},
                  {"gone", Type::small_int()}}},
                {{"registers.on", "coil 3"},
                 {"registers.door", "discrete 0"},
                 {"registers.temperature", "30101 int16 scale 0.1 offset -40"},
                 {"registers.total", "holding 0 uint64"},
                 {"registers.level", "holding 4 float32"},
                 {"registers.name", "holding 6 string(4)"},
                 {"registers.gone", "holding 8 int16 null -32768"}});
  const auto row = poller.next().values;
  CHECK(row[0] == Value::boolean(true));
  CHECK(row[1] == Value::boolean(false));
  CHECK(row[2] == Value::decimal(-165));
  CHECK(row[3] == Value::decimal(Int128(18446744073709551615ULL)));
  CHECK(row[4] == Value::float64(0.1));
  CHECK(row[5] == Value::string("ABC"));
  CHECK(row[6].is_null());
  using Request = ModbusDevice::Request;
  const auto requests = it.device.requests();
  REQUIRE(requests.size() >= 4);
  CHECK(std::vector<Request>(requests.begin(), requests.begin() + 4) ==
        std::vector<Request>{{1, 3, 1}, {2, 0, 1}, {4, 100, 1}, {3, 0, 9}});
}

TEST_CASE("each unit gives a row of the same moment, a multiple of the interval") {
  Plant it;
  Poller poller(it.device.url(), kSpeed, with(kSpeedOptions, {{"unit", "2;5"}}));
  std::map<std::int64_t, std::vector<std::int64_t>> polls;
  REQUIRE(eventually([&] {
    for (const auto& row : poller.take()) {
      CHECK(row.scheduled % 5000 == 0);
      CHECK(row.timestamp >= row.scheduled - 1000);
      polls[row.scheduled].push_back(row.unit);
    }
    return polls.size() > 3;
  }));
  CHECK(polls.begin()->second == std::vector<std::int64_t>{2, 5});
}

TEST_CASE("a unit that does not answer rests, is named, and stops no other") {
  Plant it;
  it.device.behave([](std::uint8_t unit, ModbusDevice::Registers&) { return unit == 3 ? -1 : 0; });
  Poller poller(
      it.device.url(), kSpeed,
      with(kSpeedOptions, {{"unit", "3;4"}, {"timeout", "20 ms"}, {"reconnect.max-delay", "1 min"}}));
  REQUIRE(eventually([&] { return !poller.health().trouble.empty(); }));
  CHECK(poller.next().unit == 4);
  const SourceHealth health = poller.health();
  CHECK(health.link == Link::kConnected);
  CHECK(health.losses == 0);
  CHECK(health.missed > 0);
  CHECK(has(health.trouble, "unit 3: holding 10 (speed): no answer within 20 ms, next try in "));
  it.device.behave(nullptr);
  CHECK(eventually([&] { return poller.next().unit == 3; }));
  CHECK(eventually([&] { return poller.health().trouble.empty(); }));
}

TEST_CASE("a unit that loses every tenth answer loses no poll") {
  int asked = 0;
  Plant it;
  it.device.behave([&](std::uint8_t, ModbusDevice::Registers&) { return ++asked % 10 == 0 ? -1 : 0; });
  Poller poller(it.device.url(), kSpeed, with(kSpeedOptions, {{"timeout", "20 ms"}}));
  REQUIRE(eventually([&] { return it.device.requests().size() > 60; }));
  const SourceHealth health = poller.health();
  CHECK(health.losses == 0);
  CHECK(health.trouble == "");
  CHECK_FALSE(has(health.last_miss, "no answer"));
}

TEST_CASE("a unit that falls silent is asked again before it rests, and once at each later try") {
  std::vector<int> asked;
  Plant it;
  it.device.behave([&](std::uint8_t unit, ModbusDevice::Registers&) {
    asked.push_back(unit);
    return unit == 3 ? -1 : 0;
  });
  const auto asked_so_far = [&] {
    std::vector<int> units;
    it.device.change(4, [&](ModbusDevice::Registers&) { units = asked; });
    return units;
  };
  Poller poller(it.device.url(), kSpeed,
                with(kSpeedOptions, {{"unit", "3;4"}, {"timeout", "10 ms"}, {"retries", "2"}}));
  REQUIRE(eventually([&] { return std::ranges::count(asked_so_far(), 3) > 6; }));
  std::vector<int> units = asked_so_far();
  CHECK(std::vector<int>(units.begin(), units.begin() + 4) == std::vector<int>{3, 3, 3, 4});
  units.erase(units.begin(), units.begin() + 3);
  CHECK(std::ranges::adjacent_find(units, [](int one, int next) { return one == 3 && next == 3; }) ==
        units.end());
}

TEST_CASE("without retries one lost answer is enough") {
  Plant it;
  it.device.behave([](std::uint8_t, ModbusDevice::Registers&) { return -1; });
  Poller poller(it.device.url(), kSpeed,
                with(kSpeedOptions, {{"timeout", "20 ms"},
                                     {"retries", "0"},
                                     {"reconnect.min-delay", "1 min"},
                                     {"reconnect.max-delay", "1 min"}}));
  REQUIRE(poller.reaches(Link::kLost));
  CHECK(it.device.requests().size() == 1);
}

TEST_CASE("an exception that only the device knows is its answer, and the connection is kept") {
  Plant it;
  it.device.forge([](const std::string& request) {
    return request.substr(0, 5) + '\3' + request.substr(6, 1) + "\x83\x0C";
  });
  Poller poller(it.device.url(), kSpeed, kSpeedOptions);
  REQUIRE(eventually([&] { return poller.health().missed > 3; }));
  CHECK(poller.health().trouble == "unit 1: holding 10 (speed): exception 12, the device's own");
  CHECK(poller.health().losses == 0);
  CHECK(it.device.connections() == 1);
  it.device.forge(nullptr);
  poller.fresh();
}

TEST_CASE("an answer of another unit is not taken for that of the one that was asked") {
  Plant it;
  it.device.forge(
      [](const std::string& request) { return request.substr(0, 5) + std::string("\5\x63\3\2\0\7", 6); });
  Poller poller(it.device.url(), kSpeed, with(kSpeedOptions, {{"unit", "5"}}));
  REQUIRE(poller.reaches(Link::kLost));
  CHECK(has(poller.health().detail, "unit 5: holding 10 (speed): an answer of unit 99"));
  CHECK(poller.take().empty());
}

TEST_CASE("an answer that comes twice is not that of the next request") {
  std::uint8_t value = 0;
  Plant it;
  it.device.forge([&](const std::string& request) {
    std::string answer = request.substr(0, 5) + std::string("\5\1\3\2\0", 5);
    answer.push_back(static_cast<char>(++value));
    return value == 1 ? answer + answer : answer;
  });
  Poller poller(it.device.url(), kSpeed, kSpeedOptions);
  CHECK(eventually([&] {
    const auto rows = poller.take();
    return std::ranges::any_of(rows, [](const auto& row) { return row.values[0] == Value::integer(3); });
  }));
  CHECK(poller.health().losses == 0);
}

TEST_CASE("a refused address costs its columns, which are named") {
  Plant it;
  Poller poller(it.device.url(), {{{"speed", Type::small_int()}, {"torque", Type::small_int()}}},
                with(kSpeedOptions, {{"registers.torque", "holding 900 int16"}}));
  const auto row = poller.next().values;
  CHECK(row[0] == Value::integer(0));
  CHECK(row[1].is_null());
  REQUIRE(eventually([&] { return !poller.health().trouble.empty(); }));
  CHECK(poller.health().trouble == "unit 1: holding 900 (torque): exception 2, illegal data address");
  CHECK(poller.health().link == Link::kConnected);
}

TEST_CASE("a unit that refuses everything gives no row and is asked again at the next poll") {
  Plant it;
  std::atomic<int> exception = MODBUS_EXCEPTION_SLAVE_OR_SERVER_BUSY;
  it.device.behave([&](std::uint8_t, ModbusDevice::Registers&) { return exception.load(); });
  Poller poller(it.device.url(), kSpeed, kSpeedOptions);
  REQUIRE(eventually([&] { return poller.health().missed > 3; }));
  CHECK(poller.take().empty());
  CHECK(has(poller.health().detail, "exception 6, device busy"));
  exception = 0;
  CHECK(poller.next().values[0] == Value::integer(0));
}

TEST_CASE("a gateway that tells of a silent device has it rest, and keeps the connection") {
  Plant it;
  it.device.behave([](std::uint8_t unit, ModbusDevice::Registers&) {
    return unit == 9 ? static_cast<int>(MODBUS_EXCEPTION_GATEWAY_TARGET) : 0;
  });
  Poller poller(it.device.url(), kSpeed, with(kSpeedOptions, {{"unit", "8;9"}}));
  REQUIRE(eventually([&] { return has(poller.health().trouble, "exception 11"); }));
  for (int i = 0; i < 5; ++i) CHECK(poller.fresh().unit == 8);
  CHECK(has(poller.health().trouble, "next try in"));
  CHECK(it.device.connections() == 1);
}

TEST_CASE("a device that falls silent is lost, and connected when it answers again") {
  Plant it;
  Poller poller(it.device.url(), kSpeed, with(kSpeedOptions, {{"timeout", "20 ms"}}));
  poller.next();
  it.device.behave([](std::uint8_t, ModbusDevice::Registers&) { return -1; });
  REQUIRE(poller.reaches(Link::kLost));
  CHECK(has(poller.health().detail, "no answer within 20 ms"));
  CHECK(has(poller.health().detail, "next try in"));
  it.device.behave(nullptr);
  REQUIRE(poller.reaches(Link::kConnected));
  CHECK(poller.health().losses == 1);
  CHECK(poller.health().connects == 2);
  poller.fresh();
}

TEST_CASE("a connection that was closed between two polls is made again within the poll") {
  Plant it;
  Poller poller(it.device.url(), kSpeed, kSpeedOptions);
  for (int i = 0; i < 3; ++i) {
    poller.fresh();
    it.device.hang_up();
    REQUIRE(eventually([&] { return it.device.connections() == static_cast<std::uint64_t>(i) + 2; }));
  }
  poller.fresh();
  CHECK(poller.health().losses == 0);
}

TEST_CASE("a device that goes away and comes back is polled again") {
  Plant it;
  Poller poller(it.device.url(), kSpeed, kSpeedOptions);
  poller.next();
  it.device.leave();
  REQUIRE(poller.reaches(Link::kLost));
  REQUIRE(eventually([&] { return has(poller.health().detail, "nobody listens on port"); }));
  const std::uint64_t missed = poller.health().missed;
  REQUIRE(eventually([&] { return poller.health().missed > missed; }));
  REQUIRE(it.device.listen());
  poller.fresh();
  REQUIRE(poller.reaches(Link::kConnected));
}

TEST_CASE("a stop does not wait for an answer that does not come") {
  Plant it;
  std::atomic<bool> asked = false;
  it.device.behave([&](std::uint8_t, ModbusDevice::Registers&) {
    asked = true;
    return -1;
  });
  Poller poller(it.device.url(), kSpeed, with(kSpeedOptions, {{"timeout", "50 s"}}));
  REQUIRE(eventually([&] { return asked.load(); }));
  const auto before = std::chrono::steady_clock::now();
  poller.source->stop();
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(20));
}

TEST_CASE("what was polled and not committed comes again in the next life") {
  ModbusWorld world;
  Station station(world);
  world.appear();
  world.provide(1, 100);
  REQUIRE(station.start().has_value());
  REQUIRE(station.receive(10));
  const std::size_t committed = station.received.size();
  REQUIRE(eventually([&] { return station.intake->counters().received == 100; }));
  station.pump();
  CHECK(station.received.size() == 100);
  station.received.resize(committed);
  station.restart();
  REQUIRE(station.receive(100));
  CHECK(station.difference(100) == "");
}

TEST_CASE("a disk that refuses the journal loses no poll that was made") {
  class Refusing final : public Intake {
   public:
    explicit Refusing(std::unique_ptr<Intake> under) : under_(std::move(under)) {}
    Appended append(std::string_view payload, std::string_view key, std::string_view attributes,
                    std::int64_t time) override {
      if (refusals_ > 0 && under_->counters().received == 3 && refusals_-- > 0) return Appended::kFailed;
      return under_->append(payload, key, attributes, time);
    }
    void end() override { under_->end(); }
    void interrupt() override { under_->interrupt(); }
    void count_redelivered() override { under_->count_redelivered(); }
    void count_dropped(std::uint64_t messages) override { under_->count_dropped(messages); }
    Result<MessageBatch> read(std::size_t most) override { return under_->read(most); }
    void release(MessageNumber number) override { under_->release(number); }
    [[nodiscard]] std::uint64_t used_bytes() const override { return under_->used_bytes(); }
    [[nodiscard]] IntakeCounters counters() const override { return under_->counters(); }
    void restore_counters(const IntakeCounters& counters) override { under_->restore_counters(counters); }
    void on_readable(std::function<void()> wake) override { under_->on_readable(std::move(wake)); }
    void on_room(std::function<void()> resume) override { under_->on_room(std::move(resume)); }

   private:
    std::unique_ptr<Intake> under_;
    int refusals_ = 1;
  };
  ModbusWorld world;
  Station station(world);
  station.wrap = [](std::unique_ptr<Intake> under) { return std::make_unique<Refusing>(std::move(under)); };
  world.appear();
  world.provide(1, 10);
  REQUIRE(station.start().has_value());
  REQUIRE(eventually([&] { return station.link() == Link::kPaused; }));
  CHECK(has(station.source->health().detail, "the disk refuses"));
  REQUIRE(station.receive(10));
  CHECK(station.difference(10) == "");
  CHECK(station.link() == Link::kConnected);
}

// ---- A serial line ---------------------------------------------------------------------------------------

struct Line {
  explicit Line(std::uint8_t unit) { REQUIRE(device.open_line({unit})); }
  [[nodiscard]] std::string url() const { return "rtu://" + device.line(); }
  ModbusDevice device;
};

/// A pseudo-terminal takes no parity.
const OptionMap::value_type kPlain{"serial.parity", "none"};

TEST_CASE("a device on a serial line is polled") {
  Line it(7);
  it.device.change(7, [](ModbusDevice::Registers& registers) { registers.holding[10] = 0xFFFE; });
  Poller poller(it.url(), kSpeed, with(kSpeedOptions, {{"unit", "7"}, kPlain}));
  const auto row = poller.next();
  CHECK(row.values[0] == Value::integer(-2));
  CHECK(row.unit == 7);
  CHECK(poller.health().link == Link::kConnected);
}

TEST_CASE("a unit that is not on the line disturbs the one that is not at all") {
  Line it(7);
  Poller poller(it.url(), kSpeed, with(kSpeedOptions, {{"unit", "6-7"}, {"timeout", "30 ms"}, kPlain}));
  REQUIRE(eventually([&] { return has(poller.health().trouble, "unit 6: "); }));
  for (int i = 0; i < 5; ++i) CHECK(poller.fresh().unit == 7);
  CHECK(poller.health().losses == 0);
}

TEST_CASE("on a serial line a wrong checksum and another unit's answer are told apart") {
  Line it(7);
  it.device.forge([](const std::string&) { return std::string("\7\3\2\0\5\0\0", 7); });
  Poller poller(it.url(), kSpeed, with(kSpeedOptions, {{"unit", "7"}, {"timeout", "50 ms"}, kPlain}));
  REQUIRE(eventually([&] { return has(poller.health().detail, "an answer with a wrong checksum"); }));
  CHECK(poller.reaches(Link::kLost));
  it.device.forge([](const std::string&) { return std::string("\x09\3\2\0\5\0\0", 7); });
  CHECK(eventually([&] { return has(poller.health().detail, "an answer of unit 9"); }));
  it.device.forge(nullptr);
  poller.fresh();
  CHECK(poller.reaches(Link::kConnected));
}

TEST_CASE("what is left on a serial line of an answer is not the beginning of the next") {
  Line it(7);
  it.device.forge([](const std::string&) { return std::string(40, '\7'); });
  Poller poller(it.url(), kSpeed, with(kSpeedOptions, {{"unit", "7"}, {"timeout", "50 ms"}, kPlain}));
  REQUIRE(poller.reaches(Link::kLost));
  it.device.forge(nullptr);
  for (int i = 0; i < 20; ++i) CHECK(poller.fresh().values[0] == Value::integer(0));
  CHECK(poller.health().losses == 1);
}

TEST_CASE("tables share a serial line, one request at a time") {
  Line it(7);
  it.device.change(7, [](ModbusDevice::Registers& registers) {
    registers.holding[10] = 10;
    registers.input[11] = 11;
  });
  const OptionMap unit{{"unit", "7"}, {"scan.interval", "1 ms"}, {"timeout", "5 s"}, kPlain};
  Poller one(it.url(), kSpeed, with(kSpeedOptions, unit));
  Poller other(it.url(), kSpeed, with({{"registers.speed", "input 11 int16"}}, unit));
  for (int i = 0; i < 100; ++i) {
    CHECK(one.next().values[0] == Value::integer(10));
    CHECK(other.next().values[0] == Value::integer(11));
  }
  CHECK(one.health().trouble == "");
  CHECK(other.health().trouble == "");
}

TEST_CASE("a serial device that is not there is waited for") {
  Poller poller("rtu:///nonexistent/tty", kSpeed, kSpeedOptions);
  REQUIRE(poller.reaches(Link::kLost));
  CHECK(has(poller.health().detail, "/nonexistent/tty: No such file or directory, next try in"));
}

}  // namespace
}  // namespace leat::sources
