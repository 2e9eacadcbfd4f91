#include "tests/contract/sinks/kafka_broker.h"

#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <cstdio>
#include <functional>

namespace leat::contract {

namespace {

constexpr int kNoJava = 3;
constexpr int kMockBroker = 1;
constexpr int kCallMillis = 60'000;

using Client = std::unique_ptr<rd_kafka_t, void (*)(rd_kafka_t*)>;

Client make_client(rd_kafka_type_t type, const std::string& address,
                   const std::string& transactional_id = {}) {
  std::array<char, 512> error{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, nullptr);
  rd_kafka_conf_set(conf, "bootstrap.servers", address.c_str(), nullptr, 0);
  rd_kafka_conf_set(conf, "group.id", "contract", nullptr, 0);
  // The first records of a topic may have to be sent again, and keep their order.
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set(conf, "enable.idempotence", "true", nullptr, 0);
  if (!transactional_id.empty())
    rd_kafka_conf_set(conf, "transactional.id", transactional_id.c_str(), nullptr, 0);
  rd_kafka_conf_set(conf, "enable.partition.eof", "true", nullptr, 0);
  rd_kafka_conf_set(conf, "reconnect.backoff.max.ms", "500", nullptr, 0);
  Client client(rd_kafka_new(type, conf, error.data(), error.size()), rd_kafka_destroy);
  REQUIRE_MESSAGE(client, error.data());
  return client;
}

std::string header(const rd_kafka_message_t* message, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  return {static_cast<const char*>(value), size};
}

SeenMessage to_message(const rd_kafka_message_t* message) {
  return {std::string(static_cast<const char*>(message->key), message->key_len),
          std::string(static_cast<const char*>(message->payload), message->len),
          header(message, "leat-gateway"), header(message, "leat-shipment")};
}

}  // namespace

KafkaBroker& KafkaBroker::the_one() {
  static KafkaBroker broker;
  return broker;
}

KafkaBroker::KafkaBroker()
    : process_(std::make_unique<ExternalProcess>(
          std::vector<std::string>{"python3", support_script("kafka_broker.py")})) {
  if (const auto heard = process_->hear("address")) {
    address_ = *heard;
    return;
  }
  REQUIRE(process_->exit_code() == kNoJava);
  process_.reset();
  start_mock();
}

void KafkaBroker::start_mock() {
  std::fputs(
      "\n*** NO REAL KAFKA: the suite runs against librdkafka's mock cluster. Install Java and Maven. "
      "***\n\n",
      stderr);
  mock_owner_ = make_client(RD_KAFKA_PRODUCER, "127.0.0.1:1").release();
  mock_ = rd_kafka_mock_cluster_new(mock_owner_, kMockBroker);
  address_ = rd_kafka_mock_cluster_bootstraps(mock_);
}

KafkaBroker::~KafkaBroker() {
  if (mock_ != nullptr) rd_kafka_mock_cluster_destroy(mock_);
  if (mock_owner_ != nullptr) rd_kafka_destroy(mock_owner_);
}

void KafkaBroker::create_topic(const std::string& topic, int partitions) {
  if (mock_ != nullptr) {
    rd_kafka_mock_topic_create(mock_, topic.c_str(), partitions, 1);
    return;
  }
  const Client client = make_client(RD_KAFKA_PRODUCER, address_);
  rd_kafka_queue_t* answers = rd_kafka_queue_new(client.get());
  rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, nullptr, 0);
  rd_kafka_CreateTopics(client.get(), &wanted, 1, nullptr, answers);
  rd_kafka_event_t* answer = rd_kafka_queue_poll(answers, kCallMillis);
  CHECK(rd_kafka_event_error(answer) == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(answer);
  rd_kafka_NewTopic_destroy(wanted);
  rd_kafka_queue_destroy(answers);
}

void KafkaBroker::add_partitions(const std::string& topic, int partitions) {
  const Client client = make_client(RD_KAFKA_PRODUCER, address_);
  rd_kafka_queue_t* answers = rd_kafka_queue_new(client.get());
  rd_kafka_NewPartitions_t* wanted =
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(partitions), nullptr, 0);
  rd_kafka_CreatePartitions(client.get(), &wanted, 1, nullptr, answers);
  rd_kafka_event_t* answer = rd_kafka_queue_poll(answers, kCallMillis);
  CHECK(rd_kafka_event_error(answer) == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(answer);
  rd_kafka_NewPartitions_destroy(wanted);
  rd_kafka_queue_destroy(answers);
}

void KafkaBroker::produce(const std::string& topic, const std::vector<Sent>& records, int partition) const {
  const Client client = make_client(RD_KAFKA_PRODUCER, address_);
  const auto bytes = [](const std::optional<std::string>& text) {
    return text ? static_cast<void*>(const_cast<char*>(text->data())) : nullptr;
  };
  for (const Sent& record : records) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers)
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    REQUIRE(rd_kafka_producev(client.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                              RD_KAFKA_V_KEY(bytes(record.key), (record.key.value_or("").size())),
                              RD_KAFKA_V_VALUE(bytes(record.value), (record.value.value_or("").size())),
                              RD_KAFKA_V_TIMESTAMP(record.timestamp), RD_KAFKA_V_HEADERS(headers),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  REQUIRE(rd_kafka_flush(client.get(), kCallMillis) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void KafkaBroker::delete_before(const std::string& topic, std::int64_t offset, int partition) const {
  const Client client = make_client(RD_KAFKA_PRODUCER, address_);
  rd_kafka_queue_t* answers = rd_kafka_queue_new(client.get());
  rd_kafka_topic_partition_list_t* before = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(before, topic.c_str(), partition)->offset = offset;
  rd_kafka_DeleteRecords_t* unwanted = rd_kafka_DeleteRecords_new(before);
  rd_kafka_DeleteRecords(client.get(), &unwanted, 1, nullptr, answers);
  rd_kafka_event_t* answer = rd_kafka_queue_poll(answers, kCallMillis);
  CHECK(rd_kafka_event_error(answer) == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_event_destroy(answer);
  rd_kafka_DeleteRecords_destroy(unwanted);
  rd_kafka_topic_partition_list_destroy(before);
  rd_kafka_queue_destroy(answers);
}

std::int64_t KafkaBroker::committed(const std::string& group, const std::string& topic) const {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", address_.c_str(), nullptr, 0);
  rd_kafka_conf_set(conf, "group.id", group.c_str(), nullptr, 0);
  const Client client(rd_kafka_new(RD_KAFKA_CONSUMER, conf, nullptr, 0), rd_kafka_destroy);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic.c_str(), 0);
  const auto code = rd_kafka_committed(client.get(), list, kCallMillis);
  const std::int64_t offset =
      code == RD_KAFKA_RESP_ERR_NO_ERROR ? list->elems[0].offset : RD_KAFKA_OFFSET_INVALID;
  rd_kafka_topic_partition_list_destroy(list);
  return offset;
}

std::vector<SeenMessage> KafkaBroker::messages(const std::string& topic) const {
  const Client client = make_client(RD_KAFKA_CONSUMER, address_);
  rd_kafka_topic_partition_list_t* partitions = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(partitions, topic.c_str(), 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(client.get(), partitions);
  rd_kafka_topic_partition_list_destroy(partitions);
  std::vector<SeenMessage> all;
  bool end = false;
  while (!end) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client.get(), kCallMillis);
    end = message == nullptr || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (message != nullptr && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) all.push_back(to_message(message));
    if (message != nullptr) rd_kafka_message_destroy(message);
  }
  rd_kafka_consumer_close(client.get());
  return all;
}

void KafkaBroker::forget_group(const std::string& group) const {
  const Client client = make_client(RD_KAFKA_PRODUCER, address_);
  rd_kafka_queue_t* answers = rd_kafka_queue_new(client.get());
  rd_kafka_DeleteGroup_t* unwanted = rd_kafka_DeleteGroup_new(group.c_str());
  rd_kafka_DeleteGroups(client.get(), &unwanted, 1, nullptr, answers);
  rd_kafka_event_t* answer = rd_kafka_queue_poll(answers, kCallMillis);
  std::size_t count = 0;
  const auto* result = rd_kafka_event_DeleteGroups_result(answer);
  const rd_kafka_group_result_t** groups = rd_kafka_DeleteGroups_result_groups(result, &count);
  REQUIRE(count == 1);
  CHECK(rd_kafka_group_result_error(groups[0]) == nullptr);
  rd_kafka_event_destroy(answer);
  rd_kafka_DeleteGroup_destroy(unwanted);
  rd_kafka_queue_destroy(answers);
}

void KafkaBroker::leave_open_transaction(const std::string& id, const std::string& topic,
                                         const std::string& payload) const {
  const Client client = make_client(RD_KAFKA_PRODUCER, address_, id);
  REQUIRE(rd_kafka_init_transactions(client.get(), kCallMillis) == nullptr);
  REQUIRE(rd_kafka_begin_transaction(client.get()) == nullptr);
  REQUIRE(rd_kafka_producev(client.get(), RD_KAFKA_V_TOPIC(topic.c_str()),
                            RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                            RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
  REQUIRE(rd_kafka_flush(client.get(), kCallMillis) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void KafkaBroker::go_away() {
  if (mock_ != nullptr) {
    rd_kafka_mock_broker_set_down(mock_, kMockBroker);
    return;
  }
  process_->say("kill");
  REQUIRE(process_->hear("stopped"));
}

void KafkaBroker::come_back() {
  if (mock_ != nullptr) {
    rd_kafka_mock_broker_set_up(mock_, kMockBroker);
    return;
  }
  process_->say("start");
  REQUIRE(process_->hear("address"));
}

}  // namespace leat::contract
