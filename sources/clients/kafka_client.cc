#include "sources/clients/kafka_client.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <vector>

#include "pipelines/base/nearest.h"

namespace leat::clients {

namespace {

constexpr std::size_t kErrorTextBytes = 512;

/// Loads code into the process.
constexpr std::string_view kPluginPaths = "plugin.library.paths";

bool is_secret(std::string_view name) {
  constexpr std::array<std::string_view, 5> kMarks{"password", "pem", "secret", "jaas", "oauthbearer"};
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [&](std::string_view mark) { return name.find(mark) != std::string_view::npos; });
}

void take_names(const char** dump, std::size_t count, std::vector<std::string>& names) {
  for (std::size_t i = 0; i + 1 < count; i += 2) names.emplace_back(dump[i]);
  rd_kafka_conf_dump_free(dump, count);
}

/// All properties of the library, for nearest names.
std::vector<std::string> known_properties() {
  std::vector<std::string> names{"message.timeout.ms", "acks", "compression.type", "partitioner"};
  std::size_t count = 0;
  const KafkaConf conf = make_kafka_conf();
  const char** dump = rd_kafka_conf_dump(conf.get(), &count);
  take_names(dump, count, names);
  return names;
}

}  // namespace

void KafkaConfDeleter::operator()(rd_kafka_conf_s* conf) const {
  rd_kafka_conf_destroy(conf);
}

void KafkaDeleter::operator()(rd_kafka_s* client) const {
  rd_kafka_destroy(client);
}

KafkaConf make_kafka_conf() {
  KafkaConf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  return conf;
}

Status set_kafka_property(rd_kafka_conf_s& conf, const std::string& name, const std::string& value) {
  if (name == kPluginPaths)
    return fail(ErrorCode::kInvalid, fmt::format("property '{}' would load code into the daemon", name));
  std::array<char, kErrorTextBytes> text{};
  switch (rd_kafka_conf_set(&conf, name.c_str(), value.c_str(), text.data(), text.size())) {
    case RD_KAFKA_CONF_OK:
      return {};
    case RD_KAFKA_CONF_UNKNOWN:
      return fail(ErrorCode::kInvalid, fmt::format("librdkafka has no property '{}'{}", name,
                                                   did_you_mean(name, known_properties())));
    default:
      break;
  }
  return fail(ErrorCode::kInvalid, is_secret(name)
                                       ? fmt::format("the value of property '{}' does not fit", name)
                                       : std::string(text.data()));
}

Result<std::string> kafka_property(const rd_kafka_conf_s& conf, const std::string& name) {
  std::array<char, kErrorTextBytes> value{};
  std::size_t size = value.size();
  if (rd_kafka_conf_get(&conf, name.c_str(), value.data(), &size) != RD_KAFKA_CONF_OK)
    return fail(ErrorCode::kNotFound, fmt::format("property '{}' has no value", name));
  return std::string(value.data());
}

void check_kafka_properties(const SecretMap& properties, std::string_view prefix,
                            std::vector<OptionError>& errors) {
  const KafkaConf conf = make_kafka_conf();
  for (const auto& [name, value] : properties) {
    const Status set = set_kafka_property(*conf, name, value.reveal());
    if (set) continue;
    const std::string key = std::string(prefix) + name;
    errors.push_back({key, OptionError::Part::kKey, fmt::format("'{}': {}", key, set.error().message)});
  }
}

bool is_kafka_topic(std::string_view name) {
  constexpr std::size_t kLongest = 249;
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '-';
         });
}

namespace {

Result<KafkaClient> make_client(rd_kafka_type_t type, KafkaConf conf) {
  std::array<char, kErrorTextBytes> text{};
  KafkaClient client(rd_kafka_new(type, conf.get(), text.data(), text.size()));
  if (!client) return fail(ErrorCode::kInvalid, fmt::format("kafka: {}", text.data()));
  (void)conf.release();  // The client owns it now.
  return client;
}

}  // namespace

Result<KafkaClient> make_kafka_producer(KafkaConf conf) {
  return make_client(RD_KAFKA_PRODUCER, std::move(conf));
}

Result<KafkaClient> make_kafka_consumer(KafkaConf conf) {
  auto client = make_client(RD_KAFKA_CONSUMER, std::move(conf));
  if (client) rd_kafka_poll_set_consumer(client->get());
  return client;
}

KafkaFault judge_kafka_error(int code) {
  switch (static_cast<rd_kafka_resp_err_t>(code)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return KafkaFault::kNone;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return KafkaFault::kRecord;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return KafkaFault::kHumanNeeded;
    default:
      return KafkaFault::kTransient;
  }
}

std::string kafka_error_text(int code) {
  return rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code));
}

}  // namespace leat::clients
