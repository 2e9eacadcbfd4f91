#include <limits>

#include "format_fixture.h"

namespace leat::formats {
namespace {

std::string json(const Type& type, const Value& value, const OptionMap& options = {}) {
  return EncodeFixture::encode_cell("json", type, value, options);
}

constexpr std::int64_t kMoment = 1'795'338'000'120'000;  // 2026-11-22 09:00:00.12

TEST_CASE("scalars are written as Flink writes them") {
  CHECK(json(Type::boolean(), Value::boolean(true)) == R"({"c":true})");
  CHECK(json(Type::tiny_int(), Value::integer(-1)) == R"({"c":-1})");
  CHECK(json(Type::big_int(), Value::integer(std::numeric_limits<std::int64_t>::min())) ==
        R"({"c":-9223372036854775808})");
  CHECK(json(Type::float32(), Value::float64(0.1)) == R"({"c":0.1})");
  CHECK(json(Type::float64(), Value::float64(1e10)) == R"({"c":1.0E10})");
  CHECK(json(Type::float64(), Value::float64(2)) == R"({"c":2.0})");
  CHECK(json(Type::bytes(), Value::string("Leat")) == R"({"c":"TGVhdA=="})");
  CHECK(json(Type::date(), Value::integer(0)) == R"({"c":"1970-01-01"})");
  CHECK(json(Type::time(3), Value::integer(3'723'500'000)) == R"({"c":"01:02:03"})");
  CHECK(json(Type::string(), Value::null()) == R"({"c":null})");
}

TEST_CASE("timestamps have the fewest fraction digits, and LTZ a Z") {
  const OptionMap iso{{"json.timestamp-format.standard", "ISO-8601"}};
  CHECK(json(Type::timestamp(6), Value::integer(kMoment)) == R"({"c":"2026-11-22 09:00:00.12"})");
  CHECK(json(Type::timestamp(3), Value::integer(-1'000'000)) == R"({"c":"1969-12-31 23:59:59"})");
  CHECK(json(Type::timestamp_ltz(3), Value::integer(kMoment)) == R"({"c":"2026-11-22 09:00:00.12Z"})");
  CHECK(json(Type::timestamp_ltz(3), Value::integer(kMoment), iso) == R"({"c":"2026-11-22T09:00:00.12Z"})");
}

TEST_CASE("a DECIMAL loses its trailing zeros unless it is to be plain") {
  const OptionMap plain{{"json.encode.decimal-as-plain-number", "true"}};
  const Type money = Type::decimal(20, 2);
  CHECK(json(money, Value::decimal(10000)) == R"({"c":1E+2})");
  CHECK(json(money, Value::decimal(110)) == R"({"c":1.1})");
  CHECK(json(money, Value::decimal(-123000)) == R"({"c":-1.23E+3})");
  CHECK(json(money, Value::decimal(0)) == R"({"c":0})");
  CHECK(json(Type::decimal(10, 8), Value::decimal(12)) == R"({"c":1.2E-7})");
  CHECK(json(Type::decimal(10, 7), Value::decimal(12)) == R"({"c":0.0000012})");
  CHECK(json(money, Value::decimal(10000), plain) == R"({"c":100.00})");
}

TEST_CASE("what is no number in JSON is quoted") {
  CHECK(json(Type::float64(), Value::float64(std::numeric_limits<double>::quiet_NaN())) == R"({"c":"NaN"})");
  CHECK(json(Type::float32(), Value::float64(-std::numeric_limits<double>::infinity())) ==
        R"({"c":"-Infinity"})");
}

TEST_CASE("strings are escaped and nothing else is") {
  CHECK(json(Type::string(), Value::string("a\"b\\c\n\t\r\b\f\x1f/ü€😀\x7f")) ==
        "{\"c\":\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u001F/ü€😀\x7f\"}");
  CHECK(json(Type::string(), Value::string(std::string("\0", 1))) == R"({"c":"\u0000"})");
  const auto records =
      EncodeFixture::encode("json", Schema{{{"a\"b", Type::integer()}}}, {{Value::integer(1)}});
  CHECK(records[0] == R"({"a\"b":1})");
}

TEST_CASE("fields come in the schema's order and NULL ones can be left out") {
  const Schema schema{
      {{"b", Type::integer()}, {"a", Type::row({{"x", Type::integer()}})}, {"z", Type::string()}}};
  const Value::List row{Value::null(), Value::list({Value::null()}), Value::string("q")};
  CHECK(EncodeFixture::encode("json", schema, {row})[0] == R"({"b":null,"a":{"x":null},"z":"q"})");
  CHECK(EncodeFixture::encode("json", schema, {row}, {{"json.encode.ignore-null-fields", "true"}})[0] ==
        R"({"a":{},"z":"q"})");
}

TEST_CASE("nested values are written to the bottom") {
  const Type tags = Type::array(Type::row({{"k", Type::string()}}));
  CHECK(json(tags, Value::list({Value::list({Value::string("a")}), Value::null()})) ==
        R"({"c":[{"k":"a"},null]})");
  CHECK(json(tags, Value::list({})) == R"({"c":[]})");
  const Type counts = Type::map(Type::string(), Type::integer());
  CHECK(json(counts, Value::list({Value::string("a"), Value::integer(1), Value::string("b"),
                                  Value::null()})) == R"({"c":{"a":1,"b":null}})");
}

TEST_CASE("keys that are no strings are written as their text") {
  const Type names = Type::map(Type::integer(), Type::string());
  CHECK(json(names, Value::list({Value::integer(1), Value::string("a")})) == R"({"c":{"1":"a"}})");
}

TEST_CASE("a NULL key of a map follows its mode") {
  const Type counts = Type::map(Type::string(), Type::integer());
  const Value map = Value::list({Value::null(), Value::integer(1), Value::string("b"), Value::integer(2)});
  CHECK(json(counts, map).starts_with("bad: "));
  CHECK(json(counts, map, {{"json.map-null-key.mode", "DROP"}}) == R"({"c":{"b":2}})");
  CHECK(json(counts, map, {{"json.map-null-key.mode", "LITERAL"}, {"json.map-null-key.literal", "none"}}) ==
        R"({"c":{"none":1,"b":2}})");
}

TEST_CASE("a bad row does not touch the rows around it") {
  const Schema schema{{{"m", Type::map(Type::string(), Type::integer())}}};
  const Value bad = Value::list({Value::null(), Value::integer(1)});
  const auto records = EncodeFixture::encode("json", schema, {{Value::list({})}, {bad}, {Value::null()}});
  REQUIRE(records.size() == 3);
  CHECK(records[0] == R"({"m":{}})");
  CHECK(records[1] == R"({"m":null})");
}

}  // namespace
}  // namespace leat::formats
