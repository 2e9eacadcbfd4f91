// A text into one cell of a column, by the column's type: for formats whose values have no types of their own
// (CSV fields, tags of line protocol).
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "pipelines/column/column_builder.h"

namespace leat::formats {

/// Fraction digits of a time that are kept, whatever its type's precision.
inline constexpr std::int32_t kKeptFractionDigits = 6;

/// Microseconds without the fraction digits that the precision has not. False, with no cell: without them it
/// would be before the earliest time that there is.
bool append_time_cell(std::int64_t micros, std::int32_t precision, ColumnBuilder& out);

/// False when the value does not fit T.
template <class T>
bool append_narrowed(std::int64_t value, ColumnBuilder& out) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
  out.append(static_cast<T>(value));
  return true;
}

/// The same by the type: integers and intervals (months, milliseconds).
bool append_integer_cell(TypeKind kind, std::int64_t value, ColumnBuilder& out);

/// One cell of a scalar type that is not CHAR or VARCHAR; false, with no cell, when the text spells no such
/// value. BOOLEAN is "true" in any case, or false; BINARY is base64; times are spelt as in SQL, TIMESTAMP_LTZ
/// with a Z. A DECIMAL with too many digits is NULL where the type is nullable.
bool append_text_cell(std::string_view text, const Type& type, ColumnBuilder& out);

/// What a message shows of a value: at most 100 bytes, cut between characters, with an ellipsis where
/// something was cut.
std::string shown(std::string_view text);

}  // namespace leat::formats
