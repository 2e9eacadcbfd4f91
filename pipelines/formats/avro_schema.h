// Schemas of Apache Avro 1.11: from their JSON, or derived from a table's columns as Flink derives them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/column/type.h"

namespace leat::formats {

enum class AvroKind : std::uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,
  kEnum,
  kArray,
  kMap,
  kUnion,
  kFixed
};

/// What the values mean beyond their kind. Others that a schema names, and those of other kinds than theirs,
/// mean nothing, as the specification wants.
enum class AvroLogical : std::uint8_t {
  kNone,
  kDecimal,
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,
  kTimestampMicros,
};

/// A place in AvroSchema::nodes.
using AvroIndex = std::uint32_t;

struct AvroNode {
  AvroKind kind = AvroKind::kNull;
  AvroLogical logical = AvroLogical::kNone;
  std::int32_t precision = 0;  ///< Of a decimal.
  std::int32_t scale = 0;
  std::uint32_t size = 0;               ///< Of a fixed.
  std::string name = {};                ///< Of a record, an enum and a fixed, with the namespace.
  std::vector<std::string> names = {};  ///< Of a record's fields; an enum's symbols.
  /// A record's fields, the element of an array, the value of a map, the branches of a union.
  std::vector<AvroIndex> children = {};
  bool local = false;  ///< A timestamp without a zone (local-timestamp-…).
  /// Takes no byte at all: null, a fixed of no size, and records of such.
  bool empty = false;
};

/// A record may hold itself, so that children are places and not nodes.
struct AvroSchema {
  std::vector<AvroNode> nodes;
  AvroIndex root = 0;

  [[nodiscard]] const AvroNode& at(AvroIndex index) const { return nodes[index]; }
};

/// How times without and with a zone are told apart.
enum class AvroTimestamps : std::uint8_t {
  kLegacy,  ///< Flink's default: TIMESTAMP is timestamp-…, TIMESTAMP_LTZ has no type.
  kByZone,  ///< TIMESTAMP is local-timestamp-…, TIMESTAMP_LTZ timestamp-….
};

/// The schema's root is a record. Errors: invalid.
Result<AvroSchema> parse_avro_schema(std::string_view json);
/// Columns that may be NULL are unions of null and their type. Errors: invalid: a type that Avro has not.
Result<AvroSchema> derive_avro_schema(const Schema& columns, AvroTimestamps timestamps);

/// "int", "array of string", "null or long (timestamp-millis)": for messages.
std::string spelled(const AvroSchema& schema, AvroIndex index);

}  // namespace leat::formats
