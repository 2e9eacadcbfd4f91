// What is known of a row beside its values: from which unit, when, and how long it took.
//
// Grammar of a message's attributes:
//   attributes := varint unit, zigzag scheduled, varint latency     microseconds since the epoch;
//   microseconds
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/plan/catalog.h"
#include "sources/intake.h"

namespace leat::sources {

struct PollFacts {
  std::uint8_t unit = 0;
  std::int64_t scheduled = 0;  ///< The point of the schedule.
  Micros latency{0};           ///< From the first request to the last answer.
};

std::string encode_poll_facts(const PollFacts& facts);
PollFacts decode_poll_facts(std::string_view attributes);

std::vector<plan::MetadataColumn> modbus_metadata_columns(const OptionMap& map);

/// Appends one message's metadata. On the loop.
class ModbusMetadataWriter {
 public:
  /// Errors: invalid (there is no such metadata).
  static Result<ModbusMetadataWriter> make(std::string url, const std::vector<std::string>& keys);
  void append(const Message& message, std::span<ColumnBuilder* const> columns) const;

 private:
  enum class Field : std::uint8_t { kUrl, kUnit, kTimestamp, kScheduled, kLatency };
  std::string url_;
  std::vector<Field> fields_;
};

}  // namespace leat::sources
