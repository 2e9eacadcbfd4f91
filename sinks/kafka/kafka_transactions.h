// The transactions of one producer, and the number that travels in them as the offset of a consumer group
// (whose name is the transactional id) on partition 0 of a topic.
//
// The library's calls block; these ask twice a second whether to give up, and go on waiting otherwise, for
// `patience` at most. After an error other than kAbort nothing is known of the transaction: the producer is
// thrown away, and the next one's `init` settles it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "pipelines/base/result.h"
#include "pipelines/base/time.h"

struct rd_kafka_s;
struct rd_kafka_error_s;

namespace leat::sinks {

struct TransactionError {
  enum class Kind : std::uint8_t {
    kRetriable,  ///< Out of time, or interrupted: nobody knows.
    kAbort,      ///< The transaction can only be aborted; nothing of it counts.
    kFenced,     ///< The producer's place was taken: by another one of its transactional id, or because the
                 ///< coordinator ended a transaction that took too long.
    kFatal,
  };
  Kind kind = Kind::kFatal;
  int code = 0;
  std::string text;
};
using TransactionStatus = tl::expected<void, TransactionError>;

class KafkaTransactions {
 public:
  /// `client` outlives it, and so does what `give_up` refers to.
  KafkaTransactions(rd_kafka_s& client, std::string group, Micros patience, std::function<bool()> give_up)
      : client_(client), group_(std::move(group)), patience_(patience), give_up_(std::move(give_up)) {}

  /// Ends what an earlier producer of this transactional id left, one way or the other, and shuts it out.
  TransactionStatus init();
  TransactionStatus begin();
  TransactionStatus send_progress(const std::string& topic, std::uint64_t number,
                                  const std::string& metadata);
  TransactionStatus commit();
  TransactionStatus abort();

  /// The group's metadata on the topic as the last transaction that was decided left it; nullopt: none, or
  /// none any more. Errors: unavailable.
  Result<std::optional<std::string>> committed(const std::string& topic);

 private:
  template <class Call>
  TransactionStatus patiently(Call call);

  rd_kafka_s& client_;
  const std::string group_;
  const Micros patience_;
  const std::function<bool()> give_up_;
};

}  // namespace leat::sinks
