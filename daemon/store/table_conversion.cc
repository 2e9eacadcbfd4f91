#include "daemon/store/table_conversion.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "daemon/store/table_cells.h"
#include "pipelines/column/type.h"

namespace leat::store {
namespace {

/// Decimal digits that every DOUBLE gives back as they were.
constexpr std::int32_t kExactDigits = 15;

struct Family {
  std::string_view name;
  TypeKind kind = TypeKind::kNull;
};
constexpr std::array<Family, 16> kFamilies = {{{"BOOLEAN", TypeKind::kBoolean},
                                               {"TINYINT", TypeKind::kTinyInt},
                                               {"SMALLINT", TypeKind::kSmallInt},
                                               {"INT", TypeKind::kInteger},
                                               {"BIGINT", TypeKind::kBigInt},
                                               {"FLOAT", TypeKind::kFloat},
                                               {"DOUBLE", TypeKind::kDouble},
                                               {"DECIMAL", TypeKind::kDecimal},
                                               {"CHAR", TypeKind::kChar},
                                               {"VARCHAR", TypeKind::kVarChar},
                                               {"BINARY", TypeKind::kBinary},
                                               {"VARBINARY", TypeKind::kVarBinary},
                                               {"DATE", TypeKind::kDate},
                                               {"TIME", TypeKind::kTime},
                                               {"TIMESTAMP", TypeKind::kTimestamp},
                                               {"TIMESTAMP_LTZ", TypeKind::kTimestampLtz}}};

/// The number that `text` begins with, behind `skipped` characters; 0: there is none.
std::int32_t take_number(std::string_view& text, std::size_t skipped) {
  text.remove_prefix(std::min(skipped, text.size()));
  std::int32_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// Reads "DECIMAL(10, 2)". Nothing: intervals and nested types.
std::optional<Type> scalar_type(std::string_view text) {
  if (text == "STRING") return Type::string();
  if (text == "BYTES") return Type::bytes();
  const std::string_view name = text.substr(0, text.find('('));
  const auto family = std::ranges::find(kFamilies, name, &Family::name);
  if (family == kFamilies.end()) return std::nullopt;
  std::string_view rest = text.substr(name.size());
  const std::int32_t precision = take_number(rest, 1);
  return Type(family->kind, precision, take_number(rest, 2));
}

// ---- Exact numbers ---------------------------------------------------------------------------------------

bool is_exact(const Type& type) {
  return type.kind() == TypeKind::kBoolean || type.is_integer() || type.kind() == TypeKind::kDecimal;
}

/// Of the longest value, before its point.
std::int32_t whole_digits(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return 1;
    case TypeKind::kTinyInt:
      return 3;
    case TypeKind::kSmallInt:
      return 5;
    case TypeKind::kInteger:
      return 10;
    case TypeKind::kBigInt:
      return 19;
    default:
      return type.precision() - type.scale();
  }
}

bool fits(const Type& from, const Type& to) {
  if (to.kind() == TypeKind::kDecimal)
    return from.scale() <= to.scale() && whole_digits(from) <= whole_digits(to);
  // The largest integer of a type is smaller than so many nines.
  if (from.kind() == TypeKind::kDecimal) return from.scale() == 0 && whole_digits(from) < whole_digits(to);
  return from.kind() < to.kind();
}

/// The text with exactly so many digits behind its point, where there were fewer; people may have written
/// fewer than Leat does.
std::string with_fraction(const std::string& text, std::int32_t digits) {
  if (digits == 0) return text;
  const std::string zeros(static_cast<std::size_t>(digits), '0');
  const std::string longer = text + " || iif(instr(" + text + ", '.') > 0, '', '.') || '" + zeros + "'";
  return "substr(" + longer + ", 1, instr(" + longer + ", '.') + " + std::to_string(digits) + ")";
}

/// A decimal that is kept as REAL, by its unscaled value, which a REAL has exactly.
std::string text_of_real(const std::string& column, std::int32_t scale) {
  const std::string power = "1" + std::string(static_cast<std::size_t>(scale), '0');
  const std::string unscaled = "CAST(round(" + column + " * " + power + ".0) AS INTEGER)";
  return "iif(" + column + " IS NULL, NULL, printf('%s%d.%0" + std::to_string(scale) + "d', iif(" + unscaled +
         " < 0, '-', ''), abs(" + unscaled + ") / " + power + ", abs(" + unscaled + ") % " + power + "))";
}

std::string text_of_exact(const std::string& column, const Type& type) {
  if (type.kind() == TypeKind::kBoolean)
    return "CASE " + column + " WHEN 1 THEN 'TRUE' WHEN 0 THEN 'FALSE' END";
  if (storage_of(type) == "REAL") return text_of_real(column, type.scale());
  return "CAST(" + column + " AS TEXT)";
}

std::string exact_as_exact(const std::string& column, const Type& from, const Type& to) {
  const std::string_view storage = storage_of(to);
  if (storage == "INT") return column;
  if (storage == "REAL") return "CAST(" + column + " AS REAL)";
  const std::string text =
      from.kind() == TypeKind::kBoolean ? "CAST(" + column + " AS TEXT)" : text_of_exact(column, from);
  return with_fraction(text, to.scale());
}

// ---- Texts, bytes, times ---------------------------------------------------------------------------------

/// Characters of the longest text that a value becomes; 0: it becomes none.
std::int32_t text_length(const Type& type) {
  const auto fraction = [&type] { return type.precision() == 0 ? 0 : type.precision() + 1; };
  switch (type.kind()) {
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      return type.precision();
    case TypeKind::kBoolean:
      return 5;
    case TypeKind::kDate:
      return 10;
    case TypeKind::kTime:
      return 8 + fraction();
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return 19 + fraction();
    case TypeKind::kDecimal:
      return type.precision() + 3;  // A sign, a point, the zero before it.
    default:
      return type.is_integer() ? whole_digits(type) + 1 : 0;
  }
}

std::optional<std::string> as_text(const std::string& column, const Type& from, const Type& to) {
  const std::int32_t length = text_length(from);
  if (to.kind() != TypeKind::kVarChar || length == 0 || length > to.precision()) return std::nullopt;
  return is_exact(from) ? text_of_exact(column, from) : column;
}

std::optional<std::string> as_binary(const std::string& column, const Type& from, const Type& to) {
  if (!from.is_binary() || to.kind() != TypeKind::kVarBinary || from.precision() > to.precision())
    return std::nullopt;
  return column;
}

std::optional<std::string> as_approximate(const std::string& column, const Type& from, const Type& to) {
  const bool is_double = to.kind() == TypeKind::kDouble;
  if (from.kind() == TypeKind::kFloat && is_double) return column;
  const bool small = from.kind() == TypeKind::kDecimal
                         ? is_double && from.precision() <= kExactDigits
                         : from.kind() <= (is_double ? TypeKind::kInteger : TypeKind::kSmallInt);
  if (!is_exact(from) || !small) return std::nullopt;
  return "CAST(" + column + " AS REAL)";
}

std::optional<std::string> as_time(const std::string& column, const Type& from, const Type& to) {
  if (from.kind() == TypeKind::kDate && to.kind() == TypeKind::kTimestamp)
    return with_fraction("(" + column + " || ' 00:00:00')", to.precision());
  if (from.kind() != to.kind() || from.precision() > to.precision()) return std::nullopt;
  return with_fraction(column, to.precision());
}

std::optional<std::string> scalar_conversion(const std::string& column, const Type& from, const Type& to) {
  if (to.is_character()) return as_text(column, from, to);
  if (to.is_binary()) return as_binary(column, from, to);
  if (to.is_approximate()) return as_approximate(column, from, to);
  if (!is_exact(to)) return as_time(column, from, to);
  if (!is_exact(from) || !fits(from, to)) return std::nullopt;
  return exact_as_exact(column, from, to);
}

}  // namespace

std::optional<std::string> conversion(const TableShape::Column& from, const TableShape::Column& to) {
  const std::string column = sql_name(from.name);
  const std::string_view old_type = without_nullability(from.type);
  const std::string_view new_type = without_nullability(to.type);
  if (old_type == new_type) return column;
  const std::optional<Type> old_scalar = scalar_type(old_type);
  const std::optional<Type> new_scalar = scalar_type(new_type);
  if (!old_scalar || !new_scalar) return std::nullopt;
  return scalar_conversion(column, *old_scalar, *new_scalar);
}

}  // namespace leat::store
