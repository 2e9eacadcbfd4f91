// CBOR: the examples of RFC 8949 (appendix A) into columns, what fits no column, what is no CBOR.
#include <limits>

#include "format_fixture.h"
#include "pipelines/formats/cbor_reader.h"

namespace leat::formats {
namespace {

/// "a1 61 76 01" as bytes.
std::string bytes(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    if (hex[i] == ' ') ++i;
    out.push_back(static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return out;
}

Schema v(const Type& type) {
  return {{{"v", type}}};
}
Decoded decode(const Schema& schema, std::string_view hex, const OptionMap& options = {},
               Framing framing = Framing::kMessage) {
  return DecodeFixture("cbor", schema, options, framing).decode(bytes(hex));
}
/// The cell of {"v": …}.
std::string cell(const Type& type, const std::string& hex) {
  return decode(v(type), "a16176" + hex).row();
}
std::string reason(const Type& type, const std::string& hex) {
  return decode(v(type), "a16176" + hex).reason();
}
/// What {"v": …} is written as, behind its head and name.
std::string written(const Type& type, const Value& value, const OptionMap& options = {}) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : EncodeFixture::encode_cell("cbor", type, value, options).substr(3)) {
    hex.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

const Type kInt = Type::integer();
const Type kDouble = Type::float64();

TEST_CASE("integers of every width") {
  CHECK(cell(kInt, "00") == "0");
  CHECK(cell(Type::tiny_int(), "17") == "23");
  CHECK(cell(kInt, "1818") == "24");
  CHECK(cell(Type::small_int(), "1903e8") == "1000");
  CHECK(cell(kInt, "1a000f4240") == "1000000");
  CHECK(cell(Type::big_int(), "1b000000e8d4a51000") == "1000000000000");
  CHECK(cell(Type::decimal(20, 0), "1bffffffffffffffff") == "18446744073709551615");
  CHECK(cell(Type::decimal(19, 0), "3bffffffffffffffff") == "NULL");
  CHECK(cell(Type::decimal(21, 0), "3bffffffffffffffff") == "-18446744073709551616");
  CHECK(cell(kInt, "20") == "-1");
  CHECK(cell(kInt, "3863") == "-100");
  CHECK(cell(Type::big_int(), "3b7fffffffffffffff") == "-9223372036854775808");
  CHECK(cell(kDouble, "3903e7") == "-1000.0");
  CHECK(cell(Type::string(), "1903e8") == "1000");
  CHECK(cell(Type(TypeKind::kIntervalDayTime), "01") == cell(Type(TypeKind::kIntervalDayTime), "c24101"));
}

TEST_CASE("floats: half, single and double") {
  CHECK(cell(kDouble, "f93c00") == "1.0");
  CHECK(cell(kDouble, "f97bff") == "65504.0");
  CHECK(cell(kDouble, "f90001") == "5.960464477539063E-8");
  CHECK(cell(kDouble, "fa47c35000") == "100000.0");
  CHECK(cell(kDouble, "fb3ff199999999999a") == "1.1");
  CHECK(cell(Type::float32(), "fa7f7fffff") == "3.4028235E38");
  CHECK(cell(kDouble, "f97e00") == "NaN");
  CHECK(cell(kDouble, "f9fc00") == "-Infinity");
  CHECK(cell(kInt, "f93c00") == "1");
  CHECK(cell(Type::decimal(4, 2), "fb3ff199999999999a") == "1.10");
  CHECK(cell(Type::string(), "f93e00") == "1.5");
}

TEST_CASE("bignums and decimal fractions") {
  CHECK(cell(Type::decimal(38, 0), "c249010000000000000000") == "18446744073709551616");
  CHECK(cell(Type::decimal(38, 0), "c349010000000000000000") == "-18446744073709551617");
  CHECK(cell(Type::big_int(), "c2420102") == "258");
  CHECK(cell(Type::decimal(5, 2), "c48221196ab3") == "273.15");
  CHECK(cell(kDouble, "c48221196ab3") == "273.15");
  CHECK(cell(Type::decimal(38, 0), "c48202c2420102") == "25800");
  CHECK(cell(Type::string(), "c48221196ab3") == "27315e-2");
  CHECK(cell(Type::decimal(5, 2), "c49f21196ab3ff") == "273.15");
  CHECK(reason(kInt, "c48221196ab3") == "field 'v': expected INT, found an array");
  CHECK(reason(Type::decimal(38, 0), "c25820" + std::string(64, 'f')) ==
        "field 'v': expected DECIMAL(38, 0), found bytes");
  CHECK(cell(Type::decimal(5, 2), "c4821b7fffffffffffffff01") == "NULL");
}

TEST_CASE("texts and bytes, in one or in parts") {
  CHECK(cell(Type::string(), "6449455446") == "IETF");
  CHECK(cell(Type::string(), "62c3bc") == "ü");
  CHECK(cell(Type::string(), "7f657374726561646d696e67ff") == "streaming");
  CHECK(cell(Type::string(), "f5") == "true");
  CHECK(cell(Type::bytes(), "4401020304") == cell(Type::bytes(), "5f420102420304ff"));
  CHECK(cell(kInt, "623137") == "17");
  CHECK(cell(Type::boolean(), "f4") == "FALSE");
  CHECK(reason(Type::string(), "4401020304") == "field 'v': expected STRING, found bytes");
  CHECK(reason(Type::string(), "61ff") == "field 'v': invalid UTF-8");
  CHECK(reason(Type::bytes(), "6161") == "field 'v': expected BYTES, found \"a\"");
  CHECK(reason(Type::boolean(), "01") == "field 'v': expected BOOLEAN, found 1");
}

TEST_CASE("times by their tags, and as plain texts") {
  const Type ltz = Type::timestamp_ltz(3);
  CHECK(cell(ltz, "c074323031332d30332d32315432303a30343a30305a") == "2013-03-21 20:04:00.000");
  CHECK(cell(ltz, "c11a514b67b0") == "2013-03-21 20:04:00.000");
  CHECK(cell(Type::timestamp(6), "c1fb41d452d9ec200000") == "2013-03-21 20:04:00.500000");
  CHECK(cell(ltz, "c120") == "1969-12-31 23:59:59.000");
  // 2013-03-21T22:04:00.25+02:00 and 2013-03-21 20:04:00
  CHECK(cell(ltz, "c0781c323031332d30332d32315432323a30343a30302e32352b30323a3030") ==
        "2013-03-21 20:04:00.250");
  CHECK(cell(Type::timestamp(0), "73323031332d30332d32312032303a30343a3030") == "2013-03-21 20:04:00");
  CHECK(cell(Type::date(), "d864190001") == "1970-01-02");
  CHECK(cell(Type::date(), "d86420") == "1969-12-31");
  CHECK(cell(Type::date(), "d903ec6a323031332d30332d3231") == "2013-03-21");
  CHECK(cell(Type::time(0), "6830313a30323a3033") == "01:02:03");
  CHECK(reason(ltz, "1a514b67b0") == "field 'v': expected TIMESTAMP_LTZ(3), found 1363896240");
  CHECK(reason(ltz, "c11bffffffffffffffff").starts_with("field 'v': expected TIMESTAMP_LTZ(3)"));
  CHECK(reason(ltz, "c1f97e00") == "field 'v': expected TIMESTAMP_LTZ(3), found NaN");
  CHECK(reason(ltz, "c06161") == "field 'v': expected TIMESTAMP_LTZ(3), found \"a\"");
  CHECK(reason(Type::date(), "d8641b00000000ffffffff").starts_with("field 'v': expected DATE"));
}

TEST_CASE("nested values") {
  const Type list = Type::array(kInt);
  CHECK(cell(list, "83010203") == "[1, 2, 3]");
  CHECK(cell(list, "9f01f6f703ff") == "[1, NULL, NULL, 3]");
  CHECK(cell(Type::array(list), "828101820203") == "[[1], [2, 3]]");
  CHECK(cell(Type::map(Type::string(), kInt), "a3616101616202616103") == "{b=2, a=3}");
  CHECK(cell(Type::map(kInt, Type::string()), "bf01616120616bff") == "{1=a, -1=k}");
  const Type row = Type::row({{"a", kInt}, {"n", Type::row({{"s", Type::string()}})}});
  CHECK(cell(row, "a3617801616ea1617361786161182a") == "(42, (x))");
  CHECK(cell(row, "bf6161187bff") == "(123, NULL)");
  CHECK(reason(row, "a1616e05") == "field 'v.n': expected ROW<`s` STRING>, found 5");
  CHECK(reason(Type::row({{"a", Type::row({{"b", kInt}})}}), "a16161a1616261 78") ==
        "field 'v.a.b': expected INT, found \"x\"");
  CHECK(reason(list, "01") == "field 'v': expected ARRAY<INT>, found 1");
  CHECK(reason(row, "80") == "field 'v': expected ROW<`a` INT, `n` ROW<`s` STRING>>, found an array");
}

TEST_CASE("members: the last of equal names counts, others and keys of other kinds are passed over") {
  CHECK(decode(v(kInt), "a3617601617702617603").row() == "3");
  CHECK(decode(v(kInt), "a401020a820102 4161 f5 617607").row() == "7");
  CHECK(decode(v(kInt), "bf7f6176ff05ff").row() == "5");
  CHECK(decode(v(kInt), "a0").row() == "NULL");
  CHECK(decode(v(kInt), "d9d9f7a1617601").row() == "1");
  CHECK(decode(v(kInt), "a0", {{"cbor.fail-on-missing-field", "true"}}).reason() ==
        "field 'v': expected INT, found no such field");
  CHECK(decode(v(kInt.with_nullable(false)), "a16176f6").reason() ==
        "field 'v': expected INT NOT NULL, found null");
  const OptionMap ignore{{"cbor.ignore-parse-errors", "true"}};
  CHECK(decode({{{"v", kInt}, {"w", kInt}}}, "a2617682010261 7701", ignore).row() == "NULL|1");
  CHECK(decode(v(kInt), "a1", ignore).count.skipped == 1);
}

TEST_CASE("an array of maps gives a row of each, or none") {
  CHECK(decode(v(kInt), "82a1617601a1617602").rows == std::vector<std::string>{"1", "2"});
  CHECK(decode(v(kInt), "9fa1617601ff").rows == std::vector<std::string>{"1"});
  CHECK(decode(v(kInt), "80").count.decoded == 1);
  CHECK(decode(v(kInt), "82a161760105").reason() == "expected a map, found 5");
  CHECK(decode(v(kInt), "").count.empty == 1);
}

TEST_CASE("what is no CBOR says so") {
  const auto why = [](std::string_view hex) { return decode(v(kInt), hex).reason(); };
  CHECK(why("a1") == "not CBOR: the item ends too early");
  CHECK(why("a1617619") == "not CBOR: the item ends too early");
  CHECK(why("a161771bff") == "not CBOR: the item ends too early");
  CHECK(why("1c") == "not CBOR at byte 0");
  CHECK(why("a161771c") == "not CBOR at byte 3");
  CHECK(why("a16177ff") == "not CBOR at byte 4");
  CHECK(why("a161775f6161ff") == "not CBOR at byte 6");
  CHECK(why("a16176017f") == "1 bytes behind the item");
  CHECK(why("05") == "expected a map, found 5");
  CHECK(why("ff") != "");
  CHECK(why("bb7fffffffffffffff") == "not CBOR: the item ends too early");
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "81";
  CHECK(why("a16177" + deep).starts_with("not CBOR at byte"));
  std::string tags;
  for (int i = 0; i < 200; ++i) tags += "c1";
  CHECK(why("a16177" + tags + "01").starts_with("not CBOR at byte"));
  CHECK(why("a16176" + tags + "01").find("more tags") != std::string::npos);
}

TEST_CASE("in files, items follow each other") {
  const Decoded decoded = decode(v(kInt), "a1617601 a16176 6178 a1617602 1c a1617603", {}, Framing::kLines);
  CHECK(decoded.rows == std::vector<std::string>{"1", "2"});
  REQUIRE(decoded.bad.size() == 2);
  CHECK(decoded.bad[1].first.size() == 5);
  const auto split = *find_format("cbor")->make_splitter({});
  CHECK(split(bytes("a1617601a161"), Behind::kMore) == 4);
  CHECK(split(bytes("a161"), Behind::kMore) == 0);
  CHECK(split(bytes("1ca161"), Behind::kMore) == 3);
  CHECK(split(bytes("a161"), Behind::kNothing) == 2);
}

TEST_CASE("only the wanted columns are read") {
  DecodeRequest request{.schema = {{{"a", kInt}, {"b", kInt}}}, .wanted = {1}};
  CHECK(DecodeFixture("cbor", request).decode(bytes("a261616178616202")).row() == "2");
}

TEST_CASE("values are written as the standard prefers them") {
  CHECK(written(kInt, Value::integer(23)) == "17");
  CHECK(written(kInt, Value::integer(-100)) == "3863");
  CHECK(written(Type::big_int(), Value::integer(std::numeric_limits<std::int64_t>::min())) ==
        "3b7fffffffffffffff");
  CHECK(written(kDouble, Value::float64(1.1)) == "fb3ff199999999999a");
  CHECK(written(Type::float32(), Value::float64(100000)) == "fa47c35000");
  CHECK(written(Type::boolean(), Value::boolean(true)) == "f5");
  CHECK(written(Type::decimal(5, 2), Value::decimal(27315)) == "c48221196ab3");
  CHECK(written(Type::decimal(38, 0), Value::decimal(Int128(1) << 64)) == "c48200c249010000000000000000");
  CHECK(written(Type::string(), Value::string("IETF")) == "6449455446");
  CHECK(written(Type::bytes(), Value::string("\1\2")) == "420102");
  CHECK(written(Type::date(), Value::integer(-1)) == "d86420");
  CHECK(written(Type::timestamp_ltz(0), Value::integer(1'363'896'240'000'000)) == "c11a514b67b0");
  CHECK(written(Type::timestamp(3), Value::integer(1'363'896'240'500'000)) == "c1fb41d452d9ec200000");
  const OptionMap text{{"cbor.timestamp-format", "text"}};
  CHECK(written(Type::timestamp_ltz(0), Value::integer(1'363'896'240'000'000), text) ==
        "c074323031332d30332d32315432303a30343a30305a");
  CHECK(written(Type::date(), Value::integer(15785), text) == "d903ec6a323031332d30332d3231");
  CHECK(written(kInt, Value::null()) == "f6");
  CHECK(EncodeFixture::encode("cbor", v(kInt), {{Value::null()}},
                              {{"cbor.encode.ignore-null-fields", "true"}})[0] == bytes("a0"));
}

TEST_CASE("what is written is read again") {
  const Schema schema{
      {{"i8", Type::tiny_int()},
       {"dec", Type::decimal(38, 10)},
       {"s", Type::string()},
       {"y", Type::bytes()},
       {"f", Type::float32()},
       {"t", Type::time(0)},
       {"ts", Type::timestamp(6)},
       {"ltz", Type::timestamp_ltz(6)},
       {"day", Type::date()},
       {"r", Type::row({{"a", Type::array(kDouble)}, {"m", Type::map(kInt, Type::string())}})},
       {"n", Type::multiset(Type::string())}}};
  const Value::List row{Value::integer(-128),
                        Value::decimal(-(Int128(1) << 100)),
                        Value::string("ü😀\n"),
                        Value::string(std::string("\0\xff", 2)),
                        Value::float64(0.1F),
                        Value::integer(86'399'000'000),
                        Value::integer(-1),
                        Value::integer(1'795'338'000'123'456),
                        Value::integer(-719162),
                        Value::list({Value::list({Value::float64(-0.0), Value::null()}),
                                     Value::list({Value::integer(-7), Value::string("x")})}),
                        Value::list({Value::string("k"), Value::integer(2)})};
  std::string expected;
  for (std::size_t c = 0; c < schema.size(); ++c) {
    if (c > 0) expected += "|";
    append_text(*Column::constant(schema.fields[c].type, row[c], 1), 0, {}, expected);
  }
  for (const char* times : {"epoch", "text"}) {
    const OptionMap options{{"cbor.timestamp-format", times}};
    const auto records = EncodeFixture::encode("cbor", schema, {row, Value::List(schema.size())}, options);
    DecodeFixture decoder("cbor", schema, options, Framing::kLines);
    const Decoded decoded = decoder.decode(records[0] + records[1]);
    REQUIRE(decoded.rows.size() == 2);
    CHECK(decoded.rows[0] == expected);
    for (std::size_t length = 1; length < records[0].size(); ++length)
      CHECK(DecodeFixture("cbor", schema).decode(records[0].substr(0, length)).bad.size() == 1);
  }
}

TEST_CASE("options that contradict each other are refused") {
  std::vector<OptionError> errors;
  find_format("cbor")->validate(
      {{"cbor.fail-on-missing-field", "true"}, {"cbor.ignore-parse-errors", "true"}}, {}, errors);
  CHECK(errors.size() == 1);
}

}  // namespace
}  // namespace leat::formats
