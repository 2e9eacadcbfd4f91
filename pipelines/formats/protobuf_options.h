// The options of the format protobuf; Flink's, and where the schema is, which Flink has on its class path.
#pragma once

#include <string>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/formats/protobuf_schema.h"

namespace leat::formats {

/// Whose values are paths; the caller gives the files' contents in their place.
inline constexpr const char* kProtoFile = "protobuf.proto-file";
inline constexpr const char* kDescriptorFile = "protobuf.descriptor-file";

struct ProtobufOptions {
  std::string proto;        ///< Contents of kProtoFile.
  std::string descriptors;  ///< Contents of kDescriptorFile.
  std::string message_name;
  bool ignore_parse_errors = false;
  bool read_default_values = false;
  std::string write_null_string_literal;
  bool delimited = false;
};

const OptionTable<ProtobufOptions>& protobuf_options();

/// Errors: invalid.
Result<ProtobufSchema> schema_of(const ProtobufOptions& options);

}  // namespace leat::formats
