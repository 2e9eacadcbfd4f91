#include "sinks/kafka/kafka_producer.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace leat::sinks {

namespace {

/// How long the library is waited for before the flag of `interrupted` is looked at again.
constexpr int kPollMillis = 50;
/// A shipment's limit behind the time-out of its messages, whose reports come a little late.
constexpr Micros kReportsLate{5 * kMicrosPerSecond};
/// How long the reports of dropped records are waited for.
constexpr Micros kDropping{2 * kMicrosPerSecond};

std::int64_t monotonic_micros() {
  return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Copies; the list is handed to the library.
rd_kafka_headers_t* to_library(const Headers& common, const Headers& own) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(common.size() + own.size());
  for (const Headers* list : {&common, &own})
    for (const auto& [name, value] : *list)
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
  return headers;
}

/// A record's index travels through the library as its opaque pointer.
void* to_opaque(std::uint32_t index) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(index));
}
std::uint32_t from_opaque(void* opaque) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(opaque));
}

}  // namespace

/// The library calls these from within rd_kafka_poll.
class KafkaProducer::Callbacks {
 public:
  static void install(rd_kafka_conf_t* conf, KafkaProducer& producer) {
    rd_kafka_conf_set_opaque(conf, &producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
  }

 private:
  static void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto& producer = *static_cast<KafkaProducer*>(opaque);
    --producer.under_way_;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      producer.report_.failed.push_back({from_opaque(message->_private), message->err, false});
      return;
    }
    const auto partition = static_cast<std::size_t>(std::max(message->partition, 0));
    std::vector<std::int64_t>& ends = producer.report_.ends;
    if (ends.size() <= partition) ends.resize(partition + 1);
    ends[partition] = std::max(ends[partition], message->offset + 1);
  }

  static void on_error(rd_kafka_t* client, int code, const char* reason, void* opaque) {
    ProduceReport& report = static_cast<KafkaProducer*>(opaque)->report_;
    // That all brokers are down says less than why the last one went.
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && report.event_code != 0) return;
    std::array<char, 512> text{};
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
      code = rd_kafka_fatal_error(client, text.data(), text.size());
      reason = text.data();
      report.spent = true;
    }
    report.event_code = code;
    report.event_reason = reason;
  }
};

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::make(clients::KafkaConf conf, std::string topic,
                                                           KafkaKeys keys) {
  LEAT_ASSIGN(const std::string timeout, clients::kafka_property(*conf, "message.timeout.ms"));
  std::int64_t millis = 0;
  std::from_chars(timeout.data(), timeout.data() + timeout.size(), millis);
  std::unique_ptr<KafkaProducer> producer(
      new KafkaProducer(std::move(topic), keys, Micros(millis * kMicrosPerMilli) + kReportsLate));
  Callbacks::install(conf.get(), *producer);
  LEAT_ASSIGN(producer->client_, clients::make_kafka_producer(std::move(conf)));
  return producer;
}

KafkaProducer::~KafkaProducer() = default;

ProduceReport KafkaProducer::produce(std::span<const Record> records, const Headers& common,
                                     const std::atomic<bool>& interrupted) {
  (void)hand_over(records, common, interrupted);
  while (under_way_ > 0 && !give_up(interrupted)) rd_kafka_poll(client_.get(), kPollMillis);
  if (under_way_ > 0) drop_what_is_under_way();
  std::sort(report_.failed.begin(), report_.failed.end(),
            [](const FailedRecord& a, const FailedRecord& b) { return a.index < b.index; });
  return std::exchange(report_, {});
}

bool KafkaProducer::hand_over(std::span<const Record> records, const Headers& common,
                              const std::atomic<bool>& interrupted) {
  report_ = {};
  deadline_ = monotonic_micros() + limit_.count();
  for (std::uint32_t index = 0; index < records.size(); ++index) {
    int code = enqueue(records[index], index, common);
    while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && !give_up(interrupted)) {
      rd_kafka_poll(client_.get(), kPollMillis);
      code = enqueue(records[index], index, common);
    }
    if (code != 0) report_.failed.push_back({index, code, true});
  }
  return report_.failed.empty();
}

ProduceReport KafkaProducer::await_all_or_first_failure(const std::atomic<bool>& interrupted) {
  while (under_way_ > 0 && report_.failed.empty() && !give_up(interrupted))
    rd_kafka_poll(client_.get(), kPollMillis);
  return std::exchange(report_, {});
}

int KafkaProducer::enqueue(const Record& record, std::uint32_t index, const Headers& common) {
  rd_kafka_headers_t* headers = to_library(common, record.headers);
  const bool has_key = keys_ == KafkaKeys::kAlways || !record.key.empty();
  const bool has_value = record.kind == Record::Kind::kValue;
  // The library takes views as pointers to data that it will not change; with this flag it copies them.
  const auto code = rd_kafka_producev(
      client_.get(), RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_KEY(has_key ? record.key.data() : nullptr, record.key.size()),
      RD_KAFKA_V_VALUE(has_value ? const_cast<char*>(record.payload.data()) : nullptr, record.payload.size()),
      RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(to_opaque(index)), RD_KAFKA_V_END);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    ++under_way_;
  else
    rd_kafka_headers_destroy(headers);
  return code;
}

bool KafkaProducer::give_up(const std::atomic<bool>& interrupted) const {
  return interrupted || report_.spent || monotonic_micros() >= deadline_ ||
         clients::judge_kafka_error(report_.event_code) == clients::KafkaFault::kHumanNeeded;
}

void KafkaProducer::drop_what_is_under_way() {
  report_.spent = true;
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  const std::int64_t until = monotonic_micros() + kDropping.count();
  while (under_way_ > 0 && monotonic_micros() < until) rd_kafka_poll(client_.get(), kPollMillis);
}

}  // namespace leat::sinks
