// How the fields of a message become columns: each column is the field of its name.
//
//   bool BOOLEAN · int32, sint32, sfixed32, uint32, fixed32 INT or BIGINT · int64, sint64, sfixed64 BIGINT ·
//   uint64, fixed64 BIGINT or DECIMAL(20, 0) · float FLOAT or DOUBLE · double DOUBLE · string CHAR, VARCHAR ·
//   bytes BINARY, VARBINARY enum a text (its name) or INT · repeated ARRAY · map MAP · message ROW
//   google.protobuf.Timestamp TIMESTAMP, TIMESTAMP_LTZ, or a ROW of seconds and nanos
//
// Unsigned numbers in a signed type of their width wrap around, as in Java.
#pragma once

#include <google/protobuf/descriptor.h>

#include <memory>
#include <string>
#include <vector>

#include "pipelines/column/type.h"
#include "pipelines/formats/protobuf_wire.h"

namespace leat::formats {

struct ProtobufMessage;

struct ProtobufField {
  enum class Form : std::uint8_t {
    kScalar,
    kTimestamp,  ///< A message, but one value.
    kMessage,
  };
  enum class Count : std::uint8_t { kOne, kList, kMap };

  const google::protobuf::FieldDescriptor* field = nullptr;
  Type type;  ///< Of the column, or of one element of a list.
  Count count = Count::kOne;
  Form form = Form::kScalar;
  bool nullable = true;  ///< Of the column.
  /// Of a ROW its fields; of a MAP key and value.
  std::shared_ptr<const ProtobufMessage> message;
};

/// In the order of the columns.
struct ProtobufMessage {
  std::vector<ProtobufField> fields;
};

/// `errors` gets a sentence for each column that does not fit.
ProtobufMessage match_message(const google::protobuf::Descriptor& message, const Type::Fields& columns,
                              std::vector<std::string>& errors);

/// How a value of the field stands on the wire; those of a list one by one, not packed.
WireType wire_type_of(const google::protobuf::FieldDescriptor& field);

/// True where the format knows "not set" (a message, `optional`, proto2, a oneof).
bool has_presence(const google::protobuf::FieldDescriptor& field);

}  // namespace leat::formats
