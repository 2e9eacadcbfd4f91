// Looks for a shipment in the topic itself: by the header `leat-shipment` of its messages, among what a
// `read_committed` consumer sees. For the rare case that the number in the consumer group is gone (it
// expired, the group was deleted) or does not tell.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pipelines/base/result.h"
#include "sinks/block.h"
#include "sources/clients/kafka_client.h"

namespace leat::sinks {

struct KafkaSearch {
  std::string topic;
  std::string name;                 ///< The value of the header.
  std::span<const Record> records;  ///< The shipment's.
  std::span<const std::int64_t>
      ends;  ///< Where to begin, per partition; from the beginning where none is given.
};

enum class Found : std::uint8_t {
  kNothing,   ///< Everything from `ends` on was read: it is not there.
  kShipment,  ///< It is there.
  kAnother,   ///< Messages of this name with other bytes: another history of the store.
  kGap,       ///< What lay behind `ends` is not all there any more (retention, a topic made anew).
};

/// Where each partition of the topic ends now; empty while there is no such topic. Errors: unavailable.
Result<std::vector<std::int64_t>> ends_of(rd_kafka_s& client, const std::string& topic);

/// Reads to the present end of every partition, however long that takes; soon over once `interrupted` is set.
/// `conf` reaches the cluster. Errors: unavailable (the broker is away; a transaction of somebody else is
/// open before the end, so that what is behind it cannot be seen yet), cancelled.
Result<Found> search(clients::KafkaConf conf, const KafkaSearch& wanted,
                     const std::atomic<bool>& interrupted);

}  // namespace leat::sinks
