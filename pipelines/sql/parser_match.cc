// MATCH_RECOGNIZE.
#include <limits>

#include <fmt/format.h>

#include "pipelines/sql/parser_core.h"

namespace leat::sql {

TableReferencePtr Parser::match_table(TableReferencePtr input) {
  auto result = std::make_unique<MatchTable>();
  result->input = std::move(input);
  result->match = match_recognize();
  return result;
}

// match := MATCH_RECOGNIZE '(' [ PARTITION BY … ] [ ORDER BY … ] [ MEASURES … ] [ rows PER MATCH ]
//          [ AFTER MATCH SKIP … ] PATTERN … [ WITHIN interval ] [ SUBSET … ] DEFINE … ')'
MatchRecognize Parser::match_recognize() {
  const Token& first = peek();
  MatchRecognize match;
  advance();
  expect("(");
  if (accept_words({"PARTITION", "BY"})) match.partition_by = expressions();
  if (accept_words({"ORDER", "BY"})) match.order_by = order_items();
  if (accept_word("MEASURES")) measures(match);
  rows_per_match(match);
  after_match(match);
  pattern_clause(match);
  subsets(match);
  definitions(match);
  if (!accept(")")) error_expected("',' or ')' after the definition");
  match.span = since(first);
  return match;
}

// measures := expression [ AS ] name { ',' … }
void Parser::measures(MatchRecognize& match) {
  do {
    MatchRecognize::Measure& measure = match.measures.emplace_back();
    measure.value = expression();
    accept_word("AS");
    measure.name = identifier("a name for the measure");
  } while (accept(","));
}

// rows := ONE ROW PER MATCH
//       | ALL ROWS PER MATCH [ SHOW EMPTY MATCHES | OMIT EMPTY MATCHES | WITH UNMATCHED ROWS ]
void Parser::rows_per_match(MatchRecognize& match) {
  const Token& first = peek();
  if (accept_word("ONE")) {
    expect_words({"ROW", "PER", "MATCH"});
  } else if (accept_word("ALL")) {
    using Rows = MatchRecognize::RowsPerMatch;
    expect_words({"ROWS", "PER", "MATCH"});
    match.rows_per_match = Rows::kAll;
    if (accept_words({"OMIT", "EMPTY", "MATCHES"})) match.rows_per_match = Rows::kAllOmitEmpty;
    if (accept_words({"WITH", "UNMATCHED", "ROWS"})) match.rows_per_match = Rows::kAllWithUnmatched;
    accept_words({"SHOW", "EMPTY", "MATCHES"});
  } else {
    return;
  }
  match.rows_per_match_span = since(first);
}

// after := AFTER MATCH SKIP ( PAST LAST ROW | TO NEXT ROW | TO FIRST v | TO [ LAST ] v )
void Parser::after_match(MatchRecognize& match) {
  const Token& first = peek();
  if (!accept_word("AFTER")) return;
  expect_words({"MATCH", "SKIP"});
  using Skip = MatchRecognize::Skip;
  if (accept_word("PAST")) {
    match.skip = Skip::kPastLastRow;
    expect_words({"LAST", "ROW"});
  } else {
    if (!accept_word("TO")) error_expected("PAST LAST ROW or TO", {"PAST", "TO"});
    if (accept_words({"NEXT", "ROW"})) {
      match.skip = Skip::kToNextRow;
    } else {
      match.skip = at_word("FIRST") && at_name(1) ? Skip::kToFirst : Skip::kToLast;
      if (at_name(1)) {
        if (!accept_word("FIRST")) accept_word("LAST");
      }
      match.skip_to = identifier("a pattern variable or NEXT ROW");
    }
  }
  match.skip_span = since(first);
}

// pattern_clause := PATTERN '(' [ '^' ] pattern [ '$' ] ')' [ WITHIN interval ]
void Parser::pattern_clause(MatchRecognize& match) {
  if (!accept_word("PATTERN")) {
    error_expected("PATTERN", {"PATTERN", "MEASURES", "ORDER", "PARTITION", "ONE", "ALL", "AFTER"});
  }
  expect("(");
  match.anchored_start = accept("^");
  match.pattern = pattern();
  match.anchored_end = accept("$");
  if (!accept(")")) error_expected("a pattern variable, a quantifier or ')'");
  if (accept_word("WITHIN")) match.within = expression();
}

// subsets := [ SUBSET name '=' '(' variable { ',' variable } ')' { ',' … } ]
void Parser::subsets(MatchRecognize& match) {
  if (!accept_word("SUBSET")) return;
  do {
    MatchRecognize::Subset& subset = match.subsets.emplace_back();
    subset.name = identifier("a name for the subset");
    expect("=");
    subset.members = identifier_list("a pattern variable");
  } while (accept(","));
}

// definitions := DEFINE variable AS condition { ',' variable AS condition }
void Parser::definitions(MatchRecognize& match) {
  if (!accept_word("DEFINE")) return error_expected("DEFINE", {"DEFINE", "WITHIN", "SUBSET"});
  do {
    MatchRecognize::Definition& definition = match.definitions.emplace_back();
    definition.variable = identifier("a pattern variable");
    expect_word("AS");
    definition.condition = expression();
  } while (accept(","));
}

// pattern := sequence { '|' sequence }
RowPattern Parser::pattern() {
  const Nesting nesting(*this);
  const Token& first = peek();
  RowPattern left = pattern_sequence();
  if (!at("|")) return left;
  RowPattern result;
  result.kind = RowPattern::Kind::kAlternation;
  result.children.push_back(std::move(left));
  while (accept("|")) result.children.push_back(pattern_sequence());
  result.span = since(first);
  return result;
}

// sequence := factor { factor }
RowPattern Parser::pattern_sequence() {
  const Token& first = peek();
  RowPattern left = pattern_factor();
  if (!at_pattern_factor()) return left;
  RowPattern result;
  result.kind = RowPattern::Kind::kSequence;
  result.children.push_back(std::move(left));
  while (at_pattern_factor()) result.children.push_back(pattern_factor());
  result.span = since(first);
  return result;
}

bool Parser::at_pattern_factor() const {
  return at_name() || at("(") || (at("{") && at("-", 1)) || at_word("PERMUTE");
}

// factor := primary [ quantifier ]
RowPattern Parser::pattern_factor() {
  const Token& first = peek();
  RowPattern result = pattern_primary();
  auto repeated = quantifier();
  if (!repeated) return result;
  if (result.quantifier) {
    // `(A+)*`: the parentheses are gone, so the inner quantifier gets a sequence of one around it.
    RowPattern outer;
    outer.kind = RowPattern::Kind::kSequence;
    outer.children.push_back(std::move(result));
    result = std::move(outer);
  }
  result.quantifier = repeated;
  result.span = since(first);
  return result;
}

// primary := variable | '(' [ pattern ] ')' | '{' '-' pattern '-' '}' | PERMUTE '(' pattern { ',' pattern }
// ')'
RowPattern Parser::pattern_primary() {
  const Token& first = peek();
  RowPattern result;
  if (accept("(")) {
    if (at(")")) {
      result.kind = RowPattern::Kind::kEmpty;
    } else {
      result = pattern();
    }
    expect(")");
  } else if (accept("{")) {
    expect("-");
    result.kind = RowPattern::Kind::kExclusion;
    result.children.push_back(pattern());
    expect("-");
    expect("}");
  } else if (accept_word("PERMUTE")) {
    result.kind = RowPattern::Kind::kPermute;
    expect("(");
    do {
      result.children.push_back(pattern());
    } while (accept(","));
    expect(")");
  } else {
    result.variable = identifier("a pattern variable");
  }
  result.span = since(first);
  return result;
}

// quantifier := ( '*' | '+' | '?' | '{' n '}' | '{' [ n ] ',' [ m ] '}' ) [ '?' ]
std::optional<RowPattern::Quantifier> Parser::quantifier() {
  const Token& first = peek();
  RowPattern::Quantifier result;
  if (accept("*")) {
    result.minimum = 0;
    result.maximum.reset();
  } else if (accept("+")) {
    result.maximum.reset();
  } else if (accept("?")) {
    result.minimum = 0;
  } else if (at("{") && !at("-", 1)) {
    advance();
    repetition(result);
  } else {
    return std::nullopt;
  }
  if (accept("?")) result.greed = RowPattern::Greed::kReluctant;
  result.span = since(first);
  return result;
}

void Parser::repetition(RowPattern::Quantifier& quantifier) {
  const Token& first = peek();
  const bool open_below = at(",");
  quantifier.minimum = open_below ? 0 : repetition_count();
  quantifier.maximum = quantifier.minimum;
  if (accept(",")) {
    quantifier.maximum.reset();
    if (open_below || !at("}")) quantifier.maximum = repetition_count();
  }
  expect("}");
  if (quantifier.maximum && *quantifier.maximum < quantifier.minimum) {
    error(since(first), "the upper bound of a quantifier is below its lower one");
  }
}

std::uint32_t Parser::repetition_count() {
  const Token& token = peek();
  const std::int64_t count = integer("a number of repetitions");
  if (count <= std::numeric_limits<std::int32_t>::max()) return static_cast<std::uint32_t>(count);
  error(token.span, fmt::format("{} is too large", token.text.substr(0, 40)));
  return 0;
}

}  // namespace leat::sql
