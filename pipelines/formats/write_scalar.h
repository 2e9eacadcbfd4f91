// Values → text, for the encoders: what Flink's formats write where it differs from CAST … AS STRING
// (column/text.h). Each function appends to `out` and allocates nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipelines/column/column.h"
#include "pipelines/column/value.h"

namespace leat::formats {

enum class DecimalStyle : std::uint8_t {
  kDeclaredScale,   ///< 100.00
  kStripped,        ///< Trailing zeros cut, without exponent: 100
  kScientificJava,  ///< Trailing zeros cut, then as Java's BigDecimal.toString: 1E+2
};

void append_integer(std::int64_t value, std::string& out);
void append_decimal_as(DecimalStyle style, Int128 unscaled, std::int32_t scale, std::string& out);
/// "2020-01-31 12:34:56.25": the fewest fraction digits that are exact; `separator` between date and time.
void append_shortest_timestamp(std::int64_t micros, char separator, std::string& out);
/// RFC 4648, section 4, with padding.
void append_base64(std::string_view bytes, std::string& out);
/// Between quotes, with the escapes of JSON; the bytes of other characters as they are.
void append_json_string(std::string_view text, std::string& out);

/// A cell of a BOOLEAN, number or interval type (months, milliseconds), which is not NULL.
void append_number(const Column& column, std::size_t row, DecimalStyle style, std::string& out);
/// A cell of a binary (as base64), date or time type, which is not NULL. TIMESTAMP_LTZ is in UTC and ends in
/// Z.
void append_date_or_bytes(const Column& column, std::size_t row, char separator, std::string& out);

}  // namespace leat::formats
