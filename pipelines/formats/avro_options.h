// The options of the formats avro and avro-confluent; Flink's, and where the schema is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pipelines/base/options.h"

namespace leat::formats {

/// How a message begins.
enum class AvroFraming : std::uint8_t {
  kNone,       ///< With the record (avro).
  kConfluent,  ///< With a zero byte and the id of its schema, four bytes, big-endian (avro-confluent).
};

struct AvroOptions {
  std::string schema;       ///< Its JSON; empty: derived from the columns.
  std::string schema_file;  ///< Contents of the file; the caller puts them in place of its path.
  bool legacy_timestamps = true;
  std::optional<std::uint32_t> schema_id;
  bool ignore_parse_errors = false;
};

}  // namespace leat::formats
