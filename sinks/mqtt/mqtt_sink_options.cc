#include "sinks/mqtt/mqtt_sink_options.h"

#include <fmt/format.h>

#include "pipelines/base/nearest.h"
#include "sinks/connector.h"

namespace leat::sinks {
namespace {

using Options = MqttSinkOptions;
using Rows = sources::MqttConnectionRows<Options>;
using sources::wrong_mqtt_value;
constexpr auto kOptional = Necessity::kOptional;
constexpr int kLifeQos = 1;  // Of birth and will: they are to arrive.

void check_life_topic(const std::string& key, const std::string& topic, std::vector<OptionError>& errors) {
  if (topic.empty()) return;
  const auto parsed = TopicTemplate::parse(topic);
  if (!parsed) return wrong_mqtt_value(errors, key, parsed.error().message);
  if (!parsed->columns().empty())
    wrong_mqtt_value(errors, key, "this message belongs to no row: its topic has no columns");
}

void check_needs_topic(const OptionMap& map, const std::string& prefix, std::vector<OptionError>& errors) {
  if (map.contains(prefix + ".topic")) return;
  for (const auto& [key, value] : map)
    if (key.starts_with(prefix + "."))
      errors.push_back(
          {key, OptionError::Part::kKey, fmt::format("option '{}' needs '{}.topic'", key, prefix)});
}

bool is_nested(const Type& type) {
  using enum TypeKind;
  return type.kind() == kArray || type.kind() == kMap || type.kind() == kMultiset || type.kind() == kRow;
}

}  // namespace

const OptionTable<Options>& mqtt_sink_options() {
  static const OptionTable<Options> table = Rows::table(
      option("topic", &Options::topic, Necessity::kRequired,
             "Where to publish. {column} stands for the row's value: 'site/{site}/{machine}'."),
      option("qos", &Options::qos, kOptional,
             "Quality of service: 0 is gone once it is written, 1 and 2 are acknowledged by the broker."),
      option("retained", &Options::retained, kOptional,
             "Whether the broker keeps the last message of a topic for those who subscribe later."),
      option("max-inflight", &Options::max_inflight, kOptional,
             "Messages that may wait for the broker's acknowledgement at once."),
      option("publish.timeout", &Options::publish_timeout, kOptional,
             "How long the broker may acknowledge nothing before the connection is given up."),
      option("birth.topic", &Options::birth_topic, kOptional,
             "Where a message is published after each connect."),
      option("birth.payload", &Options::birth_payload, kOptional,
             "That message. {timestamp} in it, as in that of the will, stands for the time of the connect in "
             "milliseconds since 1970."),
      option("birth.retained", &Options::birth_retained, kOptional, "Whether the broker keeps it."),
      option("will.topic", &Options::will_topic, kOptional,
             "Where a message is published when the connection has ended: by the broker when it was lost, by "
             "the sink before it goes."),
      option("will.payload", &Options::will_payload, kOptional,
             "That message. Where the sink speaks it, {timestamp} is the time then."),
      option("will.retained", &Options::will_retained, kOptional, "Whether the broker keeps it."),
      Rows::client_id("Name at the broker. By default it is made from store, pipeline and table."),
      max_rows_option<Options>(), max_bytes_option<Options>(), linger_option<Options>());
  return table;
}

void check_mqtt_sink_options(const Options& options, const OptionMap& map, std::vector<OptionError>& errors) {
  sources::check_mqtt_connection(map, options, errors);
  if (const auto topic = TopicTemplate::parse(options.topic); !topic)
    wrong_mqtt_value(errors, "topic", topic.error().message);
  if (options.qos > 2)
    wrong_mqtt_value(errors, "qos", fmt::format("expected 0, 1 or 2, found {}", options.qos));
  if (options.max_inflight == 0) wrong_mqtt_value(errors, "max-inflight", "expected at least 1");
  sources::check_mqtt_interval("publish.timeout", options.publish_timeout, errors);
  check_life_topic("birth.topic", options.birth_topic, errors);
  check_life_topic("will.topic", options.will_topic, errors);
  check_needs_topic(map, "birth", errors);
  check_needs_topic(map, "will", errors);
}

void check_mqtt_table(const OptionMap& map, const plan::TableShape& table, std::vector<OptionError>& errors) {
  const auto topic = TopicTemplate::parse(validated_options(mqtt_sink_options(), map).topic);
  if (!topic) return;
  std::vector<std::string> names;
  for (const Type::Field& column : table.physical.fields) names.push_back(column.name);
  for (const std::string& name : topic->columns()) {
    const auto column = table.physical.find(name);
    if (!column)
      wrong_mqtt_value(
          errors, "topic",
          fmt::format("table '{}' has no column '{}'{}", table.name, name, did_you_mean(name, names)));
    else if (is_nested(table.physical.fields[*column].type))
      wrong_mqtt_value(errors, "topic", fmt::format("column '{}' is no single value", name));
  }
}

sources::MqttClientOptions client_options_of(const Options& options, const SinkContext& context) {
  sources::MqttClientOptions client =
      sources::client_options_of(static_cast<const sources::MqttConnectionOptions&>(options),
                                 fmt::format("leat-{}-{}-{}-out", context.store.value.substr(0, 12),
                                             context.pipeline.value, context.table.value));
  // Nothing is kept at the broker or in the client: what was not acknowledged is in the outbox.
  client.clean_start = sources::CleanStart::kClean;
  client.session_expiry = Micros(0);
  client.max_inflight = options.max_inflight;
  if (!options.will_topic.empty())
    client.will = sources::MqttWill{.topic = options.will_topic,
                                    .payload = options.will_payload,
                                    .qos = kLifeQos,
                                    .retained = options.will_retained};
  return client;
}

}  // namespace leat::sinks
