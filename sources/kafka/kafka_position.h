// How far a Kafka source has come, and what each of its messages says about that and about itself.
//
// Grammar (varint, string as in pipelines/base/bytes.h):
//   split      := topic '-' number of the partition, as text: "readings-3"
//   position   := 0x01 (version), varint count, (string split, place)*        sorted by split
//     place    := varint next offset, 0x00 | (0x01, varint end)     where a source that ends stops in it
//   attributes := string split, varint offset, zigzag timestamp (milliseconds), u8 flags [, headers]
//     flags    := what RecordFlags says, and the TimestampType times 16
//     headers  := varint count, (string name, 0x00 | (0x01, string value))*       where somebody reads them
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "sources/source.h"

namespace leat::sources {

struct KafkaPartition {
  std::string topic;
  std::int32_t number = 0;
  friend auto operator<=>(const KafkaPartition&, const KafkaPartition&) = default;
};
std::string split_name(std::string_view topic, std::int32_t number);
/// Topics may have '-' in their names: the last one counts.
std::string_view topic_of_split(std::string_view split);
std::int32_t number_of_split(std::string_view split);

struct KafkaPlace {
  std::uint64_t next = 0;
  std::optional<std::uint64_t> end;  ///< Nothing from this offset on is read.

  [[nodiscard]] bool reached() const { return end && next >= *end; }
  friend bool operator==(const KafkaPlace&, const KafkaPlace&) = default;
};
/// By split.
using KafkaPlaces = std::map<std::string, KafkaPlace, std::less<>>;

std::string encode_kafka_position(const KafkaPlaces& places);
/// nullopt for empty bytes: the source has never looked which partitions there are. Errors: invalid (not
/// ours).
Result<std::optional<KafkaPlaces>> decode_kafka_position(std::string_view bytes);

/// As Kafka's own clients number them.
enum class TimestampType : std::uint8_t { kNone, kCreateTime, kLogAppendTime };

struct RecordFlags {
  bool no_value = false;  ///< A tombstone; else the value may be empty.
  bool no_key = false;
};

/// What is kept of a record beside its key and its value.
struct KafkaRecord {
  std::string_view split;
  std::uint64_t offset = 0;
  std::int64_t timestamp = 0;  ///< Milliseconds since 1970; -1: it has none.
  TimestampType timestamp_type = TimestampType::kNone;
  RecordFlags flags;
  std::string_view headers;  ///< As the grammar has them; empty: none were kept.
};
/// Writes over `out`.
void encode_kafka_record(const KafkaRecord& record, std::string& out);
KafkaRecord decode_kafka_record(std::string_view attributes);

/// Where the partitions begin that the source's thread has taken: they are part of the position before the
/// first message of them is. Thread-safe.
class TakenPlaces {
 public:
  /// Puts all that is taken now in place of what was.
  void set(KafkaPlaces places);
  /// nullopt: the source has not looked yet.
  [[nodiscard]] std::optional<KafkaPlaces> get() const;

 private:
  mutable std::mutex mutex_;
  std::optional<KafkaPlaces> places_;
};

class KafkaTracker final : public PositionTracker {
 public:
  /// `taken` outlives it. `restored`: as `start` is given it.
  KafkaTracker(std::optional<KafkaPlaces> restored, const TakenPlaces& taken)
      : restored_(std::move(restored)), taken_(taken) {}
  void consumed(const Message& message) override;
  [[nodiscard]] std::string encode() const override;

 private:
  const std::optional<KafkaPlaces> restored_;
  const TakenPlaces& taken_;
  std::map<std::string, std::uint64_t, std::less<>> next_;  // Of partitions with a message.
  std::map<std::string, std::uint64_t, std::less<>>::iterator last_ = next_.end();
};

}  // namespace leat::sources
