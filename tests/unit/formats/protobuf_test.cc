// Protocol Buffers: the wire by hand, schemas, what is not set, what is no message.
#include "format_fixture.h"
#include "pipelines/formats/protobuf_wire.h"

namespace leat::formats {
namespace {

const std::string kReadings = R"(
  syntax = "proto3";
  package plant;
  import "google/protobuf/timestamp.proto";
  message Reading {
    string device = 1;
    double value = 2;
    int32 state = 3;
    optional int64 counter = 4;
    Kind kind = 5;
    repeated sint32 samples = 6;
    map<string, uint64> totals = 7;
    Place place = 8;
    google.protobuf.Timestamp at = 9;
    oneof extra { string note = 10; bytes raw = 11; }
    repeated Place route = 12;
    fixed32 big = 13;
    float small = 14;
    bool on = 15;
  }
  enum Kind { UNKNOWN = 0; HOT = 1; }
  message Place { string hall = 1; int64 row = 2; }
)";

OptionMap options(OptionMap more = {}) {
  more.try_emplace("protobuf.proto-file", kReadings);
  more.try_emplace("protobuf.message-name", "plant.Reading");
  return more;
}

Schema columns(Type::Fields fields) {
  return Schema{std::move(fields)};
}

std::string varint_field(int number, std::uint64_t value) {
  std::string out;
  put_tag(number, WireType::kVarint, out);
  put_varint(value, out);
  return out;
}
std::string bytes_field(int number, std::string_view bytes) {
  std::string out;
  put_tag(number, WireType::kBytes, out);
  put_bytes(bytes, out);
  return out;
}

Decoded decode(const Schema& schema, const std::string& message, OptionMap more = {}) {
  return DecodeFixture("protobuf", schema, options(std::move(more))).decode(message);
}

std::vector<std::string> wrong(const Schema& schema, const OptionMap& all) {
  std::vector<OptionError> errors;
  find_format("protobuf")->validate(all, schema, errors);
  std::vector<std::string> messages;
  for (const OptionError& error : errors) messages.push_back(error.message);
  return messages;
}

const Type kPlace = Type::row({{"hall", Type::string()}, {"row", Type::big_int()}});

TEST_CASE("fields become columns whatever their order; the last of several wins, others are passed over") {
  const Schema schema = columns({{"state", Type::integer()}, {"device", Type::string()}});
  const std::string message = bytes_field(1, "old") + varint_field(3, 7) + varint_field(99, 1) +
                              bytes_field(1, "press") + bytes_field(98, "?");
  CHECK(decode(schema, message).row() == "7|press");
}

TEST_CASE("scalars of each kind") {
  std::string message = varint_field(3, static_cast<std::uint64_t>(std::int64_t{-5}));
  put_tag(2, WireType::kFixed64, message);
  put_fixed(std::bit_cast<std::uint64_t>(1.5), 8, message);
  put_tag(13, WireType::kFixed32, message);
  put_fixed(0xFFFFFFFF, 4, message);
  put_tag(14, WireType::kFixed32, message);
  put_fixed(std::bit_cast<std::uint32_t>(0.25F), 4, message);
  message += varint_field(15, 1) + varint_field(5, 1);
  const Schema schema = columns({{"value", Type::float64()},
                                 {"state", Type::integer()},
                                 {"big", Type::big_int()},
                                 {"small", Type::float32()},
                                 {"on", Type::boolean()},
                                 {"kind", Type::string()}});
  CHECK(decode(schema, message).row() == "1.5|-5|4294967295|0.25|TRUE|HOT");
  CHECK(decode(columns({{"kind", Type::integer()}}), message).row() == "1");
  CHECK(decode(columns({{"big", Type::integer()}}), message).row() == "-1");
  CHECK(decode(columns({{"kind", Type::string()}}), varint_field(5, 9)).row() == "9");
}

TEST_CASE("what is not set is its default, or NULL where the schema can tell") {
  const Schema schema = columns({{"device", Type::string()},
                                 {"counter", Type::big_int()},
                                 {"note", Type::string()},
                                 {"place", kPlace},
                                 {"samples", Type::array(Type::integer())}});
  CHECK(decode(schema, "").row() == "|NULL|NULL|NULL|[]");
  CHECK(decode(schema, "", {{"protobuf.read-default-values", "true"}}).row() == "|0||(, 0)|[]");
  const Schema strict = columns({{"counter", Type::big_int().with_nullable(false)}});
  CHECK(decode(strict, "").reason() == "field 'counter': is not set, and its column is NOT NULL");
}

TEST_CASE("a number that its enum has no name for goes out as it came in") {
  const Schema schema = columns({{"kind", Type::string()}});
  for (const char* number : {"9", "-3"}) {
    const auto records = EncodeFixture::encode("protobuf", schema, {{Value::string(number)}}, options());
    CHECK(decode(schema, records.at(0)).row() == number);
  }
  CHECK(EncodeFixture::encode("protobuf", schema, {{Value::string("1")}}, options()) ==
        std::vector{varint_field(5, 1)});
}

TEST_CASE("lists come packed or not, or both") {
  const Schema schema = columns({{"samples", Type::array(Type::integer())}});
  std::string packed;
  put_varint(to_zigzag(-1), packed);
  put_varint(to_zigzag(2), packed);
  CHECK(decode(schema, bytes_field(6, packed) + varint_field(6, to_zigzag(300))).row() == "[-1, 2, 300]");
}

TEST_CASE("maps: the last of equal keys wins, a missing part is its default") {
  const Schema schema = columns({{"totals", Type::map(Type::string(), Type::decimal(20, 0))}});
  const std::string a1 = bytes_field(7, bytes_field(1, "a") + varint_field(2, 1));
  const std::string b = bytes_field(7, bytes_field(1, "b"));
  const std::string a2 = bytes_field(7, bytes_field(1, "a") + varint_field(2, UINT64_MAX));
  CHECK(decode(schema, a1 + b + a2).row() == "{b=0, a=18446744073709551615}");
}

TEST_CASE("a message that comes in pieces is merged; timestamps are times or rows") {
  const Schema schema = columns({{"place", kPlace}, {"at", Type::timestamp_ltz(3)}});
  const std::string at = varint_field(1, 60) + varint_field(2, 500'999'999);
  const std::string message =
      bytes_field(8, bytes_field(1, "A")) + bytes_field(9, at) + bytes_field(8, varint_field(2, 3));
  CHECK(decode(schema, message).row() == "(A, 3)|1970-01-01 00:01:00.500");
  const Type parts = Type::row({{"seconds", Type::big_int()}, {"nanos", Type::integer()}});
  CHECK(decode(columns({{"at", parts}}), message).row() == "(60, 500999999)");
}

TEST_CASE("of a oneof only the last member is set, wanted or not") {
  const Schema schema = columns({{"note", Type::string()}});
  CHECK(decode(schema, bytes_field(10, "n")).row() == "n");
  CHECK(decode(schema, bytes_field(10, "n") + bytes_field(11, "raw")).row() == "NULL");
}

TEST_CASE("what is no message is a bad record, and others stay whole") {
  const Schema schema = columns({{"device", Type::string()}, {"route", Type::array(kPlace)}});
  CHECK(decode(schema,
               "\x0a\x05press"
               "\x12")
            .reason() == "not a message: it breaks at byte 8");
  CHECK(decode(schema, "{\"device\": 1}").bad.size() == 1);
  CHECK(decode(schema, bytes_field(1, "\xff")).reason() == "field 'device': invalid UTF-8");
  CHECK(decode(schema, bytes_field(12, "\x0a\x09")).reason() ==
        "field 'route': not a message: it breaks at byte 2");
  CHECK(decode(schema, std::string(10, '\xff')).bad.size() == 1);
  CHECK(decode(schema, "\x07", {{"protobuf.ignore-parse-errors", "true"}}).count.skipped == 1);
}

TEST_CASE("delimited messages follow each other") {
  const Schema schema = columns({{"device", Type::string()}});
  const OptionMap delimited{{"protobuf.delimited", "true"}};
  std::string stream;
  put_bytes(bytes_field(1, "a"), stream);
  put_bytes("", stream);
  put_bytes(bytes_field(1, "b"), stream);
  CHECK(decode(schema, stream, delimited).rows == std::vector<std::string>{"a", "", "b"});
  const Decoded cut = decode(schema, stream.substr(0, stream.size() - 1), delimited);
  CHECK(cut.rows == std::vector<std::string>{"a", ""});
  CHECK(cut.bad.size() == 1);
  const auto split = *find_format("protobuf")->make_splitter(options(delimited));
  CHECK(split(stream, Behind::kMore) == stream.size());
  CHECK(split(std::string_view(stream).substr(0, stream.size() - 1), Behind::kMore) == 5);
}

TEST_CASE("what is written is read again") {
  const Schema schema = columns({{"device", Type::string()},
                                 {"value", Type::float64()},
                                 {"counter", Type::big_int()},
                                 {"kind", Type::string()},
                                 {"samples", Type::array(Type::integer())},
                                 {"totals", Type::map(Type::string(), Type::big_int())},
                                 {"place", kPlace},
                                 {"at", Type::timestamp(6)}});
  const Value::List row{Value::string("press"),
                        Value::float64(-1.5),
                        Value::integer(0),
                        Value::string("HOT"),
                        Value::list({Value::integer(-1), Value::integer(70'000)}),
                        Value::list({Value::string("a"), Value::integer(7)}),
                        Value::list({Value::string("A"), Value::integer(-3)}),
                        Value::integer(-1)};
  const auto records = EncodeFixture::encode("protobuf", schema, {row, Value::List(8)}, options());
  REQUIRE(records.size() == 2);
  CHECK(decode(schema, records[0]).row() ==
        "press|-1.5|0|HOT|[-1, 70000]|{a=7}|(A, -3)|1969-12-31 23:59:59.999999");
  CHECK(records[1].empty());
}

TEST_CASE("what cannot be written is a bad row") {
  const auto reason = [](const Type& type, const char* field, const Value& value) {
    return EncodeFixture::encode("protobuf", columns({{field, type}}), {{value}}, options())[0];
  };
  CHECK(reason(Type::string(), "kind", Value::string("COLD")) ==
        "bad: field 'kind': plant.Kind has no value 'COLD'");
  CHECK(reason(Type::big_int(), "state", Value::integer(1LL << 40)) ==
        "bad: field 'state': 1099511627776 is out of the range of int32");
}

TEST_CASE("a schema that has changed since the table was checked makes no coder") {
  DecodeRequest request{.schema = columns({{"device", Type::integer()}}), .wanted = {0}};
  const auto decoder = find_format("protobuf")->make_decoder(options(), request);
  REQUIRE(!decoder);
  CHECK(decoder.error().message ==
        "format 'protobuf': column 'device' of type INT cannot hold a field of type string");
  CHECK(!find_format("protobuf")->make_encoder(options(), columns({{"samples", Type::integer()}})));
}

TEST_CASE("what does not fit is said at once") {
  CHECK(wrong(columns({{"devise", Type::string()},
                       {"value", Type::integer()},
                       {"place", Type::row({{"x", Type::string()}})}}),
              options()) ==
        std::vector<std::string>{"message plant.Reading has no field 'devise' (did you mean 'device'?)",
                                 "column 'value' of type INT cannot hold a field of type double",
                                 "message plant.Place has no field 'place.x'"});
  const Schema any = columns({{"a", Type::integer()}});
  CHECK(wrong(any, {}) ==
        std::vector<std::string>{
            "format 'protobuf' needs one of 'protobuf.proto-file' and 'protobuf.descriptor-file'"});
  CHECK(wrong(any, {{"protobuf.proto-file", "syntax = \"proto3\"; message {"}}).at(0) ==
        "the .proto file, line 1, column 28: Expected message name.");
  CHECK(wrong(any, {{"protobuf.proto-file", kReadings}}).at(0) ==
        "the .proto file has 2 messages: name one with 'protobuf.message-name'");
  CHECK(wrong(any, {{"protobuf.proto-file", "syntax = \"proto3\"; import \"a.proto\"; message A {}"}})
            .at(0)
            .find("imports 'a.proto': give a descriptor set") != std::string::npos);
  CHECK(wrong(any, {{"protobuf.descriptor-file", "junk"}}).at(0).find("descriptor set is none") !=
        std::string::npos);
}

}  // namespace
}  // namespace leat::formats
