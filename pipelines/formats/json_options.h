// The options of the JSON format, by Flink's names.
#pragma once

#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/formats/read_scalar.h"

namespace leat::formats {

enum class TimestampStandard : std::uint8_t {
  kSql,  ///< 2020-01-31 12:34:56.123
  kIso,  ///< 2020-01-31T12:34:56.123
};

/// What becomes of a NULL key of a MAP when it is written.
enum class MapNullKey : std::uint8_t {
  kFail,     ///< The row is bad.
  kDrop,     ///< The entry is left out.
  kLiteral,  ///< The key is written as 'json.map-null-key.literal'.
};

struct JsonOptions {
  bool fail_on_missing_field = false;
  bool ignore_parse_errors = false;
  TimestampStandard timestamp_format = TimestampStandard::kSql;
  MapNullKey map_null_key = MapNullKey::kFail;
  std::string map_null_key_literal = "null";
  bool decimal_as_plain_number = false;
  bool ignore_null_fields = false;
  bool json_parser = true;
};

/// TIMESTAMP_LTZ is written in UTC with a Z at its end.
enum class Zone : std::uint8_t { kNone, kUtc };
constexpr TimestampSyntax timestamp_syntax(TimestampStandard standard, Zone zone) {
  return {standard == TimestampStandard::kSql ? ' ' : 'T', zone == Zone::kUtc ? 'Z' : '\0'};
}

const OptionTable<JsonOptions>& json_options();

/// The keys of `all` that start with `prefix`.
OptionMap options_with_prefix(const OptionMap& all, std::string_view prefix);

}  // namespace leat::formats
