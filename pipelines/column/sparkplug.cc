#include "pipelines/column/sparkplug.h"

#include <algorithm>
#include <array>
#include <bit>

namespace leat::sparkplug {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({"",
                                                         "Int8",
                                                         "Int16",
                                                         "Int32",
                                                         "Int64",
                                                         "UInt8",
                                                         "UInt16",
                                                         "UInt32",
                                                         "UInt64",
                                                         "Float",
                                                         "Double",
                                                         "Boolean",
                                                         "String",
                                                         "DateTime",
                                                         "Text",
                                                         "UUID",
                                                         "DataSet",
                                                         "Bytes",
                                                         "File",
                                                         "Template",
                                                         "PropertySet",
                                                         "PropertySetList",
                                                         "Int8Array",
                                                         "Int16Array",
                                                         "Int32Array",
                                                         "Int64Array",
                                                         "UInt8Array",
                                                         "UInt16Array",
                                                         "UInt32Array",
                                                         "UInt64Array",
                                                         "FloatArray",
                                                         "DoubleArray",
                                                         "BooleanArray",
                                                         "StringArray",
                                                         "DateTimeArray"});
static_assert(kNames.size() == static_cast<std::size_t>(kLastDatatype) + 1);

}  // namespace

std::string_view name_of(Datatype type) {
  const auto number = static_cast<std::size_t>(type);
  return number < kNames.size() ? kNames[number] : std::string_view();
}

Datatype datatype_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  return found == kNames.end() ? Datatype::kUnknown : static_cast<Datatype>(found - kNames.begin());
}

bool is_whole(Datatype type) {
  return (type >= Datatype::kInt8 && type <= Datatype::kUInt64) || type == Datatype::kDateTime;
}

bool is_unsigned(Datatype type) {
  return type >= Datatype::kUInt8 && type <= Datatype::kUInt64;
}

bool is_array(Datatype type) {
  return type >= Datatype::kInt8Array && type <= kLastDatatype;
}

Whole whole_of(Datatype type, std::int64_t bits) {
  switch (type) {
    case Datatype::kInt8:
      bits = static_cast<std::int8_t>(bits);
      break;
    case Datatype::kInt16:
      bits = static_cast<std::int16_t>(bits);
      break;
    case Datatype::kInt32:
      bits = static_cast<std::int32_t>(bits);
      break;
    case Datatype::kUInt8:
      bits = static_cast<std::uint8_t>(bits);
      break;
    case Datatype::kUInt16:
      bits = static_cast<std::uint16_t>(bits);
      break;
    case Datatype::kUInt32:
      bits = static_cast<std::uint32_t>(bits);
      break;
    case Datatype::kUInt64:
      if (bits < 0) return {std::nullopt, static_cast<double>(std::bit_cast<std::uint64_t>(bits))};
      break;
    default:
      break;
  }
  return {bits, static_cast<double>(bits)};
}

std::span<const ColumnRule> columns() {
  static const std::array rules = {
      ColumnRule{"payload_ts", Role::kPayloadTs, Type::timestamp_ltz(3), "The payload's own time."},
      ColumnRule{"seq", Role::kSeq, Type::integer(),
                 "Its place in the order of the edge node's messages, 0 to 255."},
      ColumnRule{
          "bd_seq", Role::kBdSeq, Type::big_int(),
          "The number of the edge node's connection: what its metric bdSeq says, in births and deaths."},
      ColumnRule{"uuid", Role::kUuid, Type::string(), "What the payload says of its kind."},
      ColumnRule{"body", Role::kBody, Type::bytes(), "Bytes that are no metric."},
      ColumnRule{"metric_index", Role::kMetricIndex, Type::integer(),
                 "The metric's place in the payload, from 0; a payload without metrics is one row, with 0."},
      ColumnRule{"metric", Role::kMetric, Type::string(), "Its name; NULL where an alias stands for it."},
      ColumnRule{"alias", Role::kAlias, Type::big_int(), "The number that stands for the name."},
      ColumnRule{"ts", Role::kTs, Type::timestamp_ltz(3),
                 "The metric's time, or else the payload's, or else that at which the payload came in."},
      ColumnRule{"datatype", Role::kDatatype, Type::string(),
                 "'Int32', 'Boolean', … ; NULL where only the birth says it."},
      ColumnRule{"is_historical", Role::kIsHistorical, Type::boolean(),
                 "The value was kept back: it is not the present one."},
      ColumnRule{"is_transient", Role::kIsTransient, Type::boolean(), "The value is not worth keeping."},
      ColumnRule{"is_null", Role::kIsNull, Type::boolean(), "The metric has no value."},
      ColumnRule{"properties", Role::kProperties, Type::string(), "Its properties as a JSON object."},
      ColumnRule{"int_value", Role::kIntValue, Type::big_int(),
                 "The value of whole numbers and DateTime (milliseconds)."},
      ColumnRule{"double_value", Role::kDoubleValue, Type::float64(), "The value of every number."},
      ColumnRule{"boolean_value", Role::kBooleanValue, Type::boolean(), "The value of Boolean."},
      ColumnRule{"string_value", Role::kStringValue, Type::string(),
                 "The value of String, Text and UUID; DataSet and Template as JSON."},
      ColumnRule{"bytes_value", Role::kBytesValue, Type::bytes(),
                 "The value of Bytes and File; arrays as they travel."}};
  return rules;
}

const ColumnRule* find_column(std::string_view name) {
  const auto all = columns();
  const auto found = std::ranges::find(all, name, &ColumnRule::name);
  return found == all.end() ? nullptr : &*found;
}

bool fits(const ColumnRule& rule, const Type& type) {
  if (rule.type.kind() == TypeKind::kTimestampLtz) return type.kind() == TypeKind::kTimestampLtz;
  return rule.type.same_shape(type);
}

}  // namespace leat::sparkplug
