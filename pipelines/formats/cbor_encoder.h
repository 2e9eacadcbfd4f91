// Rows into CBOR maps, one per row. DECIMALs are decimal fractions (tag 4), bytes byte strings, times as the
// options say.
#pragma once

#include <string>
#include <vector>

#include "pipelines/formats/cbor_options.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

class CborEncoder final : public Encoder {
 public:
  CborEncoder(const CborOptions& options, const Schema& schema);

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override;

 private:
  // Each appends to buffer_.
  template <class Columns>
  void write_members(const Type::Fields& fields, Columns columns, std::size_t row);
  void write_value(const Column& column, std::size_t row);
  void write_list(const Column& column, std::size_t row);
  void write_scalar(const Column& column, std::size_t row);
  void write_integer(std::int64_t value);
  void write_decimal(Int128 value, std::int32_t scale);
  void write_moment(const Column& column, std::size_t row);
  void write_text(std::string_view text);
  void write_bytes(std::string_view bytes);

  const CborOptions options_;
  const Type::Fields fields_;
  std::string buffer_;  // The record being written; reused.
  std::string text_;
};

}  // namespace leat::formats
