// What an expression is made of: literals, names, CASE, CAST, brackets, sub-queries.
#include <array>

#include <fmt/format.h>

#include "pipelines/sql/parser_core.h"
#include "pipelines/sql/string_literal.h"

namespace leat::sql {
namespace {

/// Functions that are called without parentheses (and with them, some).
constexpr auto kBareFunctions =
    std::to_array<std::string_view>({"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
                                     "CURRENT_ROW_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"});

}  // namespace

ExpressionPtr Parser::literal(LiteralKind kind, std::string text) {
  auto node = std::make_unique<Literal>();
  node->literal = kind;
  node->text = std::move(text);
  return seal(std::move(node), previous().span);
}

ExpressionPtr Parser::primary() {
  const Token& token = peek();
  switch (token.kind) {
    case TokenKind::kInteger:
      advance();
      return literal(LiteralKind::kInteger, std::string(token.text));
    case TokenKind::kDecimal:
      advance();
      return literal(LiteralKind::kDecimal, std::string(token.text));
    case TokenKind::kDouble:
      advance();
      return literal(LiteralKind::kDouble, std::string(token.text));
    case TokenKind::kString:
      return string_literal();
    case TokenKind::kBinary:
      return binary_literal();
    case TokenKind::kQuoted:
      return column_or_call();
    case TokenKind::kWord:
      return word_primary();
    case TokenKind::kSymbol:
      if (at("(")) return parenthesised();
      break;
    case TokenKind::kEnd:
    case TokenKind::kInvalid:
      break;
  }
  error_expected("an expression");
  return failed_expression();
}

ExpressionPtr Parser::word_primary() {
  if (accept_word("NULL")) return literal(LiteralKind::kNull, {});
  if (accept_word("TRUE")) return literal(LiteralKind::kTrue, {});
  if (accept_word("FALSE")) return literal(LiteralKind::kFalse, {});
  if (accept_word("UNKNOWN")) return literal(LiteralKind::kUnknown, {});
  if (at_word("CASE")) return case_expression();
  if (at_word("INTERVAL")) return interval();
  if (peek(1).kind == TokenKind::kString) {
    if (at_word("DATE")) return time_literal(LiteralKind::kDate);
    if (at_word("TIME")) return time_literal(LiteralKind::kTime);
    if (at_word("TIMESTAMP")) return time_literal(LiteralKind::kTimestamp);
  }
  if (at_any_word({"ARRAY", "MAP", "MULTISET"}) && at("[", 1)) return bracket_constructor();
  for (const auto function : kBareFunctions) {
    if (at_word(function) && !at("(", 1)) return bare_function();
  }
  if (at("(", 1)) {
    if (at_word("CAST")) return cast_expression(Cast::OnError::kFail);
    if (at_word("TRY_CAST")) return cast_expression(Cast::OnError::kNull);
    if (at_word("EXISTS")) return exists();
    if (at_word("ARRAY") && at_any_word({"SELECT", "WITH"}, 2)) {
      const Token& first = peek();
      advance();
      return subquery(Subquery::Use::kArray, first);
    }
  }
  const bool callable = peek().use == WordUse::kCallable && at("(", 1);
  if (at_name() || callable) return column_or_call();
  error_expected_name("an expression");
  return failed_expression();
}

ExpressionPtr Parser::string_literal() {
  const Token& first = peek();
  auto node = std::make_unique<Literal>();
  node->literal = LiteralKind::kString;
  node->text = string_word("a string").text;
  return seal(std::move(node), since(first));
}

ExpressionPtr Parser::binary_literal() {
  const Token& token = peek();
  advance();
  auto bytes = decode_binary(token.text);
  if (bytes) return literal(LiteralKind::kBinary, *std::move(bytes));
  error(token.span, std::move(bytes.error().message));
  return failed_expression();
}

// time_literal := ( DATE | TIME | TIMESTAMP ) 'text'
ExpressionPtr Parser::time_literal(LiteralKind kind) {
  const Token& first = peek();
  advance();
  StringWord text = string_word("a time in quotes");
  auto node = std::make_unique<Literal>();
  node->literal = kind;
  node->text = std::move(text.text);
  node->text_span = text.span;
  return seal(std::move(node), since(first));
}

// interval := INTERVAL [ '+' | '-' ] ( 'text' units | integer unit | name unit | '(' expression ')' unit )
ExpressionPtr Parser::interval() {
  const Token& first = peek();
  advance();
  const bool negative = accept("-");
  if (!negative) accept("+");
  if (at("(")) return interval_of(parenthesised(), first, negative);
  if (at_name()) return interval_of(column_or_call(), first, negative);
  return interval_literal(first, negative);
}

ExpressionPtr Parser::interval_literal(const Token& first, bool negative) {
  auto node = std::make_unique<Literal>();
  node->literal = LiteralKind::kInterval;
  node->negative = negative;
  const Token& number = peek();
  if (number.kind == TokenKind::kInteger) {
    advance();
    node->text = number.text;
    node->text_span = number.span;
  } else {
    if (number.kind == TokenKind::kDecimal)
      error(number.span,
            fmt::format("expected the interval in quotes, found the number {}", number.text.substr(0, 40)),
            fmt::format("write INTERVAL '{}' and the unit", number.text.substr(0, 40)));
    StringWord text = string_word("the interval in quotes, a number, a column or (an expression)");
    node->text = std::move(text.text);
    node->text_span = text.span;
  }
  node->interval = interval_units();
  return seal(std::move(node), since(first));
}

/// So many of the unit, which is one of them times the count.
ExpressionPtr Parser::interval_of(ExpressionPtr count, const Token& first, bool negative) {
  auto one = std::make_unique<Literal>();
  one->literal = LiteralKind::kInterval;
  one->text = "1";
  one->negative = negative;
  const Token& unit = peek();
  one->text_span = unit.span;
  one->interval = interval_units();
  if (one->interval.to) error(since(unit), "an interval that is computed has one unit");
  std::vector<ExpressionPtr> factors;
  factors.push_back(std::move(count));
  factors.push_back(seal(std::move(one), since(unit)));
  return call(CallSyntax::kInfix, "*", first.span, std::move(factors), since(first));
}

// case := CASE [ operand ] WHEN value { ',' value } THEN result { WHEN … } [ ELSE result ] END
ExpressionPtr Parser::case_expression() {
  const Token& first = peek();
  auto node = std::make_unique<Case>();
  advance();
  if (!at_word("WHEN")) node->operand = expression();
  while (accept_word("WHEN")) {
    Case::Branch& branch = node->branches.emplace_back();
    if (node->operand) {
      branch.when = expressions();
    } else {
      branch.when.push_back(expression());
    }
    expect_word("THEN");
    branch.then = expression();
  }
  if (node->branches.empty()) error_expected("WHEN", {"WHEN"});
  if (accept_word("ELSE")) node->otherwise = expression();
  if (!accept_word("END")) error_expected("WHEN, ELSE or END", {"WHEN", "ELSE", "END"});
  return seal(std::move(node), since(first));
}

// cast := ( CAST | TRY_CAST ) '(' expression AS type ')'
ExpressionPtr Parser::cast_expression(Cast::OnError on_error) {
  const Token& first = peek();
  auto node = std::make_unique<Cast>();
  node->on_error = on_error;
  advance();
  expect("(");
  node->value = expression();
  expect_word("AS");
  node->type = type_name();
  expect(")", "after the type");
  return seal(std::move(node), since(first));
}

// parenthesised := '(' ( query | expression { ',' expression } ) ')' | '(' a '-' b ')' units
ExpressionPtr Parser::parenthesised() {
  const Token& open = peek();
  if (at_any_word({"SELECT", "WITH", "VALUES"}, 1)) return subquery(Subquery::Use::kScalar, open);
  advance();
  return row_or_group(open);
}

ExpressionPtr Parser::row_or_group(const Token& open) {
  ExpressionPtr first = expression();
  auto* inner = as<Subquery>(*first);
  const bool goes_on = at_any_word({"UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH"});
  if (inner != nullptr && inner->use == Subquery::Use::kScalar && goes_on) {
    auto node = std::make_unique<Subquery>();
    node->query = query_from(std::move(inner->query), first->span);
    expect(")", "after the query");
    return seal(std::move(node), since(open));
  }
  if (!at(",")) {
    if (!accept(")")) error_expected("')' or ',' after the expression");
    first->span = since(open);
    const auto* inside = as<Call>(*first);
    const bool minus = inside != nullptr && inside->name == "-" && inside->arguments.size() == 2;
    if (minus && at_any_word({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}))
      return time_difference(std::move(first), open);
    return first;
  }
  std::vector<ExpressionPtr> values;
  values.push_back(std::move(first));
  while (accept(",")) values.push_back(expression());
  if (!accept(")")) error_expected("',' or ')' after the expression");
  return call(CallSyntax::kRow, "ROW", open.span, std::move(values), since(open));
}

// Behind the difference in parentheses: the units of the interval that it is. The call "MINUS_DATE" of a, b
// and the first unit.
ExpressionPtr Parser::time_difference(ExpressionPtr difference, const Token& open) {
  const Token& first_unit = peek();
  auto unit = std::make_unique<UnitArgument>();
  unit->unit = interval_units().from;
  std::vector<ExpressionPtr> values;
  for (Argument& argument : as<Call>(*difference)->arguments) values.push_back(std::move(argument.value));
  values.push_back(seal(std::move(unit), since(first_unit)));
  return call(CallSyntax::kInfix, "MINUS_DATE", open.span, std::move(values), since(open));
}

ExpressionPtr Parser::subquery(Subquery::Use use, const Token& first) {
  auto node = std::make_unique<Subquery>();
  node->use = use;
  node->query = parenthesised_query();
  return seal(std::move(node), since(first));
}

ExpressionPtr Parser::exists() {
  const Token& first = peek();
  advance();
  return subquery(Subquery::Use::kExists, first);
}

// constructor := ( ARRAY | MAP | MULTISET ) '[' [ expression { ',' expression } ] ']'
ExpressionPtr Parser::bracket_constructor() {
  const Token& word = peek();
  advance();
  advance();
  std::vector<ExpressionPtr> values;
  if (!at("]")) values = expressions();
  if (!accept("]")) error_expected("',' or ']' after the element");
  std::string name = same_word(word.text, "ARRAY") ? "ARRAY"
                     : same_word(word.text, "MAP") ? "MAP"
                                                   : "MULTISET";
  return call(CallSyntax::kBracket, std::move(name), word.span, std::move(values), since(word));
}

ExpressionPtr Parser::bare_function() {
  const Token& word = peek();
  advance();
  std::string name;
  for (const auto function : kBareFunctions) {
    if (same_word(word.text, function)) name = function;
  }
  return call(CallSyntax::kBare, std::move(name), word.span, {}, word.span);
}

// column_or_call := name { '.' name } [ '.' '*' | arguments ]
ExpressionPtr Parser::column_or_call() {
  const Token& first = peek();
  Name path;
  // The first part may be a reserved word when it is called: LEFT(s, 2).
  if (at_name()) {
    path.parts.push_back(identifier("a name"));
  } else {
    advance();
    path.parts.push_back({std::string(first.text), first.span, false});
  }
  while (at(".") && !at("*", 1)) {
    advance();
    path.parts.push_back(identifier("a name after the dot"));
  }
  path.span = since(first);
  if (at("(")) return function_call(std::move(path));
  if (at(".")) {
    advance();
    advance();
    auto star = std::make_unique<Star>();
    star->qualifier = std::move(path);
    return seal(std::move(star), since(first));
  }
  auto column = std::make_unique<ColumnName>();
  column->name = std::move(path);
  return seal(std::move(column), since(first));
}

}  // namespace leat::sql
