// Cells as text, to the letter as Flink's CAST … AS STRING prints them: TRUE, 1.0E10, 2020-01-01
// 00:00:00.123, [1, NULL], {k=v}, (a, NULL).
#pragma once

#include <cstdint>
#include <string>

#include "pipelines/column/batch.h"
#include "pipelines/column/column.h"

namespace leat {

struct TextStyle {
  /// Wall clock in which TIMESTAMP_LTZ is printed: an IANA name; "UTC" needs no look-up.
  std::string time_zone = "UTC";
  /// How NULL is printed inside nested values and rows.
  std::string null = "NULL";
  /// Digits of the fraction of TIME(p).
  enum class Fraction : std::uint8_t {
    kFull,  ///< p digits.
    kShort  ///< As Flink's CAST has it: without zeros at the end, but one digit where p > 0.
  } time_fraction = Fraction::kFull;
};

/// Appends the cell's text; NULL as `style.null`.
void append_text(const Column& column, std::size_t row, const TextStyle& style, std::string& out);
/// Appends "+I[a, 1, null]": a row as Flink's print sink writes it (`style.null` is "null" there), that is
/// with Java's forms inside: true, 2020-01-01T00:00:05, and TIMESTAMP_LTZ in UTC with a Z.
void append_row_text(const Batch& batch, std::size_t row, const TextStyle& style, std::string& out);

/// Java's Double.toString and Float.toString: "1.0", "1.0E10", "1.0E-5", "NaN", "Infinity".
void append_double(double value, std::string& out);
void append_float(float value, std::string& out);
/// Unscaled value with `scale` fraction digits: (-12345, 2) → "-123.45".
void append_decimal(Int128 unscaled, std::int32_t scale, std::string& out);
/// "2020-01-31"; days since the epoch.
void append_date(std::int32_t days, std::string& out);
/// "12:34:56" and `precision` fraction digits.
void append_time(std::int64_t micros_of_day, std::int32_t precision, std::string& out);
/// "2020-01-31 12:34:56" and `precision` fraction digits (7 to 9 are padded with zeros).
void append_timestamp(std::int64_t micros, std::int32_t precision, std::string& out);

}  // namespace leat
