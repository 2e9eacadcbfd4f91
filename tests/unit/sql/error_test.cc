#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {

TEST_CASE("a misspelt keyword is named, wherever it shows") {
  CHECK(first_error("SELCT a FROM t") == "expected a statement, found 'SELCT' (did you mean 'SELECT'?)");
  CHECK(first_error("SELECT a FORM t") ==
        "expected ';' or the end of the statement, found 'FORM' (did you mean 'FROM'?)");
  CHECK(first_error("SELECT a FROM t WHER b = 1") ==
        "expected ';' or the end of the statement, found 'WHER' (did you mean 'WHERE'?)");
  CHECK(first_error("INSERT INTO t SELEC 1") ==
        "expected SELECT or VALUES, found 'SELEC' (did you mean 'SELECT'?)");
}

TEST_CASE("WATERMARK is recognised in both places where it is misspelt") {
  CHECK(errors("CREATE TABLE t (a INT WATERMRK FOR ts AS ts)") ==
        "x.sql:1:23: error: expected ',' or ')' after the column definition, found 'WATERMRK' "
        "(did you mean 'WATERMARK'?)\n"
        "  CREATE TABLE t (a INT WATERMRK FOR ts AS ts)\n"
        "                        ^~~~~~~~\n");
  CHECK(first_error("CREATE TABLE t (a INT, WATERMRK FOR ts AS ts)") ==
        "expected a column definition, WATERMARK FOR or PRIMARY KEY, found 'WATERMRK' (did you mean "
        "'WATERMARK'?)");
}

TEST_CASE("all statements' errors are reported together, the others are kept") {
  const Parsed parsed("SELECT FROM t;\nSELECT 1;\nSELECT (1;\nSELECT 2;");
  CHECK(parsed.diagnostics.error_count() == 2);
  CHECK(parsed.script.statements.size() == 2);
  CHECK(parsed.source.position(parsed.diagnostics.sorted()[1].span.begin).line == 3);
}

TEST_CASE("each INSERT of a statement set reports its own error, and spoils the set") {
  const Parsed parsed(
      "EXECUTE STATEMENT SET BEGIN\nINSERT INTO a SELECT FROM x;\nINSERT INTO b SELECT 1;\n"
      "INSERT INTO c SELECT (;\nEND;\nSELECT 1;");
  CHECK(parsed.diagnostics.error_count() == 2);
  CHECK(parsed.script.statements.size() == 1);
}

TEST_CASE("a missing semicolon is one error, and both statements are read") {
  const Parsed parsed("SET 'a' = 'b'\nSELECT 1; SELECT FROM");
  CHECK(parsed.script.statements.size() == 2);
  CHECK(render(parsed.diagnostics, parsed.source)
            .starts_with("x.sql:1:14: error: expected ';' before SELECT\n"));
}

TEST_CASE("the end of the text is shown behind the last word") {
  CHECK(errors("SELECT a +\n\n\n") ==
        "x.sql:1:11: error: expected an expression, found the end of the text\n"
        "  SELECT a +\n"
        "            ^\n");
}

TEST_CASE("an open string marks the line where it begins") {
  CHECK(errors("SELECT 'abc\nFROM t;\n") ==
        "x.sql:1:8: error: this string is never closed: the second ' is missing\n"
        "  SELECT 'abc\n"
        "         ^~~~\n");
  CHECK(first_error("SELECT `abc") == "this name is never closed: the second ` is missing");
  CHECK(first_error("SELECT 1 /* abc") == "this comment is never closed");
}

TEST_CASE("habits of other dialects get the word of this one") {
  CHECK(errors("SELECT a != 1") ==
        "x.sql:1:10: error: '!=' is no operator of Flink SQL\n  SELECT a != 1\n           ^~\n  hint: write "
        "<>\n");
  CHECK(errors("SELECT \"a b\"").find("hint: strings take '…', names take `…`") != std::string::npos);
  CHECK(errors("SELECT a::INT").find("hint: write CAST(value AS type)") != std::string::npos);
  CHECK(errors("SELECT INTERVAL 1.5 SECOND").find("hint: write INTERVAL '1.5' and the unit") !=
        std::string::npos);
}

TEST_CASE("a space that is none is pointed out") {
  CHECK(first_error("SELECT\u00A0a") == "this looks like a space, but is another character");
}

TEST_CASE("a comma before FROM is what is wrong, not FROM") {
  CHECK(first_error("SELECT a, FROM t") == "a comma stands before FROM");
}

}  // namespace leat::sql
