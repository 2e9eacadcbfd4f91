#include "sinks/kafka/kafka_sink.h"

#include <fmt/format.h>

#include <atomic>
#include <set>
#include <utility>

#include "pipelines/base/nearest.h"
#include "sinks/connector.h"
#include "sinks/kafka/exactly_once.h"
#include "sinks/kafka/kafka_options.h"
#include "sinks/kafka/kafka_outcome.h"
#include "sinks/kafka/kafka_producer.h"

namespace leat::sinks {

namespace {

/// At least once, and less: each attempt sends the whole shipment.
class AtLeastOnce {
 public:
  AtLeastOnce(const KafkaOptions& options, const SinkContext& context, const std::atomic<bool>& interrupted)
      : options_(options), context_(context), interrupted_(interrupted) {}

  Delivery deliver(const Shipment& shipment) {
    const auto records = read_blocks(shipment.blocks);
    if (!records) return Retry{records.error().message, std::nullopt, /*paused=*/true};
    if (const Status ready = ensure_producer(); !ready)
      return Retry{ready.error().message, std::nullopt, /*paused=*/true};
    const std::string name = shipment_name(context_, shipment);
    const Headers common{{"leat-gateway", context_.gateway_id}, {"leat-shipment", name}};
    const ProduceReport report = producer_->produce(*records, common, interrupted_);
    if (report.spent) producer_.reset();
    if (interrupted_ && !report.failed.empty()) return Retry{"interrupted", std::nullopt};
    return outcome_of(report);
  }

 private:
  Status ensure_producer() {
    if (producer_) return {};
    const std::string client_id =
        joined_name({"leat", context_.store.value, context_.pipeline.value, context_.table.value}, ':');
    const bool none = options_.guarantee == DeliveryGuarantee::kNone;
    LEAT_ASSIGN(auto conf, producer_conf(options_, client_id,
                                         none ? DeliveryGuarantee::kNone : DeliveryGuarantee::kAtLeastOnce));
    LEAT_ASSIGN(producer_, KafkaProducer::make(std::move(conf), options_.topic, options_.keys));
    return {};
  }

  const KafkaOptions& options_;
  const SinkContext& context_;
  const std::atomic<bool>& interrupted_;
  std::unique_ptr<KafkaProducer> producer_;
};

class KafkaSink final : public Sink {
 public:
  KafkaSink(KafkaOptions options, SinkContext context)
      : options_(std::move(options)), context_(std::move(context)) {}

  Delivery deliver(const Shipment& shipment) override {
    if (interrupted_) return Retry{"interrupted", std::nullopt};
    if (!transactional()) return at_least_once_.deliver(shipment);
    Delivery outcome = exactly_once_.deliver(shipment);
    return transactional() ? outcome : at_least_once_.deliver(shipment);
  }

  void interrupt() override { interrupted_ = true; }

 private:
  /// Brokers without transactions are found out at the first attempt, and asked again at the next start.
  [[nodiscard]] bool transactional() const {
    return options_.guarantee == DeliveryGuarantee::kExactlyOnce ||
           (options_.guarantee == DeliveryGuarantee::kBest && !exactly_once_.unsupported());
  }

  const KafkaOptions options_;
  const SinkContext context_;
  std::atomic<bool> interrupted_ = false;
  ExactlyOnce exactly_once_{options_, context_, interrupted_};
  AtLeastOnce at_least_once_{options_, context_, interrupted_};
};

bool is_nested(const Type& type) {
  using enum TypeKind;
  return type.kind() == kArray || type.kind() == kMap || type.kind() == kMultiset || type.kind() == kRow;
}

void wrong_key(std::vector<OptionError>& errors, std::string key, std::string message) {
  errors.push_back({std::move(key), OptionError::Part::kValue, std::move(message)});
}

/// 'key.fields', and what the value is without them.
void check_key_fields(const KafkaOptions& options, std::string_view table, const Schema& schema,
                      std::vector<OptionError>& errors) {
  std::vector<std::string> names;
  for (const Type::Field& column : schema.fields) names.push_back(column.name);
  std::set<std::size_t> key;
  for (const std::string& field : options.key_fields) {
    const auto column = schema.find(field);
    if (!column)
      wrong_key(errors, "key.fields",
                fmt::format("'key.fields': table {} has no column '{}'{}", table, field,
                            did_you_mean(field, names)));
    else if (!key.insert(*column).second)
      wrong_key(errors, "key.fields", fmt::format("'key.fields' names column '{}' twice", field));
    else if (options.key_format == KeyFormat::kRaw && is_nested(schema.fields[*column].type))
      wrong_key(errors, "key.format",
                fmt::format("'key.format' = 'raw' takes one value, column '{}' is a collection; use 'json'",
                            field));
  }
  if (options.value_fields == ValueFields::kExceptKey && !key.empty() && key.size() == schema.fields.size())
    wrong_key(errors, "value.fields-include",
              "'value.fields-include' = 'EXCEPT_KEY' leaves no column for the value");
}

void check_kafka_table(const OptionMap& map, const plan::TableShape& table,
                       std::vector<OptionError>& errors) {
  check_key_fields(validated_options(kafka_options(), map), table.name, table.physical, errors);
}

std::string name_of(KeyFormat format) {
  switch (format) {
    case KeyFormat::kJson:
      return "json";
    case KeyFormat::kRaw:
      return "raw";
    case KeyFormat::kNone:
      break;
  }
  return {};
}

void check_upsert_table(const OptionMap& map, const plan::TableShape& table,
                        std::vector<OptionError>& errors) {
  const KafkaOptions options = validated_options(upsert_kafka_options(), map);
  if (table.primary_key.empty())
    errors.push_back(
        {"connector", OptionError::Part::kValue,
         fmt::format("'upsert-kafka' writes by key: table '{}' needs PRIMARY KEY (…) NOT ENFORCED",
                     table.name)});
  else if (options.key_format == KeyFormat::kRaw && table.primary_key.size() != 1)
    errors.push_back({"key.format", OptionError::Part::kValue,
                      fmt::format("'key.format' = 'raw' takes one column, the PRIMARY KEY has {}",
                                  table.primary_key.size())});
  else if (options.key_format == KeyFormat::kRaw &&
           is_nested(table.physical.fields[table.primary_key[0]].type))
    errors.push_back({"key.format", OptionError::Part::kValue,
                      "'key.format' = 'raw' takes one value, the PRIMARY KEY is a collection; use 'json'"});
  else if (options.value_fields == ValueFields::kExceptKey &&
           table.primary_key.size() == table.physical.fields.size())
    errors.push_back({"value.fields-include", OptionError::Part::kValue,
                      "'value.fields-include' = 'EXCEPT_KEY' leaves no column for the value"});
}

/// What both connectors do alike.
template <const OptionTable<KafkaOptions>& (*table)()>
SinkConnector any_kafka_connector(std::string name, std::string doc, OptionCheck<KafkaOptions> check) {
  SinkConnector connector = sink_connector<KafkaOptions>(std::move(name), std::move(doc), table, check);
  connector.info.needs_format = true;
  connector.key_format = [](const OptionMap& map) {
    return name_of(validated_options(table(), map).key_format);
  };
  connector.batch_limits = [](const OptionMap& map) {
    return batch_limits_of(validated_options(table(), map));
  };
  connector.value_columns = [](const OptionMap& map) {
    const bool all = validated_options(table(), map).value_fields == ValueFields::kAll;
    return all ? ValueColumns::kAll : ValueColumns::kExceptKey;
  };
  return connector;
}

}  // namespace

SinkConnector kafka_connector() {
  SinkConnector connector =
      any_kafka_connector<kafka_options>("kafka", "Messages of an Apache Kafka topic.", check_kafka_options);
  connector.info.validate_sink_table = check_kafka_table;
  connector.key_fields = [](const OptionMap& map) {
    return validated_options(kafka_options(), map).key_fields;
  };
  connector.build = [](const OptionMap& map, const SinkContext& context) -> Result<std::unique_ptr<Sink>> {
    KafkaOptions options = validated_options(kafka_options(), map);
    std::vector<OptionError> wrong;
    check_key_fields(options, context.table.value, context.schema, wrong);
    if (!wrong.empty()) return fail(ErrorCode::kInvalid, wrong.front().message);
    return std::make_unique<KafkaSink>(std::move(options), context);
  };
  return connector;
}

SinkConnector upsert_kafka_connector() {
  SinkConnector connector = any_kafka_connector<upsert_kafka_options>(
      "upsert-kafka", "The latest row of each PRIMARY KEY as records of a compacted Apache Kafka topic.",
      check_upsert_kafka_options);
  connector.info.changes = plan::SinkChanges::kUpsert;
  connector.info.validate_sink_table = check_upsert_table;
  connector.keying = Keying::kPrimaryKey;
  connector.build = [](const OptionMap& map, const SinkContext& context) -> Result<std::unique_ptr<Sink>> {
    KafkaOptions options = validated_options(upsert_kafka_options(), map);
    options.keys = KafkaKeys::kAlways;
    return std::make_unique<KafkaSink>(std::move(options), context);
  };
  return connector;
}

}  // namespace leat::sinks
