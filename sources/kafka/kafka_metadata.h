// What a Kafka record has beside key and value, as METADATA columns.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/plan/catalog.h"
#include "sources/intake.h"

namespace leat::sources {

std::vector<plan::MetadataColumn> kafka_metadata_columns();
/// Of which nobody can ask in SQL: see plan::ConnectorInfo.
plan::MetadataColumn kafka_split_column();
plan::MetadataColumn kafka_deletion_column();

class KafkaMetadata {
 public:
  /// Errors: invalid (no such metadata).
  static Result<KafkaMetadata> make(const std::vector<std::string>& keys);
  /// False: records need not be kept with their headers.
  [[nodiscard]] bool wants_headers() const;
  void append(const Message& message, std::span<ColumnBuilder* const> columns) const;

 private:
  enum class Field : std::uint8_t {
    kTopic,
    kPartition,
    kHeaders,
    kOffset,
    kTimestamp,
    kTimestampType,
    kSplit,
    kDeletion,
  };
  std::vector<Field> fields_;
};

}  // namespace leat::sources
