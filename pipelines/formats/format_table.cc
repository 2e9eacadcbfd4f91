// The explicit list of formats: adding one is its files, a line here, a line in CMakeLists.txt and its tests.
#include <algorithm>
#include <array>

#include "pipelines/formats/avro_format.h"
#include "pipelines/formats/cbor_format.h"
#include "pipelines/formats/csv_format.h"
#include "pipelines/formats/debezium_format.h"
#include "pipelines/formats/file_header.h"
#include "pipelines/formats/format.h"
#include "pipelines/formats/influx_format.h"
#include "pipelines/formats/json_format.h"
#include "pipelines/formats/protobuf_format.h"
#include "pipelines/formats/raw_format.h"
#include "pipelines/formats/sparkplug_format.h"

namespace leat::formats {

std::span<const Format> all_formats() {
  static const std::array formats = {
      avro_format(),   avro_confluent_format(), cbor_format(),     csv_format(), debezium_format(),
      influx_format(), json_format(),           protobuf_format(), raw_format(), sparkplug_format()};
  return formats;
}

const Format* find_format(std::string_view name) {
  const std::span<const Format> formats = all_formats();
  const auto found = std::ranges::find(formats, name, &Format::name);
  return found == formats.end() ? nullptr : &*found;
}

void check_in_files(const OptionMap& table, std::vector<OptionError>& errors) {
  const auto name = table.find("format");
  const Format* const format = name == table.end() ? nullptr : find_format(name->second);
  if (format != nullptr && format->check_in_files) format->check_in_files(table, errors);
}

void check_header(FileHeader header, const OptionMap& table, std::vector<OptionError>& errors) {
  const auto name = table.find("format");
  const Format* const format = name == table.end() ? nullptr : find_format(name->second);
  if (header == FileHeader::kNone || format == nullptr || format->header_splitter) return;
  errors.push_back({"file.header", OptionError::Part::kValue,
                    "files of the format '" + format->name + "' have no header; those of 'csv' have"});
}

}  // namespace leat::formats
