// Sparkplug B's payloads (specification 3.0.0, section 6.4) on the wire of Protocol Buffers, read and written
// by hand: the schema is fixed, and a message has many metrics.
//
//   Payload       := 1 timestamp, 2 Metric…, 3 seq, 4 uuid, 5 body
//   Metric        := 1 name, 2 alias, 3 timestamp, 4 datatype, 5 is_historical, 6 is_transient, 7 is_null,
//                    8 metadata, 9 PropertySet, and one value: 10 int, 11 long, 12 float, 13 double,
//                    14 boolean, 15 string, 16 bytes, 17 DataSet, 18 Template, 19 extension
//   PropertySet   := 1 key…, 2 PropertyValue…
//   PropertyValue := 1 type, 2 is_null, and one value: 3 int … 8 string, 9 PropertySet, 10 PropertySetList
//   DataSet       := 1 number of columns, 2 column…, 3 type…, 4 Row…     Row := 1 DataSetValue…
//   DataSetValue  := one value: 1 int … 6 string
//   Template      := 1 version, 2 Metric…, 3 Parameter…, 4 template_ref, 5 is_definition
//   Parameter     := 1 name, 2 type, and one value: 3 int … 8 string
//
// The last of several fields of a number that does not repeat wins; fields of another wire type than theirs
// and numbers that nobody knows are passed over, as by every reader of Protocol Buffers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/column/sparkplug.h"
#include "pipelines/formats/protobuf_wire.h"

namespace leat::formats {

/// One field of a message: bits of numbers, or bytes.
struct WireField {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t bits = 0;
  std::string_view bytes = {};

  /// What `visit` may switch by.
  [[nodiscard]] std::uint32_t tag() const { return tag_of(number, type); }
  static constexpr std::uint32_t tag_of(std::uint32_t number, WireType type) {
    return number << 3 | static_cast<std::uint32_t>(type);
  }
};
constexpr std::uint32_t varint_tag(std::uint32_t number) {
  return WireField::tag_of(number, WireType::kVarint);
}
constexpr std::uint32_t bytes_tag(std::uint32_t number) {
  return WireField::tag_of(number, WireType::kBytes);
}

/// Gives the fields of a message in their order; groups are passed over. False: the bytes are none, or
/// `visit` says so.
template <class Visit>
bool visit_fields(std::string_view message, Visit visit) {
  WireReader wire(message);
  while (!wire.done()) {
    WireField field;
    if (!wire.tag(field.number, field.type)) return false;
    bool read = true;
    switch (field.type) {
      case WireType::kVarint:
        read = wire.varint(field.bits) && visit(field);
        break;
      case WireType::kFixed32:
        read = wire.fixed32(field.bits) && visit(field);
        break;
      case WireType::kFixed64:
        read = wire.fixed64(field.bits) && visit(field);
        break;
      case WireType::kBytes:
        read = wire.bytes(field.bytes) && visit(field);
        break;
      default:
        read = wire.skip(field.number, field.type);
    }
    if (!read) return false;
  }
  return true;
}

/// The value of a metric, a property, a parameter or a cell of a DataSet.
struct SparkplugValue {
  enum class Kind : std::uint8_t {
    kNone,
    kInt,  ///< `bits` has 32.
    kLong,
    kFloat,
    kDouble,
    kBoolean,
    kString,
    kBytes,
    kDataSet,
    kTemplate,
  };
  Kind kind = Kind::kNone;
  std::uint64_t bits = 0;
  std::string_view bytes = {};

  /// Takes the field if it is that of a value; `first` is the number of the int.
  bool take(const WireField& field, std::uint32_t first);
  /// Of kInt and kLong, as `whole_of` takes it: an int is not negative.
  [[nodiscard]] std::int64_t whole_bits() const;
  /// Of kFloat and kDouble.
  [[nodiscard]] double real() const;
};

/// Texts point into the payload.
struct SparkplugMetric {
  std::string_view name;
  std::string_view properties;
  std::uint64_t alias = 0;
  std::uint64_t timestamp = 0;  ///< Milliseconds.
  SparkplugValue value;
  std::uint32_t type_number = 0;  ///< As it came.
  bool has_name = false;
  bool has_alias = false;
  bool has_timestamp = false;
  bool has_properties = false;
  bool is_historical = false;
  bool is_transient = false;
  bool is_null = false;

  [[nodiscard]] sparkplug::Datatype datatype() const {
    constexpr auto kLast = static_cast<std::uint32_t>(sparkplug::kLastDatatype);
    return type_number > kLast ? sparkplug::Datatype::kUnknown
                               : static_cast<sparkplug::Datatype>(type_number);
  }
};
/// False: the bytes are no metric.
bool read_metric(std::string_view bytes, SparkplugMetric& metric);

/// One is read after the other: `metrics` keeps its memory.
struct SparkplugPayload {
  std::uint64_t timestamp = 0;
  std::uint64_t seq = 0;
  std::string_view uuid;
  std::string_view body;
  bool has_timestamp = false;
  bool has_seq = false;
  bool has_uuid = false;
  bool has_body = false;
  std::vector<SparkplugMetric> metrics;
};
/// False, with `reason`: the bytes are no payload, a text is no UTF-8, or a number is none that may be.
bool read_payload(std::string_view bytes, SparkplugPayload& payload, std::string& reason);

}  // namespace leat::formats
