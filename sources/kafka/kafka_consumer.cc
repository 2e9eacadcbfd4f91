#include "sources/kafka/kafka_consumer.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace leat::sources {
namespace {

using clients::kafka_error_text;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

struct TopicDeleter {
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};
struct MetadataDeleter {
  void operator()(const struct rd_kafka_metadata* metadata) const { rd_kafka_metadata_destroy(metadata); }
};
using Metadata = std::unique_ptr<const struct rd_kafka_metadata, MetadataDeleter>;

PartitionList make_list(std::span<const KafkaPartition> partitions, std::int64_t offset) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const KafkaPartition& partition : partitions)
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number)->offset = offset;
  return list;
}

std::span<const rd_kafka_topic_partition_t> elements_of(const PartitionList& list) {
  return {list->elems, static_cast<std::size_t>(list->cnt)};
}

/// Kafka's own, such as __consumer_offsets.
bool is_internal(std::string_view topic) {
  return topic.starts_with("__");
}

void add_partitions(const rd_kafka_metadata_topic& topic, FoundPartitions& found) {
  for (int i = 0; i < topic.partition_cnt; ++i)
    found.partitions.push_back({topic.topic, topic.partitions[i].id});
}

void add_trouble(std::string text, FoundPartitions& found) {
  found.trouble += (found.trouble.empty() ? "" : "; ") + std::move(text);
}

bool is_missing(int code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

}  // namespace

void KafkaMessageDeleter::operator()(rd_kafka_message_s* message) const {
  rd_kafka_message_destroy(message);
}

void KafkaConsumer::QueueDeleter::operator()(rd_kafka_queue_s* queue) const {
  rd_kafka_queue_destroy(queue);
}

// ---- Events ----------------------------------------------------------------------------------------------

class KafkaConsumer::Callbacks {
 public:
  static void on_error(rd_kafka_t* client, int code, const char* reason, void* opaque) {
    auto& consumer = *static_cast<KafkaConsumer*>(opaque);
    std::array<char, 512> fatal{};
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
      rd_kafka_fatal_error(client, fatal.data(), fatal.size());
      reason = fatal.data();
    }
    // That all are away is no reason by itself; why they are was said before. A refusal tells more than the
    // lost connections that follow from it.
    const bool refused = clients::judge_kafka_error(code) == clients::KafkaFault::kHumanNeeded;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) consumer.cut_off_ = true;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !consumer.trouble_.empty()) return;
    if (consumer.refused_ && !refused) return;
    consumer.refused_ = refused;
    consumer.trouble_ = reason;
  }
};

void KafkaConsumer::forget_trouble() {
  cut_off_ = false;
  refused_ = false;
  trouble_.clear();
}

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::make(clients::KafkaConf conf) {
  std::unique_ptr<KafkaConsumer> consumer(new KafkaConsumer());
  rd_kafka_conf_set_opaque(conf.get(), consumer.get());
  rd_kafka_conf_set_error_cb(conf.get(), &Callbacks::on_error);
  LEAT_ASSIGN(consumer->client_, clients::make_kafka_consumer(std::move(conf)));
  consumer->queue_.reset(rd_kafka_queue_get_consumer(consumer->client_.get()));
  return consumer;
}

KafkaConsumer::~KafkaConsumer() {
  if (!client_) return;  // The library has refused its properties.
  rd_kafka_assign(client_.get(), nullptr);
  queue_.reset();
  // Joined by no group, it has nothing to leave.
  rd_kafka_destroy_flags(client_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

// ---- Questions -------------------------------------------------------------------------------------------

tl::unexpected<Error> KafkaConsumer::unanswered(int code) {
  patience_millis_ = std::min(kMostPatience, 2 * patience_millis_);
  // What the library has to say about it waits in its queue.
  std::vector<KafkaMessage> ignored;
  poll(0, ignored);
  return fail(ErrorCode::kUnavailable, trouble_.empty() ? kafka_error_text(code) : trouble_);
}

Result<FoundPartitions> KafkaConsumer::find(const TopicSelection& selection) {
  FoundPartitions found;
  if (selection.topics.empty()) LEAT_TRY(add_matching(selection.pattern, found));
  for (const std::string& topic : selection.topics) LEAT_TRY(add_topic(topic, found));
  std::sort(found.partitions.begin(), found.partitions.end());
  answered();
  return found;
}

Status KafkaConsumer::add_topic(const std::string& topic, FoundPartitions& found) {
  const std::unique_ptr<rd_kafka_topic_t, TopicDeleter> handle(
      rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr));
  const struct rd_kafka_metadata* answer = nullptr;
  const auto code = rd_kafka_metadata(client_.get(), 0, handle.get(), &answer, patience_millis_);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return unanswered(code);
  const Metadata metadata(answer);
  const auto error =
      metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (is_missing(error))
    add_trouble(fmt::format("topic '{}' does not exist", topic), found);
  else if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
    add_trouble(fmt::format("topic '{}': {}", topic, kafka_error_text(error)), found);
  else
    add_partitions(metadata->topics[0], found);
  return {};
}

Status KafkaConsumer::add_matching(const std::string& pattern, FoundPartitions& found) {
  const struct rd_kafka_metadata* answer = nullptr;
  const auto code = rd_kafka_metadata(client_.get(), 1, nullptr, &answer, patience_millis_);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return unanswered(code);
  const Metadata metadata(answer);
  const RE2 regex(pattern, RE2::Quiet);
  for (const rd_kafka_metadata_topic& topic :
       std::span(metadata->topics, static_cast<std::size_t>(metadata->topic_cnt)))
    if (!is_internal(topic.topic) && RE2::FullMatch(topic.topic, regex)) add_partitions(topic, found);
  if (found.partitions.empty()) add_trouble(fmt::format("no topic matches '{}'", pattern), found);
  return {};
}

Result<KafkaBounds> KafkaConsumer::bounds(const KafkaPartition& partition) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto code = rd_kafka_query_watermark_offsets(client_.get(), partition.topic.c_str(), partition.number,
                                                     &low, &high, patience_millis_);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return unanswered(code);
  answered();
  return KafkaBounds{static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high)};
}

namespace {

Result<KafkaOffsets> offsets_in(const PartitionList& list) {
  KafkaOffsets offsets;
  for (const rd_kafka_topic_partition_t& element : elements_of(list)) {
    if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", split_name(element.topic, element.partition),
                                                       kafka_error_text(element.err)));
    if (element.offset >= 0)
      offsets[{element.topic, element.partition}] = static_cast<std::uint64_t>(element.offset);
  }
  return offsets;
}

}  // namespace

Result<KafkaOffsets> KafkaConsumer::committed(std::span<const KafkaPartition> partitions) {
  const PartitionList list = make_list(partitions, RD_KAFKA_OFFSET_INVALID);
  const auto code = rd_kafka_committed(client_.get(), list.get(), patience_millis_);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return unanswered(code);
  answered();
  return offsets_in(list);
}

Result<KafkaOffsets> KafkaConsumer::at_time(std::span<const KafkaPartition> partitions,
                                            std::int64_t timestamp) {
  const PartitionList list = make_list(partitions, timestamp);
  const auto code = rd_kafka_offsets_for_times(client_.get(), list.get(), patience_millis_);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return unanswered(code);
  answered();
  return offsets_in(list);
}

// ---- Messages --------------------------------------------------------------------------------------------

Status KafkaConsumer::read(const KafkaOffsets& places) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
  for (const auto& [partition, offset] : places)
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number)->offset =
        static_cast<std::int64_t>(offset);
  const auto code = rd_kafka_assign(client_.get(), list.get());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return fail(ErrorCode::kInternal, fmt::format("kafka: {}", kafka_error_text(code)));
}

void KafkaConsumer::finish(const KafkaPartition& partition) {
  const PartitionList list = make_list(std::span(&partition, 1), RD_KAFKA_OFFSET_INVALID);
  rd_kafka_pause_partitions(client_.get(), list.get());
}

void KafkaConsumer::poll(int wait_millis, std::vector<KafkaMessage>& messages) {
  constexpr std::size_t kMostAtOnce = 512;
  KafkaMessage first(rd_kafka_consumer_poll(client_.get(), wait_millis));
  if (!first) return;
  messages.push_back(std::move(first));
  // With a time to wait this call would wait until all places are filled.
  std::array<rd_kafka_message_t*, kMostAtOnce> more{};
  const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 0, more.data(), more.size());
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i)
    messages.emplace_back(more[i]);
  constexpr std::size_t kMany = 4'096;
  taken_at_once_ += messages.size();
  if (rd_kafka_queue_length(queue_.get()) > 0) return;
  if (std::exchange(taken_at_once_, 0) >= kMany) wake_fetcher(*messages.back());
}

void KafkaConsumer::wake_fetcher(const rd_kafka_message_s& last) {
  constexpr std::chrono::milliseconds kSeldom{20};
  const auto now = std::chrono::steady_clock::now();
  if (last.rkt == nullptr || now - woken_ < kSeldom) return;
  woken_ = now;
  std::int64_t low = 0;
  std::int64_t high = 0;
  rd_kafka_query_watermark_offsets(client_.get(), rd_kafka_topic_name(last.rkt), last.partition, &low, &high,
                                   1);
}

// ---- The group -------------------------------------------------------------------------------------------

OffsetPublisher::OffsetPublisher(KafkaConsumer& consumer)
    : consumer_(consumer), answers_(rd_kafka_queue_new(consumer.client_.get())) {}

OffsetPublisher::~OffsetPublisher() {
  constexpr int kLastWaitMillis = 1'000;
  while (under_way_ > 0 && take_answer(kLastWaitMillis)) {
  }
}

void OffsetPublisher::publish(const KafkaPlaces& places) {
  while (take_answer(0)) {
  }
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(places.size())));
  for (const auto& [split, place] : places) {
    KafkaPlace& known = published_[split];
    if (std::exchange(known.next, place.next) == place.next) continue;
    const std::string topic(topic_of_split(split));
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), number_of_split(split))->offset =
        static_cast<std::int64_t>(place.next);
  }
  if (list->cnt == 0) return;
  const auto code =
      rd_kafka_commit_queue(consumer_.client_.get(), list.get(), answers_.get(), nullptr, nullptr);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) ++under_way_;
}

bool OffsetPublisher::take_answer(int wait_millis) {
  rd_kafka_event_t* const answer = rd_kafka_queue_poll(answers_.get(), wait_millis);
  if (answer == nullptr) return false;
  const rd_kafka_resp_err_t code = rd_kafka_event_error(answer);
  rd_kafka_event_destroy(answer);
  --under_way_;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) published_.clear();  // All goes again with the next commit.
  const std::scoped_lock lock(mutex_);
  trouble_ = code == RD_KAFKA_RESP_ERR_NO_ERROR ? std::string() : kafka_error_text(code);
  return true;
}

std::string OffsetPublisher::trouble() const {
  const std::scoped_lock lock(mutex_);
  return trouble_;
}

}  // namespace leat::sources
