#include "sources/modbus/register_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "pipelines/column/value.h"
#include "pipelines/formats/utf8.h"
#include "pipelines/formats/write_scalar.h"

namespace leat::sources {
namespace {

constexpr int kBitsPerRegister = 16;

bool exchanges_bytes(ByteOrder order) {
  return order == ByteOrder::kBadc || order == ByteOrder::kDcba;
}

bool reverses_registers(ByteOrder order) {
  return order == ByteOrder::kCdab || order == ByteOrder::kDcba;
}

std::uint16_t in_order(std::uint16_t word, ByteOrder order) {
  return exchanges_bytes(order) ? static_cast<std::uint16_t>((word << 8) | (word >> 8)) : word;
}

/// The bits of a number, the most significant register first.
std::uint64_t bits_of(std::span<const std::uint16_t> words, ByteOrder order) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t from = reverses_registers(order) ? words.size() - 1 - i : i;
    bits = bits << kBitsPerRegister | in_order(words[from], order);
  }
  return bits;
}

Int128 integer_of(RegisterType type, std::uint64_t bits) {
  switch (type) {
    case RegisterType::kInt16:
      return static_cast<std::int16_t>(bits);
    case RegisterType::kInt32:
      return static_cast<std::int32_t>(bits);
    case RegisterType::kInt64:
      return static_cast<std::int64_t>(bits);
    default:
      return bits;
  }
}

void append_integer_value(const RegisterMapping& mapping, std::uint64_t bits, std::string& out) {
  const Int128 raw = integer_of(mapping.type, bits);
  if (mapping.null == raw) {
    out += "null";
    return;
  }
  const Scaling& scaling = mapping.scaling;
  formats::append_decimal_as(formats::DecimalStyle::kStripped, raw * scaling.factor + scaling.shift,
                             scaling.digits, out);
}

double scaled(double raw, const Scaling& scaling) {
  if (scaling.factor == 1 && scaling.shift == 0 && scaling.digits == 0) return raw;
  const double unit = std::pow(10.0, scaling.digits);
  return raw * (static_cast<double>(scaling.factor) / unit) + static_cast<double>(scaling.shift) / unit;
}

/// With the fewest digits that are this number and no other.
template <class Float>
void append_float_value(Float value, std::string& out) {
  if (std::isfinite(value))
    fmt::format_to(std::back_inserter(out), "{}", value);
  else
    out += "null";
}

void append_string_value(const RegisterMapping& mapping, ByteOrder order,
                         std::span<const std::uint16_t> words, std::string& out) {
  std::string text;
  for (const std::uint16_t word : words) {
    const std::uint16_t pair = in_order(word, order);
    text.push_back(static_cast<char>(pair >> 8));
    text.push_back(static_cast<char>(pair & 0xFF));
  }
  text.resize(std::min<std::size_t>(text.size(), mapping.length));
  text.resize(std::min(text.find('\0'), text.size()));
  text.resize(text.find_last_not_of(' ') + 1);
  if (formats::valid_utf8(text))
    formats::append_json_string(text, out);
  else
    out += "null";
}

// ---- Columns ---------------------------------------------------------------------------------------------

/// What a mapping's numbers are, at most, in units of 10^-digits.
struct NumberRange {
  Int128 least = 0;
  Int128 largest = 0;
  std::int32_t digits = 0;
};

NumberRange range_of(const RegisterMapping& mapping) {
  const auto [low, high] = raw_range(mapping.type);
  const Scaling& scaling = mapping.scaling;
  const Int128 a = low * scaling.factor + scaling.shift;
  const Int128 b = high * scaling.factor + scaling.shift;
  return {std::min(a, b), std::max(a, b), scaling.digits};
}

/// Digits before and behind the point that hold every number of the range.
std::pair<std::int32_t, std::int32_t> digits_of(const NumberRange& range) {
  Int128 rest = std::max(range.largest, -range.least);
  std::int32_t all = 0;
  for (; rest > 0; rest /= 10) ++all;
  return {std::max(1, all - range.digits), range.digits};
}

struct IntegerType {
  TypeKind kind;
  std::string_view name;
  std::int64_t least;
  std::int64_t largest;
};

template <class T>
constexpr IntegerType integer_type(TypeKind kind, std::string_view name) {
  return {kind, name, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

constexpr std::array<IntegerType, 4> kIntegers{integer_type<std::int8_t>(TypeKind::kTinyInt, "TINYINT"),
                                               integer_type<std::int16_t>(TypeKind::kSmallInt, "SMALLINT"),
                                               integer_type<std::int32_t>(TypeKind::kInteger, "INT"),
                                               integer_type<std::int64_t>(TypeKind::kBigInt, "BIGINT")};

bool holds(const IntegerType& type, const NumberRange& range) {
  return range.digits == 0 && range.least >= type.least && range.largest <= type.largest;
}

std::string suitable_type(const NumberRange& range) {
  const auto [before, behind] = digits_of(range);
  const std::string decimal = fmt::format("DECIMAL({}, {})", before + behind, behind);
  for (const IntegerType& type : kIntegers)
    if (type.kind != TypeKind::kTinyInt && holds(type, range)) return std::string(type.name);
  return before + behind <= kMaxDecimalPrecision ? decimal + " or DOUBLE" : "DOUBLE";
}

bool holds(const Type& column, const NumberRange& range) {
  if (column.is_approximate()) return true;
  if (column.kind() == TypeKind::kDecimal) {
    const auto [before, behind] = digits_of(range);
    return behind <= column.scale() && before <= column.precision() - column.scale();
  }
  return std::ranges::any_of(
      kIntegers, [&](const IntegerType& type) { return type.kind == column.kind() && holds(type, range); });
}

auto refuse(const RegisterMapping& mapping, const Type& column, const std::string& instead) {
  const bool scales =
      mapping.scaling.factor != 1 || mapping.scaling.shift != 0 || mapping.scaling.digits != 0;
  return fail(ErrorCode::kInvalid,
              fmt::format("{} does not hold every {}{}; take {}", column.with_nullable(true).to_string(),
                          to_string(mapping.type), scales ? " with this scale and offset" : "", instead));
}

Status check_integer(const RegisterMapping& mapping, const Type& column) {
  const NumberRange range = range_of(mapping);
  if (holds(column, range)) return {};
  return refuse(mapping, column, suitable_type(range));
}

Status check_float(const RegisterMapping& mapping, const Type& column) {
  const bool single = mapping.type == RegisterType::kFloat32;
  if (column.kind() == TypeKind::kDouble || (single && column.kind() == TypeKind::kFloat)) return {};
  return refuse(mapping, column, single ? "FLOAT or DOUBLE" : "DOUBLE");
}

/// CHAR is padded or refused by what reads the text, and would hold one length only.
Status check_string(const RegisterMapping& mapping, const Type& column) {
  if (column.kind() == TypeKind::kVarChar && column.precision() >= mapping.length) return {};
  return refuse(mapping, column, fmt::format("STRING or VARCHAR({})", mapping.length));
}

}  // namespace

void append_register_value(const RegisterMapping& mapping, ByteOrder order,
                           std::span<const std::uint16_t> words, std::string& out) {
  const std::uint64_t bits = mapping.type == RegisterType::kString ? 0 : bits_of(words, order);
  switch (mapping.type) {
    case RegisterType::kBool:
      out += bits != 0 ? "true" : "false";
      break;
    case RegisterType::kBit:
      out += (bits >> mapping.bit & 1) != 0 ? "true" : "false";
      break;
    case RegisterType::kFloat32: {
      const float raw = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      append_float_value(static_cast<float>(scaled(raw, mapping.scaling)), out);
      break;
    }
    case RegisterType::kFloat64:
      append_float_value(scaled(std::bit_cast<double>(bits), mapping.scaling), out);
      break;
    case RegisterType::kString:
      append_string_value(mapping, order, words, out);
      break;
    default:
      append_integer_value(mapping, bits, out);
      break;
  }
}

Status check_register_column(const RegisterMapping& mapping, const Type& column) {
  if (is_integer(mapping.type)) return check_integer(mapping, column);
  if (is_float(mapping.type)) return check_float(mapping, column);
  if (mapping.type == RegisterType::kString) return check_string(mapping, column);
  if (column.kind() == TypeKind::kBoolean) return {};
  return refuse(mapping, column, "BOOLEAN");
}

}  // namespace leat::sources
