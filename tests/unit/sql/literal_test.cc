#include "pipelines/sql/string_literal.h"
#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {

TEST_CASE("numbers are exact with a point and approximate with an exponent") {
  CHECK(tree("12") == "12");
  CHECK(tree("1.50") == "1.50m");
  CHECK(tree(".5") == ".5m");
  CHECK(tree("1e0") == "1e0d");
  CHECK(tree("1.5E-3") == "1.5E-3d");
}

TEST_CASE("doubled quotes are one quote") {
  CHECK(tree("'it''s'") == "'it's'");
  CHECK(tree("''") == "''");
  CHECK(tree("'>\\<'") == "'>\\<'");
}

TEST_CASE("Unicode strings decode their escapes") {
  CHECK(decode_string(R"(U&'\263A')").value() == "☺");
  CHECK(decode_string(R"(U&'\+01F600')").value() == "😀");
  CHECK(decode_string(R"(U&'a\\b')").value() == "a\\b");
  CHECK(tree("U&'#263A' UESCAPE '#'") == "'☺'");
  CHECK_FALSE(decode_string(R"(U&'\26')").has_value());
  CHECK_FALSE(decode_string(R"(U&'\D83D')").has_value());
}

TEST_CASE("C strings decode their escapes") {
  CHECK(decode_string(R"(E'a\n\t\'\\')").value() == "a\n\t'\\");
  CHECK(decode_string(R"(E'\x41\101\u00e9')").value() == "AAé");
  CHECK(decode_string(R"(E'\uD83D\uDE00')").value() == "😀");
  CHECK(decode_string(R"(e'it''s')").value() == "it's");
  CHECK_FALSE(decode_string(R"(E'\q')").has_value());
  CHECK_FALSE(decode_string(R"(E'\uD83Dx\uDE00')").has_value());
}

TEST_CASE("binary literals need pairs of hexadecimal digits") {
  CHECK(decode_binary("x'0cFF'").value() == std::string("\x0c\xff"));
  CHECK(decode_binary("X''").value().empty());
  CHECK_FALSE(decode_binary("x'0'").has_value());
  CHECK_FALSE(decode_binary("x'zz'").has_value());
}

TEST_CASE("times are kept as text for the binder") {
  CHECK(tree("DATE '2020-01-01'") == "DATE '2020-01-01'");
  CHECK(tree("TIME'12:00:00'") == "TIME '12:00:00'");
  CHECK(tree("timestamp '2020-01-01 00:00:00.123'") == "TIMESTAMP '2020-01-01 00:00:00.123'");
}

TEST_CASE("intervals know their units, singular or plural") {
  CHECK(tree("INTERVAL '5' SECONDS") == "INTERVAL '5' SECOND");
  CHECK(tree("INTERVAL -'1' DAY") == "INTERVAL -'1' DAY");
  CHECK(tree("INTERVAL '10 00:00:00.004' DAY TO SECOND(3)") == "INTERVAL '10 00:00:00.004' DAY TO SECOND");
  CHECK(tree("INTERVAL '2-10' YEAR TO MONTH") == "INTERVAL '2-10' YEAR TO MONTH");
  CHECK(first_error("SELECT INTERVAL '1' MONTH TO DAY") == "no interval runs from this unit to that one");
}

TEST_CASE("a digit does not begin a name") {
  CHECK(first_error("SELECT 1a") == "'1a' is neither a number nor a name");
}

}  // namespace leat::sql
