#include "pipelines/formats/avro_value.h"

#include <optional>

#include "pipelines/base/time.h"
#include "pipelines/formats/read_cell.h"

namespace leat::formats {
namespace {

constexpr std::size_t kDecimalBytes = 16;

Int128 power_of_ten(std::int32_t exponent) {
  Int128 power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

/// Big-endian two's complement; nothing: more than 128 bits.
std::optional<Int128> big_endian(std::string_view bytes) {
  const bool negative = !bytes.empty() && static_cast<unsigned char>(bytes[0]) >= 0x80;
  const char sign = negative ? '\xff' : '\0';
  while (bytes.size() > kDecimalBytes && bytes[0] == sign) bytes.remove_prefix(1);
  if (bytes.size() > kDecimalBytes) return std::nullopt;
  if (!bytes.empty() && (static_cast<unsigned char>(bytes[0]) >= 0x80) != negative) return std::nullopt;
  absl::uint128 value = negative ? ~absl::uint128(0) : absl::uint128(0);
  for (const char byte : bytes) value = value << 8 | absl::uint128(static_cast<unsigned char>(byte));
  return static_cast<Int128>(value);
}

/// In the unit of its column; false: out of range.
bool append_time(const AvroNode& node, std::int64_t value, ColumnBuilder& out) {
  const Type& type = out.type();
  const bool millis =
      node.logical == AvroLogical::kTimeMillis || node.logical == AvroLogical::kTimestampMillis;
  if (millis && __builtin_mul_overflow(value, kMicrosPerMilli, &value)) return false;
  if (type.kind() == TypeKind::kTime && (value < 0 || value >= kMicrosPerDay)) return false;
  return append_time_cell(value, type.precision(), out);
}

template <class Float>
void append_floating(Float value, ColumnBuilder& out) {
  if (out.type().kind() == TypeKind::kFloat)
    out.append(static_cast<float>(value));
  else
    out.append(static_cast<double>(value));
}

}  // namespace

bool append_avro_integer(const AvroNode& node, std::int64_t value, ColumnBuilder& out) {
  const Type& type = out.type();
  if (type.kind() == TypeKind::kDate) return append_narrowed<std::int32_t>(value, out);
  if (type.kind() == TypeKind::kTime || type.is_timestamp()) return append_time(node, value, out);
  if (type.is_approximate()) return append_floating(value, out), true;
  return append_integer_cell(type.kind(), value, out);
}

void append_avro_floating(float value, ColumnBuilder& out) {
  append_floating(value, out);
}

void append_avro_floating(double value, ColumnBuilder& out) {
  append_floating(value, out);
}

bool append_avro_decimal(std::string_view bytes, ColumnBuilder& out) {
  const auto value = big_endian(bytes);
  const Int128 limit = power_of_ten(out.type().precision());
  if (value && *value<limit&& * value> - limit)
    out.append(*value);
  else if (out.type().nullable())
    out.append_null();
  else
    return false;
  return true;
}

}  // namespace leat::formats
