// Makes rows of a source's messages: of their values, and of their keys where the table has columns there.
// What cannot be decoded is one bad record, whichever part it was. On the pipeline's loop.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/formats/format.h"
#include "pipelines/plan/node.h"
#include "sources/source.h"

namespace leat::runtime {

/// What of the table's WITH names the format of its values; null: nothing does, or it is unknown.
const formats::Format* value_format_of(const OptionMap& options);
/// The options of that format.
OptionMap value_format_options(const OptionMap& options);

class MessageDecoder {
 public:
  /// `own`: the source makes its rows itself; null: by the table's formats. Errors: invalid.
  static Result<MessageDecoder> create(const plan::ScanNode& scan, const sources::SourceConnector& connector,
                                       formats::Framing framing, const std::string& time_zone,
                                       std::unique_ptr<formats::Decoder> own);

  /// Whether the message says that the row of its key is gone.
  enum class Meaning : std::uint8_t { kRow, kDeletion };
  /// As formats::Decoder::decode; `columns` are those of ScanNode::physical_wanted.
  formats::DecodeCount decode(const sources::Message& message, Meaning meaning,
                              std::span<ColumnBuilder* const> columns, std::vector<formats::BadRecord>& bad);
  /// As formats::Decoder::kinds, of the message that was decoded last.
  [[nodiscard]] std::span<const RowKind> kinds() const {
    return was_deletion_ ? std::span<const RowKind>() : value_->kinds();
  }

 private:
  MessageDecoder() = default;
  Status make_value_decoder(const plan::ScanNode& scan, const plan::RecordLayout& layout,
                            formats::Framing framing, const std::string& time_zone);
  Status make_key_decoder(const plan::ScanNode& scan, const plan::RecordLayout& layout,
                          const std::string& time_zone);
  formats::DecodeCount decode_deletion(const sources::Message& message,
                                       std::span<ColumnBuilder* const> columns,
                                       std::vector<formats::BadRecord>& bad);
  /// Appends the key's cells `rows` times to `columns`, the places of `key_places_`. False: it is bad.
  bool append_key(const sources::Message& message, std::uint64_t rows,
                  std::span<ColumnBuilder* const> columns, std::vector<formats::BadRecord>& bad);

  std::unique_ptr<formats::Decoder> value_;
  std::unique_ptr<formats::Decoder> key_;  // Null: keys are not read.
  // Places in `columns`: of what the value gives, of what the key gives, and of what in the key has a column
  // at all; the last two are the same unless the value has the key's columns, too.
  std::vector<std::size_t> value_places_;
  std::vector<std::size_t> key_places_;
  bool key_gives_columns_ = false;  // Of rows that are no deletions.
  bool was_deletion_ = false;       // The last message.
  bool names_fields_ = false;       // Keys are headers.
  std::string header_;              // The last one.
  std::vector<ColumnBuilder*> scratch_;
};

}  // namespace leat::runtime
