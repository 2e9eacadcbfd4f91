// The type lattice: which types go into which, and what arithmetic on DECIMALs gives.
#include <fmt/format.h>

#include <algorithm>

#include "pipelines/functions/scalar.h"

namespace leat::functions {
namespace {

constexpr std::int32_t kMinAdjustedScale = 6;

// Keeps the whole digits of a DECIMAL that is too wide, at the cost of its fraction.
Type adjusted_decimal(std::int32_t precision, std::int32_t scale) {
  if (precision <= kMaxDecimalPrecision) return Type::decimal(precision, scale);
  const std::int32_t whole = precision - scale;
  return Type::decimal(kMaxDecimalPrecision,
                       std::max(kMaxDecimalPrecision - whole, std::min(scale, kMinAdjustedScale)));
}

// An exact number as a DECIMAL that holds all its values.
Type as_decimal(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kTinyInt:
      return Type::decimal(3, 0);
    case TypeKind::kSmallInt:
      return Type::decimal(5, 0);
    case TypeKind::kInteger:
      return Type::decimal(10, 0);
    case TypeKind::kBigInt:
      return Type::decimal(19, 0);
    default:
      return type;
  }
}

Type common_number(const Type& a, const Type& b) {
  if (a.is_approximate() || b.is_approximate()) {
    const bool has_decimal = a.kind() == TypeKind::kDecimal || b.kind() == TypeKind::kDecimal;
    const bool has_double = a.kind() == TypeKind::kDouble || b.kind() == TypeKind::kDouble;
    return has_decimal || has_double ? Type::float64() : Type::float32();
  }
  if (a.is_integer() && b.is_integer()) return a.kind() > b.kind() ? a : b;
  const Type x = as_decimal(a);
  const Type y = as_decimal(b);
  const std::int32_t scale = std::max(x.scale(), y.scale());
  return adjusted_decimal(std::max(x.precision() - x.scale(), y.precision() - y.scale()) + scale, scale);
}

std::optional<Type> common_of(const Type& a, const Type& b);

// CHAR, BINARY of one length stay; everything else varies up to the longer.
Type common_length(const Type& a, const Type& b, TypeKind fixed, TypeKind variable) {
  const std::int32_t length = std::max(a.precision(), b.precision());
  if (a.kind() == fixed && b.kind() == fixed && a.precision() == b.precision()) return a;
  return Type(variable, length);
}

std::optional<Type> common_time(const Type& a, const Type& b) {
  const auto is_point = [](const Type& type) {
    return type.kind() == TypeKind::kDate || type.is_timestamp();
  };
  if (a.kind() == TypeKind::kTime && b.kind() == TypeKind::kTime)
    return Type::time(std::max(a.precision(), b.precision()));
  if (!is_point(a) || !is_point(b)) return std::nullopt;
  return Type(std::max(a.kind(), b.kind()), std::max(a.precision(), b.precision()));
}

std::optional<Type> common_row(const Type& a, const Type& b) {
  if (a.fields().size() != b.fields().size()) return std::nullopt;
  Type::Fields fields;
  for (std::size_t i = 0; i < a.fields().size(); ++i) {
    const std::optional<Type> field = common_of(a.fields()[i].type, b.fields()[i].type);
    if (!field) return std::nullopt;
    fields.push_back({a.fields()[i].name, *field});
  }
  return Type::row(std::move(fields));
}

std::optional<Type> common_nested(const Type& a, const Type& b) {
  if (a.kind() != b.kind()) return std::nullopt;
  if (a.kind() == TypeKind::kRow) return common_row(a, b);
  if (a.kind() == TypeKind::kMap) {
    const std::optional<Type> key = common_of(a.key(), b.key());
    const std::optional<Type> value = common_of(a.value(), b.value());
    return key && value ? std::optional(Type::map(*key, *value)) : std::nullopt;
  }
  const std::optional<Type> element = common_of(a.element(), b.element());
  if (!element) return std::nullopt;
  return a.kind() == TypeKind::kArray ? Type::array(*element) : Type::multiset(*element);
}

std::optional<Type> common_ignoring_null(const Type& a, const Type& b) {
  if (a.kind() == TypeKind::kNull) return b;
  if (b.kind() == TypeKind::kNull) return a;
  if (a.is_nested() || b.is_nested()) return common_nested(a, b);
  if (a.same_shape(b)) return a;
  if (a.is_numeric() && b.is_numeric()) return common_number(a, b);
  if (a.is_character() && b.is_character()) return common_length(a, b, TypeKind::kChar, TypeKind::kVarChar);
  if (a.is_binary() && b.is_binary()) return common_length(a, b, TypeKind::kBinary, TypeKind::kVarBinary);
  if (a.kind() == b.kind() && a.is_interval()) return a;
  return common_time(a, b);
}

std::optional<Type> common_of(const Type& a, const Type& b) {
  const std::optional<Type> common = common_ignoring_null(a, b);
  if (!common) return common;
  const bool nullable =
      a.nullable() || b.nullable() || a.kind() == TypeKind::kNull || b.kind() == TypeKind::kNull;
  return common->with_nullable(nullable);
}

bool number_goes_into(const Type& from, const Type& to) {
  if (!from.is_numeric()) return false;
  if (to.kind() == TypeKind::kDecimal || to.kind() == TypeKind::kDouble) return true;
  if (to.kind() == TypeKind::kFloat) return from.kind() != TypeKind::kDouble;
  return from.is_integer() && from.kind() <= to.kind();
}

bool fields_go_into(const Type& from, const Type& to) {
  if (from.kind() != to.kind() || from.fields().size() != to.fields().size()) return false;
  for (std::size_t i = 0; i < from.fields().size(); ++i)
    if (!implicitly_castable(from.fields()[i].type, to.fields()[i].type)) return false;
  return true;
}

}  // namespace

Result<Type> common_type(std::span<const Type> types) {
  if (types.empty()) return fail(ErrorCode::kInvalid, "no types to find a common type of");
  Type common = types[0];
  for (const Type& type : types.subspan(1)) {
    const std::optional<Type> next = common_of(common, type);
    if (!next)
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} and {} have no common type", common.to_string(), type.to_string()));
    common = *next;
  }
  return common;
}

// The implicit casts of Flink: a length, a precision or a scale never stands in the way, the kind does.
bool implicitly_castable(const Type& from, const Type& to) {
  if (from.kind() == TypeKind::kNull || from.same_shape(to)) return true;
  if (to.is_numeric()) return number_goes_into(from, to);
  if (from.is_nested() || to.is_nested()) return fields_go_into(from, to);
  if (from.kind() == to.kind()) return true;
  switch (to.kind()) {
    case TypeKind::kVarChar:
      return from.is_character();
    case TypeKind::kVarBinary:
      return from.is_binary();
    case TypeKind::kDate:
    case TypeKind::kTime:
      return from.kind() == TypeKind::kTimestamp;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return from.is_timestamp();
    default:
      return false;
  }
}

Type decimal_add_type(const Type& left, const Type& right) {
  const Type a = as_decimal(left);
  const Type b = as_decimal(right);
  const std::int32_t scale = std::max(a.scale(), b.scale());
  return adjusted_decimal(std::max(a.precision() - a.scale(), b.precision() - b.scale()) + scale + 1, scale);
}

Type decimal_multiply_type(const Type& left, const Type& right) {
  const Type a = as_decimal(left);
  const Type b = as_decimal(right);
  return adjusted_decimal(a.precision() + b.precision() + 1, a.scale() + b.scale());
}

Type decimal_divide_type(const Type& left, const Type& right) {
  const Type a = as_decimal(left);
  const Type b = as_decimal(right);
  const std::int32_t scale = std::max(6, a.scale() + b.precision() + 1);
  return adjusted_decimal(a.precision() - a.scale() + b.scale() + scale, scale);
}

Type decimal_modulo_type(const Type& left, const Type& right) {
  const Type a = as_decimal(left);
  const Type b = as_decimal(right);
  const std::int32_t scale = std::max(a.scale(), b.scale());
  return adjusted_decimal(std::max(1, std::min(a.precision() - a.scale(), b.precision() - b.scale()) + scale),
                          scale);
}

}  // namespace leat::functions
