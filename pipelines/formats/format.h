// Formats: bytes ↔ batches. A format is found by the name SQL uses ('format' = 'json'), in the explicit list
// of format_table.h; its options carry its name as prefix ('json.ignore-parse-errors').
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/column/batch.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/column/type.h"

namespace leat::formats {

/// Every payload handed to a decoder is followed by at least this many readable bytes (simdjson needs them).
inline constexpr std::size_t kPayloadPadding = 64;

/// How records lie in one payload.
enum class Framing : std::uint8_t {
  kMessage,  ///< One payload is one record (MQTT, HTTP, Kafka); a JSON array gives several rows.
  kLines,    ///< A payload is some whole records, each of one line (files) or, where `make_splitter` says so,
             ///< of several; blank lines are empty records.
};

/// What is known of the bytes behind those that a splitter is given.
enum class Behind : std::uint8_t { kMore, kNothing };

/// How long the whole records are that `bytes` begin with, ends of lines included; 0: not even the first is
/// whole. `bytes` begin where a record begins. With kNothing all of it is whole. A record is bounded: some
/// length on, an answer comes that does not wait for more. Thread-safe.
using RecordSplitter = std::function<std::size_t(std::string_view bytes, Behind behind)>;

/// A record that could not be decoded.
struct BadRecord {
  std::string_view bytes;  ///< The record, inside the payload.
  std::string reason;      ///< "field 'temperature': expected DOUBLE, found \"abc\""
};

/// What came of one payload, in records: decoded + empty + bad.size() = records of the payload.
struct DecodeCount {
  std::uint64_t decoded = 0;  ///< Records that gave rows (an empty JSON array: decoded with no row).
  std::uint64_t empty = 0;    ///< Empty payloads and blank lines.
  std::uint64_t skipped =
      0;  ///< Left out as the user asked ('json.ignore-parse-errors'); counted as dead, not kept.
  std::uint64_t rows = 0;  ///< Rows appended.
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Appends the payload's rows to `columns` (one builder per requested column, all of equal size before and
  /// after). Bad records append no row and go to `bad`. String cells may point into the payload: the caller
  /// calls `keep` on the builders with the payload's owner, before or after. One decoder, one thread.
  virtual DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                             std::vector<BadRecord>& bad) = 0;
  /// What the rows of the last `decode` do, one per row; valid until the next. Empty: all are +I, as always
  /// where the format is no changelog.
  [[nodiscard]] virtual std::span<const RowKind> kinds() const { return {}; }
  /// The record that names the fields of those of the payloads from now on (Format::header_splitter finds
  /// it). If it fits no table of this schema, all of them are bad. Of formats without headers: never called.
  virtual void use_header(std::string_view header) { (void)header; }
  /// When the payload of the next `decode` came in, by the gateway's clock, microseconds: for formats whose
  /// records may lack the time that they are of. Not called where payloads are no messages.
  virtual void received_at(std::int64_t intake_time) { (void)intake_time; }
};

/// An encoded record; the views are valid until the next call of the encoder.
class EncodedSink {
 public:
  virtual ~EncodedSink() = default;
  /// One record of row `row`.
  virtual void record(std::size_t row, std::string_view bytes) = 0;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  /// One record per row, in row order. Unless the format is a changelog, -U rows must have been taken out by
  /// the caller.
  /// `bad` gets rows that the format cannot write (NaN in a format without it, …); they give no record.
  virtual void encode(const Batch& batch, EncodedSink& out,
                      std::vector<std::pair<std::uint32_t, std::string>>& bad) = 0;
};

struct DecodeRequest {
  Schema schema;  ///< The physical columns of the table, in order.
  std::vector<std::size_t>
      wanted;  ///< Indexes of the columns to decode, ascending; the builders are in this order.
  Framing framing = Framing::kMessage;
  std::string time_zone = "UTC";
};

struct Format {
  std::string name;
  std::string doc;
  /// Keys come with the format's prefix: "json.ignore-parse-errors".
  std::function<std::vector<OptionDoc>()> options;
  /// Pure: reads every key with the format's prefix and judges the schema; appends what is wrong.
  std::function<void(const OptionMap&, const Schema&, std::vector<OptionError>&)> validate;
  /// The same, of what only concerns a table that is read (that is written). Null: nothing.
  std::function<void(const OptionMap&, const Schema&, std::vector<OptionError>&)> validate_source = nullptr;
  std::function<void(const OptionMap&, const Schema&, std::vector<OptionError>&)> validate_sink = nullptr;
  /// A record says what it does to the table: rows that are read have kinds, and rows of every kind are
  /// written.
  bool changelog = false;
  /// Null if the format cannot decode (encode). Called only after `validate` found nothing.
  std::function<Result<std::unique_ptr<Decoder>>(const OptionMap&, const DecodeRequest&)> make_decoder;
  std::function<Result<std::unique_ptr<Encoder>>(const OptionMap&, const Schema&)> make_encoder;
  /// Where records end in a file; it agrees with the decoder. Null: at the end of each line.
  std::function<Result<RecordSplitter>(const OptionMap&)> make_splitter = nullptr;
  /// How long the beginning of a file is of which the last record names the columns, and how it is written
  /// (without the separator), for files that have such a header. Null: the format has none.
  std::function<Result<RecordSplitter>(const OptionMap&)> header_splitter = nullptr;
  std::function<Result<std::string>(const OptionMap&, const Schema&)> make_header = nullptr;
  /// Options whose values are paths: whoever makes a coder, or validates, puts the files' contents in their
  /// place (the formats read no files).
  std::vector<std::string> files = {};
  /// Appends what is wrong with a table of files: in some formats records cannot follow each other. Null:
  /// nothing.
  std::function<void(const OptionMap&, std::vector<OptionError>&)> check_in_files = nullptr;
  /// What separates records in a file or an HTTP body of several ("\n"); the MIME type of one record and of
  /// many.
  std::string separator = "\n";
  std::string content_type;
  /// A byte order mark may stand before the first record of a file or of an HTTP body, and belongs to none.
  bool text = true;
};

const Format* find_format(std::string_view name);
std::span<const Format> all_formats();
/// `check_in_files` of the format that a table's options name.
void check_in_files(const OptionMap& table, std::vector<OptionError>& errors);

}  // namespace leat::formats
