#include "pipelines/formats/sparkplug_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pipelines/base/nearest.h"
#include "pipelines/formats/compression.h"
#include "pipelines/formats/format_options.h"
#include "pipelines/formats/sparkplug_decoder.h"
#include "pipelines/formats/sparkplug_encoder.h"
#include "pipelines/formats/sparkplug_options.h"

namespace leat::formats {
namespace {

using sparkplug::Role;
using Errors = std::vector<OptionError>;

constexpr std::string_view kPrefix = "sparkplug.";

void refuse(std::string message, Errors& errors) {
  errors.push_back({"format", OptionError::Part::kValue, std::move(message)});
}

void check_unknown(const Type::Field& column, Errors& errors) {
  std::vector<std::string> names;
  for (const sparkplug::ColumnRule& rule : sparkplug::columns()) names.emplace_back(rule.name);
  const std::string nearest = did_you_mean(column.name, names);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  refuse(fmt::format("format 'sparkplug' has no column '{}'{}", column.name,
                     nearest.empty() ? "; its columns are " + known : nearest),
         errors);
}

void check_column(const Type::Field& column, Errors& errors) {
  const sparkplug::ColumnRule* rule = sparkplug::find_column(column.name);
  const bool of_topic = is_sparkplug_topic_column(column.name);
  if (rule == nullptr && !of_topic) return check_unknown(column, errors);
  const Type wanted = rule == nullptr ? Type::string() : rule->type;
  if (rule == nullptr ? column.type.is_character() : fits(*rule, column.type)) return;
  refuse(fmt::format("format 'sparkplug': column '{}' is {}, not {}", column.name, wanted.to_string(),
                     column.type.to_string()),
         errors);
}

SparkplugOptions read_checked(const OptionMap& all, Errors& errors) {
  return sparkplug_options().read(options_with_prefix(all, kPrefix), {}, errors);
}

void validate(const OptionMap& all, const Schema& schema, Errors& errors) {
  read_checked(all, errors);
  for (const Type::Field& column : schema.fields) check_column(column, errors);
}

void validate_source(const OptionMap& /*all*/, const Schema& schema, Errors& errors) {
  for (const Type::Field& column : schema.fields)
    if (is_sparkplug_topic_column(column.name))
      refuse(fmt::format("format 'sparkplug': '{}' is in the topic, not in the payload; declare topic STRING "
                         "METADATA VIRTUAL, and the table function SPARKPLUG gives it",
                         column.name),
             errors);
}

bool is_value(Role role) {
  return role >= Role::kIntValue && role <= Role::kBytesValue;
}

void validate_sink(const OptionMap& /*all*/, const Schema& schema, Errors& errors) {
  constexpr std::array kReadOnly = {Role::kPayloadTs, Role::kBdSeq, Role::kMetricIndex, Role::kProperties};
  std::vector<Role> roles;
  for (const Type::Field& column : schema.fields) {
    const sparkplug::ColumnRule* rule = sparkplug::find_column(column.name);
    if (rule == nullptr) continue;
    roles.push_back(rule->role);
    if (std::ranges::find(kReadOnly, rule->role) != kReadOnly.end())
      refuse(fmt::format("format 'sparkplug' reads column '{}' only", column.name), errors);
  }
  const auto has = [&](Role role) { return std::ranges::find(roles, role) != roles.end(); };
  if (!has(Role::kMetric) && !has(Role::kAlias))
    refuse("format 'sparkplug' needs the column metric STRING, or alias BIGINT, for what it writes", errors);
  if (!has(Role::kTs))
    refuse("format 'sparkplug' needs the column ts TIMESTAMP_LTZ(3) for what it writes", errors);
  if (std::ranges::none_of(roles, is_value))
    refuse("format 'sparkplug' needs a column for values, as boolean_value BOOLEAN, for what it writes",
           errors);
}

void refuse_files(const OptionMap& /*all*/, Errors& errors) {
  refuse("format 'sparkplug' has payloads, which nothing separates in a file", errors);
}

Result<std::unique_ptr<Decoder>> make_decoder(const OptionMap& all, const DecodeRequest& request) {
  Errors errors;
  SparkplugOptions options = read_checked(all, errors);
  options.max_decompressed = max_decompressed_of(all);
  validate_source(all, request.schema, errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.front().message);
  return std::make_unique<SparkplugDecoder>(options, request);
}

Result<std::unique_ptr<Encoder>> make_encoder(const OptionMap& /*all*/, const Schema& schema) {
  return std::make_unique<SparkplugEncoder>(schema);
}

}  // namespace

const OptionTable<SparkplugOptions>& sparkplug_options() {
  static const OptionTable<SparkplugOptions> table{
      option("sparkplug.ignore-parse-errors", &SparkplugOptions::ignore_parse_errors, Necessity::kOptional,
             "A payload that cannot be read is left out and counted.")};
  return table;
}

Format sparkplug_format() {
  return {.name = "sparkplug",
          .doc =
              "Sparkplug B: a row per metric of a payload; columns by fixed names (metric, alias, ts, seq, "
              "int_value, …). The table function SPARKPLUG makes of them what the metrics are. Written: a "
              "payload "
              "with one metric per row.",
          .options = [] { return sparkplug_options().docs(); },
          .validate = validate,
          .validate_source = validate_source,
          .validate_sink = validate_sink,
          .make_decoder = make_decoder,
          .make_encoder = make_encoder,
          .check_in_files = refuse_files,
          .separator = "",
          .content_type = "application/x-protobuf",
          .text = false};
}

}  // namespace leat::formats
