// Sparkplug B: payloads by hand, what becomes a row, what is no payload, and rows into payloads.
#include <algorithm>
#include <bit>
#include <cmath>

#include "format_fixture.h"
#include "pipelines/column/sparkplug.h"
#include "pipelines/formats/compression.h"
#include "pipelines/formats/protobuf_wire.h"
#include "pipelines/formats/sparkplug_decoder.h"

namespace leat::formats {
namespace {

using Rows = std::vector<std::string>;

std::string number(int field, std::uint64_t value) {
  std::string out;
  put_tag(field, WireType::kVarint, out);
  put_varint(value, out);
  return out;
}
std::string bytes(int field, std::string_view value) {
  std::string out;
  put_tag(field, WireType::kBytes, out);
  put_bytes(value, out);
  return out;
}
std::string real32(int field, float value) {
  std::string out;
  put_tag(field, WireType::kFixed32, out);
  put_fixed(std::bit_cast<std::uint32_t>(value), 4, out);
  return out;
}
std::string real64(int field, double value) {
  std::string out;
  put_tag(field, WireType::kFixed64, out);
  put_fixed(std::bit_cast<std::uint64_t>(value), 8, out);
  return out;
}
/// A payload's metric.
std::string metric(std::string_view fields) {
  return bytes(2, fields);
}
/// A named metric of a datatype with a value.
std::string typed(std::uint64_t datatype, const std::string& value) {
  return metric(bytes(1, "m") + number(4, datatype) + value);
}

Schema schema(std::initializer_list<std::string_view> names) {
  Schema made;
  for (const std::string_view name : names)
    made.fields.push_back({std::string(name), sparkplug::find_column(name)->type});
  return made;
}
Decoded decode(std::initializer_list<std::string_view> names, const std::string& payload,
               const OptionMap& options = {}) {
  return DecodeFixture("sparkplug", schema(names), options).decode(payload);
}
const std::initializer_list<std::string_view> kNumbers = {"int_value", "double_value"};

TEST_CASE("a payload is a row per metric, with what the payload says in each") {
  const std::string payload = number(1, 1'767'592'800'000) +
                              metric(bytes(1, "a") + number(2, 7) + number(11, 5)) +
                              metric(number(2, 8) + number(3, 1'767'592'801'500) + number(7, 1)) +
                              number(3, 255) + bytes(4, "kind") + bytes(5, "\x01");
  const Decoded decoded = decode(
      {"metric_index", "metric", "alias", "ts", "payload_ts", "seq", "uuid", "body", "is_null"}, payload);
  CHECK(decoded.rows == Rows{"0|a|7|2026-01-05 06:00:00.000|2026-01-05 06:00:00.000|255|kind|\x01|FALSE",
                             "1|NULL|8|2026-01-05 06:00:01.500|2026-01-05 06:00:00.000|255|kind|\x01|TRUE"});
  CHECK(decoded.count.decoded == 1);
}

TEST_CASE("a payload without metrics is one row, an empty one none") {
  CHECK(decode({"metric_index", "metric", "ts", "seq", "int_value"}, number(1, 1000) + number(3, 4)).row() ==
        "0|NULL|1970-01-01 00:00:01.000|4|NULL");
  CHECK(decode({"metric"}, "").count.empty == 1);
  CHECK(decode({}, metric("") + metric("")).count.rows == 2);
}

TEST_CASE("a metric without any time has that at which its payload came in") {
  const Schema wanted = schema({"ts", "payload_ts"});
  SparkplugDecoder decoder({}, {.schema = wanted, .wanted = {0, 1}});
  const auto decode_times = [&](const std::string& text) {
    std::vector<ColumnBuilder> builders;
    for (const Type::Field& field : wanted.fields) builders.emplace_back(field.type);
    std::vector<ColumnBuilder*> columns{&builders[0], &builders[1]};
    std::vector<BadRecord> bad;
    REQUIRE(decoder.decode(text, columns, bad).rows == 1);
    std::string times;
    for (ColumnBuilder& builder : builders) append_text(*builder.finish(), 0, {}, times += "|");
    return times;
  };
  const std::string death = metric(bytes(1, "bdSeq") + number(4, 4) + number(11, 5));
  CHECK(decode_times(death) == "|NULL|NULL");
  decoder.received_at(1'500'999);
  CHECK(decode_times(death) == "|1970-01-01 00:00:01.500|NULL");
  CHECK(decode_times(number(1, 3000) + death) == "|1970-01-01 00:00:03.000|1970-01-01 00:00:03.000");
  CHECK(decode_times(metric(number(3, 7000))) == "|1970-01-01 00:00:07.000|NULL");
}

TEST_CASE("whole numbers are what their datatype says, sign-extended or not") {
  CHECK(decode(kNumbers, typed(1, number(10, 0xFFFFFFFF))).row() == "-1|-1.0");
  CHECK(decode(kNumbers, typed(1, number(10, 0xFF))).row() == "-1|-1.0");
  CHECK(decode(kNumbers, typed(2, number(10, 0x8000))).row() == "-32768|-32768.0");
  CHECK(decode(kNumbers, typed(3, number(10, 0xFFFFFFFE))).row() == "-2|-2.0");
  CHECK(decode(kNumbers, typed(4, number(11, ~0ULL))).row() == "-1|-1.0");
  CHECK(decode(kNumbers, typed(5, number(10, 200))).row() == "200|200.0");
  CHECK(decode(kNumbers, typed(7, number(10, 0xFFFFFFFF))).row() == "4294967295|4.294967295E9");
  CHECK(decode(kNumbers, typed(7, number(11, 0xFFFFFFFF))).row() == "4294967295|4.294967295E9");
  CHECK(decode(kNumbers, typed(8, number(11, ~0ULL))).row() == "NULL|1.8446744073709552E19");
  CHECK(decode(kNumbers, typed(13, number(11, 1000))).row() == "1000|1000.0");
}

TEST_CASE("without its datatype a number is what its bits are") {
  CHECK(decode(kNumbers, metric(number(2, 1) + number(10, 0xFFFFFFFF))).row() == "4294967295|4.294967295E9");
  CHECK(decode(kNumbers, metric(number(2, 1) + number(11, ~0ULL))).row() == "-1|-1.0");
}

TEST_CASE("each value has its column") {
  const std::initializer_list<std::string_view> names = {"datatype",      "int_value",    "double_value",
                                                         "boolean_value", "string_value", "bytes_value"};
  CHECK(decode(names, typed(9, real32(12, 1.5F))).row() == "Float|NULL|1.5|NULL|NULL|NULL");
  CHECK(decode(names, typed(10, real64(13, -2.5))).row() == "Double|NULL|-2.5|NULL|NULL|NULL");
  CHECK(decode(names, typed(11, number(14, 1))).row() == "Boolean|NULL|NULL|TRUE|NULL|NULL");
  CHECK(decode(names, typed(12, bytes(15, "ä"))).row() == "String|NULL|NULL|NULL|ä|NULL");
  CHECK(decode(names, typed(17, bytes(16, "xyz"))).row() == "Bytes|NULL|NULL|NULL|NULL|xyz");
  CHECK(decode(names, typed(24, bytes(16, "abcd"))).row() == "Int32Array|NULL|NULL|NULL|NULL|abcd");
  CHECK(decode(names, typed(99, "")).row() == "99|NULL|NULL|NULL|NULL|NULL");
  CHECK(decode(names, typed(3, number(10, 5) + number(7, 1))).row() == "Int32|NULL|NULL|NULL|NULL|NULL");
}

TEST_CASE("the last value counts, and what nobody knows is passed over") {
  CHECK(decode(kNumbers, typed(3, number(10, 5) + real64(13, 1.5))).row() == "NULL|1.5");
  CHECK(decode(kNumbers, typed(3, number(10, 5) + bytes(10, "x") + number(99, 1) + bytes(19, "ext"))).row() ==
        "5|5.0");
}

TEST_CASE("flags are FALSE unless they are set") {
  CHECK(decode({"is_historical", "is_transient", "is_null"}, metric(number(5, 1))).row() ==
        "TRUE|FALSE|FALSE");
  CHECK(decode({"is_historical", "is_transient", "is_null"}, metric(number(6, 1))).row() ==
        "FALSE|TRUE|FALSE");
}

TEST_CASE("bdSeq is in every row of its payload") {
  const std::string bd = metric(bytes(1, "bdSeq") + number(4, 4) + number(11, 42));
  CHECK(decode({"metric", "bd_seq"}, metric(bytes(1, "a")) + bd).rows == Rows{"a|42", "bdSeq|42"});
  CHECK(decode({"metric", "bd_seq"}, metric(bytes(1, "a"))).row() == "a|NULL");
}

TEST_CASE("a DataSet is JSON") {
  const auto cell = [](const std::string& value) { return bytes(1, value); };
  const std::string set = number(1, 2) + bytes(2, "n") + bytes(2, "te\"xt") + number(3, 1) + number(3, 12) +
                          bytes(4, cell(number(1, 255)) + cell(bytes(6, "x"))) +
                          bytes(4, cell(number(1, 1)) + cell(""));
  CHECK(decode({"string_value"}, typed(16, bytes(17, set))).row() ==
        R"({"columns":["n","te\"xt"],"types":["Int8","String"],"rows":[[-1,"x"],[1,null]]})");
  const std::string packed = bytes(2, "u") + bytes(3, "\x08") + bytes(4, cell(number(2, ~0ULL)));
  CHECK(decode({"string_value"}, typed(16, bytes(17, packed))).row() ==
        R"({"columns":["u"],"types":["UInt64"],"rows":[[18446744073709551615]]})");
}

TEST_CASE("a Template is JSON, with those inside it") {
  const std::string inner = bytes(4, "Inner") + bytes(2, bytes(1, "on") + number(4, 11) + number(14, 1));
  const std::string outer = bytes(1, "1.0") + bytes(4, "Pump") + number(5, 1) +
                            bytes(3, bytes(1, "size") + number(2, 3) + number(3, 0xFFFFFFFF)) +
                            bytes(2, bytes(1, "speed") + real32(12, NAN)) +
                            bytes(2, bytes(1, "raw") + bytes(16, "a")) +
                            bytes(2, bytes(1, "in") + bytes(18, inner));
  CHECK(decode({"string_value"}, typed(19, bytes(18, outer))).row() ==
        R"({"ref":"Pump","version":"1.0","definition":true,"parameters":{"size":-1},"metrics":{"speed":null,)"
        R"("raw":"YQ==","in":{"ref":"Inner","metrics":{"on":true}}}})");
}

TEST_CASE("properties are a JSON object") {
  const std::string set = bytes(1, "Quality") + bytes(1, "unit") + bytes(1, "in") + bytes(1, "list") +
                          bytes(1, "no") + bytes(2, number(1, 3) + number(3, 192)) +
                          bytes(2, number(1, 12) + bytes(8, "°C")) +
                          bytes(2, bytes(9, bytes(1, "k") + bytes(2, number(7, 1)))) +
                          bytes(2, bytes(10, bytes(1, "") + bytes(1, ""))) + bytes(2, number(2, 1));
  CHECK(decode({"properties"}, metric(bytes(9, set))).row() ==
        R"({"Quality":192,"unit":"°C","in":{"k":true},"list":[{},{}],"no":null})");
  CHECK(decode({"properties"}, metric("")).row() == "NULL");
  CHECK(decode({"properties"}, metric(bytes(9, bytes(1, "k")))).bad.size() == 1);
}

std::string nested(int depth, const std::string& innermost, int member, int value) {
  std::string made = innermost;
  for (int i = 0; i < depth; ++i) made = bytes(2, bytes(member, "t") + bytes(value, made));
  return made;
}

TEST_CASE("what is nested too deep is refused") {
  CHECK(decode({"string_value"}, typed(19, bytes(18, nested(16, "", 1, 18)))).count.rows == 1);
  CHECK(decode({"string_value"}, typed(19, bytes(18, nested(17, "", 1, 18)))).reason() ==
        "metric 0: its Template cannot be read: it breaks off, is no UTF-8, or goes too deep");
  std::string deep;
  for (int i = 0; i < 20; ++i) deep = bytes(1, "k") + bytes(2, bytes(9, deep));
  CHECK(decode({"properties"}, metric(bytes(9, deep))).bad.size() == 1);
  CHECK(decode({"metric"}, metric(bytes(9, deep))).count.rows == 1);
}

TEST_CASE("what is no payload is one bad record with a reason") {
  const auto reason = [](const std::string& payload) {
    return decode({"metric", "int_value"}, payload).reason();
  };
  CHECK(reason(R"({"online":true,"timestamp":1})") ==
        "not a payload of Sparkplug B: its bytes are no message of Protocol Buffers");
  CHECK(reason(metric("a") + metric(std::string("\x0a\x7f", 2))) == "metric 0: it breaks off");
  CHECK(reason(metric("") + metric(bytes(1, "\xff"))) == "metric 1: its name is invalid UTF-8");
  CHECK(reason(metric(bytes(15, "\xc3"))) == "metric 0: its value is invalid UTF-8");
  CHECK(reason(number(3, 256)) == "seq: expected 0 to 255, found 256");
  CHECK(reason(number(1, ~0ULL)) == "the timestamp 18446744073709551615 is behind the year 9999");
  CHECK(reason(metric(number(3, ~0ULL))) ==
        "metric 0: the timestamp 18446744073709551615 is behind the year 9999");
  CHECK(reason(bytes(4, "\xff")) == "uuid: invalid UTF-8");
}

TEST_CASE("a cut payload costs its row, and nothing of the rows before it") {
  const std::string whole =
      number(1, 1000) + typed(3, number(10, 5)) + typed(12, bytes(15, "text")) + number(3, 7);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    const Decoded decoded = decode({"metric", "int_value", "string_value"}, whole.substr(0, length));
    CHECK(decoded.records() == 1);
    CHECK(decoded.rows.size() == decoded.count.rows);
  }
}

TEST_CASE("a column that is NOT NULL refuses a payload that has nothing for it") {
  Schema wanted = schema({"metric", "alias"});
  wanted.fields[1].type = wanted.fields[1].type.with_nullable(false);
  DecodeFixture fixture("sparkplug", wanted);
  CHECK(fixture.decode(metric(number(2, 1))).row() == "NULL|1");
  CHECK(fixture.decode(metric(number(2, 1)) + metric(bytes(1, "a"))).reason() ==
        "metric 1: 'alias' is NOT NULL, but there is none");
}

TEST_CASE("metrics that cost their sender nothing are bounded") {
  std::string payload;
  for (int i = 0; i < 20'000; ++i) payload += std::string("\x12\x00", 2);
  const Decoded decoded = decode({"metric"}, payload);
  REQUIRE(decoded.bad.size() == 1);
  CHECK(decoded.bad[0].second == "more than 10000 rows, of too few bytes each");
}

// ---- Compressed ------------------------------------------------------------------------------------------

/// As Eclipse Tahu makes it, with what else the outer payload says; no algorithm: it is left out.
std::string packed(const std::string& body, const std::string& algorithm, const std::string& others = {}) {
  const std::string said =
      algorithm.empty() ? "" : metric(bytes(1, "algorithm") + number(4, 12) + bytes(15, algorithm));
  return others + said + bytes(4, "SPBV1.0_COMPRESSED") + bytes(5, body);
}
std::string squeezed(const std::string& payload, Compression compression) {
  return *compress(payload, compression);
}
const std::string kInner = number(1, 2000) +
                           metric(bytes(1, "name") + bytes(15, "a text beyond any inline one")) +
                           metric(number(2, 5) + bytes(15, "second")) + number(3, 7) + bytes(4, "own");

TEST_CASE("a compressed payload is the one in its body, by gzip or zlib") {
  const std::initializer_list<std::string_view> names = {"metric", "alias", "payload_ts",  "seq",
                                                         "uuid",   "body",  "string_value"};
  const Rows rows = {"name|NULL|1970-01-01 00:00:02.000|7|own|NULL|a text beyond any inline one",
                     "NULL|5|1970-01-01 00:00:02.000|7|own|NULL|second"};
  const std::string gzip = squeezed(kInner, Compression::kGzip);
  const std::string zlib = squeezed(kInner, Compression::kZlib);
  for (const std::string& payload : {packed(gzip, "GZIP"), packed(gzip, "gzip"), packed(zlib, "DEFLATE"),
                                     packed(zlib, ""), packed(gzip, "")}) {
    const Decoded decoded = decode(names, payload);
    CHECK(decoded.rows == rows);
    CHECK(decoded.count.decoded == 1);
  }
}

TEST_CASE("seq and timestamp of the outer payload count where the inner has none") {
  const std::string outer = number(1, 9000) + number(3, 200);
  const std::string bare = squeezed(metric(bytes(1, "m")), Compression::kZlib);
  CHECK(decode({"metric", "ts", "seq"}, packed(bare, "", outer)).row() == "m|1970-01-01 00:00:09.000|200");
  const std::string full = squeezed(number(1, 2000) + number(3, 0), Compression::kZlib);
  CHECK(decode({"metric", "ts", "seq"}, packed(full, "", outer)).row() == "NULL|1970-01-01 00:00:02.000|0");
}

TEST_CASE("texts of compressed payloads stay where the columns keep them") {
  const Schema wanted = schema({"string_value"});
  ColumnBuilder builder(Type::string());
  ColumnBuilder* const columns[] = {&builder};
  {
    SparkplugDecoder decoder({}, {.schema = wanted, .wanted = {0}});
    std::vector<BadRecord> bad;
    for (int i = 0; i < 3; ++i) {
      const std::string inner = typed(12, bytes(15, std::string(700'000, static_cast<char>('a' + i))));
      REQUIRE(decoder.decode(packed(squeezed(inner, Compression::kGzip), "GZIP"), columns, bad).rows == 1);
    }
  }
  const ColumnPtr column = builder.finish();
  for (int i = 0; i < 3; ++i)
    CHECK(column->strings()[static_cast<std::size_t>(i)] == std::string(700'000, static_cast<char>('a' + i)));
}

TEST_CASE("a compressed payload that cannot be read is one bad record with a reason") {
  const auto reason = [](const std::string& payload) { return decode({"metric"}, payload).reason(); };
  const std::string zlib = squeezed(kInner, Compression::kZlib);
  CHECK(reason(packed(zlib, "LZ4")) ==
        "the payload in its body: it is compressed neither by GZIP nor by DEFLATE, as its metric 'algorithm' "
        "says");
  CHECK(reason(packed(zlib, "GZIP")) == "the payload in its body: not gzip: incorrect header check");
  CHECK(reason(packed("", "")) == "the payload in its body: not zlib: it ends too early");
  for (std::size_t length = 0; length < zlib.size(); ++length)
    CHECK(reason(packed(zlib.substr(0, length), "DEFLATE")) ==
          "the payload in its body: not zlib: it ends too early");
  CHECK(reason(packed(squeezed(number(3, 256), Compression::kZlib), "")) ==
        "the payload in its body: seq: expected 0 to 255, found 256");
  CHECK(reason(packed(squeezed(packed(zlib, ""), Compression::kZlib), "")) ==
        "the payload in its body: it is compressed once more");
}

TEST_CASE("a compressed payload is bounded as the connector's are") {
  const std::string bomb =
      packed(squeezed(bytes(5, std::string(50U << 20, '\0')), Compression::kGzip), "GZIP");
  CHECK(decode({"metric"}, bomb).reason() ==
        "the payload in its body: decompressed, it has more than 1048576 bytes, which "
        "'payload.max-decompressed-size' allows");
  const std::string large =
      packed(squeezed(bytes(5, std::string(3U << 20, '\0')), Compression::kGzip), "GZIP");
  CHECK(decode({"seq"}, large, {{"payload.max-decompressed-size", "4 mb"}}).count.rows == 1);
  CHECK(decode({"seq"}, large, {{"sparkplug.ignore-parse-errors", "true"}}).count.skipped == 1);
}

TEST_CASE("a metric with neither name nor alias has an empty name") {
  CHECK(decode({"metric_index", "metric", "alias", "int_value"}, metric(number(10, 5))).row() == "0||NULL|5");
}

TEST_CASE("payloads that cannot be read may be left out") {
  const Decoded decoded = decode({"metric"}, "{", {{"sparkplug.ignore-parse-errors", "true"}});
  CHECK(decoded.bad.empty());
  CHECK(decoded.count.skipped == 1);
}

// ---- Tables ----------------------------------------------------------------------------------------------

enum class As : std::uint8_t { kRead, kWritten };
std::string wrong(Schema columns, As as) {
  std::vector<OptionError> errors;
  const Format& format = *find_format("sparkplug");
  format.validate({}, columns, errors);
  if (errors.empty()) (as == As::kRead ? format.validate_source : format.validate_sink)({}, columns, errors);
  return errors.empty() ? "" : errors[0].message;
}

TEST_CASE("columns are found by their names, with the types that they have") {
  CHECK(wrong(schema({"metric", "ts", "int_value"}), As::kRead).empty());
  CHECK(wrong({{{"ts", Type::timestamp_ltz(6)}}}, As::kRead).empty());
  CHECK(wrong({{{"ts", Type::timestamp(3)}}}, As::kRead) ==
        "format 'sparkplug': column 'ts' is TIMESTAMP_LTZ(3), not TIMESTAMP(3)");
  CHECK(wrong({{{"metrik", Type::string()}}}, As::kRead) ==
        "format 'sparkplug' has no column 'metrik' (did you mean 'metric'?)");
  CHECK(
      wrong({{{"temperature", Type::float64()}}}, As::kRead)
          .starts_with("format 'sparkplug' has no column 'temperature'; its columns are payload_ts, seq, "));
  CHECK(wrong({{{"group_id", Type::string()}}}, As::kRead)
            .starts_with("format 'sparkplug': 'group_id' is in the topic, not in the payload"));
}

TEST_CASE("a table that is written says which metric, when, and what") {
  Schema command = schema({"metric", "ts", "boolean_value"});
  command.fields.push_back({"group_id", Type::string()});
  CHECK(wrong(command, As::kWritten).empty());
  CHECK(wrong(schema({"ts", "int_value"}), As::kWritten) ==
        "format 'sparkplug' needs the column metric STRING, or alias BIGINT, for what it writes");
  CHECK(wrong(schema({"metric", "int_value"}), As::kWritten) ==
        "format 'sparkplug' needs the column ts TIMESTAMP_LTZ(3) for what it writes");
  CHECK(wrong(schema({"metric", "ts"}), As::kWritten)
            .starts_with("format 'sparkplug' needs a column for values"));
  CHECK(wrong(schema({"metric", "ts", "int_value", "bd_seq"}), As::kWritten) ==
        "format 'sparkplug' reads column 'bd_seq' only");
}

TEST_CASE("there are no payloads in files") {
  std::vector<OptionError> errors;
  check_in_files({{"format", "sparkplug"}}, errors);
  CHECK(errors.size() == 1);
}

// ---- Written ---------------------------------------------------------------------------------------------

Rows encode(std::initializer_list<std::string_view> names, const Value::List& row) {
  return EncodeFixture::encode("sparkplug", schema(names), {row});
}

TEST_CASE("a rebirth request is the payload that the specification asks for") {
  Schema command = schema({"metric", "ts", "boolean_value"});
  command.fields.push_back({"group_id", Type::string()});
  const Rows records =
      EncodeFixture::encode("sparkplug", command,
                            {{Value::string("Node Control/Rebirth"), Value::integer(1'500'999),
                              Value::boolean(true), Value::string("g")}});
  CHECK(records == Rows{number(1, 1500) + metric(bytes(1, "Node Control/Rebirth") + number(3, 1500) +
                                                 number(4, 11) + number(14, 1))});
}

TEST_CASE("what is written is read again") {
  const std::initializer_list<std::string_view> names = {"metric",       "alias",         "ts",
                                                         "datatype",     "is_historical", "is_null",
                                                         "int_value",    "double_value",  "boolean_value",
                                                         "string_value", "bytes_value",   "seq"};
  const auto there_and_back = [&](const std::string& datatype, const Value& whole, const Value& real,
                                  const Value& boolean, const Value& text, const Value& raw) {
    const Rows records =
        encode(names, {Value::string("m"), Value::integer(3), Value::integer(1'000'000),
                       datatype.empty() ? Value() : Value::string(datatype), Value::boolean(true),
                       Value::boolean(false), whole, real, boolean, text, raw, Value::integer(5)});
    REQUIRE(records.size() == 1);
    if (records[0].starts_with("bad: ")) return records[0];
    return decode({"datatype", "int_value", "double_value", "boolean_value", "string_value", "bytes_value"},
                  records[0])
        .row();
  };
  const Value none;
  const auto whole = [](std::int64_t value) { return Value::integer(value); };
  CHECK(there_and_back("Int8", whole(-128), none, none, none, none) == "Int8|-128|-128.0|NULL|NULL|NULL");
  CHECK(there_and_back("Int8", whole(128), none, none, none, none) == "bad: 128 is no Int8");
  CHECK(there_and_back("UInt32", whole(4294967295), none, none, none, none) ==
        "UInt32|4294967295|4.294967295E9|NULL|NULL|NULL");
  CHECK(there_and_back("UInt32", whole(-1), none, none, none, none) == "bad: -1 is no UInt32");
  CHECK(there_and_back("UInt64", whole(-1), none, none, none, none) == "bad: -1 is no UInt64");
  CHECK(there_and_back("", whole(-5), Value::float64(-5.0), none, none, none) ==
        "Int64|-5|-5.0|NULL|NULL|NULL");
  CHECK(there_and_back("Float", none, Value::float64(1.5), none, none, none) ==
        "Float|NULL|1.5|NULL|NULL|NULL");
  CHECK(there_and_back("Float", none, Value::float64(1e39), none, none, none) ==
        "bad: 1e+39 is beyond Float");
  CHECK(there_and_back("", none, Value::float64(1.25), none, none, none) ==
        "Double|NULL|1.25|NULL|NULL|NULL");
  CHECK(there_and_back("Text", none, none, none, Value::string("ä"), none) == "Text|NULL|NULL|NULL|ä|NULL");
  CHECK(there_and_back("", none, none, none, none, Value::string("xy")) == "Bytes|NULL|NULL|NULL|NULL|xy");
  CHECK(there_and_back("Int32", none, none, none, none, none) == "Int32|NULL|NULL|NULL|NULL|NULL");
  CHECK(there_and_back("Int33", none, none, none, none, none) == "bad: 'Int33' is no datatype of Sparkplug");
  CHECK(there_and_back("DataSet", none, none, none, Value::string("{}"), none) ==
        "bad: a DataSet cannot be written");
}

TEST_CASE("rows that are no metric are bad") {
  CHECK(encode({"metric", "ts", "int_value"}, {Value::string("m"), Value(), Value::integer(1)}) ==
        Rows{"bad: 'ts' is NULL, and a payload needs its time"});
  CHECK(encode({"metric", "ts", "int_value"}, {Value(), Value::integer(0), Value::integer(1)}) ==
        Rows{"bad: a metric needs its name in 'metric', or its 'alias'"});
  CHECK(encode({"metric", "ts", "seq", "int_value"},
               {Value::string("m"), Value::integer(0), Value::integer(256), Value::integer(1)}) ==
        Rows{"bad: seq: expected 0 to 255, found 256"});
}

}  // namespace
}  // namespace leat::formats
