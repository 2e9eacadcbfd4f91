#include "format_fixture.h"

namespace leat::formats {
namespace {

const Schema kTwo{{{"s", Type::string()}, {"n", Type::integer()}}};

Decoded csv(const std::string& text, const OptionMap& options = {}, const Schema& schema = kTwo) {
  return DecodeFixture("csv", schema, options).decode(text);
}

std::string cell(const Type& type, const std::string& text, const OptionMap& options = {}) {
  const Decoded decoded = csv(text, options, Schema{{{"c", type}}});
  return decoded.bad.empty() ? decoded.row() : "bad: " + decoded.bad[0].second;
}

TEST_CASE("every type is read from its text") {
  CHECK(cell(Type::boolean(), " TRUE ") == "TRUE");
  CHECK(cell(Type::boolean(), "1") == "FALSE");
  CHECK(cell(Type::tiny_int(), " -128 ") == "-128");
  CHECK(cell(Type::small_int(), "+7") == "7");
  CHECK(cell(Type::big_int(), "9223372036854775807") == "9223372036854775807");
  CHECK(cell(Type::float32(), "1.5") == "1.5");
  CHECK(cell(Type::float64(), "1e10") == "1.0E10");
  CHECK(cell(Type::decimal(10, 2), "1.005") == "1.01");
  CHECK(cell(Type::decimal(3, 2), "100") == "NULL");
  CHECK(cell(Type::date(), "2020-01-31") == "2020-01-31");
  CHECK(cell(Type::time(0), "12:34:56") == "12:34:56");
  CHECK(cell(Type::timestamp(3), "2026-11-22 09:00:00.5") == "2026-11-22 09:00:00.500");
  CHECK(cell(Type::timestamp_ltz(3), "2026-11-22 09:00:00.5Z") == "2026-11-22 09:00:00.500");
}

TEST_CASE("texts that do not fit their type are bad with field, type and text") {
  CHECK(cell(Type::integer(), "abc") == "bad: field 'c': expected INT, found \"abc\"");
  CHECK(cell(Type::tiny_int(), "128").starts_with("bad: "));
  CHECK(cell(Type::bytes(), "!").starts_with("bad: "));
  CHECK(cell(Type::timestamp(3), "2026-11-22T09:00:00").starts_with("bad: "));
}

TEST_CASE("quotes protect delimiters, quotes and line ends") {
  CHECK(csv("\"a,\"\"b\"\"\",1").row() == "a,\"b\"|1");
  CHECK(csv("\"\",1").row() == "|1");
  CHECK(csv("\"a\nb\",1").row() == "a\nb|1");
  CHECK(csv("\"a\" ,1").row() == "a|1");
  CHECK(csv("a\"b,1").row() == "a\"b|1");
  for (const char* text : {"\"a,1", "\"a\"b,1", "\"", "\"a\"\"", "a,1\nb,2"})
    CHECK(csv(text).bad.size() == 1);
}

TEST_CASE("quotes and their character are options") {
  CHECK(csv("'a,b',1", {{"csv.quote-character", "'"}}).row() == "a,b|1");
  CHECK(csv("\"a\",1", {{"csv.disable-quote-character", "true"}}).row() == "\"a\"|1");
}

TEST_CASE("delimiter and escape are options") {
  CHECK(csv("a;1", {{"csv.field-delimiter", ";"}}).row() == "a|1");
  CHECK(csv("a\t1", {{"csv.field-delimiter", "\\t"}}).row() == "a|1");
  CHECK(csv("a\\,b,1", {{"csv.escape-character", "\\"}}).row() == "a,b|1");
  CHECK(csv("\"a\\\"b\\\\\",1", {{"csv.escape-character", "\\"}}).row() == "a\"b\\|1");
}

TEST_CASE("NULL has a literal, and an empty field can stand for it") {
  CHECK(csv("n/a,n/a", {{"csv.null-literal", "n/a"}}).row() == "NULL|NULL");
  CHECK(csv(",1").row() == "|1");
  CHECK(csv("a,").bad.size() == 1);
  CHECK(csv(",", {{"csv.empty-string-as-null", "true"}}).row() == "NULL|NULL");
  CHECK(csv("\"\",", {{"csv.null-literal", ""}}).row() == "NULL|NULL");
}

Decoded behind_header(const std::string& header, const std::string& text, const OptionMap& options = {}) {
  const Schema schema{{{"s", Type::string()}, {"n", Type::integer()}}};
  DecodeFixture fixture("csv", schema, options, Framing::kLines);
  fixture.use_header(header);
  return fixture.decode(text);
}

TEST_CASE("a header finds the columns by their names") {
  CHECK(behind_header("n,x,s\n", "1,other,a\n").row() == "a|1");
  CHECK(behind_header("\xEF\xBB\xBF\"n\" ; s\r\n", "1;a\n", {{"csv.field-delimiter", ";"}}).row() == "a|1");
  CHECK(behind_header("\n# no header\nn,s\n", "1,a\n", {{"csv.allow-comments", "true"}}).row() == "a|1");
  CHECK(behind_header("n, \"s\"\n", "1,a\n").row() == "a|1");
  CHECK(behind_header("n\n", "1\n").row() == "NULL|1");
  CHECK(behind_header("n,s\n", "1\n").row() == "NULL|1");
  CHECK(behind_header("n,\n", "1,\n").row() == "NULL|1");
  CHECK(behind_header("n,s\n", "1,a,x\n").reason() == "expected 2 fields, found more");
}

TEST_CASE("the columns of another header are another's") {
  DecodeFixture fixture("csv", kTwo, {}, Framing::kLines);
  CHECK(fixture.decode("a,1\n").row() == "a|1");
  fixture.use_header("n,s\n");
  CHECK(fixture.decode("1,a\n").row() == "a|1");
  fixture.use_header("s,x,n\n");
  CHECK(fixture.decode("a,,1\n").row() == "a|1");
}

TEST_CASE("a column that the header does not name is bad where it must be there") {
  CHECK(behind_header("n\n", "1\n", {{"csv.fail-on-missing-columns", "true"}}).reason() ==
        "field 's': expected STRING, found no such field");
  DecodeFixture fixture("csv", {{{"s", Type::string().with_nullable(false)}, {"n", Type::integer()}}}, {},
                        Framing::kLines);
  fixture.use_header("n\n");
  CHECK(fixture.decode("1\n").reason() == "field 's': expected STRING NOT NULL, found no such field");
}

TEST_CASE("records behind a header that fits nothing are bad, and good again behind the next one") {
  DecodeFixture fixture("csv", kTwo, {}, Framing::kLines);
  for (const auto& [header, reason] :
       {std::pair{"a,1\n", "the header names no column of the table"},
        {"s,n,s\n", "the header names 's' twice"},
        {"\"s\n", "the header cannot be read: a quoted field without its closing quote"}}) {
    fixture.use_header(header);
    CHECK(fixture.decode("a,1\n").reason() == reason);
  }
  fixture.use_header("s,n\n");
  CHECK(fixture.decode("a,1\n").row() == "a|1");
}

TEST_CASE("a header that is taken for a record is told of with the option that reads it") {
  DecodeFixture fixture("csv", kTwo, {}, Framing::kLines);
  CHECK(fixture.decode("s,n\n").reason() ==
        "field 'n': expected INT, found \"n\"; this line names the columns: set 'file.header' = 'names'");
}

TEST_CASE("fewer fields give NULL, more are bad unless allowed") {
  CHECK(csv("a").row() == "a|NULL");
  CHECK(csv("a", {{"csv.fail-on-missing-columns", "true"}}).bad.size() == 1);
  CHECK(csv("a,1,").row() == "a|1");
  CHECK(csv("a,1,", {{"csv.allow-trailing-comma", "false"}}).bad.size() == 1);
  CHECK(csv("a,1,x").bad.size() == 1);
  CHECK(csv("a,1,x", {{"csv.ignore-trailing-unmappable", "true"}}).row() == "a|1");
}

TEST_CASE("blanks are kept in strings unless they are to be trimmed") {
  CHECK(csv(" a , 1 ").row() == " a |1");
  CHECK(csv(" a , 1 ", {{"csv.trim-spaces", "true"}}).row() == "a|1");
}

TEST_CASE("errors can be ignored: bad fields are NULL, bad lines are counted") {
  const OptionMap ignore{{"csv.ignore-parse-errors", "true"}};
  CHECK(csv("a,x", ignore).row() == "a|NULL");
  CHECK(csv("a,1,2", ignore).count.skipped == 1);
}

TEST_CASE("arrays and rows stand in one field") {
  CHECK(cell(Type::array(Type::integer()), "1;2; 3") == "[1, 2, 3]");
  CHECK(cell(Type::array(Type::string()), "\"\"") == "[]");
  CHECK(cell(Type::array(Type::integer()), "1|2", {{"csv.array-element-delimiter", "|"}}) == "[1, 2]");
  CHECK(cell(Type::array(Type::string()), "a;-;b", {{"csv.null-literal", "-"}}) == "[a, NULL, b]");
  const Type point = Type::row({{"x", Type::integer()}, {"y", Type::string()}});
  CHECK(cell(point, "1;a") == "(1, a)");
  CHECK(cell(point, "1") == "(1, NULL)");
  CHECK(cell(point, "1;a;b").starts_with("bad: "));
  CHECK(cell(point, "x;a").starts_with("bad: "));
}

TEST_CASE("each line is a record and all are counted") {
  DecodeFixture lines("csv", kTwo, {{"csv.allow-comments", "true"}}, Framing::kLines);
  const Decoded decoded = lines.decode("a,1\r\n\n# no row\nb,x\n\"c\nd,4\ne,\xff\nf,6");
  CHECK(decoded.rows == std::vector<std::string>{"a|1", "d|4", "f|6"});
  CHECK(decoded.count.empty == 2);
  CHECK(decoded.bad.size() == 3);
  CHECK(decoded.records() == 8);
}

TEST_CASE("an empty message is empty, a comment is data unless allowed") {
  CHECK(csv("").count.empty == 1);
  CHECK(csv("\r\n").count.empty == 1);
  CHECK(csv("#a,1").row() == "#a|1");
}

TEST_CASE("a line of blank delimiters alone is a row of empty values") {
  const OptionMap tabs{{"csv.field-delimiter", "\\t"}, {"csv.empty-string-as-null", "true"}};
  CHECK(csv("\t", tabs).row() == "NULL|NULL");
  CHECK(csv(" ", {{"csv.field-delimiter", " "}, {"csv.empty-string-as-null", "true"}}).row() == "NULL|NULL");
  CHECK(csv(" \r\n", tabs).count.empty == 1);
  CHECK(csv("\t").count.empty == 1);
}

TEST_CASE("only wanted columns are decoded") {
  DecodeFixture lines("csv", DecodeRequest{.schema = kTwo, .wanted = {1}});
  CHECK(lines.decode("a,1").row() == "1");
  CHECK(DecodeFixture("csv", DecodeRequest{.schema = kTwo, .wanted = {}}).decode("a,x").count.rows == 1);
}

}  // namespace
}  // namespace leat::formats
