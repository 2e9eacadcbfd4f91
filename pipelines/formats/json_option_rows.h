// Rows of option tables that json and the formats built on it have in common. `prefix` is the format's, with
// its dot.
#pragma once

#include <string>

#include "pipelines/formats/json_options.h"

namespace leat::formats {

template <class Options>
Option<Options> timestamp_standard_row(const std::string& prefix) {
  return choice<Options, TimestampStandard>(
      prefix + "timestamp-format.standard", &Options::timestamp_format,
      {{"SQL", TimestampStandard::kSql}, {"ISO-8601", TimestampStandard::kIso}}, Necessity::kOptional,
      "How timestamps are written: '2020-01-31 12:34:56.123' or '2020-01-31T12:34:56.123'. TIMESTAMP_LTZ "
      "ends in Z in both.");
}

template <class Options>
Option<Options> map_null_key_mode_row(const std::string& prefix) {
  return choice<Options, MapNullKey>(
      prefix + "map-null-key.mode", &Options::map_null_key,
      {{"FAIL", MapNullKey::kFail}, {"DROP", MapNullKey::kDrop}, {"LITERAL", MapNullKey::kLiteral}},
      Necessity::kOptional,
      "What becomes of a NULL key of a MAP when it is written: the row is bad, the entry is left out, or "
      "the key is written as the literal.");
}

template <class Options>
Option<Options> map_null_key_literal_row(const std::string& prefix) {
  return option<Options, std::string>(
      prefix + "map-null-key.literal", &Options::map_null_key_literal, Necessity::kOptional,
      "The key that stands for NULL when '" + prefix + "map-null-key.mode' is 'LITERAL'.");
}

template <class Options>
Option<Options> plain_decimals_row(const std::string& prefix) {
  return option<Options, bool>(
      prefix + "encode.decimal-as-plain-number", &Options::decimal_as_plain_number, Necessity::kOptional,
      "Writes a DECIMAL with all its fraction digits. By default trailing zeros are cut and large or "
      "small ones are written in scientific notation (100.00 as 1E+2).");
}

template <class Options>
Option<Options> ignore_null_fields_row(const std::string& prefix) {
  return option<Options, bool>(
      prefix + "encode.ignore-null-fields", &Options::ignore_null_fields, Necessity::kOptional,
      "Leaves out fields of rows that are NULL. By default they are written as null.");
}

}  // namespace leat::formats
