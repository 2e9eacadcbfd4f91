#include "pipelines/formats/avro_format.h"

#include "pipelines/formats/avro_decoder.h"
#include "pipelines/formats/avro_encoder.h"
#include "pipelines/formats/avro_options.h"
#include "pipelines/formats/avro_schema.h"
#include "pipelines/formats/avro_shape.h"
#include "pipelines/formats/format_options.h"

namespace leat::formats {
namespace {

using Errors = std::vector<OptionError>;
using Part = OptionError::Part;

Option<AvroOptions> schema_row(const std::string& prefix) {
  return option(
      prefix + "schema", &AvroOptions::schema, Necessity::kOptional,
      "The schema of the messages as JSON, a record. By default it is made of the columns, as in Flink: "
      "a column that may be NULL is a union of null and its type.");
}
Option<AvroOptions> schema_file_row(const std::string& prefix) {
  return option(prefix + "schema-file", &AvroOptions::schema_file, Necessity::kOptional,
                "Path of a file with the schema, an .avsc, in place of '" + prefix + "schema'.");
}
Option<AvroOptions> legacy_row(const std::string& prefix) {
  return option(
      prefix + "timestamp_mapping.legacy", &AvroOptions::legacy_timestamps, Necessity::kOptional,
      "Where the schema is made of the columns: TIMESTAMP is timestamp-millis or -micros, and "
      "TIMESTAMP_LTZ cannot be. With false, TIMESTAMP is local-timestamp-… and TIMESTAMP_LTZ timestamp-….");
}
Option<AvroOptions> ignore_row(const std::string& prefix) {
  return option(prefix + "ignore-parse-errors", &AvroOptions::ignore_parse_errors, Necessity::kOptional,
                "A message that cannot be read is left out and counted.");
}

const OptionTable<AvroOptions>& avro_options() {
  constexpr const char* kPrefix = "avro.";
  static const OptionTable<AvroOptions> table{schema_row(kPrefix), schema_file_row(kPrefix),
                                              legacy_row(kPrefix), ignore_row(kPrefix)};
  return table;
}

const OptionTable<AvroOptions>& confluent_options() {
  constexpr const char* kPrefix = "avro-confluent.";
  static const OptionTable<AvroOptions> table{
      schema_row(kPrefix), schema_file_row(kPrefix),
      option("avro-confluent.schema-id", &AvroOptions::schema_id, Necessity::kOptional,
             "The schema's number in the registry, which Leat does not ask: it stands before each message "
             "that is "
             "written, and one that is read is bad if it has another. Without it, the number of what is read "
             "does "
             "not count."),
      legacy_row(kPrefix), ignore_row(kPrefix)};
  return table;
}

/// One of the two formats.
struct Variant {
  AvroFraming framing;

  [[nodiscard]] std::string name() const { return framing == AvroFraming::kNone ? "avro" : "avro-confluent"; }
  [[nodiscard]] std::string key(const char* rest) const { return name() + "." + rest; }
  [[nodiscard]] const OptionTable<AvroOptions>& table() const {
    return framing == AvroFraming::kNone ? avro_options() : confluent_options();
  }

  [[nodiscard]] AvroOptions read(const OptionMap& all, Errors& errors) const {
    OptionMap given = options_with_prefix(all, name() + ".");
    for (const char* const registry : {"url", "schema-registry.url"})
      if (given.erase(key(registry)) > 0)
        errors.push_back({key(registry), Part::kKey,
                          "Leat asks no schema registry: the schema is given in '" + key("schema") +
                              "' or '" + key("schema-file") + "'"});
    for (const char* const schema : {"schema", "schema-file"})
      if (const auto found = given.find(key(schema)); found != given.end() && found->second.empty())
        errors.push_back({key(schema), Part::kValue, "the schema is empty"});
    AvroOptions options = table().read(given, {}, errors);
    if (!options.schema.empty() && !options.schema_file.empty())
      errors.push_back(
          {key("schema-file"), Part::kKey,
           "'" + key("schema") + "' and '" + key("schema-file") + "' are two schemas: give one of them"});
    return options;
  }

  [[nodiscard]] Result<AvroSchema> schema(const AvroOptions& options, const Schema& columns) const {
    const std::string& json = options.schema.empty() ? options.schema_file : options.schema;
    if (!json.empty()) return parse_avro_schema(json);
    return derive_avro_schema(columns,
                              options.legacy_timestamps ? AvroTimestamps::kLegacy : AvroTimestamps::kByZone);
  }

  void check(const OptionMap& all, const Schema& columns, AvroUse use, Errors& errors) const {
    const std::size_t before = errors.size();
    const AvroOptions options = read(all, errors);
    if (errors.size() > before) return;
    if (use == AvroUse::kWrite && framing == AvroFraming::kConfluent && !options.schema_id)
      errors.push_back({"format", Part::kValue,
                        "format 'avro-confluent' needs 'avro-confluent.schema-id' for what it writes"});
    const auto found = schema(options, columns);
    if (!found) {
      const std::string given = !options.schema.empty()        ? key("schema")
                                : !options.schema_file.empty() ? key("schema-file")
                                                               : "format";
      errors.push_back({given, Part::kValue, found.error().message});
      return;
    }
    std::vector<std::string> misfits;
    match_avro(*found, columns.fields, use, misfits);
    for (std::string& misfit : misfits) errors.push_back({"format", Part::kValue, std::move(misfit)});
  }

  /// Again what was judged when the table was checked: the schema's file may have changed.
  [[nodiscard]] Result<AvroOptions> judged(const OptionMap& all, const Schema& columns, AvroUse use) const {
    Errors errors;
    check(all, columns, use, errors);
    AvroOptions options = read(all, errors);
    if (!errors.empty())
      return fail(ErrorCode::kInvalid, "format '" + name() + "': " + errors.front().message);
    return options;
  }
};

Format format_of(Variant variant, std::string doc) {
  const auto make_decoder = [variant](const OptionMap& all,
                                      const DecodeRequest& request) -> Result<std::unique_ptr<Decoder>> {
    LEAT_ASSIGN(const AvroOptions options, variant.judged(all, request.schema, AvroUse::kRead));
    LEAT_ASSIGN(AvroSchema schema, variant.schema(options, request.schema));
    return std::make_unique<AvroDecoder>(options, variant.framing, std::move(schema), request);
  };
  const auto make_encoder = [variant](const OptionMap& all,
                                      const Schema& columns) -> Result<std::unique_ptr<Encoder>> {
    LEAT_ASSIGN(const AvroOptions options, variant.judged(all, columns, AvroUse::kWrite));
    LEAT_ASSIGN(AvroSchema schema, variant.schema(options, columns));
    return std::make_unique<AvroEncoder>(options, variant.framing, std::move(schema), columns);
  };
  return {
      .name = variant.name(),
      .doc = std::move(doc),
      .options = [variant] { return variant.table().docs(); },
      .validate = [variant](const OptionMap& all, const Schema& columns,
                            Errors& errors) { variant.check(all, columns, AvroUse::kRead, errors); },
      .validate_sink = [variant](const OptionMap& all, const Schema& columns,
                                 Errors& errors) { variant.check(all, columns, AvroUse::kWrite, errors); },
      .make_decoder = make_decoder,
      .make_encoder = make_encoder,
      .files = {variant.key("schema-file")},
      .check_in_files =
          [variant](const OptionMap& /*all*/, Errors& errors) {
            errors.push_back(
                {"format", Part::kValue,
                 "messages of '" + variant.name() +
                     "' have no end that a file could be cut at; json, csv and cbor have, and protobuf "
                     "with 'protobuf.delimited'"});
          },
      .separator = "",
      .content_type = "avro/binary",
      .text = false};
}

}  // namespace

Format avro_format() {
  return format_of(
      {AvroFraming::kNone},
      "Apache Avro, one binary record per message. Each column is the field of its name; the schema is "
      "given, or made of the columns.");
}

Format avro_confluent_format() {
  return format_of(
      {AvroFraming::kConfluent},
      "The same with the number of its schema before each message, as clients of Confluent's schema "
      "registry write it. Leat does not ask the registry: the schema is given, or made of the columns.");
}

}  // namespace leat::formats
