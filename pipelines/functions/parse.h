// Text of scalars as CAST reads it. Each answers nothing for text that is not of the form; messages are made
// by the caller, who knows the target type. None trims but where it says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace leat::functions {

/// Without leading and trailing blanks (only ' ', as in Flink).
std::string_view trimmed(std::string_view text);

/// ["+"|"-"] digits ["." digits]; the fraction is cut off, not rounded. No digits before the point are a 0.
std::optional<std::int64_t> parse_integer(std::string_view text);
/// As Java's Double.parseDouble: also "NaN", "Infinity", "1e5", "1.5d"; too large gives infinity.
std::optional<double> parse_double(std::string_view text);
/// t, true, y, yes, 1; f, false, n, no, 0, in any case.
std::optional<bool> parse_boolean(std::string_view text);

/// "2020-01-31", also "2020" and "2020-1"; what follows a blank is ignored. Days since the epoch.
std::optional<std::int32_t> parse_date(std::string_view text);
/// "12", "12:34", "12:34:56", "12:34:56.789". Microseconds of the day.
std::optional<std::int64_t> parse_time(std::string_view text);
/// The same with an offset behind it, which is added, as Flink's CAST does: "10:11:12+01:00" is 11:11:12. An
/// offset with minutes needs a time with seconds.
std::optional<std::int64_t> parse_time_and_offset(std::string_view text);
/// "2020-1-31" or "2020-01-31 1:02:03.123456789": a fraction beyond microseconds is cut off. A day beyond the
/// month's end is its last day, 24:00:00 the begin of the next one.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

/// Days since the epoch; nothing if there is no such day.
std::optional<std::int32_t> days_from_civil(std::int64_t year, unsigned month, unsigned day);
/// The same, with a day of the month up to 31 taken back to the month's last.
std::optional<std::int32_t> days_from_civil_smart(std::int64_t year, unsigned month, unsigned day);

}  // namespace leat::functions
