// The text of 'registers.<column>', a zero byte, and what a device answers in these registers.
#include <algorithm>
#include <array>
#include <vector>

#include "pipelines/formats/format.h"
#include "sources/modbus/read_plan.h"
#include "sources/modbus/register_value.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace leat;

const std::array<Type, 11>& column_types() {
  static const std::array<Type, 11> types{Type::boolean(),
                                          Type::small_int(),
                                          Type::integer(),
                                          Type::big_int(),
                                          Type::float32(),
                                          Type::float64(),
                                          Type::decimal(5, 1),
                                          Type::decimal(20, 0),
                                          Type::string(),
                                          Type::decimal(38, 6),
                                          Type(TypeKind::kVarChar, 8)};
  return types;
}

/// The row that the source would write is one that its decoder reads.
void expect_readable(const std::string& value, const Type& type) {
  std::string row = R"({"c":)" + value + "}";
  const std::size_t size = row.size();
  row.resize(size + formats::kPayloadPadding);
  const formats::DecodeRequest request{.schema = {{{"c", type}}}, .wanted = {0}};
  auto decoder = formats::find_format("json")->make_decoder({}, request);
  fuzz::expect(decoder.has_value(), "there is a decoder");
  ColumnBuilder column(type);
  ColumnBuilder* const columns[] = {&column};
  std::vector<formats::BadRecord> bad;
  const auto count = (*decoder)->decode(std::string_view(row).substr(0, size), columns, bad);
  fuzz::expect(bad.empty() && count.rows == 1,
               "a column that holds every value of its registers holds this one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t end = std::min(text.find('\0'), text.size());
  const auto mapping = sources::parse_register_mapping(text.substr(0, end));
  if (!mapping) {
    fuzz::expect(!mapping.error().message.empty(), "a message says something");
    return 0;
  }
  const std::string_view answer = text.substr(std::min(end + 1, text.size()));
  std::vector<std::uint16_t> words(mapping->count);
  for (std::size_t i = 0; i < answer.size() && i / 2 < words.size(); ++i)
    words[i / 2] = static_cast<std::uint16_t>(words[i / 2] << 8 | static_cast<unsigned char>(answer[i]));
  if (sources::holds_bits(mapping->table)) words[0] &= 1;
  std::string value;
  sources::append_register_value(*mapping, mapping->order.value_or(sources::ByteOrder::kAbcd), words, value);
  for (const Type& type : column_types())
    if (sources::check_register_column(*mapping, type)) expect_readable(value, type);
  const sources::MappedColumn column{"c", *mapping};
  const auto requests = sources::plan_reads(std::span(&column, 1), {});
  fuzz::expect(requests.size() == 1 && requests[0].count == mapping->count, "a value is one request");
  return 0;
}
