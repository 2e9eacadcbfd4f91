#include "format_fixture.h"

namespace leat::formats {
namespace {

const Schema kSchema{{{"s", Type::string()},
                      {"n", Type::float64()},
                      {"a", Type::array(Type::integer())},
                      {"m", Type::map(Type::string(), Type::row({{"x", Type::integer()}}))}}};

constexpr const char* kDocument =
    R"({"s":"a\u00fc\n","n":-12.5e1,"a":[1,2],"m":{"k":{"x":1},"l":null},"skipped":[{"q":"\"r"},true]})";

TEST_CASE("a document cut at any byte gives no row and no crash") {
  const std::string whole = kDocument;
  for (const Framing framing : {Framing::kMessage, Framing::kLines}) {
    DecodeFixture json("json", kSchema, {}, framing);
    CHECK(json.decode(whole).rows.size() == 1);
    for (std::size_t length = 1; length < whole.size(); ++length) {
      const Decoded decoded = json.decode(whole.substr(0, length));
      CHECK(decoded.rows.empty());
      CHECK(decoded.bad.size() == 1);
    }
  }
}

TEST_CASE("a document with any byte replaced leaves counts and columns in step") {
  const std::string whole = kDocument;
  DecodeFixture json("json", kSchema);
  for (const char replacement : {'"', '{', '}', '[', ']', ',', ':', '\\', '0', ' ', '\n', '\0', '\xff'})
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string text = whole;
      text[i] = replacement;
      CHECK(json.decode(text).records() == 1);  // The fixture checks that all columns are equally long.
    }
}

TEST_CASE("what is no JSON is bad even where no column is read") {
  DecodeFixture json("json", DecodeRequest{.schema = kSchema, .wanted = {}});
  for (const char* text : {"{",
                           "}",
                           "{]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{\"a\":1,,\"b\":2}",
                           "{,}",
                           "{\"a\" 1}",
                           "{a:1}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":[1,]}",
                           "{\"a\":[1 2]}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":tru}",
                           "{\"a\":nulll}",
                           "{\"a\":NaN}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"b\"\"c\"}",
                           "{\"a\":1}}",
                           "{\"a\":1}{}",
                           "{\"a\":1} x",
                           "[{}",
                           "[{},]",
                           "[,{}]",
                           "\"a\"",
                           "1",
                           "null",
                           "true",
                           "{\"\\q\":1}",
                           "{\"a\":\"\t\"}"}) {
    CAPTURE(text);
    CHECK(json.decode(text).bad.size() == 1);
  }
}

TEST_CASE("invalid UTF-8 is bad wherever it stands") {
  DecodeFixture json("json", kSchema);
  CHECK(json.decode("{\"s\":\"\xc3\x28\"}").reason() == "not JSON: invalid UTF-8");
  CHECK(json.decode("{\"unread\":\"\xed\xa0\x80\"}").bad.size() == 1);
}

TEST_CASE("a byte order mark before a document is no part of it") {
  DecodeFixture json("json", kSchema);
  CHECK(json.decode("\xEF\xBB\xBF{\"n\":1}").row() == "NULL|1.0|NULL|NULL");
}

TEST_CASE("rows that cost their sender nothing are bounded") {
  const Schema schema{{{"a", Type::integer()}}};
  const auto array = [](std::size_t rows, const std::string& row) {
    std::string text = "[" + row;
    for (std::size_t i = 1; i < rows; ++i) text += "," + row;
    return text + "]";
  };
  CHECK(DecodeFixture("json", schema).decode(array(10'000, "{}")).count.rows == 10'000);
  CHECK(DecodeFixture("json", schema).decode(array(20'000, "{\"a\":1}")).count.rows == 20'000);
  CHECK(DecodeFixture("json", schema).decode(array(20'000, "{}")).reason() ==
        "more than 10000 rows, of too few bytes each");
  Schema wide;
  for (int i = 0; i < 200; ++i) wide.fields.push_back({"c" + std::to_string(i), Type::string()});
  CHECK(DecodeFixture("json", wide).decode(array(10'000, "{ }")).count.rows == 10'000);
  CHECK(DecodeFixture("json", wide).decode(array(20'000, "{ }")).reason() ==
        "more than 10000 rows, of too few bytes each");
  const std::string empty_maps = "\x9f" + std::string(20'000, '\xa0') + "\xff";
  CHECK(DecodeFixture("cbor", schema).decode(empty_maps).reason() ==
        "more than 10000 rows, of too few bytes each");
}

TEST_CASE("nesting is bounded") {
  DecodeFixture json("json", kSchema);
  const auto nested = [](std::size_t depth) {
    return "{\"q\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(json.decode(nested(900)).rows.size() == 1);
  CHECK(json.decode(nested(200'000)).bad.size() == 1);
  CHECK(json.decode(nested(10'000)).reason() == "nested deeper than 1000 levels");
  CHECK(json.decode("{\"q\":\"" + std::string(2'000, '[') + "\", 5}").reason() ==
        "not JSON at byte 2009: found 5");
  CHECK(json.decode("{\"q\":" + std::string(200'000, '[')).bad.size() == 1);
}

TEST_CASE("objects with thousands of different members are read") {
  DecodeFixture json("json", kSchema);
  for (int round = 0; round < 3; ++round) {
    std::string text = "{";
    for (int i = 0; i < 3000; ++i) text += "\"k" + std::to_string(i * (round + 1)) + "\":1,";
    CHECK(json.decode(text + "\"n\":5}").row() == "NULL|5.0|NULL|NULL");
  }
}

}  // namespace
}  // namespace leat::formats
