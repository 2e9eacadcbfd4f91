#include "sinks/kafka/kafka_options.h"

#include <doctest/doctest.h>

#include "sinks/connector.h"
#include "tests/unit/sinks/option_checks.h"

using namespace leat;
using namespace leat::sinks;

namespace {

OptionMap with(OptionMap more) {
  OptionMap map{{"connector", "kafka"},
                {"format", "json"},
                {"topic", "windows"},
                {"properties.bootstrap.servers", "127.0.0.1:1"}};
  more.merge(map);
  return more;
}

std::string conf_value(const OptionMap& map, const std::string& name,
                       DeliveryGuarantee guarantee = DeliveryGuarantee::kAtLeastOnce) {
  return *clients::kafka_property(**producer_conf(validated_options(kafka_options(), map), "me", guarantee),
                                  name);
}

}  // namespace

TEST_CASE("a topic and a broker are enough for a kafka sink") {
  CHECK(errors_of("kafka", with({})).empty());
}

TEST_CASE("what a table is read by does not disturb its writing") {
  const auto map = with({{"properties.group.id", "g"}, {"properties.auto.offset.reset", "none"}});
  CHECK(errors_of("kafka", map).empty());
  CHECK(producer_conf(validated_options(kafka_options(), map), "me", DeliveryGuarantee::kAtLeastOnce)
            .has_value());
}

TEST_CASE("a kafka sink without topic and brokers names both") {
  const auto errors = errors_of("kafka", {{"connector", "kafka"}});
  CHECK(names(errors, "topic", "topic"));
  CHECK(names(errors, "properties.bootstrap.servers", "bootstrap"));
}

TEST_CASE("a property that librdkafka does not have is an error with the nearest name") {
  CHECK(names(errors_of("kafka", with({{"properties.securty.protocol", "ssl"}})),
              "properties.securty.protocol", "did you mean 'security.protocol'"));
  CHECK(names(errors_of("kafka", with({{"properties.linger.ms", "abc"}})), "properties.linger.ms",
              "linger.ms"));
  CHECK(names(errors_of("kafka", with({{"properties.plugin.library.paths", "/tmp/x.so"}})),
              "properties.plugin.library.paths", "load code"));
}

TEST_CASE("properties that follow from the guarantee are refused") {
  CHECK(names(errors_of("kafka", with({{"properties.acks", "0"}})), "properties.acks",
              "sink.delivery-guarantee"));
  CHECK(names(errors_of("kafka", with({{"properties.transactional.id", "mine"}})),
              "properties.transactional.id", "sink.delivery-guarantee"));
  CHECK(names(errors_of("kafka", with({{"sink.transactional-id-prefix", ""}})),
              "sink.transactional-id-prefix", "is empty"));
  CHECK(names(errors_of("kafka", with({{"properties.message.timeout.ms", "0"}})),
              "properties.message.timeout.ms", "for ever"));
}

TEST_CASE("key fields and key format need each other") {
  CHECK(names(errors_of("kafka", with({{"key.fields", "a"}})), "key.format", "need each other"));
  CHECK(names(errors_of("kafka", with({{"key.format", "raw"}})), "key.fields", "need each other"));
  CHECK(names(errors_of("kafka", with({{"key.fields", "a;b"}, {"key.format", "raw"}})), "key.format",
              "names 2"));
  const OptionMap good = with({{"key.fields", "a;b"}, {"key.format", "json"}});
  CHECK(errors_of("kafka", good).empty());
  CHECK(find_sink("kafka")->key_fields(good) == std::vector<std::string>{"a", "b"});
  CHECK(find_sink("kafka")->key_format(good) == "json");
}

TEST_CASE("a key field that the table does not have is named when the sink is built") {
  SinkContext context;
  context.table = {"windows"};
  context.schema.fields = {{"device", Type::string()}};
  const auto sink =
      find_sink("kafka")->build(with({{"key.fields", "devise"}, {"key.format", "raw"}}), context);
  REQUIRE_FALSE(sink);
  CHECK(sink.error().message.find("no column 'devise' (did you mean 'device'?)") != std::string::npos);
}

TEST_CASE("what is wrong with the key's columns is told before anything is built") {
  const Schema schema{{{"device", Type::string()}, {"tags", Type::array(Type::string())}}};
  const auto first_error = [&](const OptionMap& more) {
    std::vector<OptionError> errors;
    find_sink("kafka")->info.validate_sink_table(with(more), {"windows", schema, {}}, errors);
    return errors.empty() ? "" : errors.front().key + ": " + errors.front().message;
  };
  CHECK(first_error({{"key.fields", "device"}, {"key.format", "raw"}}) == "");
  CHECK(first_error({{"key.fields", "devise"}, {"key.format", "raw"}}) ==
        "key.fields: 'key.fields': table windows has no column 'devise' (did you mean 'device'?)");
  CHECK(first_error({{"key.fields", "tags"}, {"key.format", "raw"}}).starts_with("key.format: "));
  CHECK(first_error({{"key.fields", "device;device"}, {"key.format", "json"}}).ends_with("'device' twice"));
  CHECK(first_error(
            {{"key.fields", "device;tags"}, {"key.format", "json"}, {"value.fields-include", "EXCEPT_KEY"}})
            .starts_with("value.fields-include: "));
}

TEST_CASE("Flink's other names and the partitioner that it has by default are taken") {
  const auto value_columns = [](const OptionMap& more) {
    return find_sink("kafka")->value_columns(with(more));
  };
  CHECK(value_columns({}) == ValueColumns::kAll);
  CHECK(value_columns({{"value.fields-include", "EXCEPT_KEY"}}) == ValueColumns::kExceptKey);
  CHECK(errors_of("kafka", with({{"sink.partitioner", "default"}})).empty());
  CHECK(names(errors_of("kafka", with({{"sink.partitioner", "fixed"}})), "sink.partitioner",
              "properties.partitioner"));
  CHECK(names(errors_of("kafka", with({{"value.format", "json"}})), "value.format", "two names"));
}

TEST_CASE("the guarantee decides over acknowledgements and idempotence") {
  CHECK(conf_value(with({}), "enable.idempotence") == "true");
  CHECK(conf_value(with({}), "acks") == "-1");
  CHECK(conf_value(with({}), "enable.idempotence", DeliveryGuarantee::kNone) == "false");
  CHECK(conf_value(with({}), "acks", DeliveryGuarantee::kNone) == "1");
  CHECK(conf_value(with({}), "transactional.id", DeliveryGuarantee::kExactlyOnce) == "me");
  CHECK(conf_value(with({}), "acks", DeliveryGuarantee::kExactlyOnce) == "-1");
}

TEST_CASE("a transaction may take as long as its messages") {
  const auto timeout = [](OptionMap more) {
    return conf_value(with(std::move(more)), "transaction.timeout.ms", DeliveryGuarantee::kExactlyOnce);
  };
  CHECK(timeout({}) == "60000");
  CHECK(timeout({{"properties.message.timeout.ms", "300000"}}) == "300000");
  CHECK(timeout({{"properties.message.timeout.ms", "9000"}}) == "60000");
  CHECK(timeout({{"properties.message.timeout.ms", "9000"},
                 {"properties.transaction.timeout.ms", "10000"}}) == "10000");
}

TEST_CASE("the guarantee is the best that the brokers give, unless it is chosen") {
  const auto guarantee = [](const OptionMap& map) {
    return validated_options(kafka_options(), map).guarantee;
  };
  CHECK(guarantee(with({})) == DeliveryGuarantee::kBest);
  CHECK(guarantee(with({{"sink.delivery-guarantee", "exactly-once"}})) == DeliveryGuarantee::kExactlyOnce);
  CHECK(guarantee(with({{"sink.delivery-guarantee", "none"}})) == DeliveryGuarantee::kNone);
}

TEST_CASE("the user's properties go before Leat's defaults") {
  CHECK(conf_value(with({}), "message.timeout.ms") == "30000");
  CHECK(conf_value(with({{"properties.message.timeout.ms", "5000"}}), "message.timeout.ms") == "5000");
  CHECK(conf_value(with({}), "client.id") == "me");
  CHECK(conf_value(with({{"properties.client.id", "mine"}}), "client.id") == "mine");
}
