// A message type of Protocol Buffers from what the user gives: the text of a .proto file, or a
// FileDescriptorSet as `protoc --include_imports --descriptor_set_out` writes it.
#pragma once

#include <google/protobuf/descriptor.h>

#include <memory>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::formats {

/// Keeps the pool that the descriptor lives in.
struct ProtobufSchema {
  std::shared_ptr<const google::protobuf::DescriptorPool> pool;
  const google::protobuf::Descriptor* message = nullptr;
};

/// `message` is the full name ("plant.v1.Reading"); empty: the only message of the file. A .proto text can
/// import the files that come with protobuf ("google/protobuf/timestamp.proto"), no others. Errors: invalid,
/// with line and column of the text.
Result<ProtobufSchema> schema_of_proto(std::string_view text, std::string_view message);
/// `set`: a serialised FileDescriptorSet. Without `message` the last file's only one. Errors: invalid.
Result<ProtobufSchema> schema_of_descriptors(std::string_view set, std::string_view message);

}  // namespace leat::formats
