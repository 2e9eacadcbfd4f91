#include "sinks/kafka/kafka_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pipelines/base/flink_option.h"
#include "sinks/connector.h"

namespace leat::sinks {

namespace {

using Part = OptionError::Part;

/// Properties that follow from 'sink.delivery-guarantee'.
constexpr std::array<std::string_view, 5> kOwnProperties{
    "enable.idempotence", "acks", "request.required.acks", "enable.gapless.guarantee", "transactional.id"};

/// Leat's defaults, where the library's are not for a gateway. The outbox is the buffer, so the library's
/// queue is small; a shipment that is not through after half a minute goes back to it; the partitioner is the
/// one of Kafka's own producers and of Flink.
constexpr std::array<std::pair<const char*, const char*>, 6> kDefaults{{
    {"message.timeout.ms", "30000"},
    {"topic.metadata.propagation.max.ms", "10000"},
    {"queue.buffering.max.messages", "100000"},
    {"queue.buffering.max.kbytes", "16384"},
    {"socket.keepalive.enable", "true"},
    {"partitioner", "murmur2_random"},
}};

/// Without those that only mean something where the table is read, which have options of their own there.
SecretMap of_a_writer(SecretMap properties) {
  for (const std::string_view name : {"group.id", "auto.offset.reset", "isolation.level"})
    if (const auto found = properties.find(name); found != properties.end()) properties.erase(found);
  return properties;
}

void check_properties(const KafkaOptions& options, std::vector<OptionError>& errors) {
  for (const std::string_view own : kOwnProperties) {
    if (!options.properties.contains(own)) continue;
    const std::string key = fmt::format("properties.{}", own);
    errors.push_back({key, Part::kKey, fmt::format("'{}' follows from 'sink.delivery-guarantee'", key)});
  }
  const auto timeout = options.properties.find("message.timeout.ms");
  if (timeout != options.properties.end() && timeout->second.reveal() == "0")
    errors.push_back({"properties.message.timeout.ms", Part::kValue,
                      "'properties.message.timeout.ms' = '0' would hold a shipment for ever"});
  clients::check_kafka_properties(of_a_writer(options.properties), "properties.", errors);
}

void check_key(const KafkaOptions& options, std::vector<OptionError>& errors) {
  const bool has_format = options.key_format != KeyFormat::kNone;
  if (options.key_fields.empty() == has_format)
    errors.push_back({has_format ? "key.fields" : "key.format", Part::kMissing,
                      "'key.fields' and 'key.format' need each other"});
  else if (options.key_format == KeyFormat::kRaw && options.key_fields.size() != 1)
    errors.push_back({"key.format", Part::kValue,
                      fmt::format("'key.format' = 'raw' takes one column, 'key.fields' names {}",
                                  options.key_fields.size())});
}

}  // namespace

namespace {

Option<KafkaOptions> topic_option() {
  return option("topic", &KafkaOptions::topic, Necessity::kRequired, "Topic that takes the records.");
}
Option<KafkaOptions> servers_option() {
  return option("properties.bootstrap.servers", &KafkaOptions::servers, Necessity::kRequired,
                "Brokers to ask first: 'host:9092,host:9092'.");
}
Option<KafkaOptions> properties_option() {
  return secret_prefix_option(
      "properties.", &KafkaOptions::properties,
      "Any other property of librdkafka: 'properties.security.protocol' = 'ssl'. The values never show.");
}
Option<KafkaOptions> key_format_option(Necessity necessity) {
  return choice("key.format", &KafkaOptions::key_format,
                {{"json", KeyFormat::kJson}, {"raw", KeyFormat::kRaw}}, necessity,
                "How the key is written: a JSON object of its columns, or one column's text.");
}
Option<KafkaOptions> guarantee_option() {
  return choice(
      "sink.delivery-guarantee", &KafkaOptions::guarantee,
      {{"exactly-once", DeliveryGuarantee::kExactlyOnce},
       {"at-least-once", DeliveryGuarantee::kAtLeastOnce},
       {"none", DeliveryGuarantee::kNone}},
      Necessity::kOptional,
      "What the far side may rely on. 'exactly-once': a transaction per shipment, for consumers with "
      "isolation.level = read_committed. 'at-least-once': an idempotent producer. 'none': the leader alone "
      "acknowledges. Default: 'exactly-once' where the brokers have transactions, else 'at-least-once'.");
}
Option<KafkaOptions> prefix_option() {
  return option(
      "sink.transactional-id-prefix", &KafkaOptions::transactional_id_prefix, Necessity::kOptional,
      "Beginning of the transactional id and of the consumer group that keeps the shipment's number; the "
      "store's id, the pipeline and the table follow, so that it need not be unique.");
}

Option<KafkaOptions> parallelism_option() {
  return flink_option<KafkaOptions, std::uint32_t>("sink.parallelism",
                                                   "One thread delivers the records, in their order.");
}

/// Flink's default is the one that there is here, too; its others choose by parallel task.
Option<KafkaOptions> partitioner_option() {
  return {{"sink.partitioner", "one of 'default'", "default", Necessity::kOptional,
           "How a record's partition is chosen: by its key, as Kafka's own producers do, and at random "
           "without one. For another way give 'properties.partitioner'."},
          [](KafkaOptions&, std::string_view, std::string_view value) -> Status {
            if (value == "default") return {};
            return fail(ErrorCode::kInvalid,
                        "expected 'default'; Flink's others choose by parallel task, of which there is one "
                        "here: see 'properties.partitioner'");
          }};
}

Option<KafkaOptions> value_fields_option(std::string doc) {
  return choice("value.fields-include", &KafkaOptions::value_fields,
                {{"ALL", ValueFields::kAll}, {"EXCEPT_KEY", ValueFields::kExceptKey}}, Necessity::kOptional,
                std::move(doc));
}

void check_common(const KafkaOptions& options, std::vector<OptionError>& errors) {
  if (!clients::is_kafka_topic(options.topic))
    errors.push_back(
        {"topic", Part::kValue,
         fmt::format("'topic' = '{}': expected 1 to 249 letters, digits, '.', '_' and '-'", options.topic)});
  if (options.servers.empty())
    errors.push_back({"properties.bootstrap.servers", Part::kValue,
                      "'properties.bootstrap.servers' is empty; expected 'host:9092'"});
  if (options.transactional_id_prefix.empty())
    errors.push_back({"sink.transactional-id-prefix", Part::kValue,
                      "'sink.transactional-id-prefix' is empty; leave it out, or name one"});
  check_properties(options, errors);
}

}  // namespace

const OptionTable<KafkaOptions>& kafka_options() {
  static const OptionTable<KafkaOptions> table{
      topic_option(),
      servers_option(),
      properties_option(),
      option("key.fields", &KafkaOptions::key_fields, Necessity::kOptional,
             "Columns of the record's key, separated by ';'."),
      key_format_option(Necessity::kOptional),
      option("value.format", &KafkaOptions::value_format, Necessity::kOptional,
             "Another name of 'format'; the format's options stand behind 'value.' then: 'value.json.…'."),
      value_fields_option("Whether the columns of 'key.fields' are in the value, too."),
      partitioner_option(),
      guarantee_option(),
      prefix_option(),
      parallelism_option(),
      max_rows_option<KafkaOptions>(),
      max_bytes_option<KafkaOptions>(),
      linger_option<KafkaOptions>()};
  return table;
}

const OptionTable<KafkaOptions>& upsert_kafka_options() {
  static const OptionTable<KafkaOptions> table{
      topic_option(),
      servers_option(),
      properties_option(),
      key_format_option(Necessity::kRequired),
      option("value.format", &KafkaOptions::value_format, Necessity::kRequired,
             "Format of the record's value; its options stand behind 'value.': 'value.json.…'."),
      value_fields_option("Whether the columns of the PRIMARY KEY are in the value, too."),
      guarantee_option(),
      prefix_option(),
      parallelism_option(),
      max_rows_option<KafkaOptions>(),
      max_bytes_option<KafkaOptions>(),
      linger_option<KafkaOptions>()};
  return table;
}

void check_kafka_options(const KafkaOptions& options, const OptionMap& map,
                         std::vector<OptionError>& errors) {
  check_common(options, errors);
  check_key(options, errors);
  if (map.contains("format") && map.contains("value.format"))
    errors.push_back({"value.format", Part::kKey,
                      "'value.format' and 'format' are two names of one thing: give one of them"});
}

void check_upsert_kafka_options(const KafkaOptions& options, const OptionMap&,
                                std::vector<OptionError>& errors) {
  check_common(options, errors);
  const auto partitioner = options.properties.find("partitioner");
  if (partitioner != options.properties.end() && partitioner->second.reveal() == "random")
    errors.push_back(
        {"properties.partitioner", Part::kValue,
         "'properties.partitioner' = 'random' would put the records of one key into several partitions"});
}

namespace {

/// A transaction may take as long as its messages, which the library insists on.
Status make_transactional(rd_kafka_conf_s& conf, const KafkaOptions& options, const std::string& id) {
  LEAT_TRY(clients::set_kafka_property(conf, "transactional.id", id));
  if (options.properties.contains("transaction.timeout.ms")) return {};
  LEAT_ASSIGN(const std::string messages, clients::kafka_property(conf, "message.timeout.ms"));
  LEAT_ASSIGN(const std::string transaction, clients::kafka_property(conf, "transaction.timeout.ms"));
  const bool longer = std::pair(messages.size(), messages) > std::pair(transaction.size(), transaction);
  return longer ? clients::set_kafka_property(conf, "transaction.timeout.ms", messages) : Status();
}

}  // namespace

Result<clients::KafkaConf> producer_conf(const KafkaOptions& options, const std::string& id,
                                         DeliveryGuarantee guarantee) {
  clients::KafkaConf conf = clients::make_kafka_conf();
  for (const auto& [name, value] : kDefaults) LEAT_TRY(clients::set_kafka_property(*conf, name, value));
  LEAT_TRY(clients::set_kafka_property(*conf, "client.id", id));
  LEAT_TRY(clients::set_kafka_property(*conf, "bootstrap.servers", options.servers));
  for (const auto& [name, value] : of_a_writer(options.properties))
    LEAT_TRY(clients::set_kafka_property(*conf, name, value.reveal()));
  const bool all = guarantee != DeliveryGuarantee::kNone;
  LEAT_TRY(clients::set_kafka_property(*conf, "enable.idempotence", all ? "true" : "false"));
  LEAT_TRY(clients::set_kafka_property(*conf, "acks", all ? "all" : "1"));
  if (guarantee == DeliveryGuarantee::kExactlyOnce) LEAT_TRY(make_transactional(*conf, options, id));
  return conf;
}

}  // namespace leat::sinks
