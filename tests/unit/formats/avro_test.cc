// Avro: schemas, every type by hand-made bytes, what another schema has written, what cannot be written.
#include <avro.h>
#include <fmt/format.h>

#include <ctime>
#include <limits>

#include "format_fixture.h"
#include "pipelines/formats/avro_schema.h"
#include "pipelines/formats/protobuf_wire.h"

namespace leat::formats {
namespace {

/// A record of these fields as JSON.
std::string record(const std::string& fields) {
  return R"({"type":"record","name":"r","namespace":"plant","fields":[)" + fields + "]}";
}
/// One with the field `v` of this type.
std::string of(const std::string& type) {
  return record(R"({"name":"v","type":)" + type + "}");
}
Schema v(const Type& type) {
  return {{{"v", type}}};
}
OptionMap schema(const std::string& json) {
  return {{"avro.schema", json}};
}

std::string number(std::int64_t value) {
  std::string out;
  put_varint(to_zigzag(value), out);
  return out;
}
std::string text(const std::string& bytes) {
  return number(static_cast<std::int64_t>(bytes.size())) + bytes;
}
std::string fixed(std::uint64_t bits, std::size_t width) {
  std::string out;
  put_fixed(bits, width, out);
  return out;
}

Decoded decode(const Schema& columns, const std::string& json, const std::string& bytes) {
  return DecodeFixture("avro", columns, schema(json)).decode(bytes);
}
/// The only cell of a record of one field.
std::string cell(const std::string& avro, const Type& type, const std::string& bytes) {
  return decode(v(type), of(avro), bytes).row();
}
std::string reason(const std::string& avro, const Type& type, const std::string& bytes) {
  return decode(v(type), of(avro), bytes).reason();
}
/// Written, or why not.
std::string written(const std::string& avro, const Type& type, const Value& value) {
  return EncodeFixture::encode("avro", v(type), {{value}}, schema(of(avro)))[0];
}

std::string wrong(const std::string& format, const Schema& columns, const OptionMap& options,
                  bool sink = false) {
  std::vector<OptionError> errors;
  const Format* const found = find_format(format);
  (sink ? found->validate_sink : found->validate)(options, columns, errors);
  return errors.empty() ? "" : errors[0].message;
}

const Type kInt = Type::integer();
Type not_null(const Type& type) {
  return type.with_nullable(false);
}

TEST_CASE("primitive types and their promotions") {
  CHECK(cell("\"boolean\"", Type::boolean(), "\1") == "TRUE");
  CHECK(cell("\"int\"", kInt, number(-2147483648LL)) == "-2147483648");
  CHECK(cell("\"int\"", Type::tiny_int(), number(-128)) == "-128");
  CHECK(cell("\"int\"", Type::big_int(), number(7)) == "7");
  CHECK(cell("\"int\"", Type::float64(), number(7)) == "7.0");
  CHECK(cell("\"long\"", Type::big_int(), number(std::numeric_limits<std::int64_t>::min())) ==
        "-9223372036854775808");
  CHECK(cell("\"long\"", kInt, number(5)) == "5");
  CHECK(cell("\"float\"", Type::float32(), fixed(std::bit_cast<std::uint32_t>(0.1F), 4)) == "0.1");
  CHECK(cell("\"float\"", Type::float64(), fixed(std::bit_cast<std::uint32_t>(0.5F), 4)) == "0.5");
  CHECK(cell("\"double\"", Type::float64(), fixed(std::bit_cast<std::uint64_t>(-1.5), 8)) == "-1.5");
  CHECK(cell("\"double\"", Type::float32(), fixed(std::bit_cast<std::uint64_t>(-1.5), 8)) == "-1.5");
  CHECK(cell("\"string\"", Type::string(), text("ü")) == "ü");
  CHECK(cell("\"bytes\"", Type::bytes(), text(std::string("\0\xff", 2))).size() > 0);
  CHECK(reason("\"int\"", Type::tiny_int(), number(128)) ==
        "field 'v': 128 is out of the range of TINYINT (at byte 2)");
  CHECK(reason("\"boolean\"", Type::boolean(), "\2") == "field 'v': no boolean: 2 (at byte 1)");
}

TEST_CASE("logical types") {
  const auto logical = [](const char* type, const char* name) {
    return std::string(R"({"type":")") + type + R"(","logicalType":")" + name + "\"}";
  };
  CHECK(cell(logical("int", "date"), Type::date(), number(20458)) == "2026-01-05");
  CHECK(cell(logical("int", "date"), Type::date(), number(12'000'000)) == "34824-11-19");
  CHECK(cell(logical("int", "time-millis"), Type::time(3), number(3'723'004)) == "01:02:03.004");
  CHECK(cell(logical("long", "time-micros"), Type::time(0), number(3'723'004'005)) == "01:02:03");
  CHECK(cell(logical("long", "timestamp-millis"), Type::timestamp(3), number(1500)) ==
        "1970-01-01 00:00:01.500");
  CHECK(cell(logical("long", "timestamp-micros"), Type::timestamp_ltz(6), number(-1)) ==
        "1969-12-31 23:59:59.999999");
  CHECK(cell(logical("long", "local-timestamp-micros"), Type::timestamp(3), number(1999)) ==
        "1970-01-01 00:00:00.001");
  CHECK(cell(logical("long", "timestamp-millis"), Type::big_int(), number(1500)) == "1500");
  CHECK(cell(logical("string", "uuid"), Type::string(), text("x")) == "x");
  CHECK(cell(logical("int", "unheard-of"), kInt, number(1)) == "1");
  CHECK(reason(logical("int", "time-millis"), Type::time(0), number(86'400'000))
            .starts_with("field 'v': 86400000 is out"));
  CHECK(reason(logical("long", "timestamp-millis"), Type::timestamp(3), number(INT64_MAX))
            .starts_with("field 'v': 9223372036854775807 is out"));
  // Without its last digits it would be before the earliest microsecond that there is.
  CHECK(reason(logical("long", "timestamp-micros"), Type::timestamp(3), number(INT64_MIN))
            .starts_with("field 'v': -9223372036854775808 is out"));
  CHECK_FALSE(cell(logical("long", "timestamp-micros"), Type::timestamp(3), number(INT64_MIN + 808)).empty());
}

TEST_CASE("decimals are numbers in bytes or a fixed, most significant byte first") {
  const std::string bytes = R"({"type":"bytes","logicalType":"decimal","precision":6,"scale":2})";
  const std::string sixteen =
      R"({"type":"fixed","name":"f","size":17,"logicalType":"decimal","precision":38,"scale":2})";
  CHECK(cell(bytes, Type::decimal(6, 2), text("\x30\x39")) == "123.45");
  CHECK(cell(bytes, Type::decimal(6, 2), text("\xff")) == "-0.01");
  CHECK(cell(bytes, Type::decimal(6, 2), text("")) == "0.00");
  CHECK(cell(bytes, Type::decimal(4, 2), text("\x30\x39")) == "NULL");
  CHECK(cell(bytes, Type::bytes(), text("09")).size() > 0);
  CHECK(cell(sixteen, Type::decimal(38, 2), std::string(16, '\xff') + "\x9c") == "-1.00");
  CHECK(cell(sixteen, Type::decimal(38, 2), "\x01" + std::string(16, '\0')) == "NULL");
  CHECK(cell(sixteen, Type::decimal(38, 2), std::string("\0\x80", 2) + std::string(15, '\0')) == "NULL");
  CHECK(reason(bytes, not_null(Type::decimal(4, 2)), text("\x30\x39"))
            .find("out of the range of DECIMAL(4, 2)") != std::string::npos);
  CHECK(written(sixteen, not_null(Type::decimal(38, 2)), Value::decimal(-100)) ==
        std::string(16, '\xff') + "\x9c");
  CHECK(written(bytes, not_null(Type::decimal(6, 2)), Value::decimal(128)) == text(std::string("\0\x80", 2)));
  CHECK(wrong("avro", v(Type::decimal(6, 3)), schema(of(bytes))) ==
        "column 'v' of type DECIMAL(6, 3) cannot hold bytes (decimal 6, 2)");
}

TEST_CASE("unions with null, enums, fixed") {
  CHECK(cell(R"(["null","int"])", kInt, number(0)) == "NULL");
  CHECK(cell(R"(["null","int"])", kInt, number(1) + number(5)) == "5");
  CHECK(cell(R"(["int","null"])", kInt, number(0) + number(5)) == "5");
  CHECK(reason(R"(["null","int"])", not_null(kInt), number(0)) ==
        "field 'v': null, and its column is NOT NULL (at byte 1)");
  CHECK(reason(R"(["null","int"])", kInt, number(2)) ==
        "field 'v': no such branch of a union: 2 (at byte 1)");
  CHECK(reason(R"(["null","int"])", kInt, number(-1)) ==
        "field 'v': no such branch of a union: -1 (at byte 1)");
  const std::string colours = R"({"type":"enum","name":"colour","symbols":["RED","BLUE"]})";
  CHECK(cell(colours, Type::string(), number(1)) == "BLUE");
  CHECK(reason(colours, Type::string(), number(2)).starts_with("field 'v': no such symbol"));
  CHECK(written(colours, not_null(Type::string()), Value::string("BLUE")) == number(1));
  CHECK(written(colours, not_null(Type::string()), Value::string("PINK")) ==
        "bad: field 'v': enum plant.colour has no symbol 'PINK'");
  const std::string two = R"({"type":"fixed","name":"two","size":2})";
  CHECK(decode(v(Type::bytes()), of(two), "ab").count.decoded == 1);
  CHECK(written(two, not_null(Type::bytes()), Value::string("abc")) ==
        "bad: field 'v': 3 bytes, where plant.two has 2");
  const std::string none = R"({"type":"fixed","name":"none","size":0})";
  CHECK(written(none, not_null(Type::bytes()), Value::string("abc")) ==
        "bad: field 'v': 3 bytes, where plant.none has 0");
  CHECK(written(none, not_null(Type::bytes()), Value::string("")).empty());
  CHECK(decode({{{"v", Type::bytes()}, {"i", kInt}}},
               record(R"({"name":"v","type":)" + none + R"(},{"name":"i","type":"int"})"), number(5))
            .row() == "|5");
  CHECK(wrong("avro", v(kInt), schema(of(R"(["null","int","string"])"))) ==
        "column 'v' of type INT cannot hold null or int or string");
}

TEST_CASE("lists and maps come in blocks, with or without their length") {
  const Type list = Type::array(kInt);
  const std::string ints = R"({"type":"array","items":["null","int"]})";
  const std::string one = number(1) + number(7);
  CHECK(cell(ints, list, number(2) + one + number(0) + number(0)) == "[7, NULL]");
  CHECK(cell(ints, list, number(-1) + number(2) + one + number(1) + one + number(0)) == "[7, 7]");
  CHECK(cell(ints, list, number(0)) == "[]");
  CHECK(reason(ints, list, number(1'000'000) + one).starts_with("field 'v': the message ends too early"));
  const Type map = Type::map(Type::string(), kInt);
  const std::string counts = R"({"type":"map","values":"int"})";
  CHECK(cell(counts, map,
             number(3) + text("a") + number(1) + text("b") + number(2) + text("a") + number(3) + number(0)) ==
        "{b=2, a=3}");
  CHECK(cell(counts, Type::multiset(Type::string()), number(1) + text("a") + number(2) + number(0)) ==
        "{a=2}");
  CHECK(reason(counts, map, number(1) + text("\xff") + number(1) + number(0)).find("no UTF-8") !=
        std::string::npos);
}

TEST_CASE("records are rows by their fields' names, whatever their order; others are passed over") {
  const std::string json = record(R"(
    {"name":"junk","type":{"type":"map","values":{"type":"array","items":["null","string","double"]}}},
    {"name":"place","type":["null",{"type":"record","name":"place","fields":[
      {"name":"row","type":"long"},{"name":"hall","type":"string"},{"name":"up","type":["null","place"]}]}]},
    {"name":"nothing","type":{"type":"array","items":"null"}},
    {"name":"more","type":{"type":"fixed","name":"f4","size":4}},
    {"name":"again","type":"place"},
    {"name":"device","type":"string"})");
  const std::string place = number(3) + text("A") + number(1) + number(4) + text("B") + number(0);
  const std::string bytes = number(1) + text("k") + number(3) + number(0) + number(1) + text("x") +
                            number(2) + fixed(0, 8) + number(0) + number(0) + number(1) + place + number(10) +
                            number(0) + "four" + place + text("press");
  const Schema columns{{{"device", Type::string()},
                        {"place", Type::row({{"hall", Type::string()},
                                             {"row", Type::big_int()},
                                             {"up", Type::row({{"hall", Type::string()}})}})}}};
  CHECK(decode(columns, json, bytes).row() == "press|(A, 3, (B))");
  DecodeRequest request{.schema = columns, .wanted = {0}};
  CHECK(decode({{{"device", Type::string()}}}, json, bytes).row() == "press");
}

TEST_CASE("what is broken is a bad record") {
  CHECK(reason("\"string\"", Type::string(), text("abc").substr(0, 3)) ==
        "field 'v': the message ends too early: it is cut, or another schema wrote it (at byte 1)");
  CHECK(reason("\"string\"", Type::string(), number(-1)) == "field 'v': a negative length (at byte 1)");
  CHECK(reason("\"string\"", Type::string(), text("\xff")).starts_with("field 'v': invalid UTF-8"));
  CHECK(reason("\"int\"", kInt, number(1) + "x") == "1 bytes behind the record: another schema wrote it");
  CHECK(reason("\"long\"", Type::big_int(), std::string(11, '\xff'))
            .starts_with("field 'v': a number of more than ten bytes"));
  CHECK(decode(v(kInt), of("\"int\""), "").count.empty == 1);
  const std::string deep = record(R"({"name":"v","type":"int"},{"name":"up","type":["null","r"]})");
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += number(1) + number(1);
  CHECK(decode(v(kInt), deep, bytes).reason().find("nested too deep") != std::string::npos);
  // Twice as many records at each level, all of them nothing.
  std::string nothing = R"({"type":"record","name":"n0","fields":[{"name":"a","type":"null"}]})";
  for (int i = 1; i < 60; ++i)
    nothing = fmt::format(
        R"({{"type":"record","name":"n{}","fields":[{{"name":"a","type":{}}},{{"name":"b","type":"n{}"}}]}})",
        i, nothing, i - 1);
  CHECK(decode(v(kInt), record(R"({"name":"x","type":)" + nothing + R"(},{"name":"v","type":"int"})"),
               number(1))
            .row() == "1");
  // A record that is nothing but itself.
  const std::string endless = record(
      R"({"name":"v","type":"int"},{"name":"up","type":{"type":"record","name":"x","fields":[{"name":"x","type":"x"}]}})");
  CHECK(decode(v(kInt), endless, number(1)).reason().find("nested too deep") != std::string::npos);
  const Decoded ignored =
      DecodeFixture("avro", v(kInt), {{"avro.ignore-parse-errors", "true"}}).decode("\x02");
  CHECK(ignored.count.skipped == 1);
}

/// Reads one message after the other with one decoder, and looks at no field but `v`.
struct Hostile {
  explicit Hostile(const std::string& fields) : decoder("avro", v(kInt), schema(record(fields))) {}
  std::string why(const std::string& bytes) { return decoder.decode(bytes).reason(); }
  bool good(const std::string& bytes) { return decoder.decode(bytes).count.decoded == 1; }

  DecodeFixture decoder;
};

TEST_CASE("a message cannot ask for more than it has") {
  const std::string last = R"(,{"name":"v","type":"int"})";
  constexpr std::int64_t kMuch = (std::int64_t{1} << 40) + 1;
  Hostile nothing(R"({"name":"n","type":{"type":"array","items":"null"}})" + last);
  CHECK(nothing.good(number(3) + number(0) + number(7)));
  for (const std::int64_t items : {kMuch, std::int64_t{1} << 30, -kMuch})
    CHECK(nothing.why(number(items) + number(1) + number(0) + number(7))
              .starts_with("field 'n': more items than bytes (at byte "));
  // The library's callbacks get 32 bits of these numbers: none.
  for (const std::int64_t items : {std::int64_t{1} << 32, -(std::int64_t{1} << 32), std::int64_t{INT64_MIN}})
    CHECK(nothing.why(number(items) + number(0) + number(0) + number(7)).find("too many items") !=
          std::string::npos);
  // Lists of lists of nothing: each may have as many as the message has bytes, all of them may not, either.
  Hostile lists(R"({"name":"n","type":{"type":"array","items":{"type":"array","items":"null"}}})" + last);
  std::string many = number(1000);
  for (int i = 0; i < 1000; ++i) many += number(1000) + number(0);
  CHECK(lists.why(many + number(0) + number(7)).find("more items than bytes") != std::string::npos);

  Hostile name(R"({"name":"s","type":"string"})" + last);
  // A machine of 32 bits sees so many of a length only, and may take a long one for a negative one.
  constexpr bool kNarrow = sizeof(std::size_t) < sizeof(std::int64_t);
  for (const std::int64_t size :
       {kMuch, std::int64_t{INT64_MAX}, INT64_MAX - 1, std::int64_t{1} << 32, std::int64_t{5}}) {
    const std::string why = name.why(number(size) + "abc");
    CHECK((why.starts_with("field 's': the message ends too early") ||
           (kNarrow && why.starts_with("field 's': a negative length"))));
  }
  Hostile fixed_size(R"({"name":"f","type":{"type":"fixed","name":"f","size":1000000}})" + last);
  CHECK(fixed_size.why("abc").starts_with("field 'f': the message ends too early"));
  CHECK(name.good(text("abc") + number(7)));
  CHECK(name.why(number(-1)).starts_with("field 's': a negative length"));
  CHECK(name.why(number(INT64_MIN)).starts_with("field 's': a negative length"));
}

TEST_CASE("the library keeps no text of what was wrong, which threads would share") {
  CHECK(reason("\"string\"", Type::string(), number(9)).find("too early") != std::string::npos);
  CHECK(std::string_view(avro_strerror()).empty());
}

TEST_CASE("numbers of more bits than there are") {
  const std::int64_t wraps = (std::int64_t{1} << 32) + 1;
  CHECK(reason("\"int\"", Type::big_int(), number(wraps))
            .starts_with("field 'v': an int of more than 32 bits"));
  CHECK(
      reason(R"(["null","int"])", kInt, number(wraps) + number(5)).starts_with("field 'v': no such branch"));
  CHECK(reason(R"({"type":"enum","name":"e","symbols":["A","B"]})", Type::string(), number(wraps))
            .starts_with("field 'v': no such symbol"));
}

TEST_CASE("texts and keys may hold a NUL") {
  const std::string nul("a\0b", 3);
  CHECK(cell("\"string\"", Type::string(), text(nul)) == nul);
  CHECK(written("\"string\"", not_null(Type::string()), Value::string(nul)) == text(nul));
  const Type map = not_null(Type::map(not_null(Type::string()), not_null(kInt)));
  const std::string counts = R"({"type":"map","values":"int"})";
  const std::string bytes = number(2) + text(nul) + number(1) + text("a") + number(2) + number(0);
  CHECK(cell(counts, map, bytes) == "{" + nul + "=1, a=2}");
  CHECK(written(counts, map,
                Value::list({Value::string(nul), Value::integer(1), Value::string("a"),
                             Value::integer(2)})) == bytes);
}

TEST_CASE("equal keys inside the values of equal keys") {
  const std::string maps = R"({"type":"map","values":{"type":"map","values":"int"}})";
  const Type type = Type::map(Type::string(), Type::map(Type::string(), kInt));
  const auto inner = [](std::initializer_list<std::pair<const char*, int>> entries) {
    std::string out = number(static_cast<std::int64_t>(entries.size()));
    for (const auto& [key, value] : entries) out += text(key) + number(value);
    return out + number(0);
  };
  CHECK(cell(maps, type,
             number(3) + text("k") + inner({{"x", 1}, {"x", 2}}) + text("l") +
                 inner({{"x", 3}, {"y", 4}, {"x", 5}}) + text("k") + inner({{"y", 6}, {"x", 7}, {"x", 8}}) +
                 number(0)) == "{l={y=4, x=5}, k={y=6, x=8}}");
}

TEST_CASE("of equal keys only the last one's value must fit") {
  const auto counts = [](const char* value) {
    return R"({"type":"map","values":)" + std::string(value) + "}";
  };
  const auto map_of = [](const Type& value) { return Type::map(Type::string(), value); };
  const auto two = [](const std::string& first, const std::string& last) {
    return number(2) + text("k") + first + text("k") + last + number(0);
  };
  CHECK(cell(counts("\"int\""), map_of(Type::tiny_int()), two(number(1000), number(1))) == "{k=1}");
  CHECK(cell(counts(R"(["null","int"])"), map_of(not_null(kInt)), two(number(0), number(1) + number(5))) ==
        "{k=5}");
  CHECK(cell(counts("\"string\""), map_of(Type::string()), two(text("\xff"), text("a"))) == "{k=a}");
  CHECK(cell(counts("\"boolean\""), map_of(Type::boolean()), two("\7", "\1")) == "{k=TRUE}");
  CHECK(reason(counts("\"int\""), map_of(Type::tiny_int()), two(number(1), number(1000))) ==
        "field 'v': 1000 is out of the range of TINYINT (at byte 8)");
  CHECK(reason(counts(R"(["null","int"])"), map_of(not_null(kInt)),
               number(1) + text("k") + number(0) + number(0))
            .starts_with("field 'v': null, and its column is NOT NULL"));
}

TEST_CASE("a message with a great many equal keys makes those behind it no slower") {
  constexpr int kKeys = 300'000;
  constexpr int kMessages = 20'000;
  DecodeFixture decoder("avro", v(Type::map(Type::string(), kInt)),
                        schema(of(R"({"type":"map","values":"int"})")));
  std::string many = number(kKeys);
  for (int i = 0; i < kKeys; ++i) many += text("") + number(1);
  CHECK(decoder.decode(many + number(0)).row() == "{=1}");
  const std::clock_t begin = std::clock();
  for (int i = 0; i < kMessages; ++i) decoder.decode(number(1) + text("k") + number(1) + number(0));
  // It is two hundredths of a second, and would be nine.
  CHECK((std::clock() - begin) / CLOCKS_PER_SEC < 4);
}

TEST_CASE("where a message is broken: names, but not all of a path that it made itself") {
  const std::string pairs =
      R"({"type":"array","items":{"type":"record","name":"pair","fields":[{"name":"x","type":"int"}]}})";
  const Type rows = Type::array(Type::row({{"x", kInt}}));
  CHECK(reason(pairs, rows, number(1)).starts_with("field 'v.x': the message ends too early"));
  const std::string up = record(R"({"name":"v","type":"int"},{"name":"up","type":["null","r"]})");
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += number(1) + number(1);
  const std::string why = decode(v(kInt), up, bytes).reason();
  CHECK(why.starts_with("field 'up.up."));
  CHECK(why.find("up.…': the message ends too early") != std::string::npos);
  CHECK(why.size() < 200);
}

TEST_CASE("schemas that are none are refused") {
  const auto why = [](const std::string& json) { return wrong("avro", v(kInt), schema(json)); };
  CHECK(why("{").starts_with("Avro schema: not JSON"));
  CHECK(why("\"int\"") == "Avro schema: it is no record");
  CHECK(why(of("\"number\"")) == "Avro schema: unknown type 'number'");
  CHECK(why(of("7")) == "Avro schema: a type must be a name, a list or an object");
  CHECK(why(record(R"({"name":"v","type":"int"},{"name":"v","type":"string"})")) ==
        "Avro schema: record 'plant.r' has two fields 'v'");
  CHECK(why(of(R"({"type":"enum","name":"e","symbols":["X","X"]})")) ==
        "Avro schema: enum 'plant.e' has the symbol 'X' twice");
  CHECK(why(of("{}")) == "Avro schema: an object without 'type'");
  CHECK(why(of("[]")) == "Avro schema: a union of nothing");
  CHECK(why(of(R"([["int"]])")) == "Avro schema: a union in a union");
  CHECK(why(of(R"({"type":"array"})")) == "Avro schema: an array or map without 'items'");
  CHECK(why(of(R"({"type":"enum","name":"e"})")) == "Avro schema: enum 'plant.e' has no symbols");
  CHECK(why(of(R"({"type":"fixed","name":"f","size":-1})")).find("no size") != std::string::npos);
  CHECK(why(of(R"({"type":"record","name":"r","fields":[]})")) == "Avro schema: 'plant.r' is declared twice");
  CHECK(why(R"({"type":"record","name":"r"})") == "Avro schema: record 'r' has no fields");
  CHECK(why(record(R"({"name":"v"})")) == "Avro schema: a field of 'plant.r' without a name or a type");
  std::string deep = "\"int\"";
  for (int i = 0; i < 100; ++i) deep = R"({"type":"array","items":)" + deep + "}";
  CHECK(why(of(deep)) == "Avro schema: nested too deep");
}

TEST_CASE("what does not fit the columns is said") {
  CHECK(wrong("avro", {{{"w", kInt}}}, schema(of("\"int\""))) ==
        "record plant.r has no field 'w' (did you mean 'v'?)");
  CHECK(wrong("avro", v(Type::string()), schema(of("\"int\""))) ==
        "column 'v' of type STRING cannot hold int");
  CHECK(wrong("avro", v(kInt), schema(of("\"int\"")), true) ==
        "column 'v' may be NULL, which int cannot: declare it NOT NULL");
  CHECK(wrong("avro", v(not_null(kInt)),
              schema(record(R"({"name":"v","type":"int"},{"name":"w","type":"int"})")),
              true) == "field 'w' of record plant.r must be written, and the table has no such column");
  CHECK(wrong("avro", v(Type::float64()), schema(of(R"(["null","int"])")), true) ==
        "column 'v' of type DOUBLE cannot be written as null or int");
  CHECK(wrong("avro", v(kInt), {{"avro.schema", "x"}, {"avro.schema-file", "y"}}) ==
        "'avro.schema' and 'avro.schema-file' are two schemas: give one of them");
  CHECK(wrong("avro", v(kInt), {{"avro.schema", ""}}) == "the schema is empty");
  CHECK(wrong("avro-confluent", v(kInt), {{"avro-confluent.url", "http://registry:8081"}}) ==
        "Leat asks no schema registry: the schema is given in 'avro-confluent.schema' or "
        "'avro-confluent.schema-file'");
  const std::string small = R"({"type":"bytes","logicalType":"decimal","precision":5,"scale":2})";
  CHECK(wrong("avro", v(Type::decimal(10, 2)), schema(of(small))) == "");
  CHECK(wrong("avro", v(not_null(Type::decimal(10, 2))), schema(of(small)), true) ==
        "column 'v' of type DECIMAL(10, 2) cannot be written as bytes (decimal 5, 2)");
  CHECK(wrong("avro", v(Type::timestamp_ltz(3)), {}) ==
        "Avro has no type for TIMESTAMP_LTZ(3) unless 'avro.timestamp_mapping.legacy' is 'false'");
  CHECK(wrong("avro", v(Type::timestamp_ltz(3)), {{"avro.timestamp_mapping.legacy", "false"}}) == "");
  CHECK(wrong("avro", v(Type::map(kInt, kInt)), {}) == "Avro has no type for MAP<INT, INT>");
}

TEST_CASE("a schema that has changed since the table was checked makes no coder") {
  const DecodeRequest request{.schema = v(Type::string()), .wanted = {0}};
  const auto decoder = find_format("avro")->make_decoder({{"avro.schema-file", of("\"int\"")}}, request);
  REQUIRE(!decoder);
  CHECK(decoder.error().message == "format 'avro': column 'v' of type STRING cannot hold int");
}

/// Columns of every type that has a schema of its own.
Schema every_type() {
  return {{{"b", Type::boolean()},
           {"i8", Type::tiny_int()},
           {"i16", Type::small_int()},
           {"i32", not_null(Type::integer())},
           {"i64", Type::big_int()},
           {"f", Type::float32()},
           {"d", Type::float64()},
           {"dec", Type::decimal(38, 10)},
           {"s", Type::string()},
           {"y", Type::bytes()},
           {"day", Type::date()},
           {"t", Type::time(3)},
           {"ts", Type::timestamp(6)},
           {"ltz", Type::timestamp_ltz(3)},
           {"list", Type::array(not_null(Type::row({{"a", Type::integer()}})))},
           {"map", Type::map(Type::string(), Type::float64())}}};
}

TEST_CASE("what is written is read again, by the schema that Flink derives") {
  const Schema columns = every_type();
  const Value::List full{
      Value::boolean(true),
      Value::integer(-128),
      Value::integer(32767),
      Value::integer(-2147483648LL),
      Value::integer(std::numeric_limits<std::int64_t>::min()),
      Value::float64(0.1F),
      Value::float64(-4.9e-324),
      Value::decimal(-(Int128(1) << 120)),
      Value::string("ü😀"),
      Value::string(std::string("\0\xff", 2)),
      Value::integer(-719162),
      Value::integer(86'399'999'000),
      Value::integer(-1),
      Value::integer(1'795'338'000'123'000),
      Value::list({Value::list({Value::integer(1)}), Value::list({Value::null()})}),
      Value::list({Value::string("k"), Value::float64(1), Value::string("n"), Value::null()})};
  Value::List nulls(columns.size());
  nulls[3] = Value::integer(0);
  const OptionMap options{{"avro.timestamp_mapping.legacy", "false"}};
  const auto records = EncodeFixture::encode("avro", columns, {full, nulls}, options);
  REQUIRE(records.size() == 2);
  CHECK(records[1] == std::string(columns.size(), '\0'));
  DecodeFixture decoder("avro", columns, options);
  std::string expected;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (c > 0) expected += "|";
    append_text(*Column::constant(columns.fields[c].type, full[c], 1), 0, {}, expected);
  }
  CHECK(decoder.decode(records[0]).row() == expected);
  CHECK(decoder.decode(records[1]).count.decoded == 1);
  for (std::size_t length = 1; length < records[0].size(); ++length)
    CHECK(decoder.decode(records[0].substr(0, length)).bad.size() == 1);
}

TEST_CASE("fields without a column are null, and keys must not be") {
  const std::string json =
      record(R"({"name":"v","type":"int"},{"name":"w","type":["string","null"]},{"name":"n","type":"null"})");
  CHECK(EncodeFixture::encode("avro", v(not_null(kInt)), {{Value::integer(1)}}, schema(json))[0] ==
        number(1) + number(1));
  const Type map = not_null(Type::map(Type::string(), not_null(kInt)));
  CHECK(EncodeFixture::encode("avro", v(map), {{Value::list({Value::null(), Value::integer(1)})}})[0] ==
        "bad: field 'v': a MAP with a NULL key, which Avro has not");
}

TEST_CASE("messages of a schema registry begin with the number of their schema") {
  const OptionMap seven{{"avro-confluent.schema", of("\"int\"")}, {"avro-confluent.schema-id", "7"}};
  const OptionMap any{{"avro-confluent.schema", of("\"int\"")}};
  const std::string message = std::string("\0\0\0\0\7", 5) + number(5);
  CHECK(EncodeFixture::encode("avro-confluent", v(not_null(kInt)), {{Value::integer(5)}}, seven)[0] ==
        message);
  CHECK(DecodeFixture("avro-confluent", v(kInt), seven).decode(message).row() == "5");
  CHECK(
      DecodeFixture("avro-confluent", v(kInt), any).decode(std::string("\0\1\1\1\1", 5) + number(6)).row() ==
      "6");
  CHECK(DecodeFixture("avro-confluent", v(kInt), seven)
            .decode(std::string("\0\0\0\1\7", 5) + number(5))
            .reason() == "schema 263, and 'avro-confluent.schema-id' is 7");
  for (const std::string& none : {std::string("\1\0\0\0\7\2", 6), std::string("\0\0\0\0", 4)})
    CHECK(DecodeFixture("avro-confluent", v(kInt), any)
              .decode(none)
              .reason()
              .starts_with("no message of a schema registry"));
  CHECK(wrong("avro-confluent", v(not_null(kInt)), any, true) ==
        "format 'avro-confluent' needs 'avro-confluent.schema-id' for what it writes");
}

}  // namespace
}  // namespace leat::formats
