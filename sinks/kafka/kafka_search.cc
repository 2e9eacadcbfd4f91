#include "sinks/kafka/kafka_search.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "sinks/kafka/kafka_progress.h"

namespace leat::sinks {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMillis = 200;
constexpr int kCallMillis = 3'000;
/// A broker that sends nothing for so long is away, or holds a message back for an open transaction.
constexpr std::chrono::seconds kSilence{30};

struct MessageDeleter {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using Message = std::unique_ptr<rd_kafka_message_t, MessageDeleter>;

struct Range {
  std::int64_t next = 0;
  std::int64_t end = 0;
};
using Ranges = std::map<std::int32_t, Range>;

tl::unexpected<Error> away(int code) {
  return fail(ErrorCode::kUnavailable,
              fmt::format("the topic cannot be searched: {}", clients::kafka_error_text(code)));
}

Result<int> partitions_of(rd_kafka_t& client, const std::string& topic) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(&client, topic.c_str(), nullptr);
  const struct rd_kafka_metadata* metadata = nullptr;
  const auto code = rd_kafka_metadata(&client, 0, handle, &metadata, kCallMillis);
  rd_kafka_topic_destroy(handle);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return away(code);
  const auto error = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
  const int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
  rd_kafka_metadata_destroy(metadata);
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) return 0;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return away(error);
  return count;
}

struct Bounds {
  std::int64_t low = 0;
  std::int64_t high = 0;
};
Result<Bounds> bounds_of(rd_kafka_t& client, const std::string& topic, int partition) {
  Bounds bounds;
  const auto code = rd_kafka_query_watermark_offsets(&client, topic.c_str(), partition, &bounds.low,
                                                     &bounds.high, kCallMillis);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return away(code);
  return bounds;
}

/// Per partition, what is to be read. The ends are those of everything that was written (the client here
/// reads uncommitted), also behind an open transaction. kGap: a beginning that is gone.
Result<Found> ranges_of(rd_kafka_t& client, const KafkaSearch& wanted, Ranges& ranges) {
  LEAT_ASSIGN(const int partitions, partitions_of(client, wanted.topic));
  if (static_cast<std::size_t>(partitions) < wanted.ends.size()) return Found::kGap;
  for (int partition = 0; partition < partitions; ++partition) {
    LEAT_ASSIGN(const Bounds bounds, bounds_of(client, wanted.topic, partition));
    const auto index = static_cast<std::size_t>(partition);
    const bool known = index < wanted.ends.size();
    const std::int64_t from = known ? wanted.ends[index] : bounds.low;
    if (from < bounds.low || from > bounds.high) return Found::kGap;
    if (from < bounds.high) ranges[partition] = {from, bounds.high};
  }
  return Found::kNothing;
}

bool has_name(const rd_kafka_message_t& message, const std::string& name) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  return rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
         rd_kafka_header_get_last(headers, "leat-shipment", &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR &&
         std::string_view(static_cast<const char*>(value), size) == name;
}

std::uint64_t digest_of(const rd_kafka_message_t& message) {
  Record record;
  record.key = {static_cast<const char*>(message.key), message.key_len};
  if (message.payload == nullptr) record.kind = Record::Kind::kTombstone;
  record.payload = {static_cast<const char*>(message.payload), message.len};
  return record_digest(record);
}

/// The shipment's own records without their headers, which travel among others.
std::set<std::uint64_t> digests_of(std::span<const Record> records) {
  std::set<std::uint64_t> digests;
  for (const Record& record : records) {
    Record bare;
    bare.key = record.key;
    bare.payload = record.payload;
    bare.kind = record.kind;
    digests.insert(record_digest(bare));
  }
  return digests;
}

Result<Found> read(rd_kafka_t& client, Ranges ranges, const KafkaSearch& wanted,
                   const std::atomic<bool>& interrupted) {
  const std::set<std::uint64_t> ours = digests_of(wanted.records);
  Found found = Found::kNothing;
  auto heard = Clock::now();
  while (!ranges.empty()) {
    if (interrupted) return fail(ErrorCode::kCancelled, "interrupted");
    if (Clock::now() - heard > kSilence)
      return fail(
          ErrorCode::kUnavailable,
          fmt::format("topic {} cannot be searched to its end: the broker is silent, or a transaction of "
                      "another producer is open",
                      wanted.topic));
    const Message message(rd_kafka_consumer_poll(&client, kPollMillis));
    if (!message) continue;
    const auto range = ranges.find(message->partition);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
      continue;
    if (range == ranges.end()) continue;
    const bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (!is_end && has_name(*message, wanted.name)) {
      if (ours.count(digest_of(*message)) == 0) return Found::kAnother;
      found = Found::kShipment;
    }
    if (!is_end || message->offset > range->second.next) heard = Clock::now();
    range->second.next = is_end ? message->offset : message->offset + 1;
    if (range->second.next >= range->second.end) ranges.erase(range);
  }
  return found;
}

void begin_at(rd_kafka_t& client, const std::string& topic, const Ranges& ranges) {
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(static_cast<int>(ranges.size()));
  for (const auto& [partition, range] : ranges)
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = range.next;
  rd_kafka_assign(&client, list);
  rd_kafka_topic_partition_list_destroy(list);
}

}  // namespace

Result<std::vector<std::int64_t>> ends_of(rd_kafka_s& client, const std::string& topic) {
  LEAT_ASSIGN(const int partitions, partitions_of(client, topic));
  std::vector<std::int64_t> ends;
  for (int partition = 0; partition < partitions; ++partition) {
    LEAT_ASSIGN(const Bounds bounds, bounds_of(client, topic, partition));
    ends.push_back(bounds.high);
  }
  return ends;
}

Result<Found> search(clients::KafkaConf conf, const KafkaSearch& wanted,
                     const std::atomic<bool>& interrupted) {
  LEAT_TRY(clients::set_kafka_property(*conf, "group.id", "leat-search"));
  LEAT_TRY(clients::set_kafka_property(*conf, "enable.auto.commit", "false"));
  LEAT_TRY(clients::set_kafka_property(*conf, "enable.partition.eof", "true"));
  clients::KafkaConf all(rd_kafka_conf_dup(conf.get()));
  LEAT_TRY(clients::set_kafka_property(*all, "isolation.level", "read_uncommitted"));
  LEAT_TRY(clients::set_kafka_property(*conf, "isolation.level", "read_committed"));
  Ranges ranges;
  {
    LEAT_ASSIGN(const clients::KafkaClient client, clients::make_kafka_consumer(std::move(all)));
    LEAT_ASSIGN(const Found possible, ranges_of(*client, wanted, ranges));
    if (possible == Found::kGap) return possible;
  }
  if (ranges.empty()) return Found::kNothing;
  LEAT_ASSIGN(const clients::KafkaClient client, clients::make_kafka_consumer(std::move(conf)));
  begin_at(*client, wanted.topic, ranges);
  auto found = read(*client, std::move(ranges), wanted, interrupted);
  rd_kafka_consumer_close(client.get());
  return found;
}

}  // namespace leat::sinks
