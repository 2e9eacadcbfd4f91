// CBOR payloads into batches: a map is a row, an array a row per element; in files, items follow each other
// (a CBOR sequence, RFC 8742). Runs on its pipeline's thread.
#pragma once

#include <string>
#include <vector>

#include "pipelines/formats/cbor_value.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

class CborDecoder final : public Decoder {
 public:
  CborDecoder(const CborOptions& options, const DecodeRequest& request);

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;

 private:
  /// What one call of decode works on.
  struct Pass {
    std::span<ColumnBuilder* const> columns;
    std::vector<BadRecord>& bad;
    DecodeCount count = {};
    std::size_t rows = 0;  // In the columns now.
  };

  void decode_sequence(std::string_view items, Pass& pass);
  void read_record(std::string_view record, CborReader& in, Pass& pass);
  bool read_rows(CborReader& in, Pass& pass, std::size_t most, std::size_t& rows);

  const CborOptions options_;
  const Framing framing_;
  CborFields columns_;
  CborValueDecoder values_;
};

}  // namespace leat::formats
