#include "tests/unit/functions/fixture.h"

namespace leat::functions {
namespace {

TEST_CASE("text functions count characters, not bytes") {
  CHECK(call("CHAR_LENGTH", {text("äöü☺")}) == "4");
  CHECK(call("SUBSTRING", {text("äöü"), integer(2), integer(1)}) == "ö");
  CHECK(call("REVERSE", {text("aä☺")}) == "☺äa");
  CHECK(call("LPAD", {text("äää"), integer(13), text("12345")}) == "1234512345äää");
  CHECK(call("POSITION", {text("ü"), text("äöü")}) == "3");
  CHECK(call("RTRIM", {text("心情开开心心"), text("开心")}) == "心情");
}

TEST_CASE("SUBSTRING counts from one, or from the end, and a negative length is NULL") {
  CHECK(call("SUBSTRING", {text("hello"), integer(0), integer(2)}) == "he");
  CHECK(call("SUBSTRING", {text("hello"), integer(-3)}) == "llo");
  CHECK(call("SUBSTRING", {text("hello"), integer(-9)}).empty());
  CHECK(call("SUBSTRING", {text("hello"), integer(2), integer(-1)}) == "NULL");
  CHECK(call("SUBSTRING", {text("hello"), integer(9), integer(1)}).empty());
}

TEST_CASE("padding to a negative length is NULL, to a shorter one cuts") {
  CHECK(call("LPAD", {text("Hello"), integer(-1), text("x")}) == "NULL");
  CHECK(call("LPAD", {text("hi"), integer(1), text("??")}) == "h");
  CHECK(call("RPAD", {text("hi"), integer(5), text("?!")}) == "hi?!?");
}

TEST_CASE("TRIM takes a set of characters from the named ends") {
  CHECK(call("TRIM", {text("BOTH"), text("abc"), text("abcddcba")}) == "dd");
  CHECK(call("TRIM", {text("LEADING"), text("e"), text("example")}) == "xample");
  CHECK(call("TRIM", {text("TRAILING"), text(" "), text("  a  ")}) == "  a");
}

TEST_CASE("CONCAT is NULL with a NULL, CONCAT_WS leaves it out") {
  CHECK(call("||", {text("a"), null(Type::string())}) == "NULL");
  CHECK(call("CONCAT_WS", {text("~"), text("a"), null(Type::string()), text("b")}) == "a~b");
  CHECK(call("CONCAT_WS", {null(Type::string()), text("a")}) == "NULL");
}

TEST_CASE("parts are counted from zero and NULL beyond the last") {
  CHECK(call("SPLIT_INDEX", {text("Test"), text("e"), integer(1)}) == "st");
  CHECK(call("SPLIT_INDEX", {text("Test"), text("e"), integer(2)}) == "NULL");
  CHECK(call("SPLIT_INDEX", {text("a,,c"), text(","), integer(1)}).empty());
  CHECK(call("SPLIT_INDEX", {text("a,b"), integer(44), integer(1)}) == "b");
}

TEST_CASE("LOCATE begins at the first character at the earliest") {
  CHECK(call("LOCATE", {text("b"), text("abcb"), integer(0)}) == "2");
  CHECK(call("LOCATE", {text("b"), text("abcb"), integer(-1)}) == "2");
  CHECK(call("LOCATE", {text("b"), text("abcb"), integer(3)}) == "4");
  CHECK(call("LOCATE", {text("b"), text("abcb"), integer(9)}) == "0");
  CHECK(call("LOCATE", {text(""), text("abc"), integer(2)}) == "1");
}

TEST_CASE("INSTR searches backwards from a negative start") {
  CHECK(call("INSTR", {text("Corporate Floor"), text("or"), integer(3), integer(2)}) == "14");
  CHECK(call("INSTR", {text("Corporate Floor"), text("or"), integer(-3), integer(2)}) == "2");
  CHECK(call("INSTR", {text("abc"), text("x")}) == "0");
}

TEST_CASE("LIKE matches runs and single characters, and backslash is no escape by itself") {
  CHECK(call("LIKE", {text("abcxxxdef"), text("%abc%def")}) == "TRUE");
  CHECK(call("LIKE", {text("abcxxxdef"), text("abc%xqef")}) == "FALSE");
  CHECK(call("LIKE", {text("TE_ST"), text("%E\\_S%")}) == "FALSE");
  CHECK(call("LIKE", {text("a☺c"), text("a_c")}) == "TRUE");
  CHECK(call("LIKE", {text(""), text("%")}) == "TRUE");
  CHECK(call("LIKE", {text("aab"), text("%ab")}) == "TRUE");
  CHECK(call("LIKE", {text("ab"), text("_")}) == "FALSE");
}

TEST_CASE("an escape character must be one, and must escape something") {
  CHECK(call("LIKE", {text("TE_ST"), text("%E__S%"), text("_")}) == "TRUE");
  CHECK(call("LIKE", {text("TE-ST"), text("%E*_S%"), text("*")}) == "FALSE");
  CHECK(call("LIKE", {text("x"), text("x"), text("ab")}) == "error: Invalid escape character 'ab'");
  CHECK(call("LIKE", {text("x"), text("x&"), text("&")}) == "error: Invalid escape sequence 'x&'");
  CHECK(call("LIKE", {text("x"), text("%E&-S%"), text("&")}) == "error: Invalid escape sequence '%E&-S%'");
}

TEST_CASE("SIMILAR TO is SQL's regular expression over the whole text") {
  CHECK(call("SIMILAR TO", {text("abc"), text("(a|b)%")}) == "TRUE");
  CHECK(call("SIMILAR TO", {text("abc"), text("b%")}) == "FALSE");
  CHECK(call("SIMILAR TO", {text("x9"), text("[[:ALPHA:]][0-9]")}) == "TRUE");
  CHECK(call("SIMILAR TO", {text("a$c"), text("a$c")}) == "TRUE");
  CHECK(call("SIMILAR TO", {text("a?c"), text("a!?c"), text("!")}) == "TRUE");
  CHECK(call("SIMILAR TO", {text("abc"), text("a!bc"), text("!")}) ==
        "error: Invalid escape sequence 'a!bc'");
}

TEST_CASE("SIMILAR TO leaves the dot and the caret what they are in Java") {
  CHECK(call("SIMILAR TO", {text("abc"), text("a.c")}) == "TRUE");
  CHECK(call("SIMILAR TO", {text("abc"), text("^abc")}) == "TRUE");
  CHECK(call("SIMILAR TO", {text("x^y"), text("x^y")}) == "FALSE");
}

TEST_CASE("the end of a line is for % and no other wildcard") {
  CHECK(call("SIMILAR TO", {text("a\nc"), text("a_c")}) == "FALSE");
  CHECK(call("SIMILAR TO", {text("a\rc"), text("a.c")}) == "FALSE");
  CHECK(call("SIMILAR TO", {text("a\nc"), text("a%c")}) == "TRUE");
  CHECK(call("LIKE", {text("a\nc"), text("a_c")}) == "FALSE");
  CHECK(call("LIKE", {text("a\u2028c"), text("a%_c")}) == "FALSE");
  CHECK(call("LIKE", {text("a\nc"), text("a%c")}) == "TRUE");
  CHECK(call("REGEXP", {text("a\rc"), text("a.c")}) == "FALSE");
  CHECK(call("REGEXP", {text("a\rc"), text("(?s)a.c")}) == "TRUE");
  CHECK(call("REGEXP", {text("a.c"), text("\\Qa.c\\E|[.]b")}) == "TRUE");
}

TEST_CASE("regular expressions find, extract and replace") {
  CHECK(call("REGEXP", {text("abc-def"), text("(\\d+)")}) == "FALSE");
  CHECK(call("REGEXP_EXTRACT", {text("foothebar"), text("foo([\\w]+)"), integer(1)}) == "thebar");
  CHECK(call("REGEXP_EXTRACT", {text("foothebar"), text("foo([\\d]+)"), integer(1)}) == "NULL");
  CHECK(call("REGEXP_EXTRACT", {text("foothebar"), text("foo"), integer(3)}) == "NULL");
  CHECK(call("REGEXP_REPLACE", {text("foobar"), text("oo"), text("\\")}) == "f\\bar");
  CHECK(call("REGEXP_REPLACE", {text("foobar"), text("\\w"), text("")}).empty());
  CHECK(call("REGEXP", {text("a"), text("(")}).starts_with("error: invalid regular expression '('"));
}

TEST_CASE("case follows Latin, Greek and Cyrillic letters") {
  CHECK(call("UPPER", {text("straße ñandú ÿ жук λόγος")}) == "STRASSE ÑANDÚ Ÿ ЖУК ΛΌΓΟΣ");
  CHECK(call("LOWER", {text("ÅNGSTRÖM ŠÍP ЁЖ")}) == "ångström šíp ёж");
  CHECK(call("INITCAP", {text("fLinK über-all")}) == "Flink üBer-All");
}

TEST_CASE("codes, digests and base64 are those of Flink") {
  CHECK(call("CHR", {integer(353)}) == "a");
  CHECK(call("CHR", {integer(300)}) == ",");
  CHECK(call("ASCII", {text("")}) == "0");
  CHECK(call("MD5", {text("test")}) == "098f6bcd4621d373cade4e832627b4f6");
  CHECK(call("FROM_BASE64", {text("5L2g5aW9")}) == "你好");
  CHECK(call("TO_BASE64", {text("你好")}) == "5L2g5aW9");
  CHECK(call("FROM_BASE64", {text("?")}) == "error: '?' is no base64");
  CHECK(call("BIN", {integer(-1)}).size() == 64);
  CHECK(call("HEX", {text("hi")}) == "6869");
}

TEST_CASE("a seed gives the numbers of java.util.Random, one after the other") {
  CHECK(call("RAND", {integer(1)}) == "0.7308781907032909");
  CHECK(call("RAND_INTEGER", {integer(3), integer(99)}) == "50");
  CHECK(call("RAND_INTEGER", {integer(3), integer(0)}) == "error: RAND_INTEGER needs a bound above zero");
}

}  // namespace
}  // namespace leat::functions
