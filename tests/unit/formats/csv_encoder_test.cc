#include "format_fixture.h"

namespace leat::formats {
namespace {

std::string csv(const Type& type, const Value& value, const OptionMap& options = {}) {
  return EncodeFixture::encode_cell("csv", type, value, options);
}
std::string text(const std::string& value, const OptionMap& options = {}) {
  return csv(Type::string(), Value::string(value), options);
}

TEST_CASE("texts are quoted where Flink quotes them") {
  CHECK(text("abc") == "abc");
  CHECK(text("a b") == "\"a b\"");
  CHECK(text("a,b") == "\"a,b\"");
  CHECK(text("a\"b") == "\"a\"\"b\"");
  CHECK(text("1-2.x") == "1-2.x");
  CHECK(text(std::string(24, 'x')) == std::string(24, 'x'));
  CHECK(text(std::string(25, 'x')) == "\"" + std::string(25, 'x') + "\"");
  CHECK(text("üüüüüüüüüüüüüüüü") == "üüüüüüüüüüüüüüüü");
}

TEST_CASE("quoting follows the options") {
  CHECK(text("a;b", {{"csv.field-delimiter", ";"}}) == "\"a;b\"");
  CHECK(text("a b", {{"csv.disable-quote-character", "true"}}) == "a b");
  CHECK(text("a,b", {{"csv.disable-quote-character", "true"}}).starts_with("bad: "));
  CHECK(text("it's", {{"csv.quote-character", "'"}}) == "'it''s'");
  CHECK(text("a\"\\", {{"csv.escape-character", "\\"}}) == "\"a\\\"\\\\\"");
}

TEST_CASE("scalars are written as Flink writes them") {
  CHECK(csv(Type::boolean(), Value::boolean(false)) == "false");
  CHECK(csv(Type::float64(), Value::float64(1.5)) == "1.5");
  CHECK(csv(Type::date(), Value::integer(0)) == "1970-01-01");
  CHECK(csv(Type::time(0), Value::integer(1'000'000)) == "00:00:01");
  CHECK(csv(Type::timestamp(3), Value::integer(0)) == "\"1970-01-01 00:00:00\"");
  CHECK(csv(Type::timestamp_ltz(3), Value::integer(500'000)) == "\"1970-01-01 00:00:00.5Z\"");
  CHECK(csv(Type::bytes(), Value::string("Leat")) == "TGVhdA==");
}

TEST_CASE("times are quoted by the same rule as texts, whatever the quotes are") {
  const Type type = Type::timestamp(6);
  const Value time = Value::integer(-1);  // One microsecond before the epoch.
  CHECK(csv(type, time) == "\"1969-12-31 23:59:59.999999\"");
  CHECK(csv(type, Value::integer(86'400'000'000)) == "\"1970-01-02 00:00:00\"");
  CHECK(csv(type, time, {{"csv.quote-character", "'"}}) == "'1969-12-31 23:59:59.999999'");
  CHECK(csv(type, time, {{"csv.quote-character", "-"}}) == "-1969--12--31 23:59:59.999999-");
  CHECK(csv(type, time, {{"csv.escape-character", ":"}}) == "\"1969-12-31 23::59::59.999999\"");
  CHECK(csv(type, time, {{"csv.disable-quote-character", "true"}}) == "1969-12-31 23:59:59.999999");
  CHECK(csv(Type::date(), Value::integer(-719'529)) == "-0001-12-31");
  CHECK(csv(Type::date(), Value::integer(2'932'897)) == "10000-01-01");
  CHECK(csv(Type::date(), Value::integer(0)) == "1970-01-01");
}

TEST_CASE("a DECIMAL is scientific unless that is off") {
  CHECK(csv(Type::decimal(10, 2), Value::decimal(10000)) == "1E+2");
  CHECK(csv(Type::decimal(10, 2), Value::decimal(10000),
            {{"csv.write-bigdecimal-in-scientific-notation", "false"}}) == "100");
  CHECK(csv(Type::decimal(10, 8), Value::decimal(-12),
            {{"csv.write-bigdecimal-in-scientific-notation", "false"}}) == "-0.00000012");
}

TEST_CASE("NULL is empty or its literal") {
  const Schema schema{{{"a", Type::integer()}, {"b", Type::string()}, {"c", Type::array(Type::integer())}}};
  const Value::List row{Value::null(), Value::string("x"), Value::list({Value::null(), Value::integer(2)})};
  CHECK(EncodeFixture::encode("csv", schema, {row})[0] == ",x,;2");
  CHECK(EncodeFixture::encode("csv", schema, {row}, {{"csv.null-literal", "NULL"}})[0] == "NULL,x,NULL;2");
}

TEST_CASE("a record that would be a blank line or a comment is quoted, or is not written") {
  CHECK(text("") == "\"\"");
  CHECK(csv(Type::integer(), Value::null()) == "\"\"");
  CHECK(csv(Type::integer(), Value::null(), {{"csv.null-literal", "-"}}) == "-");
  CHECK(csv(Type::integer(), Value::null(), {{"csv.null-literal", ""}}) == "\"\"");
  CHECK(csv(Type::string(), Value::null(), {{"csv.empty-string-as-null", "true"}}) ==
        "bad: NULL as the only field, which would be a blank line; set 'csv.null-literal'");
  const OptionMap plain{{"csv.disable-quote-character", "true"}};
  for (const char* blank : {"", " "})
    CHECK(text(blank, plain) == "bad: a record that would be a blank line or a comment");
  const OptionMap comments{{"csv.allow-comments", "true"}, {"csv.field-delimiter", "\\t"}};
  CHECK(text("#1", comments) == "\"#1\"");
  CHECK(text("1#", comments) == "1#");
}

TEST_CASE("what is written of empty values is read again as so many rows") {
  for (const char* delimiter : {",", "\\t", " "}) {
    const OptionMap options{{"csv.field-delimiter", delimiter}};
    for (const std::size_t width : {1, 2, 3}) {
      const Schema schema{std::vector<Type::Field>(width, {"s", Type::string()})};
      const std::vector<Value::List> rows{Value::List(width, Value::null()),
                                          Value::List(width, Value::string("")),
                                          Value::List(width, Value::string(" "))};
      std::string lines;
      for (const std::string& record : EncodeFixture::encode("csv", schema, rows, options))
        lines += record + "\n";
      CHECK(DecodeFixture("csv", schema, options, Framing::kLines).decode(lines).rows.size() == rows.size());
    }
  }
}

TEST_CASE("arrays and rows are joined and quoted as one text") {
  CHECK(csv(Type::array(Type::string()), Value::list({Value::string("a"), Value::string("b c")})) ==
        "\"a;b c\"");
  const Type point = Type::row({{"x", Type::integer()}, {"y", Type::float64()}});
  CHECK(csv(point, Value::list({Value::integer(1), Value::float64(2)})) == "1;2.0");
}

TEST_CASE("an element that would be read as two is not written") {
  const Type texts = Type::array(Type::string());
  const auto list = [](const char* text) { return Value::list({Value::string("a"), Value::string(text)}); };
  CHECK(csv(texts, list("b c")) == "\"a;b c\"");
  CHECK(csv(texts, list("b;c")).starts_with("bad: an element that holds 'csv.array-element-delimiter'"));
  CHECK(csv(texts, list("b;c"), {{"csv.array-element-delimiter", "|"}}) == "a|b;c");
}

TEST_CASE("the header has the names, in quotes where they need them") {
  const Schema schema{{{"n", Type::integer()}, {"a b", Type::string()}, {"say \"x\"", Type::string()}}};
  const Format& csv = *find_format("csv");
  CHECK(*csv.make_header({{"csv.field-delimiter", ";"}}, schema) == "n;\"a b\";\"say \"\"x\"\"\"");
  const Schema delimited{{{"a,b", Type::string()}}};
  CHECK_FALSE(csv.make_header({{"csv.disable-quote-character", "true"}}, delimited).has_value());
}

}  // namespace
}  // namespace leat::formats
