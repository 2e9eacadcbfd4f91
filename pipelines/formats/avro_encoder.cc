#include "pipelines/formats/avro_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "pipelines/base/time.h"
#include "pipelines/formats/protobuf_wire.h"
#include "pipelines/formats/read_cell.h"

namespace leat::formats {
namespace {

struct TopColumns {
  const Batch& batch;
  const Column& operator[](std::size_t index) const { return *batch.columns[index]; }
};
struct RowFields {
  const Column& row;
  const Column& operator[](std::size_t index) const { return *row.child(index); }
};

void put_long(std::int64_t value, std::string& out) {
  put_varint(to_zigzag(value), out);
}

std::int64_t integer_at(const Column& column, std::size_t row) {
  switch (column.type().layout()) {
    case Layout::kI8:
      return column.values<std::int8_t>()[row];
    case Layout::kI16:
      return column.values<std::int16_t>()[row];
    case Layout::kI32:
      return column.values<std::int32_t>()[row];
    default:
      return column.values<std::int64_t>()[row];
  }
}

bool is_millis(AvroLogical logical) {
  return logical == AvroLogical::kTimeMillis || logical == AvroLogical::kTimestampMillis;
}

/// Big-endian two's complement, as few bytes as hold it.
std::string big_endian(Int128 value) {
  std::string bytes;
  for (int i = 0; i < 16; ++i) {
    bytes.push_back(
        static_cast<char>(static_cast<std::uint8_t>(absl::Uint128Low64(static_cast<absl::uint128>(value)))));
    value >>= 8;
    const bool negative = static_cast<unsigned char>(bytes.back()) >= 0x80;
    if ((value == 0 && !negative) || (value == -1 && negative)) break;
  }
  std::ranges::reverse(bytes);
  return bytes;
}

}  // namespace

AvroEncoder::AvroEncoder(const AvroOptions& options, AvroFraming framing, AvroSchema schema,
                         const Schema& columns)
    : schema_(std::move(schema)) {
  std::vector<std::string> errors;  // The format has judged them all.
  shape_ = match_avro(schema_, columns.fields, AvroUse::kWrite, errors);
  if (framing == AvroFraming::kNone) return;
  header_.push_back('\0');
  for (int shift = 24; shift >= 0; shift -= 8)
    header_.push_back(static_cast<char>(options.schema_id.value_or(0) >> shift));
}

void AvroEncoder::encode(const Batch& batch, EncodedSink& out,
                         std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  for (std::size_t row = 0; row < batch.size; ++row) {
    buffer_ = header_;
    if (write_record(shape_, TopColumns{batch}, row))
      out.record(row, buffer_);
    else
      bad.emplace_back(static_cast<std::uint32_t>(row), std::move(reason_));
  }
}

template <class Columns>
bool AvroEncoder::write_record(const AvroShape& shape, Columns columns, std::size_t row) {
  const AvroNode& node = schema_.at(shape.node);
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const std::uint32_t column = shape.columns[i];
    const bool written = column == AvroShape::kNoColumn
                             ? write_missing(node.children[i])
                             : write_value(shape.children[column], columns[column], row);
    if (!written) return fail("field '" + node.names[i] + "': " + reason_);
  }
  return true;
}

/// A field without a column is null.
bool AvroEncoder::write_missing(AvroIndex index) {
  const AvroNode& node = schema_.at(index);
  if (node.kind != AvroKind::kUnion) return true;
  const auto null = std::ranges::find_if(
      node.children, [&](AvroIndex branch) { return schema_.at(branch).kind == AvroKind::kNull; });
  put_long(null - node.children.begin(), buffer_);
  return true;
}

bool AvroEncoder::write_value(const AvroShape& shape, const Column& column, std::size_t row) {
  const bool null = column.is_null(row);
  // A NOT NULL column has no NULL but where an outer join or the like has made one in spite of it.
  if (null && (!shape.is_union || shape.null_branch == AvroShape::kNoBranch))
    return fail("NULL, which the schema does not have there");
  if (shape.is_union) put_long(null ? shape.null_branch : shape.value_branch, buffer_);
  if (null) return true;
  switch (schema_.at(shape.node).kind) {
    case AvroKind::kRecord:
      return write_record(shape, RowFields{column}, row);
    case AvroKind::kArray:
    case AvroKind::kMap:
      return write_list(shape, column, row);
    default:
      return write_scalar(shape, column, row);
  }
}

/// One block of all items, then the end.
bool AvroEncoder::write_list(const AvroShape& shape, const Column& column, std::size_t row) {
  const std::size_t begin = column.offsets()[row];
  const std::size_t end = column.offsets()[row + 1];
  const bool keyed = schema_.at(shape.node).kind == AvroKind::kMap;
  if (end > begin) put_long(static_cast<std::int64_t>(end - begin), buffer_);
  for (std::size_t i = begin; i < end; ++i) {
    if (keyed) {
      const Column& keys = *column.child(0);
      if (keys.is_null(i)) return fail("a MAP with a NULL key, which Avro has not");
      put_long(static_cast<std::int64_t>(keys.strings()[i].size()), buffer_);
      buffer_ += keys.strings()[i];
    }
    if (!write_value(shape.children[0], *column.child(keyed ? 1 : 0), i)) return false;
  }
  put_long(0, buffer_);
  return true;
}

bool AvroEncoder::write_scalar(const AvroShape& shape, const Column& column, std::size_t row) {
  const AvroNode& node = schema_.at(shape.node);
  const Type& type = column.type();
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return buffer_.push_back(column.values<std::uint8_t>()[row] != 0 ? '\1' : '\0'), true;
    case TypeKind::kFloat:
      if (node.kind == AvroKind::kFloat)
        put_fixed(std::bit_cast<std::uint32_t>(column.values<float>()[row]), 4, buffer_);
      else
        put_fixed(std::bit_cast<std::uint64_t>(static_cast<double>(column.values<float>()[row])), 8, buffer_);
      return true;
    case TypeKind::kDouble:
      return put_fixed(std::bit_cast<std::uint64_t>(column.values<double>()[row]), 8, buffer_), true;
    case TypeKind::kDecimal:
      return write_decimal(node, column.values<Int128>()[row]);
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      if (node.kind == AvroKind::kEnum) return write_symbol(node, column.strings()[row]);
      return write_bytes(node, column.strings()[row]);
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return write_bytes(node, column.strings()[row]);
    default:
      break;
  }
  const std::int64_t value = integer_at(column, row);
  put_long(is_millis(node.logical) && !type.is_integer() ? floor_div(value, kMicrosPerMilli) : value,
           buffer_);
  return true;
}

bool AvroEncoder::write_bytes(const AvroNode& node, std::string_view bytes) {
  if (node.kind == AvroKind::kFixed && bytes.size() != node.size)
    return fail(fmt::format("{} bytes, where {} has {}", bytes.size(), node.name, node.size));
  if (node.kind != AvroKind::kFixed) put_long(static_cast<std::int64_t>(bytes.size()), buffer_);
  buffer_ += bytes;
  return true;
}

bool AvroEncoder::write_symbol(const AvroNode& node, std::string_view text) {
  const auto symbol = std::ranges::find(node.names, text);
  if (symbol == node.names.end()) return fail("enum " + node.name + " has no symbol '" + shown(text) + "'");
  put_long(symbol - node.names.begin(), buffer_);
  return true;
}

bool AvroEncoder::write_decimal(const AvroNode& node, Int128 value) {
  std::string bytes = big_endian(value);
  if (node.kind == AvroKind::kFixed && bytes.size() <= node.size)
    bytes.insert(0, node.size - bytes.size(), value < 0 ? '\xff' : '\0');
  return write_bytes(node, bytes);
}

bool AvroEncoder::fail(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

}  // namespace leat::formats
