#include "pipelines/formats/read_cell.h"

#include <algorithm>
#include <optional>

#include "pipelines/base/time.h"
#include "pipelines/formats/read_scalar.h"

namespace leat::formats {
namespace {

constexpr std::size_t kShownText = 100;

template <class T>
bool append_if(const std::optional<T>& value, ColumnBuilder& out) {
  if (value) out.append(*value);
  return value.has_value();
}

bool append_boolean(std::string_view text, ColumnBuilder& out) {
  constexpr std::string_view kTrue = "true";
  const auto same = [](char a, char b) { return (a | 0x20) == b; };
  out.append<std::uint8_t>(std::ranges::equal(text, kTrue, same) ? 1 : 0);
  return true;
}

bool append_decimal_text(std::string_view text, const Type& type, ColumnBuilder& out) {
  Int128 value = 0;
  const DecimalReading reading = read_decimal(text, type.precision(), type.scale(), value);
  if (reading == DecimalReading::kExact) out.append(value);
  if (reading == DecimalReading::kOverflow && type.nullable()) out.append_null();
  return reading == DecimalReading::kExact || (reading == DecimalReading::kOverflow && type.nullable());
}

bool append_bytes(std::string_view text, ColumnBuilder& out) {
  std::string bytes;
  if (!read_base64(text, bytes)) return false;
  out.append_string(bytes);
  return true;
}

}  // namespace

bool append_time_cell(std::int64_t micros, std::int32_t precision, ColumnBuilder& out) {
  std::int64_t unit = 1;
  for (std::int32_t digit = precision; digit < kKeptFractionDigits; ++digit) unit *= 10;
  if (__builtin_sub_overflow(micros, floor_mod(micros, unit), &micros)) return false;
  out.append(micros);
  return true;
}

bool append_integer_cell(TypeKind kind, std::int64_t value, ColumnBuilder& out) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return append_narrowed<std::int8_t>(value, out);
    case TypeKind::kSmallInt:
      return append_narrowed<std::int16_t>(value, out);
    case TypeKind::kInteger:
    case TypeKind::kIntervalYearMonth:
      return append_narrowed<std::int32_t>(value, out);
    case TypeKind::kIntervalDayTime:
      if (__builtin_mul_overflow(value, kMicrosPerMilli, &value)) return false;
      [[fallthrough]];
    default:
      out.append(value);
      return true;
  }
}

bool append_text_cell(std::string_view text, const Type& type, ColumnBuilder& out) {
  const std::int32_t digits = std::min(type.precision(), kKeptFractionDigits);
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return append_boolean(text, out);
    case TypeKind::kFloat:
      return append_if(read_float(text), out);
    case TypeKind::kDouble:
      return append_if(read_double(text), out);
    case TypeKind::kDecimal:
      return append_decimal_text(text, type, out);
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return append_bytes(text, out);
    case TypeKind::kDate:
      return append_if(read_date(text), out);
    case TypeKind::kTime:
      return append_if(read_time(text), out);
    case TypeKind::kTimestamp:
      return append_if(read_timestamp(text, timestamp_syntax(TimestampStandard::kSql, Zone::kNone), digits),
                       out);
    case TypeKind::kTimestampLtz:
      return append_if(read_timestamp(text, timestamp_syntax(TimestampStandard::kSql, Zone::kUtc), digits),
                       out);
    default:
      break;
  }
  if (!type.is_integer() && !type.is_interval()) return false;
  const auto value = read_integer(text);
  return value && append_integer_cell(type.kind(), *value, out);
}

std::string shown(std::string_view text) {
  if (text.size() <= kShownText) return std::string(text);
  std::size_t length = kShownText;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  return std::string(text.substr(0, length)) + "…";
}

}  // namespace leat::formats
