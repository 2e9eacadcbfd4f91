// Rows into messages of Apache Avro. The library (avro_library.h) writes the bytes; it asks for the values,
// and what answers it is the columns' cells.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/formats/avro_library.h"
#include "pipelines/formats/avro_options.h"
#include "pipelines/formats/avro_schema.h"
#include "pipelines/formats/avro_shape.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

class AvroEncoder final : public Encoder {
 public:
  /// `schema` fits the columns.
  AvroEncoder(const AvroOptions& options, AvroFraming framing, AvroSchema schema, const Schema& columns);
  AvroEncoder(const AvroEncoder&) = delete;
  AvroEncoder& operator=(const AvroEncoder&) = delete;
  ~AvroEncoder() override;

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override;

 private:
  struct Cell;
  struct Answers;

  Cell& below(const Cell& cell);
  // What the library asks for. False: it cannot be written, as reason_ says.
  bool give_child(const Cell& cell, std::size_t index, Cell& child);
  bool give_entry_part(const Cell& cell, std::size_t index, Cell& child);
  bool give_field(const Cell& cell, std::size_t index, Cell& child);
  bool give_cell(const AvroShape& shape, const Column& column, std::size_t row, Cell& child);
  bool give_bytes(const Cell& cell, std::string_view& bytes);
  bool give_symbol(const Cell& cell, std::int32_t& symbol);
  std::string_view decimal_of(const Cell& cell);
  bool fail(const Cell& cell, std::string reason);

  const AvroSchema schema_;
  AvroShape shape_;
  std::string header_;  // Before each record.
  AvroWriter writer_;
  const Batch* batch_ = nullptr;
  std::vector<Cell> cells_;  // The one that is being written, behind those around it.
  std::string decimal_;
  std::string reason_;
};

}  // namespace leat::formats
