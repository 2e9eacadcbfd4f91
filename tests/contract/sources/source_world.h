// The worlds that sources live in, each behind the same few verbs, so that one suite can hold all of them to
// the contract. A record's text is its number: "1", "2", …
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "sources/clients/local_stream.h"
#include "sources/clients/local_table.h"
#include "sources/http/http_ports.h"
#include "sources/listen/listener.h"
#include "sources/source.h"
#include "tests/contract/sinks/kafka_broker.h"
#include "tests/support/eventually.h"
#include "tests/support/modbus_device.h"
#include "tests/support/mosquitto.h"
#include "tests/support/temporary_folder.h"

namespace leat::sources {

using test::eventually;

class SourceWorld {
 public:
  virtual ~SourceWorld() = default;
  [[nodiscard]] virtual std::string connector() const = 0;
  /// Of a source named `table`; a following one, for files.
  [[nodiscard]] virtual OptionMap options(const std::string& table) const = 0;
  /// The broker, the folder, … is there from now on.
  virtual void appear() {}
  /// Records numbered from … to are there for all sources.
  virtual void provide(int from, int to) = 0;
  /// The tables of a store, where the world is one.
  [[nodiscard]] virtual LocalTableReader* tables() const { return nullptr; }
  /// The addresses that its sources share.
  [[nodiscard]] virtual HttpPorts* ports() const { return nullptr; }
  [[nodiscard]] virtual StreamReader* streams() const { return nullptr; }
  /// What the messages of this world carry.
  [[nodiscard]] virtual std::vector<std::string> records(const Message& message) const = 0;
};

class DatagenWorld final : public SourceWorld {
 public:
  [[nodiscard]] std::string connector() const override { return "datagen"; }
  [[nodiscard]] OptionMap options(const std::string&) const override {
    return {{"rows-per-second", "1000000000"},
            {"fields.id.kind", "sequence"},
            {"fields.id.start", "1"},
            {"fields.id.end", std::to_string(last_)}};
  }
  void provide(int, int to) override { last_ = to; }
  [[nodiscard]] std::vector<std::string> records(const Message& message) const override;

 private:
  int last_ = 1;
};

/// A table of a store that is none: its rows are numbers.
class SqliteWorld final : public SourceWorld, private LocalTableReader {
 public:
  [[nodiscard]] std::string connector() const override { return "sqlite"; }
  [[nodiscard]] OptionMap options(const std::string&) const override { return {{"table", "numbers"}}; }
  void provide(int, int to) override {
    if (to > last_) last_ = to;
  }
  [[nodiscard]] LocalTableReader* tables() const override { return const_cast<SqliteWorld*>(this); }
  [[nodiscard]] std::vector<std::string> records(const Message& message) const override;

 private:
  Result<std::unique_ptr<LocalTableScan>> scan_table(const LocalTable& table,
                                                     const std::vector<std::size_t>& columns,
                                                     LocalTableRange& range) override;
  std::atomic<std::int64_t> last_ = 1;
};

/// A stream of a store that is none: its rows are numbers, some in a block.
class StreamWorld final : public SourceWorld, private StreamReader {
 public:
  [[nodiscard]] std::string connector() const override { return "stream"; }
  [[nodiscard]] OptionMap options(const std::string&) const override { return {{"stream", "numbers"}}; }
  void provide(int from, int to) override;
  [[nodiscard]] StreamReader* streams() const override { return const_cast<StreamWorld*>(this); }
  [[nodiscard]] std::vector<std::string> records(const Message& message) const override;

 private:
  Result<std::vector<StreamBlock>> read_stream(const StreamReaderName& reader, std::uint64_t after,
                                               std::uint64_t max_bytes) override;
  void on_stream(const StreamReaderName& reader, std::function<void()> wake) override;

  std::mutex mutex_;  // Guards what follows.
  std::vector<StreamBlock> blocks_;
  std::map<std::string, std::function<void()>> wakes_;  // By table.
};

class FilesystemWorld final : public SourceWorld {
 public:
  [[nodiscard]] std::string connector() const override { return "filesystem"; }
  [[nodiscard]] OptionMap options(const std::string&) const override {
    return {{"path", folder_.file("in")}, {"source.monitor-interval", "2 ms"}};
  }
  void appear() override { std::filesystem::create_directories(folder_.file("in")); }
  void provide(int from, int to) override;
  [[nodiscard]] std::vector<std::string> records(const Message& message) const override;

 private:
  test::TemporaryFolder folder_;
  int files_ = 0;
};

class MqttWorld final : public SourceWorld {
 public:
  MqttWorld() = default;
  [[nodiscard]] std::string connector() const override { return "mqtt"; }
  [[nodiscard]] OptionMap options(const std::string&) const override {
    return {{"url", broker.url()},
            {"topic", "site/+"},
            {"connect-timeout", "3 s"},
            {"reconnect.min-delay", "10 ms"},
            {"reconnect.max-delay", "100 ms"},
            {"max-packet-size", "8 kb"},
            {"journal.size", "4 mb"},
            {"journal.sync-interval", "1 ms"}};
  }
  void appear() override;
  void provide(int from, int to) override;
  [[nodiscard]] std::vector<std::string> records(const Message& message) const override {
    return {std::string(message.payload)};
  }

  test::MosquittoServer broker;
};

/// Devices that send to an address, one for each table: every record is a request with a key of its own, sent
/// until it is taken, in order.
class HttpWorld final : public SourceWorld {
 public:
  HttpWorld();
  ~HttpWorld() override;
  [[nodiscard]] std::string connector() const override { return "http"; }
  [[nodiscard]] OptionMap options(const std::string& table) const override;
  void appear() override { taken_.reset(); }
  void provide(int from, int to) override;
  [[nodiscard]] HttpPorts* ports() const override { return &ports_; }
  [[nodiscard]] std::vector<std::string> records(const Message& message) const override {
    return {std::string(message.payload)};
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  class Device;
  std::unique_ptr<listen::BoundSocket> taken_;  // Somebody else has the address until the world appears.
  std::uint16_t port_ = 0;
  mutable HttpPorts ports_;
  mutable std::map<std::string, std::unique_ptr<Device>> devices_;  // By table.
};

/// Devices behind one address, one for each table: each reading of its registers gives the next record, and
/// the device is busy while there is none.
class ModbusWorld final : public SourceWorld {
 public:
  ModbusWorld();
  /// The device's thread ends before what its behaviour counts with.
  ~ModbusWorld() override { device.leave(); }
  [[nodiscard]] std::string connector() const override { return "modbus"; }
  [[nodiscard]] OptionMap options(const std::string& table) const override;
  void appear() override { REQUIRE(device.listen()); }
  void provide(int, int to) override { last_ = to; }
  [[nodiscard]] std::vector<std::string> records(const Message& message) const override;

  test::ModbusDevice device;

 private:
  std::atomic<int> last_ = 0;
  std::map<std::uint8_t, int> given_;         // By unit; with the device's lock held.
  mutable std::map<std::string, int> units_;  // By table.
};

/// A topic with one partition, of the broker that the whole program shares.
class KafkaWorld final : public SourceWorld {
 public:
  [[nodiscard]] std::string connector() const override { return "kafka"; }
  [[nodiscard]] OptionMap options(const std::string&) const override {
    return {{"properties.bootstrap.servers", broker.address()},
            {"properties.reconnect.backoff.max.ms", "500"},
            {"scan.startup.mode", "earliest-offset"},
            {"topic", topic}};
  }
  void appear() override { broker.create_topic(topic); }
  void provide(int from, int to) override;
  [[nodiscard]] std::vector<std::string> records(const Message& message) const override {
    return {std::string(message.payload)};
  }

  contract::KafkaBroker& broker = contract::KafkaBroker::the_one();
  const std::string topic = next_topic();

 private:
  static std::string next_topic();
};

/// A source with its intake, and the loop that reads them: what the runtime is in a daemon. A journal lies in
/// a folder of its own and survives `restart`.
class Station {
 public:
  explicit Station(const SourceWorld& world, std::string table = "readings");
  ~Station() { stop(); }

  /// Options beside those of the world.
  OptionMap extra;
  /// Size of a queue in memory, in place of the connector's.
  std::uint64_t queue_bytes = 0;
  /// Stands between source and intake, if set.
  std::function<std::unique_ptr<Intake>(std::unique_ptr<Intake>)> wrap;
  std::vector<std::string> metadata_keys;
  std::vector<Type> metadata_types;

  void build();
  Status start();
  void stop();
  /// A new process: everything is built anew and goes on behind the last `commit`.
  void restart();

  /// Takes what there is, up to `max_bytes`, as the engine does.
  void pump(std::size_t max_bytes = 1 << 20);
  void commit();
  /// Pumps (and commits) until `count` records have come; false after the deadline.
  bool receive(std::size_t count);

  [[nodiscard]] SourceHealth::Link link() const { return source->health().link; }
  [[nodiscard]] static std::vector<std::string> numbered(int from, int to);
  /// Where `received` differs from the numbers 1 … `to`; empty: nowhere.
  [[nodiscard]] std::string difference(int to) const;

  std::unique_ptr<Intake> intake;
  std::unique_ptr<Source> source;
  std::vector<std::string> received;
  std::string committed;
  MessageNumber committed_number;
  std::atomic<std::int64_t> now{1'000'000};
  std::int64_t clock_step = 1000;  ///< How far the clock goes on each time a source looks at it.

 private:
  [[nodiscard]] Result<std::unique_ptr<Intake>> make_intake() const;

  const SourceWorld& world_;
  const std::string table_;
  const SourceConnector* connector_ = nullptr;
  OptionMap options_;
  test::TemporaryFolder folder_;
  std::unique_ptr<PositionTracker> tracker_;
  std::map<std::string, std::string> kept_;  // What the commit keeps of the source's memory.
  MessageNumber consumed_;
};

}  // namespace leat::sources
