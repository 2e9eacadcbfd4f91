// Batches into CSV, one line without its end per row, quoted where Flink (Jackson) quotes. A record that
// would be passed over when it is read, a blank line or a comment, is quoted, too.
#pragma once

#include <string>
#include <vector>

#include "pipelines/formats/csv_options.h"
#include "pipelines/formats/csv_records.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

class CsvEncoder final : public Encoder {
 public:
  CsvEncoder(const CsvOptions& options, const Schema& schema);

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override;
  /// The record that names the columns. Errors: invalid (a name needs quotes, and there are none).
  Result<std::string> header(const Schema& schema);

 private:
  enum class Quoting : std::uint8_t { kNever, kAsNeeded, kInVain };

  /// A column of the batch being written, and what is known of all its rows.
  struct Field {
    enum class Way : std::uint8_t { kText, kQuotedTime, kAny };
    const Column* column;
    bool may_be_null;
    Way way;
  };
  [[nodiscard]] Field field_of(const Column& column) const;
  /// False: the field cannot be written.
  bool write_field(const Field& field, std::size_t row);
  Quoting write_text(const Column& column, std::size_t row, std::string& out) const;
  bool write_elements(const Column& column, std::size_t row, std::string& out) const;
  [[nodiscard]] bool needs_quotes(std::string_view text) const;
  bool write_quoted(std::string_view text);
  /// False, and the reason of the row.
  bool refuse(std::string_view why);
  bool write_as_needed(std::string_view text);
  /// Of the record in the buffer, which is blank or a comment. False: it cannot be written.
  bool make_readable(std::size_t row);

  CsvOptions options_;
  // Of the options; asked for at each character.
  char delimiter_;
  char quote_;
  char escape_;
  CsvRecords records_;
  std::size_t width_;             // Columns of the table.
  unsigned char largest_unsafe_;  // A field with a character up to this one is quoted.
  bool quotes_times_;             // Every timestamp is quoted, and has nothing to escape.
  std::string buffer_;            // The record being written; reused, so that rows allocate nothing.
  std::string field_;
  std::string trouble_;  // Why the row cannot be written.
  std::vector<Field> fields_;
};

}  // namespace leat::formats
