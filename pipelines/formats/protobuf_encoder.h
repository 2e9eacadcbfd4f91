// Rows into messages of Protocol Buffers, fields in the order of the columns.
#pragma once

#include <string>
#include <vector>

#include "pipelines/formats/format.h"
#include "pipelines/formats/protobuf_options.h"
#include "pipelines/formats/protobuf_shape.h"

namespace leat::formats {

class ProtobufEncoder final : public Encoder {
 public:
  /// `schema` fits the columns.
  ProtobufEncoder(const ProtobufOptions& options, ProtobufSchema schema, const Schema& columns);

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override;

 private:
  /// Appends the field, or nothing where it has its default. False: the row cannot be written, as reason_
  /// says.
  bool write_field(const ProtobufField& shape, const Column& column, std::size_t row, std::string& out);
  bool write_null(const ProtobufField& shape);
  bool write_list(const ProtobufField& shape, const Column& column, std::size_t row, std::string& out);
  bool write_packed(const ProtobufField& shape, const Column& elements, std::size_t begin, std::size_t end,
                    std::string& out);
  bool write_map(const ProtobufField& shape, const Column& column, std::size_t row, std::string& out);
  /// With its tag.
  bool write_one(const ProtobufField& shape, const Column& column, std::size_t row, std::string& out);
  /// Its bytes alone; a message's are without their length.
  bool write_value(const ProtobufField& shape, const Column& column, std::size_t row, std::string& out);
  bool write_number(const ProtobufField& shape, const Column& column, std::size_t row, std::string& out);
  bool fail(const ProtobufField& shape, std::string_view what);

  const ProtobufOptions options_;
  const ProtobufSchema schema_;
  const ProtobufMessage shape_;
  std::string buffer_;  // The record being written; reused.
  std::string framed_;
  std::string reason_;
};

}  // namespace leat::formats
