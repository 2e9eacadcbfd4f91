// Where the records of a CSV file end: at the end of a line, unless that lies within a quoted field. The
// source cuts a file by it and the decoder splits a payload by it, so that it never matters where a payload
// ends.
//
// A quote that is never closed must not take the rest of the file with it: a record with quotes has at most
// kMaxQuotedRecord bytes and kMaxQuotedLines lines. If none ends within so many, the first line is taken for
// the record, which the decoder then finds bad, and reading goes on behind that line.
#pragma once

#include <cstddef>
#include <string_view>

#include "pipelines/formats/csv_options.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

inline constexpr std::size_t kMaxQuotedRecord = 1U << 20;
inline constexpr std::size_t kMaxQuotedLines = 1000;

class CsvRecords {
 public:
  explicit CsvRecords(const CsvOptions& options);

  /// Length of the first record of `bytes` with the end of its line; 0: more is needed to tell.
  [[nodiscard]] std::size_t first(std::string_view bytes, Behind behind) const;
  /// Whether a line has values: it is neither blank nor a comment. A delimiter that is a blank or a tab makes
  /// a line of empty values, which is not blank.
  [[nodiscard]] bool is_record(std::string_view line) const;
  /// Length up to the end of the first record that is neither blank nor a comment; 0: more is needed.
  [[nodiscard]] std::size_t header(std::string_view bytes, Behind behind) const;
  /// What of a header, as above, is the record.
  [[nodiscard]] std::string_view header_record(std::string_view header) const;
  /// As RecordSplitter says.
  [[nodiscard]] std::size_t whole(std::string_view bytes, Behind behind) const;

 private:
  [[nodiscard]] bool starts_quoted(std::string_view bytes, std::size_t& at) const;
  /// The place behind the closing quote of the field that is open at `at`; npos: it is not closed.
  [[nodiscard]] std::size_t behind_quotes(std::string_view bytes, std::size_t at) const;
  /// The end of the record's line by its quotes; npos: not within `bytes`.
  [[nodiscard]] std::size_t quoted_end(std::string_view bytes, Behind behind) const;

  char delimiter_;
  char quote_;
  char escape_;
  bool trims_;
  bool comments_;
};

}  // namespace leat::formats
