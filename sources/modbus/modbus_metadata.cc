#include "sources/modbus/modbus_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pipelines/base/bytes.h"

namespace leat::sources {
namespace {

/// TIMESTAMP_LTZ(3) holds whole milliseconds.
std::int64_t whole_millis(std::int64_t micros) {
  return floor_div(micros, kMicrosPerMilli) * kMicrosPerMilli;
}

}  // namespace

std::string encode_poll_facts(const PollFacts& facts) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.varint(facts.unit);
  writer.zigzag(facts.scheduled);
  writer.varint(static_cast<std::uint64_t>(facts.latency.count()));
  return bytes;
}

PollFacts decode_poll_facts(std::string_view attributes) {
  ByteReader reader(attributes);
  PollFacts facts;
  facts.unit = static_cast<std::uint8_t>(reader.varint());
  facts.scheduled = reader.zigzag();
  facts.latency = Micros(static_cast<std::int64_t>(reader.varint()));
  return facts;
}

std::vector<plan::MetadataColumn> modbus_metadata_columns(const OptionMap&) {
  return {
      {.key = "url", .type = Type::string().with_nullable(false), .doc = "The table's 'url'."},
      {.key = "unit", .type = Type::integer().with_nullable(false), .doc = "Unit that the values are of."},
      {.key = "timestamp",
       .type = Type::timestamp_ltz(3).with_nullable(false),
       .doc = "When the last value had come, by the gateway's clock."},
      {.key = "scheduled",
       .type = Type::timestamp_ltz(3).with_nullable(false),
       .doc = "The moment of the poll, a multiple of 'scan.interval': the same for all units of it."},
      {.key = "latency",
       .type = Type::float64().with_nullable(false),
       .doc = "Milliseconds from the first request to the last answer."}};
}

Result<ModbusMetadataWriter> ModbusMetadataWriter::make(std::string url,
                                                        const std::vector<std::string>& keys) {
  static const std::array<std::pair<std::string_view, Field>, 5> known{{{"url", Field::kUrl},
                                                                        {"unit", Field::kUnit},
                                                                        {"timestamp", Field::kTimestamp},
                                                                        {"scheduled", Field::kScheduled},
                                                                        {"latency", Field::kLatency}}};
  ModbusMetadataWriter writer;
  writer.url_ = std::move(url);
  for (const std::string& key : keys) {
    const auto found = std::ranges::find(known, key, &std::pair<std::string_view, Field>::first);
    if (found == known.end())
      return fail(ErrorCode::kInvalid, fmt::format("the modbus connector has no metadata '{}'", key));
    writer.fields_.push_back(found->second);
  }
  return writer;
}

void ModbusMetadataWriter::append(const Message& message, std::span<ColumnBuilder* const> columns) const {
  const PollFacts facts = decode_poll_facts(message.attributes);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    ColumnBuilder& column = *columns[i];
    switch (fields_[i]) {
      case Field::kUrl:
        column.append_string(url_);
        break;
      case Field::kUnit:
        column.append<std::int32_t>(facts.unit);
        break;
      case Field::kTimestamp:
        column.append<std::int64_t>(whole_millis(message.intake_time));
        break;
      case Field::kScheduled:
        column.append<std::int64_t>(whole_millis(facts.scheduled));
        break;
      case Field::kLatency:
        column.append<double>(static_cast<double>(facts.latency.count()) / kMicrosPerMilli);
        break;
    }
  }
}

}  // namespace leat::sources
