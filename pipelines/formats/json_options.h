// The options of the JSON format, by Flink's names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/column/type.h"
#include "pipelines/formats/read_scalar.h"

namespace leat::formats {

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

const OptionTable<JsonOptions>& json_options();

/// Says which columns hold maps whose keys are no strings: JSON has no other names of members.
void check_json_keys(std::string_view format, const Schema& schema, std::vector<OptionError>& errors);

}  // namespace leat::formats
