// SQL types, as values. A Type is small for scalars; nested types share their children.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"

namespace leat {

enum class TypeKind : std::uint8_t {
  kNull,  ///< The type of the literal NULL before it is coerced; no column of a table has it.
  kBoolean,
  kTinyInt,
  kSmallInt,
  kInteger,
  kBigInt,
  kFloat,
  kDouble,
  kDecimal,    ///< precision 1..38, scale 0..precision
  kChar,       ///< precision = length in characters
  kVarChar,    ///< precision = maximal length; STRING is VARCHAR(2147483647)
  kBinary,     ///< precision = length in bytes
  kVarBinary,  ///< precision = maximal length; BYTES is VARBINARY(2147483647)
  kDate,
  kTime,               ///< precision 0..9 as declared; values are microseconds of the day
  kTimestamp,          ///< precision 0..9 as declared; wall clock without zone, values are microseconds
  kTimestampLtz,       ///< precision 0..9 as declared; a point in time, values are microseconds in UTC
  kIntervalYearMonth,  ///< values are months
  kIntervalDayTime,    ///< values are microseconds
  kArray,
  kMap,
  kMultiset,  ///< a MAP from element to count
  kRow,
};

/// How the values of a type lie in memory; see column.h.
enum class Layout : std::uint8_t {
  kU8,  ///< BOOLEAN: 0 or 1
  kI8,
  kI16,
  kI32,  ///< INTEGER; DATE as days since the epoch; INTERVAL YEAR TO MONTH as months
  kI64,  ///< BIGINT; TIME, TIMESTAMP, TIMESTAMP_LTZ and INTERVAL DAY TO SECOND as microseconds
  kF32,
  kF64,
  kI128,    ///< DECIMAL as its unscaled value
  kBytes,   ///< CHAR, VARCHAR (UTF-8), BINARY, VARBINARY as std::string_view into the column's heaps
  kList,    ///< ARRAY (one child), MAP and MULTISET (two children): offsets into the children
  kStruct,  ///< ROW: one child per field, as long as the column
  kNone,    ///< kNull: no values, all rows are NULL
};

inline constexpr std::int32_t kMaxLength = 2147483647;
inline constexpr std::int32_t kMaxDecimalPrecision = 38;

class Type {
 public:
  struct Field;
  using Fields = std::vector<Field>;

  Type() = default;
  explicit Type(TypeKind kind, std::int32_t precision = 0, std::int32_t scale = 0)
      : kind_(kind), precision_(precision), scale_(scale) {}

  static Type boolean() { return Type(TypeKind::kBoolean); }
  static Type tiny_int() { return Type(TypeKind::kTinyInt); }
  static Type small_int() { return Type(TypeKind::kSmallInt); }
  static Type integer() { return Type(TypeKind::kInteger); }
  static Type big_int() { return Type(TypeKind::kBigInt); }
  static Type float32() { return Type(TypeKind::kFloat); }
  static Type float64() { return Type(TypeKind::kDouble); }
  static Type decimal(std::int32_t precision, std::int32_t scale) {
    return Type(TypeKind::kDecimal, precision, scale);
  }
  static Type string() { return Type(TypeKind::kVarChar, kMaxLength); }
  static Type bytes() { return Type(TypeKind::kVarBinary, kMaxLength); }
  static Type date() { return Type(TypeKind::kDate); }
  static Type time(std::int32_t precision) { return Type(TypeKind::kTime, precision); }
  static Type timestamp(std::int32_t precision) { return Type(TypeKind::kTimestamp, precision); }
  static Type timestamp_ltz(std::int32_t precision) { return Type(TypeKind::kTimestampLtz, precision); }
  static Type array(Type element);
  static Type map(Type key, Type value);
  static Type multiset(Type element);
  static Type row(Fields fields);

  [[nodiscard]] TypeKind kind() const { return kind_; }
  [[nodiscard]] Layout layout() const;
  /// DECIMAL's precision, a string's length, a time's fraction digits; 0 elsewhere.
  [[nodiscard]] std::int32_t precision() const { return precision_; }
  [[nodiscard]] std::int32_t scale() const { return scale_; }
  [[nodiscard]] bool nullable() const { return nullable_; }
  [[nodiscard]] Type with_nullable(bool nullable) const;

  /// ROW's fields; ARRAY's `element`; MAP's `key`, `value`; MULTISET's `element` and its count. Empty for
  /// scalars.
  [[nodiscard]] const Fields& fields() const;
  [[nodiscard]] const Type& element() const;
  [[nodiscard]] const Type& key() const;
  [[nodiscard]] const Type& value() const;

  [[nodiscard]] bool is_numeric() const { return kind_ >= TypeKind::kTinyInt && kind_ <= TypeKind::kDecimal; }
  [[nodiscard]] bool is_integer() const { return kind_ >= TypeKind::kTinyInt && kind_ <= TypeKind::kBigInt; }
  [[nodiscard]] bool is_approximate() const {
    return kind_ == TypeKind::kFloat || kind_ == TypeKind::kDouble;
  }
  [[nodiscard]] bool is_character() const { return kind_ == TypeKind::kChar || kind_ == TypeKind::kVarChar; }
  [[nodiscard]] bool is_binary() const { return kind_ == TypeKind::kBinary || kind_ == TypeKind::kVarBinary; }
  [[nodiscard]] bool is_timestamp() const {
    return kind_ == TypeKind::kTimestamp || kind_ == TypeKind::kTimestampLtz;
  }
  [[nodiscard]] bool is_interval() const {
    return kind_ == TypeKind::kIntervalYearMonth || kind_ == TypeKind::kIntervalDayTime;
  }
  [[nodiscard]] bool is_nested() const { return kind_ >= TypeKind::kArray; }

  /// As Flink prints it: "DECIMAL(10, 2) NOT NULL", "ROW<`a` INT, `b` STRING>", "STRING" for
  /// VARCHAR(2147483647).
  [[nodiscard]] std::string to_string() const;

  /// Equal in all, nullability included.
  friend bool operator==(const Type& a, const Type& b);
  /// Equal but for nullability, at the top and inside.
  [[nodiscard]] bool same_shape(const Type& other) const;

 private:
  TypeKind kind_ = TypeKind::kNull;
  bool nullable_ = true;
  std::int32_t precision_ = 0;
  std::int32_t scale_ = 0;
  std::shared_ptr<const Fields> fields_;
};

struct Type::Field {
  std::string name;
  Type type;
  std::string comment = {};
  friend bool operator==(const Field& a, const Field& b) { return a.name == b.name && a.type == b.type; }
};

/// Names and types of the columns of a table, a query or a batch, in order.
struct Schema {
  std::vector<Type::Field> fields;

  [[nodiscard]] std::size_t size() const { return fields.size(); }
  /// Index of the column with exactly this name (SQL names are case-sensitive in Flink); the first one.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
  friend bool operator==(const Schema&, const Schema&) = default;
};

}  // namespace leat
