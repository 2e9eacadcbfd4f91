// What every user of librdkafka in Leat shares: owned handles, properties with errors that help, and what an
// error of the library or the broker means.
//
// The library's log is off: what it has to say comes through its error events, which the owner of a handle
// reads and puts into its own reasons.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

// librdkafka's own names, so that its large header stays out of ours.
struct rd_kafka_s;
struct rd_kafka_conf_s;

namespace leat::clients {

struct KafkaConfDeleter {
  void operator()(rd_kafka_conf_s* conf) const;
};
using KafkaConf = std::unique_ptr<rd_kafka_conf_s, KafkaConfDeleter>;

/// Destroying waits for the library's threads; what is still queued in it is lost.
struct KafkaDeleter {
  void operator()(rd_kafka_s* client) const;
};
using KafkaClient = std::unique_ptr<rd_kafka_s, KafkaDeleter>;

KafkaConf make_kafka_conf();

/// Sets one property. Errors: invalid (no such property, with the nearest name; a value that does not fit;
/// one that is not for users). Values of secret properties are never repeated.
Status set_kafka_property(rd_kafka_conf_s& conf, const std::string& name, const std::string& value);

/// The property's value or its default. Errors: not found.
Result<std::string> kafka_property(const rd_kafka_conf_s& conf, const std::string& name);

/// Appends one error per wrong property; keys are named as `prefix` + name. Touches nothing.
void check_kafka_properties(const SecretMap& properties, std::string_view prefix,
                            std::vector<OptionError>& errors);

/// Kafka's rule for the names of topics.
bool is_kafka_topic(std::string_view name);

/// A producer with this configuration. It connects in its own time: an absent broker is no error.
/// Errors: invalid (properties that exclude each other, certificates that cannot be read).
Result<KafkaClient> make_kafka_producer(KafkaConf conf);
/// A consumer, likewise. It joins no group unless it subscribes.
Result<KafkaClient> make_kafka_consumer(KafkaConf conf);

/// What an error code means for who sent a record.
enum class KafkaFault : std::uint8_t {
  kNone,
  kTransient,    ///< Try again.
  kRecord,       ///< This record, or one of its batch, will never be taken.
  kHumanNeeded,  ///< Topic, credentials, rights: trying again helps once somebody has acted.
};
KafkaFault judge_kafka_error(int code);

/// The library's description: "Broker: Message size too large".
std::string kafka_error_text(int code);

}  // namespace leat::clients
