#include "sources/kafka/kafka_source_options.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pipelines/base/flink_option.h"
#include "pipelines/base/option_judgement.h"

namespace leat::sources {
namespace {

using Options = KafkaSourceOptions;
using Errors = std::vector<OptionError>;
using Part = OptionError::Part;
constexpr auto kOptional = Necessity::kOptional;
constexpr auto kRequired = Necessity::kRequired;

/// Properties that the source sets: its positions are in the commit, and it must see ends and gaps itself.
constexpr std::array<std::string_view, 7> kOwnProperties{
    "enable.auto.commit",   "auto.commit.enable",   "enable.auto.offset.store", "auto.commit.interval.ms",
    "enable.partition.eof", "max.poll.interval.ms", "group.instance.id"};

/// Leat's defaults, where the library's are not for a gateway: the broker keeps what is not fetched yet.
constexpr std::array<std::pair<const char*, const char*>, 3> kDefaults{{
    {"queued.max.messages.kbytes", "16384"},
    {"fetch.error.backoff.ms", "200"},
    {"socket.keepalive.enable", "true"},
}};

void wrong_value(Errors& errors, const std::string& key, const std::string& message) {
  errors.push_back({key, Part::kValue, fmt::format("option '{}': {}", key, message)});
}

// ---- The rows --------------------------------------------------------------------------------------------

Option<Options> topic_row(Necessity necessity) {
  return option("topic", &Options::topics, necessity,
                "Topics to read, separated by ';'; a table that is written has one.");
}
Option<Options> pattern_row() {
  return option("topic-pattern", &Options::topic_pattern, kOptional,
                "In place of 'topic': all topics whose whole name matches this regular expression (RE2).");
}
Option<Options> servers_row() {
  return option("properties.bootstrap.servers", &Options::servers, kRequired,
                "Brokers to ask first: 'host:9092,host:9092'.");
}
Option<Options> group_row() {
  return option("properties.group.id", &Options::group, kOptional,
                "Consumer group whose offsets show how far the source has come, after each commit, and where "
                "'group-offsets' begins. Partitions are never shared out by the group.");
}
Option<Options> reset_row() {
  return choice(
      "properties.auto.offset.reset", &Options::reset,
      {{"earliest", OffsetReset::kEarliest}, {"latest", OffsetReset::kLatest}, {"none", OffsetReset::kNone}},
      kOptional,
      "Where to go on when the broker has nothing at the wanted offset (any more): what lies between "
      "is counted as dropped and logged. Default: by 'scan.startup.mode', 'earliest' for "
      "'earliest-offset' and 'specific-offsets', 'latest' for 'latest-offset', else 'none', which "
      "waits and says so.");
}
Option<Options> properties_row() {
  return secret_prefix_option(
      "properties.", &Options::properties,
      "Any other property of librdkafka: 'properties.security.protocol' = 'ssl'. The values never show. "
      "'properties.isolation.level' is 'read_committed' unless it is given.");
}
Option<Options> startup_row() {
  return choice(
      "scan.startup.mode", &Options::startup,
      {{"group-offsets", OffsetRule::kGroupOffsets},
       {"earliest-offset", OffsetRule::kEarliest},
       {"latest-offset", OffsetRule::kLatest},
       {"timestamp", OffsetRule::kTimestamp},
       {"specific-offsets", OffsetRule::kSpecificOffsets}},
      kOptional,
      "Where to begin when the store has no position of the table yet. Partitions that appear later "
      "are read from their beginning.");
}
Option<Options> bounded_row() {
  return choice("scan.bounded.mode", &Options::bounded,
                {{"unbounded", OffsetRule::kUnbounded},
                 {"latest-offset", OffsetRule::kLatest},
                 {"group-offsets", OffsetRule::kGroupOffsets},
                 {"timestamp", OffsetRule::kTimestamp},
                 {"specific-offsets", OffsetRule::kSpecificOffsets}},
                kOptional, "Where to end in each partition, as it is when the source first looks.");
}
Option<Options> discovery_row() {
  return option("scan.topic-partition-discovery.interval", &Options::discovery, kOptional,
                "How often to look for new partitions and topics; 0: only at the start.");
}
Option<Options> partitions_row() {
  return option("scan.partitions", &Options::partitions, kOptional,
                "Which partitions of each topic this table reads, such as '0-3,7': so that several gateways "
                "share a topic. Default: all.");
}
Option<Options> key_format_row(Necessity necessity) {
  return option("key.format", &Options::key_format, necessity,
                "Format of the record's key; its options stand behind 'key.': 'key.json.…'.");
}
Option<Options> key_prefix_row() {
  return option("key.fields-prefix", &Options::key_prefix, kOptional,
                "Begins the names of the key's columns in the table and not in the key; needs "
                "'value.fields-include' = 'EXCEPT_KEY'.");
}
Option<Options> value_columns_row(const std::string& key) {
  return choice(
      "value.fields-include", &Options::value_columns,
      {{"ALL", ValueColumns::kAll}, {"EXCEPT_KEY", ValueColumns::kExceptKey}}, kOptional,
      fmt::format("Whether the columns of {} are in the value, too, and are taken from there.", key));
}
Option<Options> parallelism_row() {
  return flink_option<Options, std::uint32_t>("scan.parallelism", "One thread reads all partitions.");
}

// ---- What belongs together -------------------------------------------------------------------------------

void check_topics(const Options& options, KafkaTable table, Errors& errors) {
  if (table == KafkaTable::kUpsert && options.topics.empty())
    wrong_value(errors, "topic", "expected a topic");
  else if (options.topics.empty() == options.topic_pattern.empty())
    errors.push_back({"topic", options.topics.empty() ? Part::kMissing : Part::kKey,
                      "expected 'topic' or 'topic-pattern', and not both"});
  for (const std::string& topic : options.topics)
    if (!clients::is_kafka_topic(topic))
      wrong_value(errors, "topic",
                  fmt::format("'{}': expected 1 to 249 letters, digits, '.', '_' and '-'", topic));
  if (const RE2 pattern(options.topic_pattern, RE2::Quiet); !pattern.ok())
    wrong_value(errors, "topic-pattern", pattern.error());
  if (const auto share = PartitionShare::parse(options.partitions); !share)
    wrong_value(errors, "scan.partitions", share.error().message);
}

/// A mode and the option that it needs, which means nothing without it.
struct Companion {
  std::string mode_key;
  OffsetRule rule;
  OffsetRule needs;
  std::string key;
  std::string_view mode;
};

void check_companion(const Companion& one, const OptionMap& map, Errors& errors) {
  const bool given = map.contains(one.key);
  if (one.rule == one.needs && !given)
    errors.push_back(
        {one.key, Part::kMissing, fmt::format("'{}' = '{}' needs '{}'", one.mode_key, one.mode, one.key)});
  if (one.rule != one.needs && given)
    errors.push_back(
        {one.key, Part::kKey, fmt::format("'{}' needs '{}' = '{}'", one.key, one.mode_key, one.mode)});
}

void check_offsets(const Options& options, const std::string& key, const std::string& text, Errors& errors) {
  if (text.empty()) return;
  if (const auto offsets = parse_partition_offsets(text); !offsets)
    wrong_value(errors, key, offsets.error().message);
  else if (options.topics.size() != 1)
    wrong_value(errors, key, "offsets can be given for a single 'topic' only");
}

void check_modes(const Options& options, const OptionMap& map, Errors& errors) {
  const std::string startup = "scan.startup.mode";
  const std::string bounded = "scan.bounded.mode";
  for (const Companion& one : {Companion{startup, options.startup, OffsetRule::kTimestamp,
                                         "scan.startup.timestamp-millis", "timestamp"},
                               Companion{startup, options.startup, OffsetRule::kSpecificOffsets,
                                         "scan.startup.specific-offsets", "specific-offsets"},
                               Companion{bounded, options.bounded, OffsetRule::kTimestamp,
                                         "scan.bounded.timestamp-millis", "timestamp"},
                               Companion{bounded, options.bounded, OffsetRule::kSpecificOffsets,
                                         "scan.bounded.specific-offsets", "specific-offsets"}})
    check_companion(one, map, errors);
  check_offsets(options, "scan.startup.specific-offsets", options.startup_offsets, errors);
  check_offsets(options, "scan.bounded.specific-offsets", options.bounded_offsets, errors);
  if (options.bounded == OffsetRule::kGroupOffsets && options.group.empty())
    errors.push_back({"properties.group.id", Part::kMissing,
                      "'scan.bounded.mode' = 'group-offsets' needs 'properties.group.id'"});
  if (options.startup == OffsetRule::kGroupOffsets && options.group.empty() &&
      options.reset == OffsetReset::kByRule)
    errors.push_back({"properties.group.id", Part::kMissing,
                      "'scan.startup.mode' is 'group-offsets' unless it is given, and needs "
                      "'properties.group.id'; 'earliest-offset' or 'latest-offset' needs none"});
}

void check_properties(const Options& options, Errors& errors) {
  if (options.servers.empty())
    wrong_value(errors, "properties.bootstrap.servers", "is empty; expected 'host:9092'");
  for (const std::string_view own : kOwnProperties) {
    if (!options.properties.contains(own)) continue;
    const std::string key = fmt::format("properties.{}", own);
    errors.push_back(
        {key, Part::kKey,
         fmt::format("'{}' is not for users: the positions of the source are in its commits", key)});
  }
  clients::check_kafka_properties(options.properties, "properties.", errors);
}

void check_formats(const Options& options, KafkaTable table, const OptionMap& map, Errors& errors) {
  if (map.contains("format") && map.contains("value.format"))
    errors.push_back({"value.format", Part::kKey,
                      "'value.format' and 'format' are two names of one thing: give one of them"});
  if (table == KafkaTable::kAppend && options.key_fields.empty() != options.key_format.empty())
    errors.push_back({options.key_format.empty() ? "key.format" : "key.fields", Part::kMissing,
                      "'key.fields' and 'key.format' need each other"});
  if (!options.key_prefix.empty() && options.value_columns == ValueColumns::kAll)
    wrong_value(errors, "key.fields-prefix", "needs 'value.fields-include' = 'EXCEPT_KEY'");
}

}  // namespace

const OptionTable<Options>& kafka_source_options(KafkaTable table) {
  static const OptionTable<Options> append{
      topic_row(kOptional),
      pattern_row(),
      servers_row(),
      group_row(),
      reset_row(),
      properties_row(),
      startup_row(),
      option("scan.startup.specific-offsets", &Options::startup_offsets, kOptional,
             "'partition:0,offset:42;partition:1,offset:300'; other partitions begin at the group's offsets, "
             "or at their beginning."),
      option("scan.startup.timestamp-millis", &Options::startup_timestamp, kOptional,
             "Begin at the first record of this time or later, in milliseconds since 1970."),
      bounded_row(),
      option("scan.bounded.specific-offsets", &Options::bounded_offsets, kOptional,
             "Of each partition, the first offset that is not read; partitions without one are not read."),
      option("scan.bounded.timestamp-millis", &Options::bounded_timestamp, kOptional,
             "End before the first record of this time or later, in milliseconds since 1970."),
      discovery_row(),
      partitions_row(),
      option("key.fields", &Options::key_fields, kOptional, "Columns of the record's key, separated by ';'."),
      key_format_row(kOptional),
      key_prefix_row(),
      option("value.format", &Options::value_format, kOptional,
             "Another name of 'format'; the format's options stand behind 'value.' then: 'value.json.…'."),
      value_columns_row("'key.fields'"),
      formats::compression_row(&Options::payload_compression),
      formats::decompressed_size_row(&Options::max_decompressed),
      parallelism_row()};
  static const OptionTable<Options> upsert{
      topic_row(kRequired),
      servers_row(),
      group_row(),
      reset_row(),
      properties_row(),
      bounded_row(),
      option("scan.bounded.specific-offsets", &Options::bounded_offsets, kOptional,
             "Of each partition, the first offset that is not read; partitions without one are not read."),
      option("scan.bounded.timestamp-millis", &Options::bounded_timestamp, kOptional,
             "End before the first record of this time or later, in milliseconds since 1970."),
      discovery_row(),
      partitions_row(),
      key_format_row(kRequired),
      key_prefix_row(),
      option("value.format", &Options::value_format, kRequired,
             "Format of the record's value; its options stand behind 'value.': 'value.json.…'."),
      value_columns_row("the PRIMARY KEY"),
      parallelism_row()};
  return table == KafkaTable::kUpsert ? upsert : append;
}

Options read_kafka_options(KafkaTable table, const OptionMap& map, const std::vector<OptionDoc>& foreign,
                           Errors& errors) {
  Options options = kafka_source_options(table).read(map, foreign, errors);
  // As in Flink: a table of latest rows is read from its first record.
  if (table == KafkaTable::kUpsert) options.startup = OffsetRule::kEarliest;
  judge_together(errors, [&](Errors& found) {
    check_topics(options, table, found);
    check_modes(options, map, found);
    check_properties(options, found);
    check_formats(options, table, map, found);
    formats::check_decompressed_size(options.max_decompressed, found);
  });
  return options;
}

Options read_kafka_options(KafkaTable table, const OptionMap& map) {
  std::vector<OptionError> ignored;
  Options options = kafka_source_options(table).read(map, {}, ignored);
  if (table == KafkaTable::kUpsert) options.startup = OffsetRule::kEarliest;
  return options;
}

// ---- Columns ---------------------------------------------------------------------------------------------

namespace {

/// The key's columns by name, as the options or the table name them.
std::vector<std::string> key_names(KafkaTable table, const Options& options, const plan::TableShape& shape) {
  if (table == KafkaTable::kAppend) return options.key_fields;
  std::vector<std::string> names;
  for (const std::size_t column : shape.primary_key) names.push_back(shape.physical.fields[column].name);
  return names;
}

void check_key_names(KafkaTable table, const Options& options, const plan::TableShape& shape,
                     Errors& errors) {
  std::vector<std::string> known;
  for (const Type::Field& field : shape.physical.fields) known.push_back(field.name);
  const std::vector<std::string> names = key_names(table, options, shape);
  for (const std::string& name : names) {
    if (!shape.physical.find(name))
      wrong_value(
          errors, "key.fields",
          fmt::format("table '{}' has no column '{}'{}", shape.name, name, did_you_mean(name, known)));
    else if (std::count(names.begin(), names.end(), name) > 1)
      wrong_value(errors, "key.fields", fmt::format("names column '{}' twice", name));
    else if (!name.starts_with(options.key_prefix) || name.size() == options.key_prefix.size())
      wrong_value(errors, "key.fields-prefix", fmt::format("the key's column '{}' has no such prefix", name));
  }
  if (options.value_columns == ValueColumns::kExceptKey && !names.empty() && names.size() == known.size())
    wrong_value(errors, "value.fields-include", "'EXCEPT_KEY' leaves no column for the value");
}

}  // namespace

void check_kafka_columns(KafkaTable table, const OptionMap& map, const plan::TableShape& shape,
                         Errors& errors) {
  const Options options = read_kafka_options(table, map);
  if (table == KafkaTable::kUpsert && shape.primary_key.empty())
    errors.push_back(
        {"connector", Part::kValue,
         fmt::format("'upsert-kafka' reads and writes by key: table '{}' needs PRIMARY KEY (…) NOT "
                     "ENFORCED",
                     shape.name)});
  check_key_names(table, options, shape, errors);
}

plan::RecordLayout kafka_record_layout(KafkaTable table, const OptionMap& map,
                                       const plan::TableShape& shape) {
  const Options options = read_kafka_options(table, map);
  plan::RecordLayout layout{
      .key_format = options.key_format, .key = {}, .key_columns = {}, .value_columns = {}};
  for (const std::string& name : key_names(table, options, shape)) {
    const auto column = shape.physical.find(name);
    if (!column) continue;
    Type::Field field = shape.physical.fields[*column];
    field.name.erase(0, options.key_prefix.size());
    layout.key.fields.push_back(std::move(field));
    layout.key_columns.push_back(*column);
  }
  const bool all = options.value_columns == ValueColumns::kAll;
  for (std::size_t i = 0; i < shape.physical.size(); ++i)
    if (all || std::ranges::find(layout.key_columns, i) == layout.key_columns.end())
      layout.value_columns.push_back(i);
  return layout;
}

// ---- The library -----------------------------------------------------------------------------------------

OffsetReset effective_reset(const Options& options) {
  if (options.reset != OffsetReset::kByRule) return options.reset;
  switch (options.startup) {
    case OffsetRule::kEarliest:
    case OffsetRule::kSpecificOffsets:
      return OffsetReset::kEarliest;
    case OffsetRule::kLatest:
      return OffsetReset::kLatest;
    default:
      return OffsetReset::kNone;
  }
}

Result<clients::KafkaConf> consumer_conf(const Options& options, const SourceContext& context) {
  clients::KafkaConf conf = clients::make_kafka_conf();
  const std::string id = fmt::format("leat-{}-{}-{}", context.store.value.substr(0, 12),
                                     context.pipeline.value, context.table.value);
  const auto set = [&](const std::string& name, const std::string& value) {
    return clients::set_kafka_property(*conf, name, value);
  };
  for (const auto& [name, value] : kDefaults) LEAT_TRY(set(name, value));
  LEAT_TRY(set("client.id", id));
  LEAT_TRY(set("bootstrap.servers", options.servers));
  for (const auto& [name, value] : options.properties) LEAT_TRY(set(name, value.reveal()));
  // The library wants a group's name even of those who are in none.
  LEAT_TRY(set("group.id", options.group.empty() ? "KafkaSource-" + context.table.value : options.group));
  LEAT_TRY(set("enable.auto.commit", "false"));
  LEAT_TRY(set("enable.auto.offset.store", "false"));
  LEAT_TRY(set("enable.partition.eof", "true"));
  LEAT_TRY(set("auto.offset.reset", "error"));
  LEAT_TRY(set("max.poll.interval.ms", "86400000"));  // A stalled pipeline does not poll.
  return conf;
}

}  // namespace leat::sources
