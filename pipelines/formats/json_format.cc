#include "pipelines/formats/json_format.h"

#include "pipelines/formats/format_options.h"
#include "pipelines/formats/json_decoder.h"
#include "pipelines/formats/json_encoder.h"
#include "pipelines/formats/json_option_rows.h"
#include "pipelines/formats/json_options.h"

namespace leat::formats {
namespace {

constexpr const char* kPrefix = "json.";

/// The first MAP or MULTISET inside `type` whose keys are not strings: JSON has no other names of members.
const Type* unwritable_key(const Type& type) {
  if ((type.kind() == TypeKind::kMap || type.kind() == TypeKind::kMultiset) &&
      !type.fields()[0].type.is_character())
    return &type;
  for (const Type::Field& field : type.fields())
    if (const Type* const found = unwritable_key(field.type); found != nullptr) return found;
  return nullptr;
}

void validate(const OptionMap& all, const Schema& schema, std::vector<OptionError>& errors) {
  const OptionMap own = options_with_prefix(all, kPrefix);
  const JsonOptions options = json_options().read(own, {}, errors);
  using Part = OptionError::Part;
  if (options.fail_on_missing_field && options.ignore_parse_errors)
    errors.push_back({"json.fail-on-missing-field", Part::kKey,
                      "'json.fail-on-missing-field' and 'json.ignore-parse-errors' cannot both be true"});
  check_json_keys("json", schema, errors);
}

Result<JsonOptions> read_options(const OptionMap& all) {
  std::vector<OptionError> errors;
  const JsonOptions options = json_options().read(options_with_prefix(all, kPrefix), {}, errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.front().message);
  return options;
}

Result<std::unique_ptr<Decoder>> make_decoder(const OptionMap& all, const DecodeRequest& request) {
  LEAT_ASSIGN(const JsonOptions options, read_options(all));
  return std::make_unique<JsonDecoder>(options, request);
}

Result<std::unique_ptr<Encoder>> make_encoder(const OptionMap& all, const Schema& schema) {
  LEAT_ASSIGN(const JsonOptions options, read_options(all));
  return std::make_unique<JsonEncoder>(options, schema);
}

}  // namespace

void check_json_keys(std::string_view format, const Schema& schema, std::vector<OptionError>& errors) {
  for (const Type::Field& column : schema.fields)
    if (const Type* const type = unwritable_key(column.type); type != nullptr)
      errors.push_back({"format", OptionError::Part::kValue,
                        "format '" + std::string(format) + "' needs strings as keys, but column '" +
                            column.name + "' holds " + type->to_string()});
}

const OptionTable<JsonOptions>& json_options() {
  using Options = JsonOptions;
  constexpr auto kOptional = Necessity::kOptional;
  static const OptionTable<Options> table{
      option("json.fail-on-missing-field", &Options::fail_on_missing_field, kOptional,
             "A record without one of the columns that are read is bad. By default the column is NULL."),
      option("json.ignore-parse-errors", &Options::ignore_parse_errors, kOptional,
             "A field that cannot be read becomes NULL, and a record that is no JSON is left out and "
             "counted. By "
             "default such a record becomes a dead letter."),
      timestamp_standard_row<Options>(kPrefix),
      map_null_key_mode_row<Options>(kPrefix),
      map_null_key_literal_row<Options>(kPrefix),
      plain_decimals_row<Options>(kPrefix),
      ignore_null_fields_row<Options>(kPrefix),
      option("json.decode.json-parser.enabled", &Options::json_parser, kOptional,
             "Chooses between Flink's two JSON parsers. Leat has one; the key is accepted, so that tables "
             "made for "
             "Flink can be used as they are, and has no effect.")};
  return table;
}

Format json_format() {
  return {
      .name = "json",
      .doc =
          "JSON objects: one per message or line, or an array of them. The columns are the members of the "
          "same names.",
      .options = [] { return json_options().docs(); },
      .validate = validate,
      .make_decoder = make_decoder,
      .make_encoder = make_encoder,
      .separator = "\n",
      .content_type = "application/json"};
}

}  // namespace leat::formats
