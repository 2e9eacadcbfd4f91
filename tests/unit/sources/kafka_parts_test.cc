// The parts of the kafka source that need no broker: options, positions, what is kept of a record.
#include <doctest/doctest.h>

#include "sources/kafka/kafka_position.h"
#include "sources/kafka/kafka_ranges.h"
#include "sources/kafka/kafka_source_options.h"

namespace leat::sources {
namespace {

TEST_CASE("offsets by partition are read as Flink writes them") {
  const auto offsets = parse_partition_offsets("partition:0,offset:42;partition:1,offset:300");
  REQUIRE(offsets.has_value());
  CHECK(*offsets == PartitionOffsets{{0, 42}, {1, 300}});
  for (const char* wrong : {"", "0:42", "partition:0", "partition:0,offset:x", "partition:-1,offset:4",
                            "partition:0,offset:1;partition:0,offset:2"})
    CHECK(!parse_partition_offsets(wrong).has_value());
}

TEST_CASE("a share is ranges and single partitions, and all of them when it is empty") {
  const PartitionShare share = *PartitionShare::parse("0-3,7");
  for (const std::int32_t in : {0, 3, 7}) CHECK(share.has(in));
  for (const std::int32_t out : {4, 6, 8}) CHECK(!share.has(out));
  CHECK(PartitionShare::parse("")->has(5));
  CHECK(share.first_absent({0, 1, 2, 3, 4, 7}) == std::nullopt);
  CHECK(share.first_absent({0, 1, 2, 3}) == 7);
  CHECK(PartitionShare::parse("0-2147483647")->first_absent({0, 1}) == 2);
  CHECK(PartitionShare::parse("")->first_absent({}) == std::nullopt);
  for (const char* wrong : {"a", "3-1", "1-", "-", "1;2"}) CHECK(!PartitionShare::parse(wrong).has_value());
}

TEST_CASE("a position is read as it was written, and nothing else is one") {
  const KafkaPlaces places{{"a-b-0", {.next = 7, .end = {}}}, {"t-1", {.next = 1ULL << 40, .end = 9}}};
  CHECK(*decode_kafka_position(encode_kafka_position(places)) == places);
  CHECK(*decode_kafka_position(encode_kafka_position({})) == KafkaPlaces{});
  CHECK(*decode_kafka_position("") == std::nullopt);
  CHECK(!decode_kafka_position("\x02").has_value());
  CHECK(!decode_kafka_position(encode_kafka_position(places) + "x").has_value());
}

TEST_CASE("a split is named by topic and number, also where the topic has a dash") {
  CHECK(split_name("a-b", 12) == "a-b-12");
  CHECK(topic_of_split("a-b-12") == "a-b");
  CHECK(number_of_split("a-b-12") == 12);
}

TEST_CASE("what is kept of a record comes back") {
  std::string bytes;
  encode_kafka_record({.split = "t-3",
                       .offset = 5,
                       .timestamp = -1,
                       .timestamp_type = TimestampType::kLogAppendTime,
                       .flags = {.no_value = true},
                       .headers = "h"},
                      bytes);
  const KafkaRecord record = decode_kafka_record(bytes);
  CHECK(record.split == "t-3");
  CHECK(record.offset == 5);
  CHECK(record.timestamp == -1);
  CHECK(record.timestamp_type == TimestampType::kLogAppendTime);
  CHECK(record.flags.no_value);
  CHECK(!record.flags.no_key);
  CHECK(record.headers == "h");
}

TEST_CASE("the position has what is taken, moved on by what is consumed") {
  TakenPlaces taken;
  KafkaTracker tracker(std::nullopt, taken);
  CHECK(tracker.encode().empty());
  taken.set({{"t-0", {.next = 5, .end = {}}}, {"t-1", {.next = 9, .end = 20}}});
  std::string attributes;
  encode_kafka_record({.split = "t-1", .offset = 11}, attributes);
  tracker.consumed({.attributes = attributes});
  const KafkaPlaces expected{{"t-0", {.next = 5, .end = {}}}, {"t-1", {.next = 12, .end = 20}}};
  CHECK(*decode_kafka_position(tracker.encode()) == expected);
}

// ---- Options ---------------------------------------------------------------------------------------------

std::vector<std::string> errors_of(const OptionMap& more, KafkaTable table = KafkaTable::kAppend) {
  OptionMap map{{"topic", "t"}, {"properties.bootstrap.servers", "b:9092"}};
  if (table == KafkaTable::kAppend) map["scan.startup.mode"] = "earliest-offset";
  if (table == KafkaTable::kUpsert) map["key.format"] = map["value.format"] = "json";
  for (const auto& [key, value] : more) {
    map[key] = value;
    if (value.empty()) map.erase(key);
  }
  std::vector<OptionError> errors;
  read_kafka_options(table, map, {}, errors);
  std::vector<std::string> keys;
  for (const OptionError& error : errors) keys.push_back(error.key);
  return keys;
}
using Keys = std::vector<std::string>;

TEST_CASE("options that belong together are judged together") {
  CHECK(errors_of({}).empty());
  CHECK(errors_of({{"topic", "a;b"}}).empty());
  CHECK(errors_of({{"topic", "a b"}}) == Keys{"topic"});
  CHECK(errors_of({{"topic", ""}}) == Keys{"topic"});
  CHECK(errors_of({{"topic-pattern", "t.*"}}) == Keys{"topic"});
  CHECK(errors_of({{"topic", ""}, {"topic-pattern", "t.*"}}).empty());
  CHECK(errors_of({{"topic", ""}, {"topic-pattern", "t("}}) == Keys{"topic-pattern"});
  CHECK(errors_of({{"scan.startup.mode", "timestamp"}}) == Keys{"scan.startup.timestamp-millis"});
  CHECK(errors_of({{"scan.startup.timestamp-millis", "5"}}) == Keys{"scan.startup.timestamp-millis"});
  CHECK(errors_of({{"scan.startup.mode", ""}}) == Keys{"properties.group.id"});
  CHECK(errors_of({{"scan.startup.mode", ""}, {"properties.group.id", "g"}}).empty());
  CHECK(errors_of({{"scan.bounded.mode", "group-offsets"}}) == Keys{"properties.group.id"});
  CHECK(errors_of({{"scan.startup.mode", "specific-offsets"},
                   {"scan.startup.specific-offsets", "partition:0,offset:1"},
                   {"topic", "a;b"}}) == Keys{"scan.startup.specific-offsets"});
  CHECK(errors_of({{"scan.partitions", "x"}}) == Keys{"scan.partitions"});
  CHECK(errors_of({{"properties.enable.auto.commit", "true"}}) == Keys{"properties.enable.auto.commit"});
  CHECK(errors_of({{"properties.no.such.thing", "1"}}) == Keys{"properties.no.such.thing"});
  CHECK(errors_of({{"key.format", "json"}}) == Keys{"key.fields"});
  CHECK(errors_of({{"key.fields", "k_a"}, {"key.format", "json"}, {"key.fields-prefix", "k_"}}) ==
        Keys{"key.fields-prefix"});
}

TEST_CASE("a table of latest rows begins with its first record and takes no startup mode") {
  CHECK(errors_of({}, KafkaTable::kUpsert).empty());
  CHECK(errors_of({{"scan.startup.mode", "latest-offset"}}, KafkaTable::kUpsert) ==
        Keys{"scan.startup.mode"});
  CHECK(errors_of({{"key.format", ""}}, KafkaTable::kUpsert) == Keys{"key.format"});
}

TEST_CASE("what is to happen where nothing is follows from where the source begins") {
  KafkaSourceOptions options;
  const auto reset = [&](OffsetRule rule) {
    options.startup = rule;
    return effective_reset(options);
  };
  CHECK(reset(OffsetRule::kEarliest) == OffsetReset::kEarliest);
  CHECK(reset(OffsetRule::kLatest) == OffsetReset::kLatest);
  CHECK(reset(OffsetRule::kGroupOffsets) == OffsetReset::kNone);
  options.reset = OffsetReset::kLatest;
  CHECK(reset(OffsetRule::kEarliest) == OffsetReset::kLatest);
}

TEST_CASE("columns of the key lose their prefix in the key, and may be missing in the value") {
  const Schema physical{{{"k_id", Type::integer()}, {"v", Type::string()}}};
  OptionMap map{
      {"topic", "t"},         {"properties.bootstrap.servers", "b"}, {"key.format", "json"},
      {"key.fields", "k_id"}, {"key.fields-prefix", "k_"},           {"value.fields-include", "EXCEPT_KEY"}};
  const plan::RecordLayout layout = kafka_record_layout(KafkaTable::kAppend, map, {"t", physical, {}});
  CHECK(layout.key.fields[0].name == "id");
  CHECK(layout.key_columns == std::vector<std::size_t>{0});
  CHECK(layout.value_columns == std::vector<std::size_t>{1});
  map["key.fields"] = "v";
  std::vector<OptionError> errors;
  check_kafka_columns(KafkaTable::kAppend, map, {"t", physical, {}}, errors);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].key == "key.fields-prefix");
}

}  // namespace
}  // namespace leat::sources
