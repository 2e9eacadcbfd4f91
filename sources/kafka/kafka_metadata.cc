#include "sources/kafka/kafka_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pipelines/base/bytes.h"
#include "pipelines/base/time.h"
#include "sources/kafka/kafka_position.h"

namespace leat::sources {
namespace {

constexpr std::string_view kSplitKey = "split";
constexpr std::string_view kDeletionKey = "tombstone";

Type not_null(const Type& type) {
  return type.with_nullable(false);
}

std::string_view name_of(TimestampType type) {
  switch (type) {
    case TimestampType::kCreateTime:
      return "CreateTime";
    case TimestampType::kLogAppendTime:
      return "LogAppendTime";
    case TimestampType::kNone:
      break;
  }
  return "NoTimestampType";
}

/// Of several headers of one name the last one counts, as in Flink.
void append_headers(std::string_view bytes, ColumnBuilder& column) {
  ByteReader reader(bytes);
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  const std::uint64_t count = bytes.empty() ? 0 : reader.varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::string_view name = reader.string();
    const std::string_view value = reader.u8() != 0 ? reader.string() : std::string_view();
    std::erase_if(headers, [&](const auto& header) { return header.first == name; });
    headers.emplace_back(name, value);
  }
  for (const auto& [name, value] : headers) {
    column.child(0).append_string(name);
    column.child(1).append_string(value);
  }
  column.close_nested();
}

}  // namespace

std::vector<plan::MetadataColumn> kafka_metadata_columns() {
  return {
      {.key = "topic", .type = not_null(Type::string()), .doc = "Topic of the record."},
      {.key = "partition", .type = not_null(Type::integer()), .doc = "Number of its partition."},
      {.key = "headers",
       .type = not_null(Type::map(not_null(Type::string()), not_null(Type::bytes()))),
       .doc = "Its headers; of several with one name the last."},
      {.key = "offset", .type = not_null(Type::big_int()), .doc = "Its place in the partition."},
      {.key = "timestamp",
       .type = not_null(Type::timestamp_ltz(3)),
       .doc = "The time that it carries; 1970 if it has none."},
      {.key = "timestamp-type",
       .type = not_null(Type::string()),
       .doc = "What that is: 'CreateTime', 'LogAppendTime' or 'NoTimestampType'."},
  };
}

plan::MetadataColumn kafka_split_column() {
  return {.key = std::string(kSplitKey), .type = Type::string()};
}

plan::MetadataColumn kafka_deletion_column() {
  return {.key = std::string(kDeletionKey), .type = Type::boolean()};
}

Result<KafkaMetadata> KafkaMetadata::make(const std::vector<std::string>& keys) {
  static const std::pair<std::string_view, Field> kFields[] = {
      {"topic", Field::kTopic},   {"partition", Field::kPartition}, {"headers", Field::kHeaders},
      {"offset", Field::kOffset}, {"timestamp", Field::kTimestamp}, {"timestamp-type", Field::kTimestampType},
      {kSplitKey, Field::kSplit}, {kDeletionKey, Field::kDeletion}};
  KafkaMetadata metadata;
  for (const std::string& key : keys) {
    const auto* const found =
        std::ranges::find(kFields, std::string_view(key), &std::pair<std::string_view, Field>::first);
    if (found == std::end(kFields))
      return fail(ErrorCode::kInvalid, fmt::format("the kafka connector has no metadata '{}'", key));
    metadata.fields_.push_back(found->second);
  }
  return metadata;
}

bool KafkaMetadata::wants_headers() const {
  return std::ranges::find(fields_, Field::kHeaders) != fields_.end();
}

void KafkaMetadata::append(const Message& message, std::span<ColumnBuilder* const> columns) const {
  const KafkaRecord record = decode_kafka_record(message.attributes);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    ColumnBuilder& column = *columns[i];
    switch (fields_[i]) {
      case Field::kTopic:
        column.append_view(topic_of_split(record.split));
        break;
      case Field::kPartition:
        column.append<std::int32_t>(number_of_split(record.split));
        break;
      case Field::kHeaders:
        append_headers(record.headers, column);
        break;
      case Field::kOffset:
        column.append<std::int64_t>(static_cast<std::int64_t>(record.offset));
        break;
      case Field::kTimestamp:
        column.append<std::int64_t>(std::max<std::int64_t>(0, record.timestamp) * kMicrosPerMilli);
        break;
      case Field::kTimestampType:
        column.append_string(name_of(record.timestamp_type));
        break;
      case Field::kSplit:
        column.append_view(record.split);
        break;
      case Field::kDeletion:
        column.append<std::uint8_t>(record.flags.no_value ? 1 : 0);
        break;
    }
  }
}

}  // namespace leat::sources
