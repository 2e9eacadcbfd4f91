#include <limits>

#include "format_fixture.h"

namespace leat::formats {
namespace {

Schema scalars() {
  return {{{"b", Type::boolean()},
           {"i8", Type::tiny_int()},
           {"i16", Type::small_int()},
           {"i32", Type::integer()},
           {"i64", Type::big_int()},
           {"f", Type::float32()},
           {"d", Type::float64()},
           {"dec", Type::decimal(38, 10)},
           {"s", Type::string()},
           {"y", Type::bytes()},
           {"day", Type::date()},
           {"t", Type::time(0)},
           {"ts", Type::timestamp(6)},
           {"ltz", Type::timestamp_ltz(6)}}};
}

std::vector<Value::List> scalar_rows() {
  using Limits = std::numeric_limits<std::int64_t>;
  return {{Value::boolean(true), Value::integer(-128), Value::integer(32767), Value::integer(-2147483648LL),
           Value::integer(Limits::max()), Value::float64(0.1F), Value::float64(1.7976931348623157e308),
           Value::decimal(Int128(Limits::max()) * 1000000000), Value::string("a,\"\\ü😀; \t"),
           Value::string(std::string("\0\xff,", 3)), Value::integer(-719162), Value::integer(86'399'000'000),
           Value::integer(-1), Value::integer(1'795'338'000'123'456)},
          {Value::boolean(false), Value::integer(127), Value::integer(-32768), Value::integer(2147483647),
           Value::integer(Limits::min()), Value::float64(-3.4028234663852886e38F), Value::float64(4.9e-324),
           Value::decimal(-1), Value::string("plain"), Value::string("b"), Value::integer(0),
           Value::integer(0), Value::integer(0), Value::integer(-1'000'000)}};
}

/// The rows as the fixture prints decoded ones.
std::vector<std::string> printed(const Schema& schema, const std::vector<Value::List>& rows) {
  std::vector<std::string> lines(rows.size());
  for (std::size_t c = 0; c < schema.size(); ++c)
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (c > 0) lines[r] += "|";
      append_text(*Column::constant(schema.fields[c].type, rows[r][c], 1), 0, {}, lines[r]);
    }
  return lines;
}

std::string lines_of(const std::vector<std::string>& records) {
  std::string text;
  for (const std::string& record : records) text += record + "\n";
  return text;
}

TEST_CASE("what is encoded decodes to the same values in every format and option") {
  const std::vector<std::pair<std::string, OptionMap>> forms{
      {"json", {}},
      {"json",
       {{"json.timestamp-format.standard", "ISO-8601"}, {"json.encode.decimal-as-plain-number", "true"}}},
      {"csv", {}},
      {"csv", {{"csv.field-delimiter", "|"}, {"csv.escape-character", "\\"}}},
      {"csv", {{"csv.write-bigdecimal-in-scientific-notation", "false"}, {"csv.quote-character", "'"}}}};
  for (const auto& [format, options] : forms) {
    const auto records = EncodeFixture::encode(format, scalars(), scalar_rows(), options);
    CAPTURE(records[0]);
    DecodeFixture decoder(format, scalars(), options, Framing::kLines);
    CHECK(decoder.decode(lines_of(records)).rows == printed(scalars(), scalar_rows()));
  }
}

TEST_CASE("nested values and NULLs survive JSON") {
  const Schema schema{{{"r", Type::row({{"a", Type::array(Type::decimal(10, 3))},
                                        {"m", Type::map(Type::string(), Type::date())}})},
                       {"n", Type::multiset(Type::string())}}};
  const Value map = Value::list({Value::string("k\n"), Value::integer(1), Value::string("l"), Value::null()});
  const std::vector<Value::List> rows{
      {Value::list({Value::list({Value::decimal(1500), Value::null()}), map}), Value::null()},
      {Value::null(), Value::list({Value::string("x"), Value::integer(3)})}};
  const auto records = EncodeFixture::encode("json", schema, rows);
  DecodeFixture decoder("json", schema, {}, Framing::kLines);
  CHECK(decoder.decode(lines_of(records)).rows == printed(schema, rows));
}

}  // namespace
}  // namespace leat::formats
