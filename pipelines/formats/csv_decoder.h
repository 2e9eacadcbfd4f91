// CSV payloads into batches (RFC 4180, with the options of Flink's format). A quoted field can run over a
// line's end, in a message and in a file (csv_records.h says where a file's records end). Runs on its
// pipeline's thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/formats/csv_options.h"
#include "pipelines/formats/csv_records.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

class CsvDecoder final : public Decoder {
 public:
  CsvDecoder(const CsvOptions& options, const DecodeRequest& request);

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;
  void use_header(std::string_view header) override;

 private:
  static constexpr std::uint32_t kUnwanted = UINT32_MAX;

  struct Column {
    std::string name;
    Type type;
    std::uint32_t builder = kUnwanted;  // Its place among the wanted ones.
  };
  /// A field of a record with its quotes and escapes taken off.
  struct Field {
    std::string_view text;  // In the payload, or in `scratch_`.
    enum class Place : std::uint8_t { kPayload, kScratch } place = Place::kPayload;
    enum class Form : std::uint8_t { kPlain, kQuoted } form = Form::kPlain;
  };
  /// What one call of decode works on.
  struct Pass {
    std::span<ColumnBuilder* const> columns;
    std::vector<BadRecord>& bad;
    DecodeCount count = {};
    bool valid_utf8 = true;
  };

  void read_record(std::string_view record, Pass& pass);
  bool read_fields(std::string_view record, Pass& pass);
  bool take_field(std::string_view record, std::size_t& at, Field& field);
  bool take_quoted(std::string_view record, std::size_t& at, Field& field);
  void take_escaped(std::string_view record, std::size_t& at, Field& field);
  bool read_names(std::string_view header, std::vector<std::string>& names);
  void place_fields(const std::vector<std::string>& names);
  bool fill_absent(std::size_t fields, Pass& pass);
  bool finish_row(std::size_t fields, bool last_is_empty, Pass& pass);
  bool store(const Field& field, const Column& column, ColumnBuilder& out);
  bool store_value(const Field& field, const Type& type, ColumnBuilder& out);
  bool store_elements(const Field& field, const Type& type, ColumnBuilder& out);
  [[nodiscard]] bool is_null(const Field& field) const;
  bool fail(std::string reason);

  CsvOptions options_;
  // Of the options; asked for at each character.
  char delimiter_;
  char quote_;
  char escape_;
  CsvRecords records_;
  Framing framing_;
  std::vector<Column> columns_;
  std::vector<std::uint32_t> fields_;  // By field of a record: its column, or kUnwanted.
  std::vector<std::uint32_t> absent_;  // Columns that no field has; of those without a header: none.
  std::string header_trouble_;         // Not empty: the header fits no record of the table.
  std::string scratch_;
  std::string reason_;  // Why the last record is bad.
};

}  // namespace leat::formats
