// The Kafka that the suite talks to: a real broker (tests/support/kafka_broker.py), or librdkafka's mock
// cluster in this process where no Java or Maven is; the output then says so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/sinks/external_process.h"

struct rd_kafka_s;
struct rd_kafka_mock_cluster_s;

namespace leat::contract {

struct SeenMessage {
  std::string key;
  std::string payload;
  std::string gateway;   ///< Header leat-gateway.
  std::string shipment;  ///< Header leat-shipment.
};

class KafkaBroker {
 public:
  /// One for the whole program, started when it is first asked for.
  static KafkaBroker& the_one();
  ~KafkaBroker();

  [[nodiscard]] bool real() const { return process_ != nullptr; }
  [[nodiscard]] const std::string& address() const { return address_; }
  void create_topic(const std::string& topic, int partitions = 1);
  /// There are so many from now on.
  void add_partitions(const std::string& topic, int partitions);
  /// A record for `produce`.
  struct Sent {
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::int64_t timestamp = 0;  ///< Milliseconds; 0: now.
    std::vector<std::pair<std::string, std::string>> headers;
  };
  /// Returns when all are there.
  void produce(const std::string& topic, const std::vector<Sent>& records, int partition = 0) const;
  /// Deletes what is before this offset of the partition.
  void delete_before(const std::string& topic, std::int64_t offset, int partition = 0) const;
  /// The offset that a group has committed of partition 0; -1001: none, or the broker cannot tell yet.
  [[nodiscard]] std::int64_t committed(const std::string& group, const std::string& topic) const;
  /// All messages of the topic's one partition that a `read_committed` consumer sees.
  [[nodiscard]] std::vector<SeenMessage> messages(const std::string& topic) const;
  /// As if its offsets had expired.
  void forget_group(const std::string& group) const;
  /// Writes this in a transaction of `id`, and goes away in the middle of it.
  void leave_open_transaction(const std::string& id, const std::string& topic,
                              const std::string& payload) const;
  void go_away();
  void come_back();

 private:
  KafkaBroker();
  void start_mock();

  std::unique_ptr<ExternalProcess> process_;
  rd_kafka_s* mock_owner_ = nullptr;
  rd_kafka_mock_cluster_s* mock_ = nullptr;
  std::string address_;
};

}  // namespace leat::contract
