// Verbs for the tests of formats: decode a text into columns, encode cells into records.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/column/text.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

/// What one payload gave: a line per row, its cells as CAST prints them, between bars; and the counts.
struct Decoded {
  std::vector<std::string> rows;
  std::vector<std::pair<std::string, std::string>> bad;  // Record and reason.
  DecodeCount count;
  std::vector<RowKind> kinds;  // Of the rows, where they have any.

  [[nodiscard]] std::uint64_t records() const {
    return count.decoded + count.empty + count.skipped + bad.size();
  }
  /// The only row.
  [[nodiscard]] std::string row() const {
    INFO("reason: ", bad.empty() ? "" : bad[0].second);
    REQUIRE(rows.size() == 1);
    return rows[0];
  }
  /// Why the only record is bad.
  [[nodiscard]] std::string reason() const {
    REQUIRE(rows.empty());
    REQUIRE(bad.size() == 1);
    return bad[0].second;
  }
};

class DecodeFixture {
 public:
  DecodeFixture(const std::string& format, Schema schema, OptionMap options = {},
                Framing framing = Framing::kMessage) {
    DecodeRequest request{.schema = std::move(schema), .framing = framing};
    for (std::size_t i = 0; i < request.schema.size(); ++i) request.wanted.push_back(i);
    start(format, request, options);
  }
  DecodeFixture(const std::string& format, const DecodeRequest& request) { start(format, request, {}); }

  void use_header(const std::string& header) { decoder_->use_header(header); }
  Decoded decode(const std::string& text) {
    // Exactly the padding that the contract promises, on the heap, so that the sanitizer sees each byte more.
    auto payload = std::make_shared<std::vector<char>>(text.begin(), text.end());
    payload->resize(text.size() + kPayloadPadding, '"');
    std::vector<ColumnBuilder> builders;
    for (const Type& type : types_) builders.emplace_back(type);
    std::vector<ColumnBuilder*> columns;
    for (ColumnBuilder& builder : builders) {
      builder.keep(payload);
      columns.push_back(&builder);
    }
    std::vector<BadRecord> bad;
    Decoded decoded;
    decoded.count = decoder_->decode({payload->data(), text.size()}, columns, bad);
    decoded.kinds.assign(decoder_->kinds().begin(), decoder_->kinds().end());
    for (const BadRecord& record : bad) decoded.bad.emplace_back(std::string(record.bytes), record.reason);
    print(builders, decoded);
    return decoded;
  }

 private:
  void start(const std::string& format, const DecodeRequest& request, const OptionMap& options) {
    const Format* const found = find_format(format);
    REQUIRE(found != nullptr);
    std::vector<OptionError> errors;
    found->validate(options, request.schema, errors);
    REQUIRE(errors.empty());
    decoder_ = *found->make_decoder(options, request);
    for (const std::size_t index : request.wanted) types_.push_back(request.schema.fields[index].type);
  }

  static void print(std::vector<ColumnBuilder>& builders, Decoded& decoded) {
    std::vector<ColumnPtr> columns;
    for (ColumnBuilder& builder : builders) columns.push_back(builder.finish());
    decoded.rows.resize(static_cast<std::size_t>(decoded.count.rows));
    for (const ColumnPtr& column : columns) {
      REQUIRE(column->size() == decoded.count.rows);
      const bool first = column == columns.front();
      for (std::size_t row = 0; row < column->size(); ++row) {
        if (!first) decoded.rows[row] += "|";
        append_text(*column, row, {}, decoded.rows[row]);
      }
    }
  }

  std::unique_ptr<Decoder> decoder_;
  std::vector<Type> types_;
};

/// The records of `rows`, each a list of cells; bad rows as "bad: reason".
class EncodeFixture final : private EncodedSink {
 public:
  static std::vector<std::string> encode(const std::string& format, const Schema& schema,
                                         const std::vector<Value::List>& rows, const OptionMap& options = {},
                                         std::vector<RowKind> kinds = {}) {
    EncodeFixture fixture;
    auto encoder = find_format(format)->make_encoder(options, schema);
    REQUIRE(encoder.has_value());
    Batch batch{.size = rows.size(), .kinds = std::move(kinds)};
    for (std::size_t c = 0; c < schema.size(); ++c) {
      ColumnBuilder builder(schema.fields[c].type);
      for (const Value::List& row : rows) builder.append_value(row[c]);
      batch.columns.push_back(builder.finish());
    }
    std::vector<std::pair<std::uint32_t, std::string>> bad;
    (*encoder)->encode(batch, fixture, bad);
    for (const auto& [row, reason] : bad) fixture.records_.push_back("bad: " + reason);
    return fixture.records_;
  }
  static std::string encode_cell(const std::string& format, const Type& type, const Value& value,
                                 const OptionMap& options = {}) {
    const auto records = encode(format, Schema{{{"c", type}}}, {{value}}, options);
    REQUIRE(records.size() == 1);
    return records[0];
  }

 private:
  void record(std::size_t /*row*/, std::string_view bytes) override { records_.emplace_back(bytes); }

  std::vector<std::string> records_;
};

}  // namespace leat::formats
