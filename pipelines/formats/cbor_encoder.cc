#include "pipelines/formats/cbor_encoder.h"

#include <cbor.h>

#include "pipelines/base/time.h"
#include "pipelines/formats/write_scalar.h"

namespace leat::formats {
namespace {

// Tags: RFC 8949, section 3.4, and RFC 8943.
constexpr std::uint64_t kDateTimeText = 0;
constexpr std::uint64_t kEpochSeconds = 1;
constexpr std::uint64_t kBigUnsigned = 2;
constexpr std::uint64_t kBigNegative = 3;
constexpr std::uint64_t kDecimalFraction = 4;
constexpr std::uint64_t kEpochDays = 100;
constexpr std::uint64_t kDateText = 1004;

struct TopColumns {
  const Batch& batch;
  const Column& operator[](std::size_t index) const { return *batch.columns[index]; }
};
struct RowFields {
  const Column& row;
  const Column& operator[](std::size_t index) const { return *row.child(index); }
};

/// Appends what one of libcbor's encoders writes: a head, with a number at most.
template <class Encode, class... Values>
void put(std::string& out, Encode encode, Values... values) {
  unsigned char bytes[16];
  const std::size_t length = encode(values..., bytes, sizeof bytes);
  out.append(reinterpret_cast<const char*>(bytes), length);
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

std::string big_endian(absl::uint128 value) {
  std::string bytes;
  for (; value != 0; value >>= 8)
    bytes.insert(bytes.begin(), static_cast<char>(absl::Uint128Low64(value) & 0xff));
  return bytes;
}

}  // namespace

CborEncoder::CborEncoder(const CborOptions& options, const Schema& schema)
    : options_(options), fields_(schema.fields) {}

void CborEncoder::encode(const Batch& batch, EncodedSink& out,
                         std::vector<std::pair<std::uint32_t, std::string>>& /*bad*/) {
  for (std::size_t row = 0; row < batch.size; ++row) {
    buffer_.clear();
    write_members(fields_, TopColumns{batch}, row);
    out.record(row, buffer_);
  }
}

template <class Columns>
void CborEncoder::write_members(const Type::Fields& fields, Columns columns, std::size_t row) {
  std::size_t count = fields.size();
  if (options_.ignore_null_fields)
    for (std::size_t i = 0; i < fields.size(); ++i) count -= columns[i].is_null(row) ? 1 : 0;
  put(buffer_, cbor_encode_map_start, count);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (options_.ignore_null_fields && columns[i].is_null(row)) continue;
    write_text(fields[i].name);
    write_value(columns[i], row);
  }
}

void CborEncoder::write_value(const Column& column, std::size_t row) {
  if (column.is_null(row)) return put(buffer_, cbor_encode_null);
  switch (column.type().kind()) {
    case TypeKind::kRow:
      return write_members(column.type().fields(), RowFields{column}, row);
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return write_list(column, row);
    default:
      return write_scalar(column, row);
  }
}

void CborEncoder::write_list(const Column& column, std::size_t row) {
  const std::size_t begin = column.offsets()[row];
  const std::size_t end = column.offsets()[row + 1];
  const bool array = column.type().kind() == TypeKind::kArray;
  if (array)
    put(buffer_, cbor_encode_array_start, end - begin);
  else
    put(buffer_, cbor_encode_map_start, end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    write_value(*column.child(0), i);
    if (!array) write_value(*column.child(1), i);
  }
}

void CborEncoder::write_scalar(const Column& column, std::size_t row) {
  const Type& type = column.type();
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return put(buffer_, cbor_encode_bool, column.values<std::uint8_t>()[row] != 0);
    case TypeKind::kFloat:
      return put(buffer_, cbor_encode_single, column.values<float>()[row]);
    case TypeKind::kDouble:
      return put(buffer_, cbor_encode_double, column.values<double>()[row]);
    case TypeKind::kDecimal:
      return write_decimal(column.values<Int128>()[row], type.scale());
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      return write_text(column.strings()[row]);
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return write_bytes(column.strings()[row]);
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return write_moment(column, row);
    case TypeKind::kIntervalDayTime:
      return write_integer(integer_at(column, row) / kMicrosPerMilli);
    default:
      return write_integer(integer_at(column, row));
  }
}

void CborEncoder::write_integer(std::int64_t value) {
  if (value >= 0)
    put(buffer_, cbor_encode_uint, static_cast<std::uint64_t>(value));
  else
    put(buffer_, cbor_encode_negint, static_cast<std::uint64_t>(-1 - value));
}

/// [exponent, mantissa] of ten, also where the scale is 0.
void CborEncoder::write_decimal(Int128 value, std::int32_t scale) {
  put(buffer_, cbor_encode_tag, kDecimalFraction);
  put(buffer_, cbor_encode_array_start, std::size_t{2});
  write_integer(-scale);
  if (value >= INT64_MIN && value <= INT64_MAX) return write_integer(static_cast<std::int64_t>(value));
  put(buffer_, cbor_encode_tag, value < 0 ? kBigNegative : kBigUnsigned);
  write_bytes(big_endian(static_cast<absl::uint128>(value < 0 ? -1 - value : value)));
}

void CborEncoder::write_moment(const Column& column, std::size_t row) {
  const Type& type = column.type();
  const bool epoch = options_.times == CborTimes::kEpoch;
  const bool date = type.kind() == TypeKind::kDate;
  if (date && epoch) {
    put(buffer_, cbor_encode_tag, kEpochDays);
    return write_integer(integer_at(column, row));
  }
  if (type.is_timestamp() && epoch) {
    const std::int64_t micros = column.values<std::int64_t>()[row];
    put(buffer_, cbor_encode_tag, kEpochSeconds);
    if (micros % kMicrosPerSecond == 0) return write_integer(micros / kMicrosPerSecond);
    return put(buffer_, cbor_encode_double,
               static_cast<double>(micros) / static_cast<double>(kMicrosPerSecond));
  }
  if (date) put(buffer_, cbor_encode_tag, kDateText);
  if (type.kind() == TypeKind::kTimestampLtz) put(buffer_, cbor_encode_tag, kDateTimeText);
  text_.clear();
  append_date_or_bytes(column, row, 'T', text_);
  write_text(text_);
}

void CborEncoder::write_text(std::string_view text) {
  put(buffer_, cbor_encode_string_start, text.size());
  buffer_ += text;
}

void CborEncoder::write_bytes(std::string_view bytes) {
  put(buffer_, cbor_encode_bytestring_start, bytes.size());
  buffer_ += bytes;
}

}  // namespace leat::formats
