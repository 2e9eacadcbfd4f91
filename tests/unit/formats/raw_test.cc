// raw: one value is one record.
#include "format_fixture.h"

namespace leat::formats {
namespace {

Schema one(const Type& type) {
  return Schema{{{"c", type}}};
}

std::string round_trip(const Type& type, const std::string& bytes, const OptionMap& options = {}) {
  return DecodeFixture("raw", one(type), options).decode(bytes).row();
}

TEST_CASE("numbers are their bytes, in either order") {
  CHECK(round_trip(Type::integer(), std::string("\0\0\1\2", 4)) == "258");
  CHECK(round_trip(Type::integer(), std::string("\2\1\0\0", 4), {{"raw.endianness", "little-endian"}}) ==
        "258");
  CHECK(round_trip(Type::big_int(), std::string(8, '\xff')) == "-1");
  CHECK(round_trip(Type::small_int(), "\x80\x01") == "-32767");
  CHECK(round_trip(Type::tiny_int(), "\x80") == "-128");
  CHECK(round_trip(Type::boolean(), "\x02") == "TRUE");
  CHECK(round_trip(Type::float64(), std::string("\x3f\xf8\0\0\0\0\0\0", 8)) == "1.5");
  CHECK(round_trip(Type::float32(), std::string("\x3f\xc0\0\0", 4)) == "1.5");
}

TEST_CASE("a number of another length is a bad record, an empty one is empty") {
  DecodeFixture fixture("raw", one(Type::integer()));
  CHECK(fixture.decode("abc").reason() == "expected INT of 4 bytes, found 3");
  const Decoded empty = fixture.decode("");
  CHECK(empty.count.empty == 1);
  CHECK(empty.records() == 1);
}

TEST_CASE("texts come from their character set; what is no character is replaced, as in Java") {
  CHECK(round_trip(Type::string(), "caf\xc3\xa9") == "café");
  CHECK(round_trip(Type::string(), "caf\xe9", {{"raw.charset", "ISO-8859-1"}}) == "café");
  CHECK(round_trip(Type::string(), "caf\xe9") == "caf\uFFFD");
  CHECK(round_trip(Type::string(), std::string("\0h\0i", 4), {{"raw.charset", "utf-16be"}}) == "hi");
  CHECK(round_trip(Type::string(), "") == "");
}

TEST_CASE("a file's records are its lines") {
  const Decoded lines = DecodeFixture("raw", one(Type::string()), {}, Framing::kLines).decode("a\r\n\nb");
  CHECK(lines.rows == std::vector<std::string>{"a", "", "b"});
  CHECK(lines.records() == 3);
}

TEST_CASE("what is written is read again, and NULL has no bytes") {
  const OptionMap little{{"raw.endianness", "little-endian"}};
  CHECK(EncodeFixture::encode_cell("raw", Type::integer(), Value::integer(258), little) ==
        std::string("\2\1\0\0", 4));
  CHECK(EncodeFixture::encode_cell("raw", Type::string(), Value::string("café"),
                                   {{"raw.charset", "ISO-8859-1"}}) == "caf\xe9");
  CHECK(EncodeFixture::encode_cell("raw", Type::bytes(), Value::string(std::string("\xff\0", 2))) ==
        std::string("\xff\0", 2));
  CHECK(EncodeFixture::encode_cell("raw", Type::string(), Value()) ==
        "bad: NULL, for which the format raw has no bytes");
}

TEST_CASE("a value that a line of a file cannot hold is bad there, and a message of its own elsewhere") {
  const OptionMap files{{"connector", "filesystem"}};
  const std::string reason = "bad: the end of a line in a value, which is to be one line";
  const auto written = [](const char* text, const OptionMap& options) {
    return EncodeFixture::encode_cell("raw", Type::string(), Value::string(text), options);
  };
  CHECK(written("a b", files) == "a b");
  CHECK(written("a\rb", files) == "a\rb");
  for (const char* text : {"a\nb", "a\n", "a\r"}) {
    CHECK(written(text, files) == reason);
    CHECK(written(text, {{"connector", "kafka"}}) == text);
  }
  CHECK(EncodeFixture::encode_cell("raw", Type::integer(), Value::integer(10), files) == reason);
}

}  // namespace
}  // namespace leat::formats
