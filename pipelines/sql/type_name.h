// Types as syntax: what the user wrote, checked for form, synonyms resolved. The binder checks the numbers
// (DECIMAL(50, 2)) and makes a leat::Type of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "pipelines/sql/identifier.h"

namespace leat::sql {

/// One enumerator per type of the dialect; synonyms (INTEGER, DEC, NUMERIC, DOUBLE PRECISION, STRING, BYTES,
/// TIMESTAMP WITH LOCAL TIME ZONE, CHARACTER VARYING, …) are already resolved.
enum class TypeNameKind : std::uint8_t {
  kBoolean,
  kTinyInt,
  kSmallInt,
  kInteger,
  kBigInt,
  kFloat,
  kDouble,
  kDecimal,    ///< [precision [, scale]]
  kChar,       ///< [length]
  kVarChar,    ///< [length]
  kString,     ///< STRING: VARCHAR(2147483647)
  kBinary,     ///< [length]
  kVarBinary,  ///< [length]
  kBytes,      ///< BYTES: VARBINARY(2147483647)
  kDate,
  kTime,          ///< [precision]
  kTimestamp,     ///< [precision]
  kTimestampLtz,  ///< [precision]
  kInterval,      ///< unit [precision] [TO unit [precision]] in `interval`
  kArray,         ///< children[0]: element
  kMultiset,      ///< children[0]: element
  kMap,           ///< children: key, value
  kRow,           ///< children: the fields' types, names in `fields`
  kVariant,
  kBitmap,
  kRaw,      ///< RAW('class', 'snapshot'): known, never runs outside a JVM
  kUnknown,  ///< A word that is no type: it has been reported, and the statement goes on.
};

/// Units of time as EXTRACT, FLOOR, TIMESTAMPADD and INTERVAL know them; plural words are already singular.
enum class TimeUnit : std::uint8_t {
  kYear,
  kQuarter,
  kMonth,
  kWeek,
  kDay,
  kHour,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kNanosecond,
  kDayOfWeek,     ///< DOW
  kDayOfYear,     ///< DOY
  kIsoDayOfWeek,  ///< ISODOW
  kIsoYear,       ///< ISOYEAR
  kEpoch,
  kDecade,
  kCentury,
  kMillennium,
};

/// "DAY", as SQL writes it.
std::string_view to_string(TimeUnit unit);

/// `DAY(2) TO SECOND(3)`: the units behind INTERVAL, in a type or a literal.
struct IntervalUnits {
  TimeUnit from = TimeUnit::kSecond;
  std::optional<TimeUnit> to;
  std::optional<std::int64_t> leading_precision;
  std::optional<std::int64_t> fraction_precision;
};

struct TypeName {
  struct Field {
    Identifier name;
    std::optional<StringWord> comment;
  };

  TypeNameKind kind = TypeNameKind::kBoolean;
  SourceSpan span;
  /// False after NOT NULL.
  bool nullable = true;
  /// The numbers in parentheses, as written: length, precision, scale.
  std::vector<std::int64_t> parameters;
  std::vector<TypeName> children;
  /// ROW only; as long as `children`.
  std::vector<Field> fields;
  IntervalUnits interval;
  /// Of the tree, 1 for a leaf; the parser bounds it (kMaxTreeHeight), so walks may recurse.
  std::uint32_t height = 1;
};

}  // namespace leat::sql
