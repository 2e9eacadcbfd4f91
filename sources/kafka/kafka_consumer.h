// One consumer of librdkafka, of which partitions are asked for and read by name: no group shares them out.
// All calls, and all of the library's callbacks, are on the source's thread; only `publish` and what is
// beside it are on the loop.
//
// Questions to the brokers block for `patience` at most, which grows while they are not answered.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/clients/kafka_client.h"
#include "sources/kafka/kafka_position.h"

struct rd_kafka_message_s;
struct rd_kafka_queue_s;

namespace leat::sources {

/// Which topics: by name, or by a pattern.
struct TopicSelection {
  std::vector<std::string> topics;
  std::string pattern;  ///< RE2, of the whole name; for `topics` that are empty.
};

struct FoundPartitions {
  std::vector<KafkaPartition> partitions;  ///< Sorted.
  std::string trouble;                     ///< Topics that are missing or refused, and why; empty: none.
};

using KafkaOffsets = std::map<KafkaPartition, std::uint64_t>;

struct KafkaBounds {
  std::uint64_t low = 0;   ///< Of the oldest record that there is.
  std::uint64_t high = 0;  ///< Behind the newest.
};

struct KafkaMessageDeleter {
  void operator()(rd_kafka_message_s* message) const;
};
using KafkaMessage = std::unique_ptr<rd_kafka_message_s, KafkaMessageDeleter>;

class KafkaConsumer {
 public:
  /// `conf` from `consumer_conf`. Connects in its own time. Errors: invalid.
  static Result<std::unique_ptr<KafkaConsumer>> make(clients::KafkaConf conf);
  ~KafkaConsumer();
  KafkaConsumer(const KafkaConsumer&) = delete;
  KafkaConsumer& operator=(const KafkaConsumer&) = delete;

  // Questions. Errors: unavailable (no broker answers, or the credentials are wrong).
  Result<FoundPartitions> find(const TopicSelection& selection);
  Result<KafkaBounds> bounds(const KafkaPartition& partition);
  /// Of the group; partitions without one are left out.
  Result<KafkaOffsets> committed(std::span<const KafkaPartition> partitions);
  /// Of the first record at this time (milliseconds) or later; partitions without one are left out.
  Result<KafkaOffsets> at_time(std::span<const KafkaPartition> partitions, std::int64_t timestamp);

  /// Reads these from there on, in place of what was read before. Errors: internal.
  Status read(const KafkaOffsets& places);
  /// No more of this one.
  void finish(const KafkaPartition& partition);
  /// Waits for the first message or event for `wait_millis` at most, and takes what else is there. Messages
  /// of before `read` may still come: they have offsets that were seen.
  void poll(int wait_millis, std::vector<KafkaMessage>& messages);

  /// All brokers are away, or refuse the credentials: that has happened since the last call.
  bool take_cut_off() { return std::exchange(cut_off_, false); }
  /// The last error that was about no partition; empty: none.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  void forget_trouble();

 private:
  class Callbacks;
  KafkaConsumer() = default;

  /// A library whose queue was full looks at it once a second only, so a small queue would bind the rate. Its
  /// thread that fetches looks sooner when it has something to send: a question to which nobody hears the
  /// answer.
  void wake_fetcher(const rd_kafka_message_s& last);
  Status add_topic(const std::string& topic, FoundPartitions& found);
  Status add_matching(const std::string& pattern, FoundPartitions& found);
  tl::unexpected<Error> unanswered(int code);
  void answered() { patience_millis_ = kFirstPatience; }

  static constexpr int kFirstPatience = 1'000;
  static constexpr int kMostPatience = 5'000;

  int patience_millis_ = kFirstPatience;
  std::chrono::steady_clock::time_point woken_{};
  std::size_t taken_at_once_ = 0;  // Messages since the library's queue was last empty.
  bool cut_off_ = false;
  std::string trouble_;
  bool refused_ = false;         // `trouble_` says that credentials or certificates are wrong.
  clients::KafkaClient client_;  // Its callbacks use the members above.
  struct QueueDeleter {
    void operator()(rd_kafka_queue_s* queue) const;
  };
  std::unique_ptr<rd_kafka_queue_s, QueueDeleter> queue_;

  friend class OffsetPublisher;
};

/// Tells the group how far the source has come. On the loop.
class OffsetPublisher {
 public:
  /// `consumer` outlives it.
  explicit OffsetPublisher(KafkaConsumer& consumer);
  /// Waits a moment for answers that are due.
  ~OffsetPublisher();
  OffsetPublisher(const OffsetPublisher&) = delete;
  OffsetPublisher& operator=(const OffsetPublisher&) = delete;

  /// Those of `places` that have changed are on their way when it returns.
  void publish(const KafkaPlaces& places);
  /// Why the last ones were not taken; empty: they were, as far as is known.
  [[nodiscard]] std::string trouble() const;

 private:
  /// False: none came in time.
  bool take_answer(int wait_millis);

  KafkaConsumer& consumer_;
  std::unique_ptr<rd_kafka_queue_s, KafkaConsumer::QueueDeleter> answers_;
  KafkaPlaces published_;
  std::uint64_t under_way_ = 0;
  mutable std::mutex mutex_;
  std::string trouble_;
};

}  // namespace leat::sources
