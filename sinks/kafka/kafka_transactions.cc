#include "sinks/kafka/kafka_transactions.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <memory>
#include <thread>

#include "sources/clients/kafka_client.h"

namespace leat::sinks {

namespace {

using Clock = std::chrono::steady_clock;
using Kind = TransactionError::Kind;

constexpr int kSliceMillis = 500;
constexpr int kProgressPartition = 0;
constexpr std::chrono::milliseconds kUnstablePause{50};

template <auto Destroy>
struct Destroyer {
  template <class T>
  void operator()(T* object) const {
    Destroy(object);
  }
};
using Failure = std::unique_ptr<rd_kafka_error_t, Destroyer<rd_kafka_error_destroy>>;
using Partitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Destroyer<rd_kafka_topic_partition_list_destroy>>;
using Group =
    std::unique_ptr<rd_kafka_consumer_group_metadata_t, Destroyer<rd_kafka_consumer_group_metadata_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroyer<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroyer<rd_kafka_event_destroy>>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, Destroyer<rd_kafka_AdminOptions_destroy>>;
using OffsetsRequest = std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t,
                                       Destroyer<rd_kafka_ListConsumerGroupOffsets_destroy>>;

bool is_fenced(int code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

TransactionError to_error(rd_kafka_t& client, const rd_kafka_error_t& failure) {
  TransactionError error;
  error.code = rd_kafka_error_code(&failure);
  error.text = rd_kafka_error_string(&failure);
  std::array<char, 512> text{};
  const int fatal = rd_kafka_fatal_error(&client, text.data(), text.size());
  if (is_fenced(error.code) || is_fenced(fatal))
    error.kind = Kind::kFenced;
  else if (fatal != 0 || rd_kafka_error_is_fatal(&failure) != 0)
    error.kind = Kind::kFatal;
  else if (rd_kafka_error_txn_requires_abort(&failure) != 0)
    error.kind = Kind::kAbort;
  else if (rd_kafka_error_is_retriable(&failure) != 0)
    error.kind = Kind::kRetriable;
  return error;
}

Partitions one_partition(const std::string& topic) {
  Partitions list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), kProgressPartition);
  return list;
}

/// The metadata of the answer's one partition.
Result<std::optional<std::string>> read_offset(const rd_kafka_topic_partition_list_t& list) {
  for (int i = 0; i < list.cnt; ++i) {
    const rd_kafka_topic_partition_t& partition = list.elems[i];
    if (partition.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(ErrorCode::kUnavailable, rd_kafka_err2str(partition.err));
    if (partition.offset < 0) return std::nullopt;
    return std::string(static_cast<const char*>(partition.metadata), partition.metadata_size);
  }
  return std::nullopt;
}

Result<std::optional<std::string>> read_answer(rd_kafka_event_t* event) {
  if (event == nullptr) return fail(ErrorCode::kUnavailable, "the broker does not answer");
  if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return fail(ErrorCode::kUnavailable, rd_kafka_event_error_string(event));
  const auto* result = rd_kafka_event_ListConsumerGroupOffsets_result(event);
  std::size_t count = 0;
  const rd_kafka_group_result_t** groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count);
  if (count != 1) return fail(ErrorCode::kUnavailable, "the broker names no group");
  if (const rd_kafka_error_t* error = rd_kafka_group_result_error(groups[0]); error != nullptr)
    return fail(ErrorCode::kUnavailable, rd_kafka_error_string(error));
  return read_offset(*rd_kafka_group_result_partitions(groups[0]));
}

}  // namespace

template <class Call>
TransactionStatus KafkaTransactions::patiently(Call call) {
  const auto until = Clock::now() + patience_;
  for (;;) {
    const Failure failure(call());
    if (!failure) return {};
    TransactionError error = to_error(client_, *failure);
    if (error.kind != Kind::kRetriable || give_up_() || Clock::now() >= until)
      return tl::unexpected<TransactionError>(std::move(error));
    rd_kafka_poll(&client_, 0);
  }
}

TransactionStatus KafkaTransactions::init() {
  return patiently([this] { return rd_kafka_init_transactions(&client_, kSliceMillis); });
}

TransactionStatus KafkaTransactions::begin() {
  return patiently([this] { return rd_kafka_begin_transaction(&client_); });
}

TransactionStatus KafkaTransactions::send_progress(const std::string& topic, std::uint64_t number,
                                                   const std::string& metadata) {
  const Partitions offsets = one_partition(topic);
  rd_kafka_topic_partition_t& partition = offsets->elems[0];
  partition.offset = static_cast<std::int64_t>(number);
  // The list owns its metadata and frees it with the C library's call.
  partition.metadata = ::strdup(metadata.c_str());
  partition.metadata_size = metadata.size();
  const Group group(rd_kafka_consumer_group_metadata_new(group_.c_str()));
  return patiently([&] {
    return rd_kafka_send_offsets_to_transaction(&client_, offsets.get(), group.get(), kSliceMillis);
  });
}

TransactionStatus KafkaTransactions::commit() {
  return patiently([this] { return rd_kafka_commit_transaction(&client_, kSliceMillis); });
}

TransactionStatus KafkaTransactions::abort() {
  return patiently([this] { return rd_kafka_abort_transaction(&client_, kSliceMillis); });
}

// The coordinator marks a transaction as decided before the group's coordinator has written its offsets into
// place: without "require stable" the number of before could be read, and the shipment be sent twice.
Result<std::optional<std::string>> KafkaTransactions::committed(const std::string& topic) {
  const auto until = Clock::now() + patience_;
  const Queue answers(rd_kafka_queue_new(&client_));
  const AdminOptions options(rd_kafka_AdminOptions_new(&client_, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS));
  std::array<char, 256> text{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(kSliceMillis) * 10, text.data(),
                                            text.size());
  const Failure refused(rd_kafka_AdminOptions_set_require_stable_offsets(options.get(), 1));
  if (refused) return fail(ErrorCode::kInternal, rd_kafka_error_string(refused.get()));
  for (;;) {
    const Partitions wanted = one_partition(topic);
    OffsetsRequest request(rd_kafka_ListConsumerGroupOffsets_new(group_.c_str(), wanted.get()));
    rd_kafka_ListConsumerGroupOffsets_t* requests = request.get();
    rd_kafka_ListConsumerGroupOffsets(&client_, &requests, 1, options.get(), answers.get());
    Event event;
    while (!event && !give_up_() && Clock::now() < until) {
      event.reset(rd_kafka_queue_poll(answers.get(), kSliceMillis));
      rd_kafka_poll(&client_, 0);
    }
    auto answer = read_answer(event.get());
    if (answer || give_up_() || Clock::now() >= until) return answer;
    std::this_thread::sleep_for(kUnstablePause);
  }
}

}  // namespace leat::sinks
