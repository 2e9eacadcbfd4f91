// JSON payloads into batches: framing, records and their counts.
#pragma once

#include "pipelines/formats/format.h"
#include "pipelines/formats/json_index.h"
#include "pipelines/formats/json_value.h"

namespace leat::formats {

class JsonDecoder : public Decoder {
 public:
  JsonDecoder(const JsonOptions& options, const DecodeRequest& request);

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;

 protected:
  /// What one call of decode works on.
  struct Pass {
    std::span<ColumnBuilder* const> columns;
    std::vector<BadRecord>& bad;
    DecodeCount count = {};
    std::size_t rows = 0;  // In the columns now.
  };

  /// The rows of the record that `in` stands at are appended; `rows` is how many.
  virtual Outcome read_rows(JsonCursor& in, Pass& pass, std::size_t most, std::size_t& rows);
  /// Why `read_rows` has given kMismatch.
  [[nodiscard]] virtual std::string mismatch_reason(const JsonCursor& in) const;

  JsonObject columns_;
  JsonValueDecoder values_;

 private:
  void decode_lines(std::string_view text, Pass& pass);
  void decode_indexed_lines(std::string_view block, Pass& pass);
  void decode_record(std::string_view record, Pass& pass);
  void read_record(JsonCursor& in, std::string_view record, Pass& pass);
  void reject(std::string_view record, std::string reason, Pass& pass) const;

  JsonOptions options_;
  Framing framing_;
  JsonIndex index_;
};

}  // namespace leat::formats
