#include "sources/kafka/kafka_position.h"

#include <charconv>
#include <utility>

#include "pipelines/base/bytes.h"

namespace leat::sources {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kNoValue = 1;
constexpr std::uint8_t kNoKey = 2;
constexpr unsigned kTypeShift = 4;

}  // namespace

std::string split_name(std::string_view topic, std::int32_t number) {
  return std::string(topic) + "-" + std::to_string(number);
}

std::string_view topic_of_split(std::string_view split) {
  return split.substr(0, split.rfind('-'));
}

std::int32_t number_of_split(std::string_view split) {
  const std::string_view digits = split.substr(split.rfind('-') + 1);
  std::int32_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// ---- Positions -------------------------------------------------------------------------------------------

std::string encode_kafka_position(const KafkaPlaces& places) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.u8(kVersion);
  writer.varint(places.size());
  for (const auto& [split, place] : places) {
    writer.string(split);
    writer.varint(place.next);
    writer.u8(place.end ? 1 : 0);
    if (place.end) writer.varint(*place.end);
  }
  return bytes;
}

Result<std::optional<KafkaPlaces>> decode_kafka_position(std::string_view bytes) {
  if (bytes.empty()) return std::optional<KafkaPlaces>();
  KafkaPlaces places;
  ByteReader reader(bytes);
  const std::uint8_t version = reader.u8();
  const std::uint64_t count = reader.varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    KafkaPlace& place = places[std::string(reader.string())];
    place.next = reader.varint();
    if (reader.u8() != 0) place.end = reader.varint();
  }
  if (version != kVersion || !reader.ok() || !reader.at_end())
    return fail(ErrorCode::kInvalid, "this is no position of a kafka source");
  return std::optional(std::move(places));
}

// ---- Records ---------------------------------------------------------------------------------------------

void encode_kafka_record(const KafkaRecord& record, std::string& out) {
  out.clear();
  ByteWriter writer(out);
  writer.string(record.split);
  writer.varint(record.offset);
  writer.zigzag(record.timestamp);
  const unsigned flags = (record.flags.no_value ? kNoValue : 0U) | (record.flags.no_key ? kNoKey : 0U) |
                         static_cast<unsigned>(record.timestamp_type) << kTypeShift;
  writer.u8(static_cast<std::uint8_t>(flags));
  out.append(record.headers);
}

KafkaRecord decode_kafka_record(std::string_view attributes) {
  ByteReader reader(attributes);
  KafkaRecord record;
  record.split = reader.string();
  record.offset = reader.varint();
  record.timestamp = reader.zigzag();
  const std::uint8_t flags = reader.u8();
  record.flags = {.no_value = (flags & kNoValue) != 0, .no_key = (flags & kNoKey) != 0};
  record.timestamp_type = static_cast<TimestampType>(flags >> kTypeShift);
  record.headers = reader.rest();
  return record;
}

// ---- What is taken ---------------------------------------------------------------------------------------

void TakenPlaces::set(KafkaPlaces places) {
  const std::scoped_lock lock(mutex_);
  places_ = std::move(places);
}

std::optional<KafkaPlaces> TakenPlaces::get() const {
  const std::scoped_lock lock(mutex_);
  return places_;
}

void KafkaTracker::consumed(const Message& message) {
  const KafkaRecord record = decode_kafka_record(message.attributes);
  if (last_ == next_.end() || last_->first != record.split) {
    last_ = next_.find(record.split);
    if (last_ == next_.end()) last_ = next_.emplace(std::string(record.split), 0).first;
  }
  last_->second = record.offset + 1;
}

std::string KafkaTracker::encode() const {
  // Until the source has looked, what was restored stands, be it nothing.
  std::optional<KafkaPlaces> places = taken_.get();
  if (!places) return restored_ ? encode_kafka_position(*restored_) : std::string();
  for (const auto& [split, next] : next_) (*places)[split].next = next;
  return encode_kafka_position(*places);
}

}  // namespace leat::sources
