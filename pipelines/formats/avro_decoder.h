// Messages of Apache Avro into columns, straight from the bytes: the fields that are wanted, what else is in
// a record is passed over by its schema. Runs on its pipeline's thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipelines/formats/avro_options.h"
#include "pipelines/formats/avro_schema.h"
#include "pipelines/formats/avro_shape.h"
#include "pipelines/formats/format.h"
#include "pipelines/formats/protobuf_wire.h"

namespace leat::formats {

class AvroDecoder final : public Decoder {
 public:
  /// `schema` fits the request's columns.
  AvroDecoder(const AvroOptions& options, AvroFraming framing, AvroSchema schema,
              const DecodeRequest& request);

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;

 private:
  bool read_message(std::string_view payload, std::span<ColumnBuilder* const> columns);
  bool take_header(WireReader& wire);
  // Each reads on at `wire`; false: broken, as reason_ says.
  bool skip(AvroIndex index, WireReader& wire, int depth);
  bool skip_scalar(const AvroNode& node, WireReader& wire);
  bool skip_items(AvroIndex item, bool keyed, WireReader& wire, int depth);
  template <class Columns>
  bool read_record(const AvroShape& shape, Columns columns, WireReader& wire, int depth);
  bool read_value(const AvroShape& shape, ColumnBuilder& out, WireReader& wire, int depth);
  bool read_branch(const AvroShape& shape, ColumnBuilder& out, WireReader& wire, bool& null);
  bool read_array(const AvroShape& shape, ColumnBuilder& out, WireReader& wire, int depth);
  bool read_map(const AvroShape& shape, ColumnBuilder& out, WireReader& wire, int depth);
  bool read_scalar(const AvroShape& shape, ColumnBuilder& out, WireReader& wire);
  bool read_boolean(ColumnBuilder& out, WireReader& wire);
  bool read_integer(const AvroShape& shape, ColumnBuilder& out, WireReader& wire);
  bool read_bytes(const AvroShape& shape, ColumnBuilder& out, WireReader& wire);
  bool read_text(ColumnBuilder& out, WireReader& wire);
  bool store_decimal(const AvroShape& shape, std::string_view bytes, ColumnBuilder& out);
  bool block(WireReader& wire, std::uint64_t& count, std::uint64_t& bytes);
  bool length(WireReader& wire, std::uint64_t& value);
  bool cut();
  bool fail(std::string reason);
  bool in_field(const std::string& name);

  const AvroOptions options_;
  const AvroFraming framing_;
  const AvroSchema schema_;
  AvroShape shape_;
  std::string reason_;
};

}  // namespace leat::formats
