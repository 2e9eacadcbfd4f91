#include "pipelines/formats/debezium_format.h"

#include "pipelines/formats/debezium_decoder.h"
#include "pipelines/formats/debezium_encoder.h"
#include "pipelines/formats/debezium_options.h"
#include "pipelines/formats/format_options.h"
#include "pipelines/formats/json_option_rows.h"

namespace leat::formats {
namespace {

constexpr const char* kPrefix = "debezium-json.";
constexpr const char* kSchemaInclude = "debezium-json.schema-include";

DebeziumOptions read_checked(const OptionMap& all, std::vector<OptionError>& errors) {
  return debezium_options().read(options_with_prefix(all, kPrefix), {}, errors);
}

void validate(const OptionMap& all, const Schema& schema, std::vector<OptionError>& errors) {
  read_checked(all, errors);
  check_json_keys("debezium-json", schema, errors);
}

/// As in Flink.
void validate_sink(const OptionMap& all, const Schema& /*schema*/, std::vector<OptionError>& errors) {
  if (!read_checked(all, errors).schema_include) return;
  errors.push_back(
      {kSchemaInclude, OptionError::Part::kValue,
       "'debezium-json.schema-include' is for what is read: events are written without their schema"});
}

Result<DebeziumOptions> read_options(const OptionMap& all) {
  std::vector<OptionError> errors;
  const DebeziumOptions options = read_checked(all, errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.front().message);
  return options;
}

Result<std::unique_ptr<Decoder>> make_decoder(const OptionMap& all, const DecodeRequest& request) {
  LEAT_ASSIGN(const DebeziumOptions options, read_options(all));
  return std::make_unique<DebeziumDecoder>(options, request);
}

Result<std::unique_ptr<Encoder>> make_encoder(const OptionMap& all, const Schema& schema) {
  LEAT_ASSIGN(const DebeziumOptions options, read_options(all));
  return std::make_unique<DebeziumEncoder>(options, schema);
}

}  // namespace

const OptionTable<DebeziumOptions>& debezium_options() {
  using Options = DebeziumOptions;
  static const OptionTable<Options> table{
      option(
          kSchemaInclude, &Options::schema_include, Necessity::kOptional,
          "The events have their schema with them, and are the member 'payload' beside it, as Kafka Connect "
          "writes them by default."),
      option<Options, bool>("debezium-json.ignore-parse-errors", &Options::ignore_parse_errors,
                            Necessity::kOptional,
                            "A field that cannot be read becomes NULL, and what is no event is left out and "
                            "counted. By default such an event becomes a dead letter."),
      timestamp_standard_row<Options>(kPrefix),
      map_null_key_mode_row<Options>(kPrefix),
      map_null_key_literal_row<Options>(kPrefix),
      plain_decimals_row<Options>(kPrefix),
      ignore_null_fields_row<Options>(kPrefix)};
  return table;
}

Format debezium_format() {
  return {
      .name = "debezium-json",
      .doc =
          "Debezium's change events in JSON: the rows of a table as they come, change and go. What is read "
          "is a changelog, and every changelog can be written.",
      .options = [] { return debezium_options().docs(); },
      .validate = validate,
      .validate_sink = validate_sink,
      .changelog = true,
      .make_decoder = make_decoder,
      .make_encoder = make_encoder,
      .separator = "\n",
      .content_type = "application/json"};
}

}  // namespace leat::formats
