#include "format_fixture.h"

namespace leat::formats {
namespace {

/// The one cell that `value` gives in a column of `type`; "bad: …" when it gives none.
std::string cell(const Type& type, const std::string& value, const OptionMap& options = {}) {
  DecodeFixture json("json", Schema{{{"c", type}}}, options);
  const Decoded decoded = json.decode("{\"c\":" + value + "}");
  return decoded.bad.empty() ? decoded.row() : "bad: " + decoded.bad[0].second;
}

bool bad(const Type& type, const std::string& value, const OptionMap& options = {}) {
  return cell(type, value, options).starts_with("bad: ");
}

const Schema kReading{{{"device", Type::string()}, {"temperature", Type::float64()}}};

TEST_CASE("every scalar type is read from its own spelling") {
  CHECK(cell(Type::boolean(), "true") == "TRUE");
  CHECK(cell(Type::tiny_int(), "-128") == "-128");
  CHECK(cell(Type::small_int(), "32767") == "32767");
  CHECK(cell(Type::integer(), "-2147483648") == "-2147483648");
  CHECK(cell(Type::big_int(), "9223372036854775807") == "9223372036854775807");
  CHECK(cell(Type::float32(), "1.5") == "1.5");
  CHECK(cell(Type::float64(), "1e10") == "1.0E10");
  CHECK(cell(Type::decimal(10, 2), "12345678.91") == "12345678.91");
  CHECK(cell(Type::string(), "\"Zürich\"") == "Zürich");
  CHECK(cell(Type::bytes(), "\"TGVhdA==\"") == "Leat");
  CHECK(cell(Type::date(), "\"2020-01-31\"") == "2020-01-31");
  CHECK(cell(Type::time(0), "\"12:34:56\"") == "12:34:56");
  CHECK(cell(Type::timestamp(3), "\"2026-11-22 09:00:00.123\"") == "2026-11-22 09:00:00.123");
  CHECK(cell(Type::timestamp_ltz(3), "\"2026-11-22 09:00:00.123Z\"") == "2026-11-22 09:00:00.123");
}

TEST_CASE("null is NULL in every type") {
  for (const Type& type : {Type::boolean(), Type::big_int(), Type::decimal(4, 2), Type::string(),
                           Type::date(), Type::array(Type::integer()), Type::row({{"a", Type::integer()}})})
    CHECK(cell(type, "null") == "NULL");
}

TEST_CASE("numbers are cut to integers and never wrap") {
  CHECK(cell(Type::integer(), "1.9") == "1");
  CHECK(cell(Type::integer(), "1.5e3") == "1500");
  CHECK(bad(Type::tiny_int(), "128"));
  CHECK(bad(Type::small_int(), "-32769"));
  CHECK(bad(Type::integer(), "2147483648"));
  CHECK(bad(Type::big_int(), "9223372036854775808"));
  CHECK(bad(Type::big_int(), "1e400"));
}

TEST_CASE("numbers in strings are trimmed and read") {
  CHECK(cell(Type::integer(), "\" 12 \"") == "12");
  CHECK(cell(Type::float64(), "\" 1.5\\n\"") == "1.5");
  CHECK(cell(Type::float64(), "\"NaN\"") == "NaN");
  CHECK(cell(Type::decimal(5, 1), "\" 2.25 \"") == "2.3");
  CHECK(bad(Type::integer(), "\"1.9\""));
  CHECK(bad(Type::integer(), "\"\""));
  CHECK(bad(Type::integer(), "true"));
}

TEST_CASE("a DECIMAL is exact and NULL when it is too large") {
  CHECK(cell(Type::decimal(38, 0), "12345678901234567890123456789012345678") ==
        "12345678901234567890123456789012345678");
  CHECK(cell(Type::decimal(4, 2), "123.45") == "NULL");
  CHECK(bad(Type::decimal(4, 2).with_nullable(false), "123.45"));
}

TEST_CASE("anything but true is false in a BOOLEAN") {
  CHECK(cell(Type::boolean(), "\" TRUE \"") == "TRUE");
  CHECK(cell(Type::boolean(), "\"yes\"") == "FALSE");
  CHECK(cell(Type::boolean(), "1") == "FALSE");
  CHECK(bad(Type::boolean(), "{}"));
}

TEST_CASE("a STRING takes every value as its JSON text") {
  CHECK(cell(Type::string(), "1.50") == "1.50");
  CHECK(cell(Type::string(), "true") == "true");
  CHECK(cell(Type::string(), "{\"a\": [1, 2 ,{} ]}") == "{\"a\":[1,2,{}]}");
  CHECK(cell(Type::string(), "[1,2]") == "[1,2]");
  CHECK(bad(Type::string(), "nul"));
  CHECK(bad(Type::string(), "1x"));
}

TEST_CASE("escapes are resolved wherever they stand") {
  CHECK(cell(Type::string(), R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
  CHECK(cell(Type::string(), R"("\u00fc\u20AC\ud83d\ude00")") == "ü€😀");
  CHECK(cell(Type::string(), "\"0123456789012345678901234567890123456789\\n\"").size() == 41);
  CHECK(cell(Type::timestamp(0), R"("2026-11-22\u002009:00:00")") == "2026-11-22 09:00:00");
  for (const char* text :
       {R"("\q")", R"("\u12")", R"("\u12g4")", R"("\ud83d")", R"("\ud83dx")", R"("\ude00")"})
    CHECK(bad(Type::string(), text));
}

TEST_CASE("an escaped key names its field") {
  DecodeFixture json("json", kReading);
  CHECK(json.decode(R"({"d\u0065vice":"a","temperature":1})").row() == "a|1.0");
}

TEST_CASE("timestamps keep to the standard that was chosen") {
  const OptionMap iso{{"json.timestamp-format.standard", "ISO-8601"}};
  CHECK(cell(Type::timestamp(6), "\"2026-11-22T09:00:00.123456\"", iso) == "2026-11-22 09:00:00.123456");
  CHECK(cell(Type::timestamp_ltz(3), "\"2026-11-22T09:00:00.5Z\"", iso) == "2026-11-22 09:00:00.500");
  CHECK(bad(Type::timestamp(3), "\"2026-11-22 09:00:00\"", iso));
  CHECK(bad(Type::timestamp(3), "\"2026-11-22T09:00:00\""));
  CHECK(bad(Type::timestamp_ltz(3), "\"2026-11-22 09:00:00\""));
  CHECK(bad(Type::timestamp(3), "1700000000"));
}

TEST_CASE("nested types are read to the bottom") {
  const Type point = Type::row({{"x", Type::integer()}, {"y", Type::array(Type::string())}});
  CHECK(cell(point, R"({"y":["a",null],"z":{"q":[]},"x":1})") == "(1, [a, NULL])");
  CHECK(cell(point, "{}") == "(NULL, NULL)");
  CHECK(cell(Type::array(point), R"([{"x":1},null,{"x":2}])") == "[(1, NULL), NULL, (2, NULL)]");
  CHECK(cell(Type::array(Type::integer()), "[]") == "[]");
  CHECK(cell(Type::map(Type::string(), Type::integer()), R"({"a":1,"b":null})") == "{a=1, b=NULL}");
  CHECK(cell(Type::multiset(Type::string()), R"({"a":2})") == "{a=2}");
  CHECK(cell(Type::map(Type::string(), Type::integer()), "{}") == "{}");
  CHECK(bad(point, "[1]"));
  CHECK(bad(Type::array(Type::integer()), "{}"));
}

TEST_CASE("the last of several members with one name counts") {
  const Type point = Type::row({{"x", Type::array(Type::integer())}});
  CHECK(cell(Type::integer(), R"(1,"c":2)") == "2");
  CHECK(cell(Type::integer(), R"(1,"c":null)") == "NULL");
  CHECK(cell(point, R"({"x":[1]},"c":{"x":[2,3],"x":[4]})") == "([4])");
  CHECK(cell(Type::map(Type::string(), Type::integer()), R"({"a":1,"b":2,"a":3})") == "{a=3, b=2}");
  CHECK(cell(Type::map(Type::string(), Type::integer()), R"({"a":1,"\u0061":3})") == "{a=3}");
}

TEST_CASE("fields are found in any order, left out and in between others") {
  DecodeFixture json("json", kReading);
  CHECK(json.decode(R"({"device":"a","temperature":1})").row() == "a|1.0");
  CHECK(json.decode(R"({"temperature":2,"device":"b"})").row() == "b|2.0");
  CHECK(json.decode(R"({"x":{"device":"no"},"temperature":3})").row() == "NULL|3.0");
  CHECK(json.decode(R"({"device":"c","x":[1,{"y":2}],"temperature":4})").row() == "c|4.0");
  CHECK(json.decode(R"({"device":"d","temperature":5})").row() == "d|5.0");
  CHECK(json.decode("{}").row() == "NULL|NULL");
}

TEST_CASE("only wanted columns are decoded") {
  DecodeFixture json("json", DecodeRequest{.schema = kReading, .wanted = {1}});
  CHECK(json.decode(R"({"device":17,"temperature":3})").row() == "3.0");
}

TEST_CASE("a record counts when no column is wanted") {
  DecodeFixture json("json", DecodeRequest{.schema = kReading, .wanted = {}});
  CHECK(json.decode(R"([{"device":17},{}])").count.rows == 2);
}

TEST_CASE("an array gives a row per element, or none") {
  DecodeFixture json("json", kReading);
  const Decoded decoded = json.decode(R"([{"device":"a"}, {"device":"b"}])");
  CHECK(decoded.rows == std::vector<std::string>{"a|NULL", "b|NULL"});
  CHECK(decoded.count.decoded == 1);
  CHECK(json.decode("[]").count.decoded == 1);
  CHECK(json.decode(R"([{"device":"a"}, 7])").reason() == "expected an object, found 7, which is none");
}

TEST_CASE("an empty message is empty") {
  DecodeFixture json("json", kReading);
  CHECK(json.decode("").count.empty == 1);
  CHECK(json.decode(" \r\n").count.empty == 1);
}

TEST_CASE("a reason names the field, what was expected and what was found") {
  DecodeFixture json("json", kReading);
  CHECK(json.decode(R"({"temperature":"abc"})").reason() ==
        "field 'temperature': expected DOUBLE, found \"abc\"");
  CHECK(json.decode("{\"temperature\":\"" + std::string(500, 'x') + "\"}").reason().size() < 200);
  DecodeFixture nested("json", Schema{{{"p", Type::row({{"x", Type::array(Type::integer())}})}}});
  CHECK(nested.decode(R"({"p":{"x":[1,{"a":1}]}})")
            .reason()
            .starts_with("field 'p.x': expected INT, found {\"a\""));
}

TEST_CASE("a NOT NULL column must be there and not null") {
  DecodeFixture json("json", Schema{{{"id", Type::integer().with_nullable(false)}}});
  CHECK(json.decode("{}").reason() == "field 'id': expected INT NOT NULL, found no such field");
  CHECK(json.decode(R"({"id":null})").reason() == "field 'id': expected INT NOT NULL, found null");
}

TEST_CASE("a missing field can be made an error") {
  DecodeFixture json("json", kReading, {{"json.fail-on-missing-field", "true"}});
  CHECK(json.decode(R"({"device":"a"})").reason() ==
        "field 'temperature': expected DOUBLE, found no such field");
  CHECK(json.decode(R"({"device":"a","temperature":null})").row() == "a|NULL");
}

TEST_CASE("errors can be ignored: bad fields are NULL, bad records are counted") {
  const OptionMap ignore{{"json.ignore-parse-errors", "true"}};
  DecodeFixture json("json", kReading, ignore);
  CHECK(json.decode(R"({"temperature":"abc","device":"a"})").row() == "a|NULL");
  CHECK(json.decode(R"({"temperature":[1,{"x":2}],"device":"a"})").row() == "a|NULL");
  CHECK(json.decode(R"({"temperature":tru,"device":"a"})").count.skipped == 1);
  CHECK(json.decode("{").count.skipped == 1);
  CHECK(cell(Type::array(Type::integer()), R"([1,"x",3])", ignore) == "[1, NULL, 3]");
  CHECK(cell(Type::row({{"x", Type::integer()}}), "{\"x\":{}}", ignore) == "(NULL)");
}

TEST_CASE("the other JSON parser is accepted and reads the same") {
  CHECK(cell(Type::integer(), "1.9", {{"json.decode.json-parser.enabled", "false"}}) == "1");
}

TEST_CASE("each line is a record, whatever its end, and bad ones leave their neighbours alone") {
  DecodeFixture json("json", kReading, {}, Framing::kLines);
  const Decoded decoded = json.decode(
      "{\"device\":\"a\"}\r\n\n{\"device\":\n  \r\n[{\"device\":\"b\"},{\"device\":\"c\"}]\n"
      "{\"device\":\"d\"} x\n{\"device\":\"e\"}");
  CHECK(decoded.rows == std::vector<std::string>{"a|NULL", "b|NULL", "c|NULL", "e|NULL"});
  CHECK(decoded.count.empty == 2);
  REQUIRE(decoded.bad.size() == 2);
  CHECK(decoded.bad[0].first == "{\"device\":");
  CHECK(decoded.bad[1].first == "{\"device\":\"d\"} x");
  CHECK(decoded.records() == 7);
}

TEST_CASE("lines that spoil the index of their block are bad alone") {
  DecodeFixture json("json", kReading, {}, Framing::kLines);
  const Decoded decoded = json.decode(
      "{\"device\":\"a\"}\n{\"device\":\"open}\n{\"device\":\"b\"}\n{\"device\":\"\xff\"}\n\n{\"device\":"
      "\"c\"}\n");
  CHECK(decoded.rows == std::vector<std::string>{"a|NULL", "b|NULL", "c|NULL"});
  CHECK(decoded.bad.size() == 2);
  CHECK(decoded.records() == 6);
}

TEST_CASE("many blocks of lines give every row") {
  DecodeFixture json("json", Schema{{{"n", Type::big_int()}}}, {}, Framing::kLines);
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
  text += "{\"n\":7,\"pad\":\"" + std::string(200'000, 'x') + "\"}\n{\"n\":8}";
  const Decoded decoded = json.decode(text);
  REQUIRE(decoded.rows.size() == 20002);
  CHECK(decoded.rows[12345] == "12345");
  CHECK(decoded.rows[20001] == "8");
}

}  // namespace
}  // namespace leat::formats
