#include "daemon/runtime/message_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "daemon/runtime/format_files.h"
#include "pipelines/formats/compression.h"
#include "pipelines/plan/common_options.h"

namespace leat::runtime {
namespace {

constexpr std::string_view kValuePrefix = "value.";
constexpr std::string_view kKeyPrefix = "key.";

std::string_view prefix_of(const OptionMap& options) {
  return options.contains("value.format") ? kValuePrefix : std::string_view();
}

plan::RecordLayout layout_of(const plan::ScanNode& scan, const sources::SourceConnector& connector) {
  if (connector.info.record_layout)
    return connector.info.record_layout(
        scan.options, {.name = scan.table, .physical = scan.physical, .primary_key = scan.primary_key});
  plan::RecordLayout layout;
  layout.value_columns.resize(scan.physical.size());
  std::iota(layout.value_columns.begin(), layout.value_columns.end(), 0);
  return layout;
}

/// A part of the record: its columns, those of them that are wanted, and their places in the batch.
struct Part {
  Schema schema;
  std::vector<std::size_t> wanted;
  std::vector<std::size_t> places;
};

Part part_of(const plan::ScanNode& scan, const std::vector<std::size_t>& columns) {
  Part part;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    part.schema.fields.push_back(scan.physical.fields[columns[i]]);
    const auto place = std::ranges::find(scan.physical_wanted, columns[i]);
    if (place == scan.physical_wanted.end()) continue;
    part.wanted.push_back(i);
    part.places.push_back(static_cast<std::size_t>(place - scan.physical_wanted.begin()));
  }
  return part;
}

void truncate(std::span<ColumnBuilder* const> columns, std::uint64_t rows) {
  for (ColumnBuilder* const column : columns)
    column->truncate(column->size() - static_cast<std::size_t>(rows));
}

void refuse(const sources::Message& message, std::string reason, std::vector<formats::BadRecord>& bad) {
  bad.clear();
  bad.push_back({message.payload, std::move(reason)});
}

}  // namespace

const formats::Format* value_format_of(const OptionMap& options) {
  const auto name = options.find(std::string(prefix_of(options)) + "format");
  return name == options.end() ? nullptr : formats::find_format(name->second);
}

OptionMap value_format_options(const OptionMap& options) {
  return plan::options_behind(options, prefix_of(options));
}

Result<MessageDecoder> MessageDecoder::create(const plan::ScanNode& scan,
                                              const sources::SourceConnector& connector,
                                              formats::Framing framing, const std::string& time_zone,
                                              std::unique_ptr<formats::Decoder> own) {
  MessageDecoder made;
  const plan::RecordLayout layout = layout_of(scan, connector);
  if (own) {
    made.value_ = std::move(own);
    made.value_places_ = part_of(scan, layout.value_columns).places;
    return made;
  }
  LEAT_TRY(made.make_value_decoder(scan, layout, framing, time_zone));
  if (connector.compression)
    made.value_ = formats::decompressing(std::move(made.value_), connector.compression(scan.options));
  made.names_fields_ = connector.names_fields && connector.names_fields(scan.options);
  if (!layout.key_columns.empty()) LEAT_TRY(made.make_key_decoder(scan, layout, time_zone));
  return made;
}

Status MessageDecoder::make_value_decoder(const plan::ScanNode& scan, const plan::RecordLayout& layout,
                                          formats::Framing framing, const std::string& time_zone) {
  const formats::Format* format = value_format_of(scan.options);
  if (format == nullptr || !format->make_decoder)
    return fail(ErrorCode::kInvalid, fmt::format("table '{}' has no format that can be read", scan.table));
  Part part = part_of(scan, layout.value_columns);
  LEAT_ASSIGN(const OptionMap options, read_files(*format, value_format_options(scan.options)));
  const formats::DecodeRequest request{std::move(part.schema), std::move(part.wanted), framing, time_zone};
  LEAT_ASSIGN(value_, format->make_decoder(options, request));
  value_places_ = std::move(part.places);
  return {};
}

Status MessageDecoder::make_key_decoder(const plan::ScanNode& scan, const plan::RecordLayout& layout,
                                        const std::string& time_zone) {
  const formats::Format* format = formats::find_format(layout.key_format);
  if (format == nullptr || !format->make_decoder)
    return fail(ErrorCode::kInvalid, fmt::format("table '{}': keys of the format '{}' cannot be read",
                                                 scan.table, layout.key_format));
  // Formats want the columns to decode in ascending order of the schema, which the key's own order is.
  Part part = part_of(scan, layout.key_columns);
  LEAT_ASSIGN(const OptionMap options, read_files(*format, plan::options_behind(scan.options, kKeyPrefix)));
  const formats::DecodeRequest request{layout.key, std::move(part.wanted), formats::Framing::kMessage,
                                       time_zone};
  LEAT_ASSIGN(key_, format->make_decoder(options, request));
  key_places_ = std::move(part.places);
  key_gives_columns_ = layout.value_columns.size() < scan.physical.size() && !key_places_.empty();
  return {};
}

formats::DecodeCount MessageDecoder::decode(const sources::Message& message, Meaning meaning,
                                            std::span<ColumnBuilder* const> columns,
                                            std::vector<formats::BadRecord>& bad) {
  was_deletion_ = meaning == Meaning::kDeletion;
  if (was_deletion_) return decode_deletion(message, columns, bad);
  if (names_fields_ && header_ != message.key) value_->use_header(header_ = message.key);
  value_->received_at(message.intake_time);
  if (!key_gives_columns_) return value_->decode(message.payload, columns, bad);
  scratch_.clear();
  for (const std::size_t place : value_places_) scratch_.push_back(columns[place]);
  const formats::DecodeCount count = value_->decode(message.payload, scratch_, bad);
  if (count.rows == 0 || append_key(message, count.rows, columns, bad)) return count;
  scratch_.clear();
  for (const std::size_t place : value_places_) scratch_.push_back(columns[place]);
  truncate(scratch_, count.rows);
  return {};
}

formats::DecodeCount MessageDecoder::decode_deletion(const sources::Message& message,
                                                     std::span<ColumnBuilder* const> columns,
                                                     std::vector<formats::BadRecord>& bad) {
  if (!key_) {
    refuse(message, "key: the table has none", bad);
    return {};
  }
  if (!append_key(message, 1, columns, bad)) return {};
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (std::ranges::find(key_places_, i) == key_places_.end()) columns[i]->append_null();
  return {.decoded = 1, .rows = 1};
}

bool MessageDecoder::append_key(const sources::Message& message, std::uint64_t rows,
                                std::span<ColumnBuilder* const> columns,
                                std::vector<formats::BadRecord>& bad) {
  scratch_.clear();
  for (const std::size_t place : key_places_) scratch_.push_back(columns[place]);
  for (std::uint64_t row = 0; row < rows; ++row) {
    std::vector<formats::BadRecord> bad_key;
    const formats::DecodeCount count = key_->decode(message.key, scratch_, bad_key);
    if (count.rows == 1 && bad_key.empty()) continue;
    truncate(scratch_, count.rows + row);
    const std::string reason = !bad_key.empty()  ? bad_key.front().reason
                               : count.empty > 0 ? "it is empty"
                                                 : "it is not one row";
    refuse(message, "key: " + reason, bad);
    return false;
  }
  return true;
}

}  // namespace leat::runtime
