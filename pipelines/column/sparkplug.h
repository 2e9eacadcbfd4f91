// Sparkplug B (specification 3.0.0) in columns: what the format `sparkplug`, which reads and writes payloads,
// and the table function SPARKPLUG, which knows what came before, agree on. A row is a metric.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "pipelines/column/type.h"

namespace leat::sparkplug {

/// The specification's datatypes, by their numbers on the wire.
enum class Datatype : std::uint8_t {
  kUnknown = 0,  ///< A metric does not say: its birth has said it.
  kInt8 = 1,
  kInt16 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kUInt8 = 5,
  kUInt16 = 6,
  kUInt32 = 7,
  kUInt64 = 8,
  kFloat = 9,
  kDouble = 10,
  kBoolean = 11,
  kString = 12,
  kDateTime = 13,  ///< Milliseconds since the epoch.
  kText = 14,
  kUuid = 15,
  kDataSet = 16,
  kBytes = 17,
  kFile = 18,
  kTemplate = 19,
  kPropertySet = 20,
  kPropertySetList = 21,
  kInt8Array = 22,  ///< Arrays travel as bytes: numbers one behind the other, little-endian.
  kDateTimeArray = 34,
};
inline constexpr Datatype kLastDatatype = Datatype::kDateTimeArray;

/// "Int32"; empty for kUnknown and for numbers that are no datatype.
std::string_view name_of(Datatype type);
/// kUnknown: there is none of this name.
Datatype datatype_named(std::string_view name);
/// Int8 to Int64, UInt8 to UInt64 and DateTime.
bool is_whole(Datatype type);
bool is_unsigned(Datatype type);
/// Int8Array and all behind it.
bool is_array(Datatype type);

/// Whole numbers travel in unsigned fields of 32 or 64 bits, negative ones as two's complement.
struct Whole {
  std::optional<std::int64_t> exact;  ///< None: a UInt64 beyond BIGINT.
  double nearest = 0;
};
/// What the bits of a field are as a number of `type`; the bits themselves where that is no whole number.
/// Whoever sends an Int8 may have extended its sign to 32 bits or not: only the type's own bits count.
Whole whole_of(Datatype type, std::int64_t bits);

/// Up to kMetricIndex they are the payload's, the others the metric's.
enum class Role : std::uint8_t {
  kPayloadTs,
  kSeq,
  kBdSeq,
  kUuid,
  kBody,
  kMetricIndex,
  kMetric,
  kAlias,
  kTs,
  kDatatype,
  kIsHistorical,
  kIsTransient,
  kIsNull,
  kProperties,
  kIntValue,
  kDoubleValue,
  kBooleanValue,
  kStringValue,
  kBytesValue,
};

/// A column that a table of metrics may have; its name is its role.
struct ColumnRule {
  std::string_view name;
  Role role;
  Type type;  ///< Of a TIMESTAMP_LTZ any precision is right.
  std::string_view doc;
};
std::span<const ColumnRule> columns();
/// Null: no column of metrics has this name.
const ColumnRule* find_column(std::string_view name);
bool fits(const ColumnRule& rule, const Type& type);

}  // namespace leat::sparkplug
