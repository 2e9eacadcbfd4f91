// One producer of librdkafka and the records of one shipment that are under way in it. All calls, and all of
// the library's callbacks, are on the delivery thread; only the flag of `produce` is set by others.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/base/time.h"
#include "sinks/block.h"
#include "sinks/kafka/kafka_options.h"
#include "sources/clients/kafka_client.h"

namespace leat::sinks {

/// A record that was not delivered.
struct FailedRecord {
  std::uint32_t index = 0;
  int code = 0;
  /// Found too large before it was sent, so that it is certain which one it is; a broker only refuses
  /// batches.
  bool found_locally = false;
};

/// What came of a shipment's records: all that are not here are delivered.
struct ProduceReport {
  std::vector<FailedRecord> failed;
  int event_code = 0;        ///< The last error that was about no record (connection, credentials); 0: none.
  std::string event_reason;  ///< Its text.
  bool spent = false;        ///< The producer must not be used again (fatal error, records still under way).
  std::vector<std::int64_t>
      ends;  ///< Per partition that took records, the offset behind the last one; else 0.
};

class KafkaProducer {
 public:
  /// `conf` from `producer_conf`. Touches nothing before `produce`, but starts the library's threads.
  /// Errors: invalid.
  static Result<std::unique_ptr<KafkaProducer>> make(clients::KafkaConf conf, std::string topic,
                                                     KafkaKeys keys = KafkaKeys::kIfAny);
  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  /// Hands all records over and waits until each is reported: at the latest after the time-out of messages,
  /// or soon after `interrupted` is set. `common` headers go with every record.
  ProduceReport produce(std::span<const Record> records, const Headers& common,
                        const std::atomic<bool>& interrupted);

  // The same in two steps, for a transaction, in which one failure means that none counts.
  /// Hands the records over; false when one was refused before it was sent.
  bool hand_over(std::span<const Record> records, const Headers& common,
                 const std::atomic<bool>& interrupted);
  /// Waits until each is reported or one has failed. What is still under way then goes with the abort.
  ProduceReport await_all_or_first_failure(const std::atomic<bool>& interrupted);
  /// False while records are under way, which an abort should have ended.
  [[nodiscard]] bool quiet() const { return under_way_ == 0; }

  [[nodiscard]] rd_kafka_s& client() { return *client_; }
  [[nodiscard]] Micros limit() const { return limit_; }
  /// The last error that was about no record, since records were last handed over; empty: none.
  [[nodiscard]] const std::string& event_reason() const { return report_.event_reason; }
  [[nodiscard]] bool human_needed() const {
    return clients::judge_kafka_error(report_.event_code) == clients::KafkaFault::kHumanNeeded;
  }

 private:
  class Callbacks;
  KafkaProducer(std::string topic, KafkaKeys keys, Micros limit)
      : topic_(std::move(topic)), keys_(keys), limit_(limit) {}

  /// The library's error code; 0: the record is under way.
  int enqueue(const Record& record, std::uint32_t index, const Headers& common);
  [[nodiscard]] bool give_up(const std::atomic<bool>& interrupted) const;
  void drop_what_is_under_way();

  std::string topic_;
  KafkaKeys keys_;
  Micros limit_;  ///< No shipment takes longer; the library's own time-out ends before it.
  std::int64_t deadline_ = 0;
  std::uint64_t under_way_ = 0;
  ProduceReport report_;
  clients::KafkaClient client_;  // Last: its callbacks use the members above.
};

}  // namespace leat::sinks
