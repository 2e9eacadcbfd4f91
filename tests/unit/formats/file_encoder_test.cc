// What a record of a file cannot hold is not written: it would be read as several.
#include "pipelines/formats/file_encoder.h"

#include "format_fixture.h"

namespace leat::formats {
namespace {

const std::string kReason = "bad: a text of more lines, or bytes, than a record of a file may have";

std::string lines(std::size_t count) {
  std::string text = "1";
  for (std::size_t line = 2; line <= count; ++line) text += "\n" + std::to_string(line);
  return text;
}

/// Of a row with the text, "" or why it is bad.
std::string written(const std::string& format, const std::string& text, const std::string& connector) {
  const OptionMap options{{"connector", connector}, {"influx.measurement", "m"}};
  const std::string record = EncodeFixture::encode_cell(format, Type::string(), Value::string(text), options);
  return record.starts_with("bad: ") ? record : "";
}

TEST_CASE("a text with as many lines as a reader looks for goes into a file, one with more does not") {
  CHECK(written("csv", lines(1000), "filesystem") == "");
  CHECK(written("csv", lines(1001), "filesystem") == kReason);
  CHECK(written("influx", lines(100), "filesystem") == "");
  CHECK(written("influx", lines(101), "filesystem") == kReason);
}

TEST_CASE("nor one that is too long; a message may be both") {
  const std::string large = "a\n" + std::string(1U << 20, 'x');
  for (const std::string format : {"csv", "influx"}) {
    CHECK(written(format, large, "filesystem") == kReason);
    CHECK(written(format, large, "kafka") == "");
    CHECK(written(format, lines(2000), "mqtt") == "");
  }
}

TEST_CASE("the other rows are written") {
  const Schema schema{{{"c", Type::string()}}};
  const auto records = EncodeFixture::encode(
      "csv", schema, {{Value::string("a")}, {Value::string(lines(1001))}, {Value::string("b")}},
      {{"connector", "filesystem"}});
  CHECK(records == std::vector<std::string>{"a", "b", kReason});
}

}  // namespace
}  // namespace leat::formats
