#include <fmt/format.h>

#include "tests/unit/sql/parse_fixture.h"

namespace leat::sql {
namespace {

const MatchRecognize& match(const Parsed& parsed) {
  const auto* table = as<MatchTable>(*parsed.select().from.value().first);
  REQUIRE(table != nullptr);
  return table->match;
}

std::string pattern(std::string_view text) {
  const Parsed parsed(fmt::format("SELECT * FROM t MATCH_RECOGNIZE (PATTERN ({}) DEFINE A AS TRUE)", text));
  if (parsed.diagnostics.has_errors()) return render(parsed.diagnostics, parsed.source);
  return tree(match(parsed).pattern);
}

std::string with_skip(std::string_view skip) {
  return fmt::format("SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP {} PATTERN (A) DEFINE A AS TRUE)",
                     skip);
}

}  // namespace

TEST_CASE("MATCH_RECOGNIZE keeps its clauses") {
  const Parsed parsed(
      "SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, n DESC "
      "MEASURES FIRST(A.x) AS first, FINAL LAST(B.x) AS last ONE ROW PER MATCH AFTER MATCH SKIP TO NEXT ROW "
      "PATTERN (A+ B) WITHIN INTERVAL '1' HOUR SUBSET S = (A, B) DEFINE A AS A.x > LAST(A.x, 1), B AS TRUE) "
      "AS m");
  const auto& clause = match(parsed);
  CHECK(clause.order_by.size() == 2);
  REQUIRE(clause.measures.size() == 2);
  CHECK(tree(*clause.measures[1].value) == "FINAL(LAST(B.x))");
  CHECK(tree(*clause.within) == "INTERVAL '1' HOUR");
  CHECK(clause.subsets.front().members.size() == 2);
  CHECK(tree(*clause.definitions[0].condition) == "(A.x > LAST(A.x, 1))");
  CHECK(parsed.select().from->first->alias->text == "m");
}

TEST_CASE("patterns have groups, alternatives and quantifiers") {
  CHECK(pattern("A B C") == "(seq A B C)");
  CHECK(pattern("A | B C") == "(alt A (seq B C))");
  CHECK(pattern("(A B)+ C?") == "(seq (seq A B){1,} C{0,1})");
  CHECK(pattern("A{2} B{2,} C{2,3} D{,3}") == "(seq A{2,2} B{2,} C{2,3} D{0,3})");
  CHECK(pattern("A*? B+?") == "(seq A{0,}? B{1,}?)");
  CHECK(pattern("(A+)*") == "(seq A{1,}){0,}");
  CHECK(pattern("{- A -} PERMUTE(B, C)") == "(seq (exclude A) (permute B C))");
}

TEST_CASE("quantifiers whose bounds cross are refused") {
  CHECK(pattern("A{3,2}").find("the upper bound of a quantifier is below its lower one") !=
        std::string::npos);
}

TEST_CASE("anchors are flags of the whole pattern") {
  const Parsed parsed("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (^ A $) DEFINE A AS TRUE)");
  CHECK(match(parsed).anchored_start);
  CHECK(match(parsed).anchored_end);
}

TEST_CASE("AFTER MATCH SKIP has five forms") {
  using Skip = MatchRecognize::Skip;
  CHECK(match(Parsed(with_skip("PAST LAST ROW"))).skip == Skip::kPastLastRow);
  CHECK(match(Parsed(with_skip("TO NEXT ROW"))).skip == Skip::kToNextRow);
  CHECK(match(Parsed(with_skip("TO FIRST A"))).skip == Skip::kToFirst);
  CHECK(match(Parsed(with_skip("TO LAST A"))).skip == Skip::kToLast);
  CHECK(match(Parsed(with_skip("TO A"))).skip_to->text == "A");
}

TEST_CASE("without AFTER MATCH the search goes on at the next row") {
  const Parsed parsed("SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS TRUE)");
  CHECK(match(parsed).skip == MatchRecognize::Skip::kToNextRow);
}

TEST_CASE("ALL ROWS PER MATCH is read, whoever runs it") {
  const Parsed parsed(
      "SELECT * FROM t MATCH_RECOGNIZE (ALL ROWS PER MATCH WITH UNMATCHED ROWS PATTERN (A) DEFINE A AS "
      "TRUE)");
  CHECK(match(parsed).rows_per_match == MatchRecognize::RowsPerMatch::kAllWithUnmatched);
}

}  // namespace leat::sql
