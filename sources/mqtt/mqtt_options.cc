#include "sources/mqtt/mqtt_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pipelines/base/option_judgement.h"

namespace leat::sources {
namespace {

using Options = MqttSourceOptions;
using Rows = MqttConnectionRows<Options>;
using Errors = std::vector<OptionError>;
constexpr auto kOptional = Necessity::kOptional;
constexpr auto kRequired = Necessity::kRequired;
constexpr std::uint64_t kLargestPacket = 268'435'455;  // MQTT 5, section 1.5.5

constexpr std::array<std::string_view, 5> kFixedMetadata = {"topic", "qos", "retained", "duplicate",
                                                            "timestamp"};

/// MQTT 5, section 4.7.1: '#' is a whole level and the last one, '+' a whole level.
bool valid_filter(std::string_view filter) {
  if (filter.empty()) return false;
  for (std::size_t at = 0; at < filter.size(); ++at) {
    if (filter[at] != '#' && filter[at] != '+') continue;
    const bool begins = at == 0 || filter[at - 1] == '/';
    const bool ends = at + 1 == filter.size();
    if (!begins || (!ends && (filter[at] == '#' || filter[at + 1] != '/'))) return false;
  }
  return true;
}

void check_topics(const Options& options, Errors& errors) {
  if (options.topics.empty()) wrong_mqtt_value(errors, "topic", "expected at least one topic filter");
  for (const std::string& topic : options.topics) {
    std::string_view filter = topic;
    if (filter.starts_with("$share/")) {
      const std::size_t group = std::string_view("$share/").size();
      const std::size_t slash = filter.find('/', group);
      filter = slash == std::string_view::npos || slash == group ? "" : filter.substr(slash + 1);
    }
    if (!valid_filter(filter))
      wrong_mqtt_value(errors, "topic", fmt::format("'{}' is no valid topic filter", topic));
  }
}

void check_pattern(const Options& options, Errors& errors) {
  if (options.topic_pattern.empty()) return;
  const auto pattern = TopicPattern::parse(options.topic_pattern);
  if (!pattern) return wrong_mqtt_value(errors, "topic.pattern", pattern.error().message);
  for (const std::string& name : pattern->names())
    if (std::find(kFixedMetadata.begin(), kFixedMetadata.end(), name) != kFixedMetadata.end())
      wrong_mqtt_value(errors, "topic.pattern",
                       fmt::format("the name '{}' is that of another metadata column", name));
}

void check_protocol(const Options& options, Errors& errors) {
  if (options.qos > 2)
    wrong_mqtt_value(errors, "qos", fmt::format("expected 0, 1 or 2, found {}", options.qos));
  if (options.qos == 2 && options.version == MqttVersion::k311)
    wrong_mqtt_value(
        errors, "qos",
        "QoS 2 needs 'protocol-version' = '5': with 3.1.1 the client library acknowledges before the "
        "message is stored, and a crash would lose it");
  if (options.retain_handling > 2) wrong_mqtt_value(errors, "retain-handling", "expected 0, 1 or 2");
  if (options.receive_maximum == 0) wrong_mqtt_value(errors, "receive-maximum", "expected at least 1");
}

/// A broker that speaks 3.1.1 cannot be asked for what is new in version 5.
void check_version_5(const OptionMap& map, const Options& options, Errors& errors) {
  if (options.version == MqttVersion::k5) return;
  for (const std::string key : {"session-expiry", "receive-maximum", "retain-handling"})
    if (map.contains(key))
      errors.push_back({key, OptionError::Part::kKey,
                        fmt::format("option '{}' needs 'protocol-version' = '5': MQTT 3.1.1 has no such "
                                    "thing",
                                    key)});
}

/// What is in flight comes again after each pause: where that is many times what a small journal holds,
/// little else comes.
std::uint16_t receive_maximum_of(const Options& options) {
  constexpr std::uint64_t kBytesEach = 1 << 10;
  constexpr std::uint64_t kLeast = 16;
  const std::uint64_t room = std::max(kLeast, options.journal_size.bytes / kBytesEach);
  return static_cast<std::uint16_t>(std::min<std::uint64_t>(options.receive_maximum, room));
}

}  // namespace

const OptionTable<Options>& mqtt_source_options() {
  static const OptionTable<Options> table = Rows::table(
      option("topic", &Options::topics, kRequired,
             "Topic filters separated by ';'; shared subscriptions as $share/group/filter."),
      option("qos", &Options::qos, kOptional,
             "Quality of service to subscribe with: 0, 1 or 2. QoS 2 needs protocol version 5."),
      Rows::client_id(
          "Name of the session at the broker. By default it is made from store, pipeline and table."),
      option("clean-start", &Options::clean_start, kOptional,
             "Whether the broker forgets the session at each connect, and with it what was published "
             "meanwhile."),
      option("session-expiry", &Options::session_expiry, kOptional,
             "How long the broker keeps the session of an absent client (version 5)."),
      option("retain-handling", &Options::retain_handling, kOptional,
             "Retained messages come 0: at each connect, 1: with a new subscription, 2: never (version 5)."),
      option("receive-maximum", &Options::receive_maximum, kOptional,
             "Messages that the broker may send before the first is acknowledged (version 5); no more than "
             "one per kilobyte of the journal."),
      option("max-packet-size", &Options::max_packet, kOptional,
             "Larger messages do not come in: a version 5 broker drops them and tells nobody; with version "
             "3.1.1 they "
             "become dead letters that hold their beginning."),
      option(
          "topic.pattern", &Options::topic_pattern, kOptional,
          "Names for levels of the topic, as in 'site/{site}/+/{machine}'; each becomes a metadata column."),
      formats::compression_row(&Options::payload_compression),
      formats::decompressed_size_row(&Options::max_decompressed), JournalRows<Options>::journal(),
      JournalRows<Options>::size(), JournalRows<Options>::sync_interval());
  return table;
}

MqttSourceOptions read_mqtt_options(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                    std::vector<OptionError>& errors) {
  Options options = mqtt_source_options().read(map, foreign, errors);
  judge_together(errors, [&](Errors& found) {
    check_mqtt_connection(map, options, found);
    check_topics(options, found);
    check_pattern(options, found);
    check_protocol(options, found);
    check_version_5(map, options, found);
    check_journal(options, "max-packet-size", options.max_packet, found);
    formats::check_decompressed_size(options.max_decompressed, found);
  });
  return options;
}

MqttSourceOptions read_mqtt_options(const OptionMap& map) {
  std::vector<OptionError> ignored;
  return mqtt_source_options().read(map, {}, ignored);
}

MqttClientOptions client_options_of(const Options& options, const SourceContext& context) {
  MqttClientOptions client = client_options_of(static_cast<const MqttConnectionOptions&>(options),
                                               fmt::format("leat-{}-{}-{}", context.store.value.substr(0, 12),
                                                           context.pipeline.value, context.table.value));
  client.clean_start = options.clean_start ? CleanStart::kClean : CleanStart::kKeepSession;
  client.session_expiry = options.session_expiry;
  client.receive_maximum = receive_maximum_of(options);
  client.max_packet =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(options.max_packet.bytes, kLargestPacket));
  for (const std::string& topic : options.topics)
    client.subscriptions.push_back(
        {topic, static_cast<int>(options.qos), static_cast<int>(options.retain_handling)});
  return client;
}

}  // namespace leat::sources
