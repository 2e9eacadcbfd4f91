// Line protocol: every type, every escape, what is no line, and where lines end.
#include <fmt/format.h>

#include <limits>

#include "format_fixture.h"
#include "pipelines/formats/influx_line.h"

namespace leat::formats {
namespace {

const Schema kWeather{{{"site", Type::string()},
                       {"temperature", Type::float64()},
                       {"ts", Type::timestamp_ltz(6)},
                       {"m", Type::string()}}};
const OptionMap kPlaces{{"influx.timestamp-column", "ts"}, {"influx.measurement-column", "m"}};

Decoded decode(const Schema& schema, const std::string& text, const OptionMap& options = {},
               Framing framing = Framing::kMessage) {
  return DecodeFixture("influx", schema, options, framing).decode(text);
}

/// The cell of field or tag `v` of a line, in a column of the type.
std::string cell(const Type& type, const std::string& value) {
  return decode({{{"v", type}}}, "m v=" + value).row();
}
std::string tag(const Type& type, const std::string& value) {
  return decode({{{"v", type}}}, "m,v=" + value + " f=1").row();
}
std::string reason(const Schema& schema, const std::string& line, const OptionMap& options = {}) {
  return decode(schema, line, options).reason();
}

std::vector<std::string> wrong(const Schema& schema, const OptionMap& options, bool sink = false) {
  std::vector<OptionError> errors;
  const Format* const format = find_format("influx");
  (sink ? format->validate_sink : format->validate)(options, schema, errors);
  std::vector<std::string> messages;
  for (const OptionError& error : errors) messages.push_back(error.message);
  return messages;
}

TEST_CASE("tags, fields, measurement and timestamp become columns by their names") {
  CHECK(decode(kWeather, "weather,site=roof,unit=C temperature=21.5,wind=3i 1700000000000000000", kPlaces)
            .row() == "roof|21.5|2023-11-14 22:13:20.000000|weather");
  CHECK(decode(kWeather, "weather temperature=1", kPlaces).row() == "NULL|1.0|NULL|weather");
}

TEST_CASE("a payload has many lines; a bad one costs no other, comments and blank lines are empty") {
  const Decoded decoded =
      decode({{{"a", Type::integer()}}}, "m a=1i\n# comment\n\nm a=\nm a=2i\r\n  \nm a=3i");
  CHECK(decoded.rows == std::vector<std::string>{"1", "2", "3"});
  CHECK(decoded.count.decoded == 3);
  CHECK(decoded.count.empty == 3);
  REQUIRE(decoded.bad.size() == 1);
  CHECK(decoded.bad[0].first == "m a=");
  CHECK(decoded.records() == 7);
  CHECK(decode({{{"a", Type::integer()}}}, "").count.empty == 1);
}

TEST_CASE("numbers of every type into every type that holds them") {
  CHECK(cell(Type::float64(), "1.5e3") == "1500.0");
  CHECK(cell(Type::float64(), "-.5") == "-0.5");
  CHECK(cell(Type::float64(), "5.") == "5.0");
  CHECK(cell(Type::float64(), "7i") == "7.0");
  CHECK(cell(Type::float32(), "0.1") == "0.1");
  CHECK(cell(Type::tiny_int(), "-128i") == "-128");
  CHECK(cell(Type::small_int(), "5u") == "5");
  CHECK(cell(Type::big_int(), "-9223372036854775808i") == "-9223372036854775808");
  CHECK(cell(Type::integer(), "3.0") == "3");
  CHECK(cell(Type::decimal(20, 0), "18446744073709551615u") == "18446744073709551615");
  CHECK(cell(Type::decimal(10, 2), "1.255") == "1.26");
  CHECK(cell(Type::string(), "1.50") == "1.50");
  CHECK(cell(Type::string(), "5i") == "5");
}

TEST_CASE("booleans in all spellings") {
  for (const char* yes : {"t", "T", "true", "True", "TRUE"}) CHECK(cell(Type::boolean(), yes) == "TRUE");
  for (const char* no : {"f", "F", "false", "False", "FALSE"}) CHECK(cell(Type::boolean(), no) == "FALSE");
  CHECK(tag(Type::boolean(), "True") == "TRUE");
  CHECK(reason({{{"v", Type::boolean()}}}, "m v=tRUE") ==
        "not line protocol at byte 4: neither a number, a boolean nor a text in quotes");
  CHECK(reason({{{"v", Type::boolean()}}}, "m v=1") == "'v': expected BOOLEAN, found 1");
}

TEST_CASE("texts and tags into other types, as they are written") {
  CHECK(cell(Type::timestamp(3), "\"2026-01-05 06:00:00.123\"") == "2026-01-05 06:00:00.123");
  CHECK(cell(Type::timestamp_ltz(0), "\"2026-01-05 06:00:00Z\"") == "2026-01-05 06:00:00");
  CHECK(cell(Type::date(), "\"2026-01-05\"") == "2026-01-05");
  CHECK(cell(Type::time(0), "\"06:00:01\"") == "06:00:01");
  CHECK(tag(Type::integer(), "17") == "17");
  CHECK(tag(Type::float64(), "1.5") == "1.5");
  CHECK(reason({{{"v", Type::integer()}}}, "m,v=x f=1") == "'v': expected INT, found \"x\"");
}

TEST_CASE("what does not fit its column is a bad line, or NULL where errors are ignored") {
  CHECK(reason({{{"v", Type::tiny_int()}}}, "m v=128i") == "'v': expected TINYINT, found 128");
  CHECK(reason({{{"v", Type::integer()}}}, "m v=1.5") == "'v': expected INT, found 1.5");
  CHECK(reason({{{"v", Type::big_int()}}}, "m v=9223372036854775808u") ==
        "'v': expected BIGINT, found 9223372036854775808");
  CHECK(reason({{{"v", Type::big_int()}}}, "m v=1e300") == "'v': expected BIGINT, found 1e300");
  CHECK(reason({{{"v", Type::float64()}}}, "m v=t") == "'v': expected DOUBLE, found t");
  CHECK(reason({{{"v", Type::integer().with_nullable(false)}}}, "m w=1") ==
        "'v': expected INT NOT NULL, found none");
  const Decoded ignored =
      decode({{{"v", Type::integer()}}}, "m v=1.5\nm v=\nm v=2i", {{"influx.ignore-parse-errors", "true"}});
  CHECK(ignored.rows == std::vector<std::string>{"NULL", "2"});
  CHECK(ignored.count.skipped == 1);
}

TEST_CASE("escapes in the measurement, in keys, tags and texts; other backslashes are themselves") {
  const Schema schema{
      {{"m", Type::string()}, {"a, =", Type::string()}, {"f =", Type::string()}, {"t", Type::string()}}};
  const OptionMap options{{"influx.measurement-column", "m"}};
  CHECK(decode(schema, R"(a\,b\ c\=d=e,a\,\ \==x\ \,\=\y,t=c:\dir f\ \=="q\"u\\o\t,= " 1)", options).row() ==
        R"(a,b c\=d=e|x ,=\y|q"u\o\t,= |c:\dir)");
}

TEST_CASE("a text runs over ends of lines, in messages and in files") {
  const Schema schema{{{"s", Type::string()}, {"n", Type::integer()}}};
  const std::string text = "m s=\"one\ntwo\",n=1i\nm s=\"x\\\"\n\",n=2i 5\n";
  const std::vector<std::string> rows{"one\ntwo|1", "x\"\n|2"};
  CHECK(decode(schema, text).rows == rows);
  CHECK(decode(schema, text, {}, Framing::kLines).rows == rows);
}

TEST_CASE("a text that is never closed costs its own line only") {
  const Schema schema{{{"n", Type::integer()}}};
  const Decoded decoded = decode(schema, "m n=1i\nm s=\"open,n=2i\nm n=3i\nm s=\"x\"y,n=4i\nm n=5i");
  CHECK(decoded.rows == std::vector<std::string>{"1", "3", "5"});
  REQUIRE(decoded.bad.size() == 2);
  CHECK(decoded.bad[0].second == "not line protocol at byte 4: a text without its closing quote");
  CHECK(decoded.bad[1].second == "not line protocol at byte 7: neither a comma nor a blank behind a field");
}

TEST_CASE("a text runs over a hundred lines, and no more") {
  const Schema schema{{{"s", Type::string()}}};
  const auto text_of = [](std::size_t ends) {
    return "m s=\"" + std::string(ends, '\n') + "\"\nm s=\"x\"\n";
  };
  CHECK(decode(schema, text_of(99)).rows.size() == 2);
  const Decoded longer = decode(schema, text_of(100));
  CHECK(longer.rows == std::vector<std::string>{"x"});
  CHECK(longer.bad.size() == 2);
}

TEST_CASE("what is no line says where") {
  const Schema schema{{{"a", Type::float64()}}};
  const auto why = [&](const std::string& line) {
    const std::string text = reason(schema, line);
    return text.substr(text.find(':') + 2);
  };
  CHECK(why("m") == "no field behind the tags");
  CHECK(why("m ") == "a field without a key or '='");
  CHECK(why(",t=1 a=1") == "no measurement");
  CHECK(why("m,t a=1") == "a tag without a key or '='");
  CHECK(why("m,=1 a=1") == "a tag without a key or '='");
  CHECK(why("m,t= a=1") == "a tag without a value");
  CHECK(why("m,t=a=b a=1") == "'=' in a tag without a backslash before it");
  CHECK(why("m,t=1") == "no field behind the tags");
  CHECK(why("m a") == "a field without a key or '='");
  CHECK(why("m a=1,") == "a field without a key or '='");
  CHECK(why("m a=1 2 3") == "something behind the timestamp");
  CHECK(why("m a=1 1.5") == "a timestamp that is no integer");
  for (const char* value : {"NaN", "-", "1e", "--1", "+1", "1.5i", "-1u", "i", "0x10", ".", "tr", "1_0", ""})
    CHECK(why(fmt::format("m a={}", value)) == "neither a number, a boolean nor a text in quotes");
  CHECK(reason(schema, "m a=\"\xff\"") == "invalid UTF-8");
  CHECK(decode(schema, "m a=1\nm b=\"\xff\"\nm a=2").rows == std::vector<std::string>{"1.0", "2.0"});
}

TEST_CASE("the last of several equal keys wins, and a field goes before a tag of its name") {
  CHECK(cell(Type::integer(), "1i,v=2i") == "2");
  const Schema schema{{{"v", Type::string()}}};
  CHECK(decode(schema, "m,v=tag v=\"field\"").row() == "field");
  CHECK(decode(schema, "m,v=tag v=\"field\"", {{"influx.tags", "v"}}).row() == "tag");
  CHECK(decode(schema, "m v=\"field\"", {{"influx.tags", "v"}}).row() == "NULL");
}

TEST_CASE("timestamps by their unit, cut to the column's digits") {
  const auto at = [](const Type& type, const std::string& digits, const std::string& unit) {
    const OptionMap options{{"influx.timestamp-column", "ts"}, {"influx.precision", unit}};
    return decode({{{"ts", type}}}, "m f=1 " + digits, options);
  };
  CHECK(at(Type::timestamp(6), "1700000000123456789", "ns").row() == "2023-11-14 22:13:20.123456");
  CHECK(at(Type::timestamp(3), "1700000000123456", "us").row() == "2023-11-14 22:13:20.123");
  CHECK(at(Type::timestamp_ltz(3), "1700000000123", "ms").row() == "2023-11-14 22:13:20.123");
  CHECK(at(Type::timestamp(0), "1700000000", "s").row() == "2023-11-14 22:13:20");
  CHECK(at(Type::timestamp(6), "-1", "ns").row() == "1969-12-31 23:59:59.999999");
  CHECK(at(Type::big_int(), "-5", "ns").row() == "-5");
  CHECK(at(Type::timestamp(0), "9223372036854775807", "s").reason() ==
        "the timestamp: expected TIMESTAMP(0), found 9223372036854775807");
  CHECK(at(Type::timestamp(3), "-9223372036854775808", "us").reason() ==
        "the timestamp: expected TIMESTAMP(3), found -9223372036854775808");
  CHECK(at(Type::big_int(), "9223372036854775808", "ns").bad.size() == 1);
}

TEST_CASE("lines of other measurements give no rows") {
  const Decoded decoded =
      decode({{{"v", Type::integer()}}}, "cpu v=1i\nmem v=2i\ncp\\ u v=3i", {{"influx.measurement", "cp u"}});
  CHECK(decoded.rows == std::vector<std::string>{"3"});
  CHECK(decoded.count.decoded == 3);
}

TEST_CASE("only the wanted columns are read") {
  DecodeRequest request{.schema = {{{"a", Type::integer()}, {"b", Type::integer()}}}, .wanted = {1}};
  CHECK(DecodeFixture("influx", request).decode("m a=\"no integer\",b=2i").row() == "2");
  CHECK(DecodeFixture("influx", request).decode("m a=junk,b=2i").bad.size() == 1);
}

TEST_CASE("lines end where their texts let them") {
  const auto whole = [](std::string_view text) { return whole_influx_lines(text, Behind::kMore); };
  CHECK(whole("m a=1\nm a=2") == 6);
  CHECK(whole("m a=\"x\ny\"\nm a=\"") == 10);
  CHECK(whole("m a=\"x") == 0);
  CHECK(whole("m,t=\"a b=\"c\n") == 0);  // The quote of the tag is no text's.
  CHECK(whole("# \"comment\nm a=1\n") == 17);
  CHECK(whole("m a=\"x\"y\nm a=1\n") == 15);  // A broken text waits for nothing.
  const std::string too_long = "m a=\"" + std::string(1U << 20, 'x') + "\nm a=1\n";
  CHECK(whole(too_long) == too_long.size());
  CHECK(whole("m a=\"\n" + std::string(1U << 20, 'x')) == 6);
  CHECK(whole_influx_lines("m a=\"x", Behind::kNothing) == 6);
}

// ---- Written ---------------------------------------------------------------------------------------------

const OptionMap kWritten{
    {"influx.measurement-column", "m"}, {"influx.tags", "site"}, {"influx.timestamp-column", "ts"}};

TEST_CASE("rows become lines: NULLs are left out, integers have their i") {
  const Schema schema{{{"m", Type::string()},
                       {"ts", Type::timestamp(3)},
                       {"n", Type::integer()},
                       {"site", Type::string()},
                       {"on", Type::boolean()},
                       {"d", Type::decimal(10, 2)},
                       {"s", Type::string()},
                       {"day", Type::date()}}};
  const Value null = Value::null();
  const auto lines = EncodeFixture::encode(
      "influx", schema,
      {{Value::string("a, b="), Value::integer(1500), Value::integer(-7), Value::string("x =,y"),
        Value::boolean(true), Value::decimal(-150), Value::string("q\"\\\n"), Value::integer(0)},
       {Value::string("m"), null, null, null, Value::boolean(false), null, null, null},
       {Value::string("m"), null, null, Value::string(""), null, null, Value::string(""), null}},
      kWritten);
  CHECK(lines ==
        std::vector<std::string>{
            "a\\,\\ b=,site=x\\ \\=\\,y n=-7i,on=true,d=-1.50,s=\"q\\\"\\\\\n\",day=\"1970-01-01\" 1500000",
            "m on=false", "m s=\"\""});
}

TEST_CASE("timestamps are written by their unit") {
  const auto line = [](const Type& type, std::int64_t value, const std::string& unit) {
    return EncodeFixture::encode(
        "influx", {{{"ts", type}, {"f", Type::integer()}}}, {{Value::integer(value), Value::integer(1)}},
        {{"influx.measurement", "m"}, {"influx.timestamp-column", "ts"}, {"influx.precision", unit}})[0];
  };
  CHECK(line(Type::timestamp(6), -1, "ns") == "m f=1i -1000");
  CHECK(line(Type::timestamp_ltz(6), 1'999'999, "us") == "m f=1i 1999999");
  CHECK(line(Type::timestamp(6), -1, "ms") == "m f=1i -1");
  CHECK(line(Type::timestamp(6), 1'999'999, "s") == "m f=1i 1");
  CHECK(line(Type::big_int(), 42, "s") == "m f=1i 42");
  CHECK(line(Type::timestamp(6), std::numeric_limits<std::int64_t>::max(), "ns") ==
        "bad: the timestamp is out of the range of nanoseconds");
}

TEST_CASE("what no line can hold is a bad row with its reason") {
  const auto bad = [](const char* measurement, const Value& site, const Value& field) {
    return EncodeFixture::encode("influx",
                                 {{{"m", Type::string()}, {"site", Type::string()}, {"f", Type::float64()}}},
                                 {{Value::string(measurement), site, field}},
                                 {{"influx.measurement-column", "m"}, {"influx.tags", "site"}})[0];
  };
  const Value one = Value::float64(1);
  CHECK(bad("m", Value::null(), Value::null()) == "bad: a line needs a field, and all of the row's are NULL");
  CHECK(bad("", Value::null(), one) == "bad: a line needs a measurement, and the row has none");
  CHECK(bad("#m", Value::null(), one) == "bad: a measurement that begins with '#' would be a comment");
  CHECK(bad("a\nb", Value::null(), one) == "bad: the measurement: only fields can have ends of lines");
  CHECK(bad("m", Value::string("C:\\"), one) ==
        "bad: tag 'site': a backslash at the end would take the meaning of what follows");
  CHECK(bad("m", Value::null(), Value::float64(std::numeric_limits<double>::quiet_NaN())) ==
        "bad: field 'f': line protocol has neither NaN nor infinite numbers");
}

TEST_CASE("what is written is read again") {
  const Schema schema{{{"m", Type::string()},
                       {"ts", Type::timestamp_ltz(6)},
                       {"site", Type::string()},
                       {"i8", Type::tiny_int()},
                       {"i64", Type::big_int()},
                       {"f", Type::float32()},
                       {"d", Type::float64()},
                       {"dec", Type::decimal(38, 10)},
                       {"s", Type::string()},
                       {"y", Type::bytes()},
                       {"t", Type::time(0)},
                       {"at", Type::timestamp(6)}}};
  const Value::List row{Value::string("a\\,b \\=c"),
                        Value::integer(-1),
                        Value::string("\\ \\\\, =x"),
                        Value::integer(-128),
                        Value::integer(std::numeric_limits<std::int64_t>::min()),
                        Value::float64(0.1F),
                        Value::float64(-1.7976931348623157e308),
                        Value::decimal(Int128(7) * 1000000000),
                        Value::string("a,\"\\ü😀; \t\r\n\\"),
                        Value::string(std::string("\0\xff,", 3)),
                        Value::integer(86'399'000'000),
                        Value::integer(1'795'338'000'123'456)};
  const auto lines = EncodeFixture::encode("influx", schema, {row}, kWritten);
  std::string expected;
  for (std::size_t c = 0; c < schema.size(); ++c) {
    if (c > 0) expected += "|";
    append_text(*Column::constant(schema.fields[c].type, row[c], 1), 0, {}, expected);
  }
  CHECK(decode(schema, lines.at(0) + "\n", kWritten, Framing::kLines).row() == expected);
}

TEST_CASE("options that do not fit the table are refused") {
  CHECK(wrong(kWeather, {{"influx.tags", "side"}}) ==
        std::vector<std::string>{"'influx.tags': the table has no column 'side' (did you mean 'site'?)"});
  CHECK(wrong(kWeather, {{"influx.measurement-column", "temperature"}}) ==
        std::vector<std::string>{"column 'temperature' is DOUBLE, but a measurement is a text"});
  CHECK(wrong(kWeather, {{"influx.timestamp-column", "m"}}) ==
        std::vector<std::string>{
            "column 'm' is STRING, but the timestamp is a TIMESTAMP, a TIMESTAMP_LTZ or a BIGINT"});
  CHECK(wrong(kWeather, {{"influx.measurement-column", "m"}, {"influx.tags", "site;m"}}) ==
        std::vector<std::string>{"'influx.tags': column 'm' has a place in the line already"});
  CHECK(wrong({{{"a", Type::array(Type::integer())}}}, {}) ==
        std::vector<std::string>{
            "format 'influx' cannot hold column 'a' of type ARRAY<INT>: tags and fields are scalars"});
  CHECK(wrong(kWeather, {{"influx.precision", "m"}}).size() == 1);
  CHECK(wrong(kWeather, {}, true) ==
        std::vector<std::string>{
            "format 'influx' needs 'influx.measurement' or 'influx.measurement-column' for what it writes"});
  CHECK(wrong({{{"t", Type::string()}}}, {{"influx.tags", "t"}, {"influx.measurement", "m"}}, true) ==
        std::vector<std::string>{"format 'influx' needs a column that is a field: a line has at least one"});
}

}  // namespace
}  // namespace leat::formats
