// Bytes → rows. The first byte chooses format, options and framing; what is decoded must be as many cells in
// every column, and records must add up. Built once per format: LEAT_FUZZ_FORMAT.
#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>

#include "pipelines/column/sparkplug.h"
#include "pipelines/formats/format.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace leat;

const Schema& schema() {
  static const Schema made{
      {{"b", Type::boolean()},
       {"i", Type::integer()},
       {"l", Type::big_int()},
       {"d", Type::float64()},
       {"m", Type::decimal(12, 3)},
       {"s", Type::string()},
       {"x", Type::bytes()},
       {"day", Type::date()},
       {"clock", Type::time(0)},
       {"ts", Type::timestamp(3)},
       {"at", Type::timestamp_ltz(3)},
       {"list", Type::array(Type::integer())},
       {"r", Type::row({{"a", Type::integer()}, {"n", Type::row({{"s", Type::string()}})}})}}};
  return made;
}

/// The columns that a message has.
constexpr const char* kMessage = R"(
  syntax = "proto3";
  import "google/protobuf/timestamp.proto";
  message Fuzzed {
    bool b = 1; int32 i = 2; sint64 l = 3; double d = 4; string s = 6; bytes x = 7;
    google.protobuf.Timestamp at = 10; repeated int32 list = 11; R r = 12;
    message R { int32 a = 1; N n = 2; message N { string s = 1; } }
  }
)";

/// The same as an Avro record of another order, with fields that nobody wants.
constexpr std::string_view kRecord = R"({"type": "record", "name": "r", "fields": [
  {"name": "junk", "type": {"type": "map", "values": {"type": "array", "items": ["null", "string", "r"]}}},
  {"name": "r", "type": ["null", {"type": "record", "name": "inner", "fields": [
    {"name": "n", "type": {"type": "record", "name": "n", "fields": [{"name": "s", "type": "string"}]}},
    {"name": "nothing", "type": {"type": "array", "items": "null"}}, {"name": "a", "type": ["int", "null"]}]}]},
  {"name": "list", "type": {"type": "array", "items": "int"}},
  {"name": "b", "type": "boolean"}, {"name": "i", "type": "long"}, {"name": "l", "type": ["null", "int"]},
  {"name": "d", "type": "float"}, {"name": "s", "type": {"type": "enum", "name": "e", "symbols": ["A", "B"]}},
  {"name": "m", "type": {"type": "fixed", "name": "f", "size": 20, "logicalType": "decimal", "precision": 38, "scale": 3}},
  {"name": "x", "type": ["bytes", "null"]}, {"name": "day", "type": {"type": "int", "logicalType": "date"}},
  {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}},
  {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-micros"}},
  {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]}]})";
/// One of it with maps that are wanted, the values of maps.
constexpr std::string_view kMaps =
    R"(, {"name": "maps", "type": {"type": "map", "values": {"type": "map", "values": "int"}}}]})";

std::string avro_schema(bool with_maps) {
  std::string schema(kRecord);
  if (with_maps) schema.replace(schema.size() - 2, 2, kMaps);
  return schema;
}

/// Its messages mean what those before them have said.
constexpr bool kKeepsState = std::string_view(LEAT_FUZZ_FORMAT) == "sparkplug";

Schema columns_of(std::string_view format, std::uint8_t choice) {
  if (format == "sparkplug") {
    Schema metrics;
    for (const sparkplug::ColumnRule& rule : sparkplug::columns())
      metrics.fields.push_back({std::string(rule.name), rule.type});
    return metrics;
  }
  Schema known = schema();
  // CSV has no rows in rows, line protocol no lists either.
  if (format == "influx") known.fields.resize(known.fields.size() - 2);
  if (format == "csv") known.fields.resize(known.fields.size() - 2);
  if (format == "avro" && (choice & 4) != 0)
    known.fields.push_back({"maps", Type::map(Type::string(), Type::map(Type::string(), Type::integer()))});
  constexpr std::string_view kElsewhere[] = {"m", "day", "clock", "ts"};
  if (format == "protobuf")
    std::erase_if(known.fields, [&](const Type::Field& field) {
      return std::ranges::find(kElsewhere, field.name) != std::end(kElsewhere);
    });
  return known;
}

OptionMap options_of(std::uint8_t choice) {
  OptionMap options;
  const std::string prefix = LEAT_FUZZ_FORMAT ".";
  if ((choice & 1) != 0) options[prefix + "ignore-parse-errors"] = "true";
  if ((choice & 2) != 0 && prefix == "csv.") options[prefix + "allow-comments"] = "true";
  if ((choice & 4) != 0 && prefix == "csv.") options[prefix + "null-literal"] = "n/a";
  if ((choice & 8) != 0 && prefix == "csv.") options[prefix + "escape-character"] = "\\";
  if (prefix == "protobuf.") options[prefix + "proto-file"] = kMessage;
  if ((choice & 2) != 0 && prefix == "protobuf.") options[prefix + "read-default-values"] = "true";
  if ((choice & 4) != 0 && prefix == "protobuf.") options[prefix + "delimited"] = "true";
  if (prefix == "avro.") options[prefix + "timestamp_mapping.legacy"] = "false";
  if ((choice & 2) != 0 && prefix == "avro.") options[prefix + "schema"] = avro_schema((choice & 4) != 0);
  if (prefix == "influx.") options[prefix + "timestamp-column"] = "at";
  if ((choice & 2) != 0 && prefix == "influx.") options[prefix + "tags"] = "i;b";
  if ((choice & 4) != 0 && prefix == "influx.") options[prefix + "measurement-column"] = "s";
  if ((choice & 8) != 0 && prefix == "influx.") options[prefix + "precision"] = "s";
  if ((choice & 2) != 0 && prefix == "debezium-json.") options[prefix + "schema-include"] = "true";
  if ((choice & 2) != 0 && prefix == "json.") options[prefix + "timestamp-format.standard"] = "ISO-8601";
  return options;
}

/// With the padding that decoders are promised.
std::shared_ptr<char[]> padded(std::string_view bytes) {
  std::shared_ptr<char[]> memory(new char[bytes.size() + formats::kPayloadPadding]());
  if (!bytes.empty()) std::memcpy(memory.get(), bytes.data(), bytes.size());
  return memory;
}

/// Rows.
std::uint64_t decode(formats::Decoder& decoder, std::string_view payload, const HeapPtr& memory,
                     const Schema& columns) {
  std::deque<ColumnBuilder> builders;
  std::vector<ColumnBuilder*> pointers;
  for (const Type::Field& column : columns.fields) pointers.push_back(&builders.emplace_back(column.type));
  for (ColumnBuilder* builder : pointers) builder->keep(memory);
  std::vector<formats::BadRecord> bad;
  const formats::DecodeCount count = decoder.decode(payload, pointers, bad);
  for (ColumnBuilder* builder : pointers)
    fuzz::expect(builder->size() == count.rows, "all columns have all rows");
  fuzz::expect(decoder.kinds().empty() || decoder.kinds().size() == count.rows,
               "every row has a kind, or none");
  for (const formats::BadRecord& record : bad)
    fuzz::expect(!record.reason.empty(), "a bad record has a reason");
  for (ColumnBuilder* builder : pointers) (void)builder->finish();
  return count.rows;
}

void split(const formats::Format& format, const OptionMap& options, std::string_view bytes) {
  if (!format.make_splitter) return;
  const auto splitter = format.make_splitter(options);
  if (!splitter) return;
  fuzz::expect((*splitter)(bytes, formats::Behind::kMore) <= bytes.size(), "a record lies in its bytes");
  fuzz::expect((*splitter)(bytes, formats::Behind::kNothing) <= bytes.size(), "a record lies in its bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  const formats::Format* format = formats::find_format(LEAT_FUZZ_FORMAT);
  const OptionMap options = options_of(data[0]);
  const Schema known = columns_of(LEAT_FUZZ_FORMAT, data[0]);
  formats::DecodeRequest request{.schema = known};
  for (std::size_t i = 0; i < known.fields.size(); ++i) request.wanted.push_back(i);
  request.framing = (data[0] & 16) != 0 ? formats::Framing::kLines : formats::Framing::kMessage;
  auto decoder = format->make_decoder(options, request);
  if (!decoder) return 0;
  const auto memory = padded(bytes);
  // What a record leaves behind changes nothing for the next one.
  const std::uint64_t rows = decode(**decoder, {memory.get(), bytes.size()}, memory, known);
  const std::uint64_t again = decode(**decoder, {memory.get(), bytes.size()}, memory, known);
  fuzz::expect(kKeepsState || rows == again, "the same bytes are the same rows again");
  split(*format, options, bytes);
  return 0;
}
