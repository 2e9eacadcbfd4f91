#include "pipelines/formats/influx_format.h"

#include <algorithm>

#include "pipelines/base/nearest.h"
#include "pipelines/formats/file_encoder.h"
#include "pipelines/formats/format_options.h"
#include "pipelines/formats/influx_decoder.h"
#include "pipelines/formats/influx_encoder.h"
#include "pipelines/formats/influx_line.h"
#include "pipelines/formats/influx_options.h"

namespace leat::formats {
namespace {

constexpr std::string_view kPrefix = "influx.";
constexpr const char* kMeasurementColumn = "influx.measurement-column";
constexpr const char* kTimestampColumn = "influx.timestamp-column";
constexpr const char* kTags = "influx.tags";
using Errors = std::vector<OptionError>;

void refuse(const std::string& key, std::string message, Errors& errors) {
  errors.push_back({key, OptionError::Part::kValue, std::move(message)});
}

/// The column's type; none: it does not exist, which is said.
const Type* type_of(const std::string& key, const std::string& name, const Schema& schema, Errors& errors) {
  if (const auto column = schema.find(name)) return &schema.fields[*column].type;
  std::vector<std::string> names;
  for (const Type::Field& field : schema.fields) names.push_back(field.name);
  refuse(key, "'" + key + "': the table has no column '" + name + "'" + did_you_mean(name, names), errors);
  return nullptr;
}

void check_measurement(const InfluxOptions& options, const Schema& schema, Errors& errors) {
  if (options.measurement_column.empty()) return;
  const Type* type = type_of(kMeasurementColumn, options.measurement_column, schema, errors);
  if (type != nullptr && !type->is_character())
    refuse(kMeasurementColumn,
           "column '" + options.measurement_column + "' is " + type->to_string() +
               ", but a measurement is a text",
           errors);
}

void check_timestamp(const InfluxOptions& options, const Schema& schema, Errors& errors) {
  if (options.timestamp_column.empty()) return;
  const Type* type = type_of(kTimestampColumn, options.timestamp_column, schema, errors);
  if (type != nullptr && !type->is_timestamp() && type->kind() != TypeKind::kBigInt)
    refuse(kTimestampColumn,
           "column '" + options.timestamp_column + "' is " + type->to_string() +
               ", but the timestamp is a TIMESTAMP, a TIMESTAMP_LTZ or a BIGINT",
           errors);
}

/// A column has one place in a line.
void check_places(const InfluxOptions& options, const Schema& schema, Errors& errors) {
  std::vector<std::string> taken;
  const auto take = [&](const std::string& key, const std::string& name) {
    if (name.empty()) return;
    if (std::ranges::find(taken, name) != taken.end())
      refuse(key, "'" + key + "': column '" + name + "' has a place in the line already", errors);
    taken.push_back(name);
  };
  take(kMeasurementColumn, options.measurement_column);
  take(kTimestampColumn, options.timestamp_column);
  for (const std::string& tag : options.tags) {
    type_of(kTags, tag, schema, errors);
    take(kTags, tag);
  }
}

void check_columns(const Schema& schema, Errors& errors) {
  for (const Type::Field& column : schema.fields) {
    if (column.type.is_nested() || column.type.is_interval())
      refuse("format",
             "format 'influx' cannot hold column '" + column.name + "' of type " + column.type.to_string() +
                 ": tags and fields are scalars",
             errors);
    if (column.name.ends_with('\\') || column.name.find_first_of("\r\n") != std::string::npos)
      refuse("format", "format 'influx' cannot write the name of column '" + column.name + "'", errors);
  }
}

InfluxOptions read_checked(const OptionMap& all, Errors& errors) {
  return influx_options().read(options_with_prefix(all, kPrefix), {}, errors);
}

void validate(const OptionMap& all, const Schema& schema, Errors& errors) {
  const InfluxOptions options = read_checked(all, errors);
  check_measurement(options, schema, errors);
  check_timestamp(options, schema, errors);
  check_places(options, schema, errors);
  check_columns(schema, errors);
}

void validate_sink(const OptionMap& all, const Schema& schema, Errors& errors) {
  const InfluxOptions options = read_checked(all, errors);
  if (options.measurement.empty() && options.measurement_column.empty())
    refuse("format",
           "format 'influx' needs 'influx.measurement' or 'influx.measurement-column' for what it writes",
           errors);
  const std::vector<InfluxRole> roles = influx_roles(options, schema);
  if (std::ranges::find(roles, InfluxRole::kField) == roles.end())
    refuse("format", "format 'influx' needs a column that is a field: a line has at least one", errors);
}

Result<InfluxOptions> read_options(const OptionMap& all) {
  Errors errors;
  InfluxOptions options = read_checked(all, errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.front().message);
  return options;
}

Result<std::unique_ptr<Decoder>> make_decoder(const OptionMap& all, const DecodeRequest& request) {
  LEAT_ASSIGN(const InfluxOptions options, read_options(all));
  return std::make_unique<InfluxDecoder>(options, request);
}

Result<std::unique_ptr<Encoder>> make_encoder(const OptionMap& all, const Schema& schema) {
  LEAT_ASSIGN(const InfluxOptions options, read_options(all));
  auto encoder = std::make_unique<InfluxEncoder>(options, schema);
  if (!goes_into_files(all)) return encoder;
  return make_file_encoder(std::move(encoder), first_influx_line);
}

Result<RecordSplitter> make_splitter(const OptionMap& /*all*/) {
  return RecordSplitter(whole_influx_lines);
}

}  // namespace

const OptionTable<InfluxOptions>& influx_options() {
  using Options = InfluxOptions;
  constexpr auto kOptional = Necessity::kOptional;
  static const OptionTable<Options> table{
      option("influx.measurement", &Options::measurement, kOptional,
             "The measurement. When read, lines of others give no rows; when written, it stands in each line "
             "whose row has none in 'influx.measurement-column'."),
      option(kMeasurementColumn, &Options::measurement_column, kOptional,
             "The column, a text, that holds the measurement."),
      option(
          kTags, &Options::tags, kOptional,
          "The columns that are tags, between semicolons. When read, other columns are fields, or tags where "
          "there is no such field; when written, they are fields."),
      option(
          kTimestampColumn, &Options::timestamp_column, kOptional,
          "The column that holds the timestamp: a TIMESTAMP or TIMESTAMP_LTZ, or a BIGINT that is the number "
          "itself. NULL where a line has none, and none is written for NULL."),
      choice("influx.precision", &Options::precision,
             {{"ns", InfluxPrecision::kNanos},
              {"us", InfluxPrecision::kMicros},
              {"ms", InfluxPrecision::kMillis},
              {"s", InfluxPrecision::kSeconds}},
             kOptional, "The unit of the timestamps."),
      option("influx.ignore-parse-errors", &Options::ignore_parse_errors, kOptional,
             "A value that does not fit its column becomes NULL, and a line that is no line protocol is left "
             "out "
             "and counted.")};
  return table;
}

std::vector<InfluxRole> influx_roles(const InfluxOptions& options, const Schema& schema) {
  std::vector<InfluxRole> roles;
  for (const Type::Field& column : schema.fields) {
    const bool tag = std::ranges::find(options.tags, column.name) != options.tags.end();
    roles.push_back(column.name == options.measurement_column ? InfluxRole::kMeasurement
                    : column.name == options.timestamp_column ? InfluxRole::kTimestamp
                    : tag                                     ? InfluxRole::kTag
                                                              : InfluxRole::kField);
  }
  return roles;
}

Format influx_format() {
  return {
      .name = "influx",
      .doc =
          "InfluxDB's line protocol: a row per line, of which a message may have several. The columns are "
          "the tags and fields of the same names.",
      .options = [] { return influx_options().docs(); },
      .validate = validate,
      .validate_sink = validate_sink,
      .make_decoder = make_decoder,
      .make_encoder = make_encoder,
      .make_splitter = make_splitter,
      .separator = "\n",
      .content_type = "text/plain; charset=utf-8"};
}

}  // namespace leat::formats
