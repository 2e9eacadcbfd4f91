#include "pipelines/formats/protobuf_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "pipelines/base/time.h"
#include "pipelines/formats/protobuf_wire.h"

namespace leat::formats {
namespace {

namespace pb = google::protobuf;
using Wire = pb::FieldDescriptor;

constexpr std::int64_t kNanosPerMicro = 1000;

ProtobufMessage shape_of(const ProtobufSchema& schema, const Schema& columns) {
  std::vector<std::string> errors;  // The format has judged them all.
  return match_message(*schema.message, columns.fields, errors);
}

/// The bits of a zero.
void put_zero(WireType wire, std::string& out) {
  put_fixed(0, wire == WireType::kFixed64 ? 8 : wire == WireType::kFixed32 ? 4 : 1, out);
}

/// What is not written, as its absence says the same.
bool is_implied(const pb::FieldDescriptor& field, WireType wire, std::string_view value) {
  if (field.is_repeated() || field.has_presence()) return false;
  return value.empty() ||
         (wire != WireType::kBytes && value.find_first_not_of('\0') == std::string_view::npos);
}

std::int64_t integer_at(const Column& column, std::size_t row) {
  switch (column.type().layout()) {
    case Layout::kU8:
      return column.values<std::uint8_t>()[row];
    case Layout::kI32:
      return column.values<std::int32_t>()[row];
    default:
      return column.values<std::int64_t>()[row];
  }
}

/// Into 32 bits only what they hold; unsigned fields take the bits of a signed column of their width.
bool fits(const pb::FieldDescriptor& field, const Column& column, std::int64_t value) {
  if (column.type().kind() != TypeKind::kBigInt) return true;
  if (field.cpp_type() == Wire::CPPTYPE_INT32)
    return value >= std::numeric_limits<std::int32_t>::min() &&
           value <= std::numeric_limits<std::int32_t>::max();
  if (field.cpp_type() == Wire::CPPTYPE_UINT32)
    return value >= 0 && value <= std::numeric_limits<std::uint32_t>::max();
  return true;
}

void put_integer(const pb::FieldDescriptor& field, std::int64_t value, std::string& out) {
  switch (field.type()) {
    case Wire::TYPE_SINT32:
    case Wire::TYPE_SINT64:
      return put_varint(to_zigzag(value), out);
    case Wire::TYPE_UINT32:
      return put_varint(static_cast<std::uint32_t>(value), out);
    case Wire::TYPE_FIXED32:
    case Wire::TYPE_SFIXED32:
      return put_fixed(static_cast<std::uint64_t>(value), 4, out);
    case Wire::TYPE_FIXED64:
    case Wire::TYPE_SFIXED64:
      return put_fixed(static_cast<std::uint64_t>(value), 8, out);
    default:
      return put_varint(static_cast<std::uint64_t>(value), out);
  }
}

/// False: it is beyond what the field holds.
bool put_real(const pb::FieldDescriptor& field, const Column& column, std::size_t row, std::string& out) {
  const bool single = column.type().kind() == TypeKind::kFloat;
  const double value =
      single ? static_cast<double>(column.values<float>()[row]) : column.values<double>()[row];
  if (field.type() != Wire::TYPE_FLOAT) {
    put_fixed(std::bit_cast<std::uint64_t>(value), 8, out);
    return true;
  }
  const auto narrow = static_cast<float>(value);
  if (std::isinf(narrow) && !std::isinf(value)) return false;
  put_fixed(std::bit_cast<std::uint32_t>(narrow), 4, out);
  return true;
}

/// A number stands for itself: what came in without a name goes out as it was.
std::optional<std::int32_t> enum_number(const pb::EnumDescriptor& type, const std::string& text) {
  if (const pb::EnumValueDescriptor* value = type.FindValueByName(text)) return value->number();
  std::int32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

/// A google.protobuf.Timestamp: nanos are never negative.
void put_timestamp(std::int64_t micros, std::string& out) {
  std::int64_t seconds = micros / kMicrosPerSecond;
  std::int64_t rest = micros % kMicrosPerSecond;
  if (rest < 0) {
    --seconds;
    rest += kMicrosPerSecond;
  }
  if (seconds != 0) {
    put_tag(1, WireType::kVarint, out);
    put_varint(static_cast<std::uint64_t>(seconds), out);
  }
  if (rest == 0) return;
  put_tag(2, WireType::kVarint, out);
  put_varint(static_cast<std::uint64_t>(rest * kNanosPerMicro), out);
}

}  // namespace

ProtobufEncoder::ProtobufEncoder(const ProtobufOptions& options, ProtobufSchema schema, const Schema& columns)
    : options_(options), schema_(std::move(schema)), shape_(shape_of(schema_, columns)) {}

void ProtobufEncoder::encode(const Batch& batch, EncodedSink& out,
                             std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  for (std::size_t row = 0; row < batch.size; ++row) {
    buffer_.clear();
    bool written = true;
    for (std::size_t i = 0; i < shape_.fields.size() && written; ++i)
      written = write_field(shape_.fields[i], *batch.columns[i], row, buffer_);
    if (!written) {
      bad.emplace_back(static_cast<std::uint32_t>(row), reason_);
    } else if (options_.delimited) {
      framed_.clear();
      put_bytes(buffer_, framed_);
      out.record(row, framed_);
    } else {
      out.record(row, buffer_);
    }
  }
}

bool ProtobufEncoder::fail(const ProtobufField& shape, std::string_view what) {
  reason_ = fmt::format("field '{}': {}", shape.field->name(), what);
  return false;
}

bool ProtobufEncoder::write_field(const ProtobufField& shape, const Column& column, std::size_t row,
                                  std::string& out) {
  if (column.is_null(row)) return write_null(shape);
  if (shape.count == ProtobufField::Count::kList) return write_list(shape, column, row, out);
  if (shape.count == ProtobufField::Count::kMap) return write_map(shape, column, row, out);
  return write_one(shape, column, row, out);
}

bool ProtobufEncoder::write_null(const ProtobufField& shape) {
  return !shape.field->is_required() || fail(shape, "NULL, and the message requires it");
}

bool ProtobufEncoder::write_one(const ProtobufField& shape, const Column& column, std::size_t row,
                                std::string& out) {
  std::string value;
  if (!write_value(shape, column, row, value)) return false;
  const WireType wire = wire_type_of(*shape.field);
  if (is_implied(*shape.field, wire, value)) return true;
  put_tag(shape.field->number(), wire, out);
  if (wire == WireType::kBytes)
    put_bytes(value, out);
  else
    out += value;
  return true;
}

bool ProtobufEncoder::write_value(const ProtobufField& shape, const Column& column, std::size_t row,
                                  std::string& out) {
  if (shape.form == ProtobufField::Form::kTimestamp)
    return put_timestamp(column.values<std::int64_t>()[row], out), true;
  if (shape.form == ProtobufField::Form::kMessage) {
    for (std::size_t i = 0; i < shape.message->fields.size(); ++i)
      if (!write_field(shape.message->fields[i], *column.child(i), row, out)) return false;
    return true;
  }
  if (shape.field->cpp_type() != Wire::CPPTYPE_STRING) return write_number(shape, column, row, out);
  out += column.strings()[row];
  return true;
}

bool ProtobufEncoder::write_number(const ProtobufField& shape, const Column& column, std::size_t row,
                                   std::string& out) {
  const pb::FieldDescriptor& field = *shape.field;
  const Type& type = column.type();
  if (type.is_character()) {
    const std::string name(column.strings()[row]);
    const std::optional<std::int32_t> number = enum_number(*field.enum_type(), name);
    if (!number)
      return fail(shape, fmt::format("{} has no value '{}'", field.enum_type()->full_name(), name));
    put_varint(static_cast<std::uint64_t>(std::int64_t{*number}), out);
    return true;
  }
  if (type.kind() == TypeKind::kFloat || type.kind() == TypeKind::kDouble)
    return put_real(field, column, row, out) || fail(shape, "out of the range of float");
  if (type.kind() == TypeKind::kDecimal) {
    const Int128 value = column.values<Int128>()[row];
    if (value < 0 || value > Int128(std::numeric_limits<std::uint64_t>::max()))
      return fail(shape, "out of the range of " + std::string(field.type_name()));
    put_integer(field, static_cast<std::int64_t>(static_cast<std::uint64_t>(value)), out);
    return true;
  }
  const std::int64_t value = integer_at(column, row);
  if (!fits(field, column, value))
    return fail(shape, fmt::format("{} is out of the range of {}", value, field.type_name()));
  put_integer(field, value, out);
  return true;
}

// ---- Lists and maps --------------------------------------------------------------------------------------

bool ProtobufEncoder::write_list(const ProtobufField& shape, const Column& column, std::size_t row,
                                 std::string& out) {
  const Column& elements = *column.child(0);
  const std::size_t begin = column.offsets()[row];
  const std::size_t end = column.offsets()[row + 1];
  if (shape.field->is_packed()) return write_packed(shape, elements, begin, end, out);
  for (std::size_t i = begin; i < end; ++i) {
    if (!elements.is_null(i)) {
      if (!write_one(shape, elements, i, out)) return false;
      continue;
    }
    // A list has no NULLs: Flink writes a text that the user gives, and zeros.
    put_tag(shape.field->number(), wire_type_of(*shape.field), out);
    if (shape.field->type() == Wire::TYPE_STRING)
      put_bytes(options_.write_null_string_literal, out);
    else
      put_zero(wire_type_of(*shape.field), out);
  }
  return true;
}

bool ProtobufEncoder::write_packed(const ProtobufField& shape, const Column& elements, std::size_t begin,
                                   std::size_t end, std::string& out) {
  if (begin == end) return true;
  const WireType wire = wire_type_of(*shape.field);
  std::string values;
  for (std::size_t i = begin; i < end; ++i) {
    if (elements.is_null(i))
      put_zero(wire, values);
    else if (!write_number(shape, elements, i, values))
      return false;
  }
  put_tag(shape.field->number(), WireType::kBytes, out);
  put_bytes(values, out);
  return true;
}

bool ProtobufEncoder::write_map(const ProtobufField& shape, const Column& column, std::size_t row,
                                std::string& out) {
  for (std::size_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i) {
    std::string entry;
    for (std::size_t part = 0; part < 2; ++part) {
      const ProtobufField& field = shape.message->fields[part];
      const Column& values = *column.child(part);
      const bool literal = values.is_null(i) && field.field->type() == Wire::TYPE_STRING;
      if (literal) {
        put_tag(field.field->number(), WireType::kBytes, entry);
        put_bytes(options_.write_null_string_literal, entry);
      } else if (!write_field(field, values, i, entry)) {
        return false;
      }
    }
    put_tag(shape.field->number(), WireType::kBytes, out);
    put_bytes(entry, out);
  }
  return true;
}

}  // namespace leat::formats
