#include "tests/contract/sources/source_world.h"

#include <deque>
#include <mutex>
#include <thread>

#include "pipelines/base/bytes.h"
#include "pipelines/column/codec.h"
#include "pipelines/column/column_builder.h"
#include "sources/clients/http_client.h"
#include "sources/pause_gate.h"

namespace leat::sources {

std::vector<std::string> DatagenWorld::records(const Message& message) const {
  ByteReader range(message.payload);
  const std::uint64_t first = range.varint();
  const std::uint64_t count = range.varint();
  std::vector<std::string> records;
  for (std::uint64_t row = first; row < first + count; ++row) records.push_back(std::to_string(row + 1));
  return records;
}

namespace {

class Numbers final : public LocalTableScan {
 public:
  explicit Numbers(const LocalTableRange& range) : range_(range) {}
  Result<Rows> next(std::size_t most) override {
    Rows rows;
    ColumnBuilder numbers(Type::big_int());
    for (; rows.size < most && range_.after < range_.last; ++rows.size) numbers.append(++range_.after);
    rows.last = range_.after;
    rows.columns.push_back(numbers.finish());
    return rows;
  }

 private:
  LocalTableRange range_;
};

}  // namespace

Result<std::unique_ptr<LocalTableScan>> SqliteWorld::scan_table(const LocalTable& table,
                                                                const std::vector<std::size_t>& columns,
                                                                LocalTableRange& range) {
  CHECK(table.name == "numbers");
  CHECK(columns == std::vector<std::size_t>{0});
  if (range.last == 0) range.last = last_;
  return std::make_unique<Numbers>(range);
}

std::vector<std::string> SqliteWorld::records(const Message& message) const {
  ByteReader in(message.payload);
  const std::uint64_t rows = in.varint();
  ColumnBuilder numbers(Type::big_int());
  for (std::uint64_t row = 0; row < rows; ++row) REQUIRE(read_cell(in, numbers));
  const ColumnPtr column = numbers.finish();
  std::vector<std::string> records;
  for (const std::int64_t number : column->values<std::int64_t>()) records.push_back(std::to_string(number));
  return records;
}

void StreamWorld::provide(int from, int to) {
  constexpr int kRows = 7;
  const std::scoped_lock lock(mutex_);
  while (from <= to) {
    ColumnBuilder numbers(Type::big_int());
    for (int row = 0; row < kRows && from <= to; ++row) numbers.append<std::int64_t>(from++);
    Batch batch{.size = numbers.size()};
    batch.columns.push_back(numbers.finish());
    std::string rows;
    append_rows(batch, rows);
    blocks_.push_back({blocks_.size() + 1, 1'000'000, seal_block(batch.size, rows)});
  }
  for (const auto& [table, wake] : wakes_) wake();
}

Result<std::vector<StreamBlock>> StreamWorld::read_stream(const StreamReaderName& reader, std::uint64_t after,
                                                          std::uint64_t) {
  CHECK(reader.stream == "numbers");
  CHECK(reader.pipeline.value == "test");
  constexpr std::uint64_t kMost = 10;
  const std::scoped_lock lock(mutex_);
  const std::uint64_t from = std::min<std::uint64_t>(after, blocks_.size());
  const std::uint64_t to = std::min<std::uint64_t>(from + kMost, blocks_.size());
  return std::vector<StreamBlock>(blocks_.begin() + static_cast<std::ptrdiff_t>(from),
                                  blocks_.begin() + static_cast<std::ptrdiff_t>(to));
}

void StreamWorld::on_stream(const StreamReaderName& reader, std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  if (wake)
    wakes_[reader.table.value] = std::move(wake);
  else
    wakes_.erase(reader.table.value);
}

std::vector<std::string> StreamWorld::records(const Message& message) const {
  ColumnBuilder numbers(Type::big_int());
  ColumnBuilder* const columns[] = {&numbers};
  REQUIRE(read_block(message.payload, columns).has_value());
  std::vector<std::string> records;
  const ColumnPtr column = numbers.finish();
  for (const std::int64_t number : column->values<std::int64_t>()) records.push_back(std::to_string(number));
  return records;
}

void FilesystemWorld::provide(int from, int to) {
  // Several files, each growing: the order of the records is that of the names.
  std::string text;
  for (int i = from; i <= to; ++i) text += std::to_string(i) + "\n";
  folder_.write("next", text);
  char name[32];
  std::snprintf(name, sizeof(name), "in/part-%04d", ++files_);
  std::filesystem::rename(folder_.file("next"), folder_.file(name));
}

std::vector<std::string> FilesystemWorld::records(const Message& message) const {
  std::vector<std::string> records;
  std::string_view rest = message.payload;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    records.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return records;
}

void MqttWorld::appear() {
  REQUIRE(broker.start());
}

void MqttWorld::provide(int from, int to) {
  REQUIRE(broker.publish("site/a", Station::numbered(from, to), 1));
}

class HttpWorld::Device {
 public:
  explicit Device(const std::string& url) : client_({.url = *clients::parse_http_url(url)}) {}
  ~Device() {
    gate_.stop();
    client_.interrupt();
    if (thread_.joinable()) thread_.join();
  }
  void send(int from, int to) {
    const std::scoped_lock lock(mutex_);
    for (int i = from; i <= to; ++i) queue_.push_back(std::to_string(i));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }

 private:
  void run() {
    while (!gate_.stopped()) {
      const std::string record = first();
      if (!record.empty() && is_taken(record))
        done();
      else
        gate_.wait_for(Micros(2 * kMicrosPerMilli));
    }
  }
  bool is_taken(const std::string& record) {
    const auto answer = client_.send({"POST", {{"Idempotency-Key", "record " + record}}, record});
    return answer && answer->status == 202;
  }
  std::string first() {
    const std::scoped_lock lock(mutex_);
    return queue_.empty() ? "" : queue_.front();
  }
  void done() {
    const std::scoped_lock lock(mutex_);
    queue_.pop_front();
  }

  clients::HttpClient client_;
  PauseGate gate_;
  std::mutex mutex_;
  std::deque<std::string> queue_;
  std::thread thread_;
};

HttpWorld::HttpWorld() {
  auto bound = listen::BoundSocket::tcp("127.0.0.1", 0);
  REQUIRE(bound.has_value());
  taken_ = *std::move(bound);
  port_ = taken_->port();
}

HttpWorld::~HttpWorld() = default;

OptionMap HttpWorld::options(const std::string& table) const {
  const std::string address = "127.0.0.1:" + std::to_string(port_);
  auto& device = devices_[table];
  if (!device) device = std::make_unique<Device>("http://" + address + "/" + table);
  return {{"listen", address},
          {"path", "/" + table},
          {"max-body", "8 kb"},
          {"journal.size", "4 mb"},
          {"journal.sync-interval", "1 ms"}};
}

void HttpWorld::provide(int from, int to) {
  for (const auto& [table, device] : devices_) device->send(from, to);
}

ModbusWorld::ModbusWorld() {
  REQUIRE(device.take_port());
  device.behave([this](std::uint8_t unit, test::ModbusDevice::Registers& registers) {
    int& given = given_[unit];
    if (given >= last_) return static_cast<int>(MODBUS_EXCEPTION_SLAVE_OR_SERVER_BUSY);
    ++given;
    registers.holding[0] = static_cast<std::uint16_t>(given >> 16);
    registers.holding[1] = static_cast<std::uint16_t>(given);
    return 0;
  });
}

OptionMap ModbusWorld::options(const std::string& table) const {
  const int unit = units_.emplace(table, static_cast<int>(units_.size()) + 1).first->second;
  return {{"url", device.url()},
          {"unit", std::to_string(unit)},
          {"scan.interval", "1 ms"},
          {"timeout", "5 s"},
          {"registers.id", "holding 0 int32"},
          {"reconnect.min-delay", "10 ms"},
          {"reconnect.max-delay", "100 ms"},
          {"journal.size", "4 mb"},
          {"journal.sync-interval", "1 ms"}};
}

std::vector<std::string> ModbusWorld::records(const Message& message) const {
  const std::string row(message.payload);
  const std::string before = R"({"id":)";
  REQUIRE_MESSAGE((row.starts_with(before) && row.ends_with('}')), row);
  return {row.substr(before.size(), row.size() - before.size() - 1)};
}

std::string KafkaWorld::next_topic() {
  static std::atomic<int> count = 0;
  return "source-" + std::to_string(++count);
}

void KafkaWorld::provide(int from, int to) {
  std::vector<contract::KafkaBroker::Sent> records;
  for (const std::string& number : Station::numbered(from, to)) records.push_back({.value = number});
  broker.produce(topic, records);
}

Station::Station(const SourceWorld& world, std::string table) : world_(world), table_(std::move(table)) {}

Result<std::unique_ptr<Intake>> Station::make_intake() const {
  IntakeOptions options = connector_->intake_options ? connector_->intake_options(options_) : IntakeOptions{};
  if (queue_bytes != 0) options.size.bytes = queue_bytes;
  if (connector_->intake == IntakeKind::kMemory) return make_memory_intake(options, WhenFull::kWait);
  JournalFindings findings;
  return open_journal(folder_.file("journal"), options, committed_number, findings);
}

void Station::build() {
  connector_ = find_source(world_.connector());
  REQUIRE(connector_ != nullptr);
  options_ = world_.options(table_);
  for (const auto& [key, value] : extra) options_[key] = value;
  std::vector<OptionError> errors;
  connector_->info.validate_source(options_, {}, errors);
  REQUIRE_MESSAGE(errors.empty(), (errors.empty() ? "" : errors.front().message));
  auto opened = make_intake();
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
  intake = wrap ? wrap(*std::move(opened)) : *std::move(opened);
  auto built = connector_->build(options_, {.store = {"0123456789abcdef"},
                                            .pipeline = {"test"},
                                            .table = {table_},
                                            .physical = {{{"id", Type::big_int()}}},
                                            .wanted = {0},
                                            .metadata_keys = metadata_keys,
                                            .now = [this] { return now.fetch_add(clock_step); },
                                            .chunk_bytes = 512,
                                            .splitter = {},
                                            .tables = world_.tables(),
                                            .ports = world_.ports(),
                                            .streams = world_.streams(),
                                            .deployed_as = {"test"}});
  REQUIRE_MESSAGE(built.has_value(), (built ? "" : built.error().message));
  source = *std::move(built);
  tracker_ = source->tracker(committed);
  for (const auto& [key, value] : kept_) REQUIRE(source->restore(key, value).has_value());
  intake->on_room([this] { source->resume(); });
}

Status Station::start() {
  if (!source) build();
  return source->start(*intake, committed);
}

void Station::stop() {
  if (source) source->stop();
}

void Station::restart() {
  stop();
  source.reset();
  intake.reset();
  consumed_ = committed_number;
  REQUIRE(start().has_value());
}

void Station::pump(std::size_t max_bytes) {
  auto batch = intake->read(max_bytes);
  REQUIRE_MESSAGE(batch.has_value(), (batch ? "" : batch.error().message));
  for (const Message& message : batch->messages) {
    const auto records = world_.records(message);
    received.insert(received.end(), records.begin(), records.end());
    tracker_->consumed(message);
    consumed_ = message.number;
  }
}

void Station::commit() {
  committed = tracker_->encode();
  committed_number = consumed_;
  tracker_->save([&](std::string_view key, std::string_view value) { kept_[std::string(key)] = value; });
  source->committed(committed);
  intake->release(committed_number);
}

bool Station::receive(std::size_t count) {
  return eventually([&] {
    pump();
    commit();
    return received.size() >= count;
  });
}

std::string Station::difference(int to) const {
  const std::vector<std::string> expected = numbered(1, to);
  const auto [there, wanted] =
      std::mismatch(received.begin(), received.end(), expected.begin(), expected.end());
  if (there == received.end() && wanted == expected.end()) return {};
  return "after " + std::to_string(there - received.begin()) + " of " + std::to_string(received.size()) +
         " records: " + (there == received.end() ? "the end" : *there) + " in place of " +
         (wanted == expected.end() ? "the end" : *wanted);
}

std::vector<std::string> Station::numbered(int from, int to) {
  std::vector<std::string> records;
  for (int i = from; i <= to; ++i) records.push_back(std::to_string(i));
  return records;
}

}  // namespace leat::sources
