#include "pipelines/column/type.h"

#include <fmt/format.h>

#include <algorithm>

namespace leat {
namespace {

std::string with_precision(std::string_view name, std::int32_t precision) {
  return fmt::format("{}({})", name, precision);
}

std::string fields_text(const Type::Fields& fields) {
  std::string text;
  for (const Type::Field& field : fields) {
    if (!text.empty()) text += ", ";
    text += fmt::format("`{}` {}", field.name, field.type.to_string());
    if (!field.comment.empty()) text += fmt::format(" '{}'", field.comment);
  }
  return text;
}

std::string text_without_null(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kNull:
      return "NULL";
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kTinyInt:
      return "TINYINT";
    case TypeKind::kSmallInt:
      return "SMALLINT";
    case TypeKind::kInteger:
      return "INT";
    case TypeKind::kBigInt:
      return "BIGINT";
    case TypeKind::kFloat:
      return "FLOAT";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kDecimal:
      return fmt::format("DECIMAL({}, {})", type.precision(), type.scale());
    case TypeKind::kChar:
      return with_precision("CHAR", type.precision());
    case TypeKind::kVarChar:
      return type.precision() == kMaxLength ? "STRING" : with_precision("VARCHAR", type.precision());
    case TypeKind::kBinary:
      return with_precision("BINARY", type.precision());
    case TypeKind::kVarBinary:
      return type.precision() == kMaxLength ? "BYTES" : with_precision("VARBINARY", type.precision());
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTime:
      return with_precision("TIME", type.precision());
    case TypeKind::kTimestamp:
      return with_precision("TIMESTAMP", type.precision());
    case TypeKind::kTimestampLtz:
      return with_precision("TIMESTAMP_LTZ", type.precision());
    case TypeKind::kIntervalYearMonth:
      return "INTERVAL YEAR TO MONTH";
    case TypeKind::kIntervalDayTime:
      return "INTERVAL DAY TO SECOND(3)";
    case TypeKind::kArray:
      return fmt::format("ARRAY<{}>", type.element().to_string());
    case TypeKind::kMap:
      return fmt::format("MAP<{}, {}>", type.key().to_string(), type.value().to_string());
    case TypeKind::kMultiset:
      return fmt::format("MULTISET<{}>", type.element().to_string());
    case TypeKind::kRow:
      return fmt::format("ROW<{}>", fields_text(type.fields()));
  }
  return "?";
}

}  // namespace

Type Type::array(Type element) {
  Type type(TypeKind::kArray);
  type.fields_ = std::make_shared<const Fields>(Fields{{"element", std::move(element)}});
  return type;
}

Type Type::map(Type key, Type value) {
  Type type(TypeKind::kMap);
  type.fields_ = std::make_shared<const Fields>(Fields{{"key", std::move(key)}, {"value", std::move(value)}});
  return type;
}

Type Type::multiset(Type element) {
  Type type(TypeKind::kMultiset);
  type.fields_ = std::make_shared<const Fields>(
      Fields{{"element", std::move(element)}, {"count", Type::integer().with_nullable(false)}});
  return type;
}

Type Type::row(Fields fields) {
  Type type(TypeKind::kRow);
  type.fields_ = std::make_shared<const Fields>(std::move(fields));
  return type;
}

Layout Type::layout() const {
  switch (kind_) {
    case TypeKind::kNull:
      return Layout::kNone;
    case TypeKind::kBoolean:
      return Layout::kU8;
    case TypeKind::kTinyInt:
      return Layout::kI8;
    case TypeKind::kSmallInt:
      return Layout::kI16;
    case TypeKind::kInteger:
    case TypeKind::kDate:
    case TypeKind::kIntervalYearMonth:
      return Layout::kI32;
    case TypeKind::kBigInt:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
    case TypeKind::kIntervalDayTime:
      return Layout::kI64;
    case TypeKind::kFloat:
      return Layout::kF32;
    case TypeKind::kDouble:
      return Layout::kF64;
    case TypeKind::kDecimal:
      return Layout::kI128;
    case TypeKind::kChar:
    case TypeKind::kVarChar:
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return Layout::kBytes;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return Layout::kList;
    case TypeKind::kRow:
      return Layout::kStruct;
  }
  return Layout::kNone;
}

Type Type::with_nullable(bool nullable) const {
  Type copy = *this;
  copy.nullable_ = nullable;
  return copy;
}

const Type::Fields& Type::fields() const {
  static const Fields kNoFields;
  return fields_ ? *fields_ : kNoFields;
}

const Type& Type::element() const {
  return fields()[0].type;
}
const Type& Type::key() const {
  return fields()[0].type;
}
const Type& Type::value() const {
  return fields()[1].type;
}

std::string Type::to_string() const {
  return text_without_null(*this) + (nullable_ ? "" : " NOT NULL");
}

bool operator==(const Type& a, const Type& b) {
  return a.kind_ == b.kind_ && a.nullable_ == b.nullable_ && a.precision_ == b.precision_ &&
         a.scale_ == b.scale_ && a.fields() == b.fields();
}

bool Type::same_shape(const Type& other) const {
  if (kind_ != other.kind_ || precision_ != other.precision_ || scale_ != other.scale_) return false;
  return std::equal(
      fields().begin(), fields().end(), other.fields().begin(), other.fields().end(),
      [](const Field& a, const Field& b) { return a.name == b.name && a.type.same_shape(b.type); });
}

std::optional<std::size_t> Schema::find(std::string_view name) const {
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == name) return i;
  return std::nullopt;
}

}  // namespace leat
