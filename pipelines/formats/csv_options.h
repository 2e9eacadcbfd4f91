// The options of the CSV format, by Flink's names, and the syntax they describe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/column/type.h"

namespace leat::formats {

struct CsvOptions {
  std::string field_delimiter = ",";
  bool disable_quote_character = false;
  std::string quote_character = "\"";
  bool allow_comments = false;
  bool ignore_parse_errors = false;
  std::string array_element_delimiter = ";";
  std::optional<std::string> escape_character;
  std::optional<std::string> null_literal;
  bool scientific_decimals = true;
  bool trim_spaces = false;
  bool ignore_trailing_unmappable = false;
  bool allow_trailing_comma = true;
  bool fail_on_missing_columns = false;
  bool empty_string_as_null = false;

  /// The single characters; NUL for none. Valid options have at most one byte each.
  [[nodiscard]] char delimiter() const { return field_delimiter == "\\t" ? '\t' : field_delimiter[0]; }
  [[nodiscard]] char quote() const { return disable_quote_character ? '\0' : quote_character[0]; }
  [[nodiscard]] char escape() const { return escape_character ? (*escape_character)[0] : '\0'; }
};

const OptionTable<CsvOptions>& csv_options();

}  // namespace leat::formats
