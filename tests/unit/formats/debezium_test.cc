// Debezium's events: what each does, and what is none.
#include "format_fixture.h"

namespace leat::formats {
namespace {

const Schema kStock{{{"id", Type::integer()}, {"name", Type::string()}}};

/// Each row with its kind: "+I 1|a".
std::vector<std::string> changes(const std::string& text, const OptionMap& options = {},
                                 Framing framing = Framing::kMessage, const Schema& schema = kStock) {
  const Decoded decoded = DecodeFixture("debezium-json", schema, options, framing).decode(text);
  std::vector<std::string> rows;
  REQUIRE(decoded.kinds.size() == decoded.rows.size());
  for (std::size_t i = 0; i < decoded.rows.size(); ++i)
    rows.push_back(std::string(to_string(decoded.kinds[i])) + " " + decoded.rows[i]);
  return rows;
}

std::string reason(const std::string& text, const OptionMap& options = {}) {
  return DecodeFixture("debezium-json", kStock, options).decode(text).reason();
}

using Rows = std::vector<std::string>;

TEST_CASE("each operation gives its rows") {
  CHECK(changes(R"({"before":null,"after":{"id":1,"name":"a"},"source":{"x":[1]},"op":"c","ts_ms":5})") ==
        Rows{"+I 1|a"});
  CHECK(changes(R"({"op":"r","after":{"name":"a","id":1}})") == Rows{"+I 1|a"});
  CHECK(changes(R"({"op":"d","before":{"id":1,"name":"a"},"after":null})") == Rows{"-D 1|a"});
  CHECK(changes(R"({"after":{"id":1,"name":"b"},"op":"u","before":{"id":1,"name":"a"}})") ==
        Rows{"-U 1|a", "+U 1|b"});
  CHECK(changes(R"({"op":"c","after":{}})") == Rows{"+I NULL|NULL"});
  CHECK(changes(R"({"\u006fp":"c","after":{"id":2}, "op" : "c" })") == Rows{"+I 2|NULL"});
}

TEST_CASE("with their schema, events are the payload") {
  const OptionMap schema{{"debezium-json.schema-include", "true"}};
  CHECK(changes(R"({"schema":{"type":"struct"},"payload":{"op":"c","after":{"id":1}}})", schema) ==
        Rows{"+I 1|NULL"});
  CHECK(changes(R"({"payload":{"op":"c","after":{"id":1}},"schema":{}})", schema) == Rows{"+I 1|NULL"});
  CHECK(reason(R"({"op":"c","after":{"id":1}})", schema) ==
        "no 'payload', which 'debezium-json.schema-include' says there is");
  CHECK(reason(R"({"payload":null})", schema) == "expected an object, the event of a change");
}

TEST_CASE("what is no event says why") {
  CHECK(reason(R"([])") == "expected an object, the event of a change");
  CHECK(reason(R"({"after":{"id":1}})") == "no 'op', which says what the event does");
  CHECK(reason(R"({"op":"t"})") == "'op' is \"t\", which is neither \"c\", \"r\", \"u\" nor \"d\"");
  CHECK(reason(R"({"op":1,"after":{"id":1}})").starts_with("'op' is 1,"));
  CHECK(reason(R"({"op":"c"})") == "'after' is null");
  CHECK(reason(R"({"op":"u","before":{"id":1},"after":null})") == "'after' is null");
  CHECK(reason(R"({"op":"u","before":null,"after":{"id":1}})")
            .starts_with("'before' is null: the database must"));
  CHECK(reason(R"({"op":"d","after":{"id":1}})").starts_with("'before' is null: the database must"));
  CHECK(reason(R"({"op":"c","after":7})") == "after: expected an object, found 7, which is none");
  CHECK(reason(R"({"op":"u","before":{"id":1},"after":{"id":"x"}})") ==
        "after: field 'id': expected INT, found \"x\"");
  CHECK(reason(R"({"op":"c","after":{"id":1}} x)").starts_with("not JSON"));
  CHECK(reason(R"({"op":"c","after":{"id":1})").starts_with("not JSON"));
  CHECK(reason(R"({"op":"c","after":{"id":1},})").starts_with("not JSON"));
  CHECK(reason("{\"op\":\"c\xff\"}").starts_with("not JSON"));
}

TEST_CASE("a bad event takes none of its rows, and no kind, with it") {
  const std::string lines =
      "{\"op\":\"u\",\"before\":{\"id\":1},\"after\":{\"id\":2}}\n"
      "{\"op\":\"u\",\"before\":{\"id\":3},\"after\":{\"id\":\"x\"}}\n"
      "\n"
      "{\"op\":\"d\",\"before\":{\"id\":4}} {}\n"
      "{\"op\":\"d\",\"before\":{\"id\":5}}\n"
      "{\"op\":\"u\",\"before\":{\"id\":6},\"after\":{\"id\":\"x\"}}\n";
  CHECK(changes(lines, {}, Framing::kLines) == Rows{"-U 1|NULL", "+U 2|NULL", "-D 5|NULL"});
  CHECK(DecodeFixture("debezium-json", kStock, {}, Framing::kLines).decode(lines).bad.size() == 3);
}

TEST_CASE("errors are ignored as in json, and a tombstone is empty") {
  const OptionMap ignore{{"debezium-json.ignore-parse-errors", "true"}};
  CHECK(changes(R"({"op":"c","after":{"id":"x","name":"a"}})", ignore) == Rows{"+I NULL|a"});
  const Decoded decoded = DecodeFixture("debezium-json", kStock, ignore).decode("{}");
  CHECK(decoded.count.skipped == 1);
  CHECK(DecodeFixture("debezium-json", kStock).decode("").count.empty == 1);
}

TEST_CASE("times as the option says") {
  const Schema schema{{{"ts", Type::timestamp(3)}}};
  const OptionMap iso{{"debezium-json.timestamp-format.standard", "ISO-8601"}};
  CHECK(changes(R"({"op":"c","after":{"ts":"2026-01-05T06:00:00"}})", iso, Framing::kMessage, schema) ==
        Rows{"+I 2026-01-05 06:00:00.000"});
}

TEST_CASE("only the wanted columns are read") {
  DecodeRequest request{.schema = kStock, .wanted = {1}};
  const Decoded decoded =
      DecodeFixture("debezium-json", request).decode(R"({"op":"d","before":{"id":"x","name":"a"}})");
  CHECK(decoded.rows == Rows{"a"});
}

/// The events of one row of each kind.
Rows written(const OptionMap& options) {
  return EncodeFixture::encode(
      "debezium-json", kStock,
      {{Value::integer(1), Value::string("a")},
       {Value::integer(1), Value::null()},
       {Value::integer(1), Value::string("b")},
       {Value::integer(1), Value::string("b")}},
      options, {RowKind::kInsert, RowKind::kUpdateBefore, RowKind::kUpdateAfter, RowKind::kDelete});
}

TEST_CASE("changes are written as Flink writes them") {
  CHECK(written({}) == Rows{R"({"before":null,"after":{"id":1,"name":"a"},"op":"c"})",
                            R"({"before":{"id":1,"name":null},"after":null,"op":"d"})",
                            R"({"before":null,"after":{"id":1,"name":"b"},"op":"c"})",
                            R"({"before":{"id":1,"name":"b"},"after":null,"op":"d"})"});
  CHECK(written({{"debezium-json.encode.ignore-null-fields", "true"}}) ==
        Rows{R"({"after":{"id":1,"name":"a"},"op":"c"})", R"({"before":{"id":1},"op":"d"})",
             R"({"after":{"id":1,"name":"b"},"op":"c"})", R"({"before":{"id":1,"name":"b"},"op":"d"})"});
}

TEST_CASE("what is written is read again, an update as a row that goes and one that comes") {
  std::string lines;
  for (const std::string& event : written({})) lines += event + "\n";
  CHECK(changes(lines, {}, Framing::kLines) == Rows{"+I 1|a", "-D 1|NULL", "+I 1|b", "-D 1|b"});
}

TEST_CASE("a NULL key of a map and numbers as the options say") {
  const Schema schema{{{"m", Type::map(Type::string(), Type::integer())}, {"d", Type::decimal(10, 2)}}};
  const Value::List row{Value::list({Value::null(), Value::integer(1)}), Value::decimal(10000)};
  const auto event = [&](const OptionMap& options) {
    return EncodeFixture::encode("debezium-json", schema, {row}, options)[0];
  };
  CHECK(event({}).starts_with("bad: a MAP with a NULL key"));
  CHECK(event({{"debezium-json.map-null-key.mode", "LITERAL"},
               {"debezium-json.map-null-key.literal", "none"},
               {"debezium-json.encode.decimal-as-plain-number", "true"}}) ==
        R"({"before":null,"after":{"m":{"none":1},"d":100.00},"op":"c"})");
  CHECK(event({{"debezium-json.map-null-key.mode", "DROP"}}) ==
        R"({"before":null,"after":{"m":{},"d":1E+2},"op":"c"})");
}

TEST_CASE("options that do not fit are refused") {
  std::vector<OptionError> errors;
  const Format* const format = find_format("debezium-json");
  format->validate_sink({{"debezium-json.schema-include", "true"}}, kStock, errors);
  CHECK(errors.size() == 1);
  format->validate({{"debezium-json.schema", "true"}}, {{{"m", Type::map(Type::integer(), Type::string())}}},
                   errors);
  CHECK(errors.size() == 3);
  CHECK(format->changelog);
}

}  // namespace
}  // namespace leat::formats
