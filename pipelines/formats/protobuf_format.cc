#include "pipelines/formats/protobuf_format.h"

#include <google/protobuf/stubs/logging.h>

#include "pipelines/formats/format_options.h"
#include "pipelines/formats/protobuf_decoder.h"
#include "pipelines/formats/protobuf_encoder.h"
#include "pipelines/formats/protobuf_options.h"
#include "pipelines/formats/protobuf_shape.h"

namespace leat::formats {
namespace {

constexpr std::string_view kPrefix = "protobuf.";

void (*notes_go_to)(const std::string& note) = nullptr;  // The library calls a plain function.
constexpr std::size_t kLongestMessage = 16U << 20;       // In a file.

ProtobufOptions read_checked(const OptionMap& all, std::vector<OptionError>& errors) {
  const OptionMap own = options_with_prefix(all, kPrefix);
  const ProtobufOptions options = protobuf_options().read(own, {}, errors);
  if (own.contains(kProtoFile) == own.contains(kDescriptorFile))
    errors.push_back({"format", OptionError::Part::kValue,
                      "format 'protobuf' needs one of 'protobuf.proto-file' and 'protobuf.descriptor-file'"});
  return options;
}

void validate(const OptionMap& all, const Schema& schema, std::vector<OptionError>& errors) {
  const std::size_t before = errors.size();
  const ProtobufOptions options = read_checked(all, errors);
  if (errors.size() > before) return;
  const auto found = schema_of(options);
  if (!found) {
    errors.push_back({options.proto.empty() ? kDescriptorFile : kProtoFile, OptionError::Part::kValue,
                      found.error().message});
    return;
  }
  std::vector<std::string> misfits;
  match_message(*found->message, schema.fields, misfits);
  for (std::string& misfit : misfits)
    errors.push_back({"format", OptionError::Part::kValue, std::move(misfit)});
}

Result<ProtobufOptions> read_options(const OptionMap& all) {
  std::vector<OptionError> errors;
  ProtobufOptions options = read_checked(all, errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.front().message);
  return options;
}

/// The schema, which may be another one than when the table was checked: its file can be changed.
Result<ProtobufSchema> fitting_schema(const ProtobufOptions& options, const Schema& columns) {
  LEAT_ASSIGN(ProtobufSchema schema, schema_of(options));
  std::vector<std::string> misfits;
  match_message(*schema.message, columns.fields, misfits);
  if (!misfits.empty()) return fail(ErrorCode::kInvalid, "format 'protobuf': " + misfits.front());
  return schema;
}

Result<std::unique_ptr<Decoder>> make_decoder(const OptionMap& all, const DecodeRequest& request) {
  LEAT_ASSIGN(const ProtobufOptions options, read_options(all));
  LEAT_ASSIGN(ProtobufSchema schema, fitting_schema(options, request.schema));
  return std::make_unique<ProtobufDecoder>(options, std::move(schema), request);
}

Result<std::unique_ptr<Encoder>> make_encoder(const OptionMap& all, const Schema& columns) {
  LEAT_ASSIGN(const ProtobufOptions options, read_options(all));
  LEAT_ASSIGN(ProtobufSchema schema, fitting_schema(options, columns));
  return std::make_unique<ProtobufEncoder>(options, std::move(schema), columns);
}

void check_delimited(const OptionMap& all, std::vector<OptionError>& errors) {
  std::vector<OptionError> said;  // By `validate`.
  if (read_checked(all, said).delimited) return;
  errors.push_back(
      {"format", OptionError::Part::kValue,
       "in a file a message of Protocol Buffers stands behind its length: set 'protobuf.delimited' = "
       "'true'"});
}

/// Whole messages, each behind its length; a length that no message has is a record, and found bad.
std::size_t whole_messages(std::string_view bytes, Behind behind) {
  if (behind == Behind::kNothing) return bytes.size();
  WireReader wire(bytes);
  std::size_t whole = 0;
  std::string_view message;
  while (wire.bytes(message)) whole = bytes.size() - wire.left();
  if (whole > 0 || bytes.size() < kLongestMessage) return whole;
  return bytes.size();
}

Result<RecordSplitter> make_splitter(const OptionMap& /*all*/) {
  return RecordSplitter(whole_messages);
}

}  // namespace

const OptionTable<ProtobufOptions>& protobuf_options() {
  using Options = ProtobufOptions;
  constexpr auto kOptional = Necessity::kOptional;
  static const OptionTable<Options> table{
      option(kProtoFile, &Options::proto, kOptional,
             "Path of the .proto file. It may import the files that come with protobuf, no others."),
      option(kDescriptorFile, &Options::descriptors, kOptional,
             "Path of a descriptor set, as protoc --include_imports --descriptor_set_out=… writes it. One of "
             "the "
             "two must be given."),
      option("protobuf.message-name", &Options::message_name, kOptional,
             "The message, with or without its package. By default the only one of the file."),
      option("protobuf.ignore-parse-errors", &Options::ignore_parse_errors, kOptional,
             "A message that cannot be read is left out and counted."),
      option("protobuf.read-default-values", &Options::read_default_values, kOptional,
             "Fields that are not set are read as their default; else as NULL where the schema knows \"not "
             "set\"."),
      option("protobuf.write-null-string-literal", &Options::write_null_string_literal, kOptional,
             "Stands for NULL among the texts of a list or map, which have none."),
      option(
          "protobuf.delimited", &Options::delimited, kOptional,
          "Each message stands behind its length, a varint, so that several follow each other: in files and "
          "requests.")};
  return table;
}

Result<ProtobufSchema> schema_of(const ProtobufOptions& options) {
  return options.descriptors.empty() ? schema_of_proto(options.proto, options.message_name)
                                     : schema_of_descriptors(options.descriptors, options.message_name);
}

void route_protobuf_notes(void (*to)(const std::string& note)) {
  notes_go_to = to;
  google::protobuf::SetLogHandler(
      [](google::protobuf::LogLevel, const char*, int, const std::string& message) { notes_go_to(message); });
}

Format protobuf_format() {
  return {.name = "protobuf",
          .doc =
              "Protocol Buffers: each column is the field of its name. The schema is a .proto file or a "
              "descriptor "
              "set.",
          .options = [] { return protobuf_options().docs(); },
          .validate = validate,
          .make_decoder = make_decoder,
          .make_encoder = make_encoder,
          .make_splitter = make_splitter,
          .files = {kProtoFile, kDescriptorFile},
          .check_in_files = check_delimited,
          .separator = "",
          .content_type = "application/x-protobuf",
          .text = false};
}

}  // namespace leat::formats
