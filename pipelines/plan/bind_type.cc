#include "pipelines/plan/bind_type.h"

#include <limits>
#include <string>

namespace leat::plan {
namespace {

class TypeBinder {
 public:
  TypeBinder(const BindContext& context, BareLength bare) : context_(context), bare_(bare) {}

  std::optional<Type> bind(const sql::TypeName& name) const {
    std::optional<Type> type = bind_kind(name);
    if (type) type = type->with_nullable(name.nullable);
    return type;
  }

 private:
  std::optional<Type> bind_kind(const sql::TypeName& name) const {
    using enum sql::TypeNameKind;
    switch (name.kind) {
      case kBoolean:
        return Type::boolean();
      case kTinyInt:
        return Type::tiny_int();
      case kSmallInt:
        return Type::small_int();
      case kInteger:
        return Type::integer();
      case kBigInt:
        return Type::big_int();
      case kFloat:
        return Type::float32();
      case kDouble:
        return Type::float64();
      case kString:
        return Type::string();
      case kBytes:
        return Type::bytes();
      case kDate:
        return Type::date();
      default:
        return bind_with_parameters(name);
    }
  }

  std::optional<Type> bind_with_parameters(const sql::TypeName& name) const {
    using enum sql::TypeNameKind;
    switch (name.kind) {
      case kDecimal:
        return bind_decimal(name);
      case kChar:
        return bind_length(name, TypeKind::kChar, "CHAR");
      case kVarChar:
        return bind_length(name, TypeKind::kVarChar, "VARCHAR");
      case kBinary:
        return bind_length(name, TypeKind::kBinary, "BINARY");
      case kVarBinary:
        return bind_length(name, TypeKind::kVarBinary, "VARBINARY");
      case kTime:
        return bind_time(name, TypeKind::kTime, "TIME", 0);
      case kTimestamp:
        return bind_time(name, TypeKind::kTimestamp, "TIMESTAMP", 6);
      case kTimestampLtz:
        return bind_time(name, TypeKind::kTimestampLtz, "TIMESTAMP_LTZ", 6);
      case kInterval:
        return bind_interval(name);
      case kUnknown:
        return std::nullopt;  // Reported by the parser.
      default:
        return bind_nested(name);
    }
  }

  std::optional<Type> bind_nested(const sql::TypeName& name) const {
    std::vector<Type> children;
    for (const sql::TypeName& child : name.children) {
      std::optional<Type> type = bind(child);
      if (!type) return std::nullopt;
      children.push_back(std::move(*type));
    }
    if (name.kind == sql::TypeNameKind::kArray) return Type::array(children[0]);
    if (name.kind == sql::TypeNameKind::kMultiset) return Type::multiset(children[0]);
    if (name.kind == sql::TypeNameKind::kMap) return Type::map(children[0], children[1]);
    if (name.kind == sql::TypeNameKind::kRow) return bind_row(name, children);
    context_.diagnostics.error(name.span, "VARIANT, BITMAP and RAW are no types of Leat",
                               "STRING, BYTES and ROW<…> are the nearest");
    return std::nullopt;
  }

  static Type bind_row(const sql::TypeName& name, const std::vector<Type>& children) {
    Type::Fields fields;
    for (std::size_t i = 0; i < children.size(); ++i) {
      const sql::TypeName::Field& field = name.fields[i];
      fields.push_back({field.name.text, children[i], field.comment ? field.comment->text : ""});
    }
    return Type::row(std::move(fields));
  }

  std::optional<Type> bind_decimal(const sql::TypeName& name) const {
    const std::int64_t precision = name.parameters.empty() ? 10 : name.parameters[0];
    const std::int64_t scale = name.parameters.size() < 2 ? 0 : name.parameters[1];
    if (precision < 1 || precision > kMaxDecimalPrecision)
      return wrong(name, "the precision of DECIMAL goes from 1 to 38, not " + std::to_string(precision));
    if (scale < 0 || scale > precision)
      return wrong(name, "the scale of DECIMAL goes from 0 to its precision " + std::to_string(precision) +
                             ", not " + std::to_string(scale));
    return Type::decimal(static_cast<std::int32_t>(precision), static_cast<std::int32_t>(scale));
  }

  std::optional<Type> bind_length(const sql::TypeName& name, TypeKind kind, const std::string& what) const {
    const bool varies = kind == TypeKind::kVarChar || kind == TypeKind::kVarBinary;
    const std::int64_t bare = varies && bare_ == BareLength::kUnlimited ? kMaxLength : 1;
    const std::int64_t length = name.parameters.empty() ? bare : name.parameters[0];
    if (length < 1 || length > kMaxLength)
      return wrong(name,
                   "the length of " + what + " goes from 1 to 2147483647, not " + std::to_string(length));
    return Type(kind, static_cast<std::int32_t>(length));
  }

  std::optional<Type> bind_time(const sql::TypeName& name, TypeKind kind, const std::string& what,
                                std::int64_t default_precision) const {
    const std::int64_t precision = name.parameters.empty() ? default_precision : name.parameters[0];
    if (precision < 0 || precision > 9)
      return wrong(name, "the precision of " + what + " goes from 0 to 9, not " + std::to_string(precision));
    if (precision > 6)
      context_.diagnostics.warning(name.span,
                                   what + "(" + std::to_string(precision) +
                                       ") is kept in microseconds: digits behind the sixth are cut");
    return Type(kind, static_cast<std::int32_t>(precision));
  }

  static std::optional<Type> bind_interval(const sql::TypeName& name) {
    const sql::TimeUnit last = name.interval.to.value_or(name.interval.from);
    const bool months =
        last == sql::TimeUnit::kYear || last == sql::TimeUnit::kQuarter || last == sql::TimeUnit::kMonth;
    return Type(months ? TypeKind::kIntervalYearMonth : TypeKind::kIntervalDayTime);
  }

  std::optional<Type> wrong(const sql::TypeName& name, std::string message) const {
    context_.diagnostics.error(name.span, std::move(message));
    return std::nullopt;
  }

  const BindContext& context_;  // Lives as long as the call of bind_type.
  const BareLength bare_;
};

}  // namespace

std::optional<Type> bind_type(const sql::TypeName& name, const BindContext& context, BareLength bare) {
  return TypeBinder(context, bare).bind(name);
}

}  // namespace leat::plan
