#include <random>

#include <fmt/format.h>

#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {
namespace {

std::string repeat(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

/// Parses and renders; what counts is that it ends.
std::size_t survive(std::string_view sql) {
  const Parsed parsed(sql);
  return render(parsed.diagnostics, parsed.source).size();
}

}  // namespace

TEST_CASE("deep nesting is an error, not a stack overflow") {
  constexpr std::size_t kDeep = 200'000;
  for (const std::string_view open : {"(", "- ", "NOT ", "CASE WHEN ", "f(", "ARRAY[", "(SELECT ",
                                      "EXISTS (SELECT ", "a[", "CAST(", "- -1 - ("}) {
    const std::string message = first_error("SELECT " + repeat(open, kDeep));
    CHECK_MESSAGE(message.starts_with("nested more than"), open);
  }
  CHECK(first_error("SELECT 1 FROM " + repeat("(", kDeep)).starts_with("nested more than"));
  CHECK(first_error("CREATE TABLE t (a " + repeat("ARRAY<", kDeep)).starts_with("nested more than"));
  CHECK(first_error("SELECT 1 FROM t GROUP BY " + repeat("ROLLUP(", kDeep)).starts_with("nested more than"));
  CHECK(first_error("SELECT 1 FROM t MATCH_RECOGNIZE (PATTERN (" + repeat("(", kDeep))
            .starts_with("nested more"));
}

TEST_CASE("long chains that make deep trees are an error") {
  constexpr std::size_t kLong = 100'000;
  CHECK(first_error("SELECT 1" + repeat(" + 1", kLong)).starts_with("this expression is more than"));
  CHECK(first_error("SELECT a" + repeat("[1]", kLong)).starts_with("this expression is more than"));
  CHECK(first_error("SELECT (a)" + repeat(".b", kLong)).starts_with("this expression is more than"));
  CHECK(first_error("CREATE TABLE t (a INT" + repeat(" ARRAY", kLong)) == "this type is nested too deeply");
}

TEST_CASE("chains that make flat trees may be long") {
  constexpr std::size_t kLong = 20'000;
  CHECK(parses("SELECT a" + repeat(" AND a", kLong)));
  CHECK(parses("SELECT a" + repeat(", a", kLong)));
  CHECK(parses("SELECT 1" + repeat(" UNION ALL SELECT 1", kLong)));
  CHECK(parses("SELECT 1 FROM t" + repeat(" CROSS JOIN t", kLong)));
  CHECK(parses("VALUES (1)" + repeat(", (1)", kLong)));
  CHECK(parses("SELECT a IN (1" + repeat(", 1", kLong) + ")"));
}

TEST_CASE("trees that grow in turns of chains and sub-queries stay bounded") {
  std::string sql = "SELECT 1";
  for (int level = 0; level < 40; ++level) sql = "SELECT (" + sql + ")" + repeat(" + 1", 50);
  CHECK(first_error(sql).starts_with("this expression is more than"));
}

TEST_CASE("bytes that are no text are one error per run") {
  CHECK(first_error(std::string_view("SELECT \0\0\0 1", 12)) == "the byte 0x00 is no text");
  CHECK(Parsed(std::string(100'000, '\0')).diagnostics.error_count() == 1);
  CHECK(first_error("SELECT '\xff'") == "the byte 0xFF is not valid UTF-8");
  CHECK(survive(repeat("\xff\x00\xc3 ", 10'000)) > 0);
}

TEST_CASE("garbage makes a bounded report") {
  CHECK(survive(repeat("SELECT (;", 100'000)) < 50'000);
  CHECK(survive(repeat("# @ ", 100'000)) < 50'000);
  CHECK(survive(repeat("'", 99'999)) < 2'000);
  CHECK(survive(repeat("/*", 100'000)) < 2'000);
}

TEST_CASE("a text that is too long is refused unread") {
  CHECK(first_error(std::string(kMaxScriptBytes + 1, ' ')) == "the text is longer than 4194304 bytes");
}

TEST_CASE("every prefix and every mutilation of a pipeline ends in a result") {
  const std::string sql =
      "CREATE TABLE t (a ROW<x INT, y ARRAY<STRING>> METADATA FROM 'k' VIRTUAL, WATERMARK FOR ts AS ts - "
      "INTERVAL "
      "'5' SECOND, PRIMARY KEY (a) NOT ENFORCED) WITH ('c' = 'd') LIKE u (INCLUDING ALL); EXECUTE STATEMENT "
      "SET BEGIN "
      "INSERT INTO o (p) SELECT CASE a WHEN 1, 2 THEN E'\\n' ELSE U&'\\263A' END, TRIM(BOTH 'x' FROM y), "
      "COUNT(*) "
      "FILTER (WHERE b) OVER (PARTITION BY k ORDER BY ts ROWS 2 PRECEDING) FROM TABLE(HOP(TABLE t PARTITION "
      "BY k, "
      "DESCRIPTOR(ts), INTERVAL '1' DAY)) MATCH_RECOGNIZE (ORDER BY ts MEASURES A.x AS x PATTERN (A{2,}? | "
      "(B C)*) "
      "DEFINE A AS TRUE) LEFT JOIN /*+ X('a'='b') */ (VALUES (1)) v ON a = b GROUP BY GROUPING SETS ((a), "
      "()); END;";
  for (std::size_t length = 0; length <= sql.size(); ++length)
    survive(std::string_view(sql).substr(0, length));
  std::mt19937 random(7);
  for (int round = 0; round < 3'000; ++round) {
    std::string broken = sql;
    for (int cut = 0; cut < 3; ++cut) {
      const std::size_t from = random() % broken.size();
      broken.replace(from, random() % 12, broken.substr(random() % broken.size(), random() % 12));
      broken[random() % broken.size()] = static_cast<char>(random() % 256);
    }
    survive(broken);
  }
}

}  // namespace leat::sql
