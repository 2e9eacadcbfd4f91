// Rows into messages of Apache Avro.
#pragma once

#include <string>
#include <vector>

#include "pipelines/formats/avro_options.h"
#include "pipelines/formats/avro_schema.h"
#include "pipelines/formats/avro_shape.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

class AvroEncoder final : public Encoder {
 public:
  /// `schema` fits the columns.
  AvroEncoder(const AvroOptions& options, AvroFraming framing, AvroSchema schema, const Schema& columns);

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override;

 private:
  // Each appends to buffer_; false: the row cannot be written, as reason_ says.
  template <class Columns>
  bool write_record(const AvroShape& shape, Columns columns, std::size_t row);
  bool write_missing(AvroIndex index);
  bool write_value(const AvroShape& shape, const Column& column, std::size_t row);
  bool write_list(const AvroShape& shape, const Column& column, std::size_t row);
  bool write_scalar(const AvroShape& shape, const Column& column, std::size_t row);
  bool write_bytes(const AvroNode& node, std::string_view bytes);
  bool write_symbol(const AvroNode& node, std::string_view text);
  bool write_decimal(const AvroNode& node, Int128 value);
  bool fail(std::string reason);

  const AvroSchema schema_;
  AvroShape shape_;
  std::string header_;  // Before each record.
  std::string buffer_;  // The message being written; reused.
  std::string reason_;
};

}  // namespace leat::formats
