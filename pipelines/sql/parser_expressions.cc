// Expressions with operators: precedence climbing. The binding powers are those of Calcite's operators, so
// that a text means the same here as in Flink:
//   OR 22 · AND 24 · NOT 26 · IS NULL … 28 · = <> < <= > >= OVERLAPS 30 · BETWEEN IN LIKE SIMILAR 32 ·
//   + - IS DISTINCT FROM 40 · * / % || 60 · unary + - 80 · [ ] . 100
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pipelines/sql/parser_core.h"

namespace leat::sql {
namespace {

constexpr int kOr = 22;
constexpr int kAnd = 24;
constexpr int kNot = 26;
constexpr int kIs = 28;
constexpr int kComparison = 30;
constexpr int kBetween = 32;  // Parser::kOperandOfWords is one more.
constexpr int kSum = 40;
constexpr int kProduct = 60;
constexpr int kSign = 80;

struct Operator {
  std::string_view text;
  int power;
};

constexpr auto kSymbols = std::to_array<Operator>({
    {"=", kComparison},
    {"<>", kComparison},
    {"<", kComparison},
    {"<=", kComparison},
    {">", kComparison},
    {">=", kComparison},
    {"+", kSum},
    {"-", kSum},
    {"*", kProduct},
    {"/", kProduct},
    {"%", kProduct},
    {"||", kProduct},
});

constexpr auto kWordOperators =
    std::to_array<Operator>({{"OR", kOr}, {"AND", kAnd}, {"OVERLAPS", kComparison}});

/// What may stand between IS [NOT] and the end, longest first.
constexpr auto kStates = std::to_array<std::array<std::string_view, 2>>({
    {"NULL", ""},
    {"TRUE", ""},
    {"FALSE", ""},
    {"UNKNOWN", ""},
    {"JSON", "VALUE"},
    {"JSON", "OBJECT"},
    {"JSON", "ARRAY"},
    {"JSON", "SCALAR"},
    {"JSON", ""},
});

}  // namespace

void Parser::check_height(Expression& expression) {
  std::uint32_t below = 0;
  for_each_child(expression, [&](const Expression& child) { below = std::max(below, child.height); });
  if (const auto* subquery = as<Subquery>(expression); subquery != nullptr && subquery->query) {
    below = std::max(below, subquery->query->height);
  }
  if (const auto* table = as<TableArgument>(expression); table != nullptr && table->query) {
    below = std::max(below, table->query->height);
  }
  expression.height = below + 1;
  note_height(expression);
}

void Parser::note_height(const Expression& expression) {
  tallest_ = std::max(tallest_, expression.height);
  if (expression.height > kMaxTreeHeight) {
    error(expression.span, fmt::format("this expression is more than {} levels deep", kMaxTreeHeight),
          "split it with a view or a sub-query");
  }
}

ExpressionPtr Parser::failed_expression() {
  failed_ = true;
  return std::make_unique<Literal>();
}

ExpressionPtr Parser::call(CallSyntax syntax, std::string name, SourceSpan written,
                           std::vector<ExpressionPtr> values, SourceSpan span) {
  auto result = std::make_unique<Call>();
  result->syntax = syntax;
  result->written = {name, written, false};
  result->name = std::move(name);
  for (auto& value : values) result->arguments.push_back({std::nullopt, std::move(value)});
  return seal(std::move(result), span);
}

std::vector<ExpressionPtr> Parser::expressions() {
  std::vector<ExpressionPtr> result;
  do {
    result.push_back(expression());
  } while (accept(","));
  return result;
}

/// Reads operands and the operators between them that bind at least as tightly as `minimum`.
ExpressionPtr Parser::expression(int minimum) {
  const Nesting nesting(*this);
  if (failed_) return failed_expression();
  ExpressionPtr left = operand();
  while (!failed_ && (infix(left, minimum) || predicate(left, minimum))) continue;
  return left;
}

bool Parser::infix(ExpressionPtr& left, int minimum) {
  const Token& token = peek();
  const Operator* found = nullptr;
  for (const auto& op : kSymbols) {
    if (at(op.text)) found = &op;
  }
  for (const auto& op : kWordOperators) {
    if (at_word(op.text)) found = &op;
  }
  if (at("!=")) error(token.span, "'!=' is no operator of Flink SQL", "write <>");
  if (at("::")) error(token.span, "'::' is no operator of Flink SQL", "write CAST(value AS type)");
  if (found == nullptr || found->power < minimum) return false;
  advance();
  if (quantified(left, found->text, token)) return true;
  ExpressionPtr right = expression(found->power + 1);
  const SourceSpan span = join(left->span, right->span);
  // A chain of AND or OR is one node: conditions written by a program are long, and flat ones are shallow.
  auto* chain = as<Call>(*left);
  if (found->power <= kAnd && chain != nullptr && chain->name == found->text) {
    chain->arguments.push_back({std::nullopt, std::move(right)});
    chain->height = std::max(chain->height, chain->arguments.back().value->height + 1);
    chain->span = span;
    note_height(*chain);
    return true;
  }
  std::vector<ExpressionPtr> values;
  values.push_back(std::move(left));
  values.push_back(std::move(right));
  left = call(CallSyntax::kInfix, std::string(found->text), token.span, std::move(values), span);
  return true;
}

// quantified := x comparison ( ANY | SOME | ALL ) '(' query ')'
bool Parser::quantified(ExpressionPtr& left, std::string_view op, const Token& token) {
  if (!at_any_word({"ANY", "SOME", "ALL"}) || !at("(", 1)) return false;
  const SourceSpan begin = left->span;
  const bool all = at_word("ALL");
  advance();
  if (!at_any_word({"SELECT", "WITH", "VALUES", "TABLE"}, 1)) {
    error(peek().span, "ANY, SOME and ALL take a query", "a list goes with IN: x IN (1, 2)");
    return true;
  }
  auto node = std::make_unique<Subquery>();
  // `= ANY` is IN, `<> ALL` is NOT IN.
  const bool in = op == (all ? "<>" : "=");
  node->use = in ? Subquery::Use::kIn : all ? Subquery::Use::kAll : Subquery::Use::kAny;
  if (!in) node->op = op;
  node->operand = std::move(left);
  node->query = parenthesised_query();
  left = seal(std::move(node), since(begin));
  if (!in || !all) return true;
  std::vector<ExpressionPtr> values;
  values.push_back(std::move(left));
  const SourceSpan span = values[0]->span;
  left = call(CallSyntax::kPrefix, "NOT", token.span, std::move(values), span);
  return true;
}

/// IS …, and [NOT] BETWEEN, IN, LIKE, SIMILAR TO.
bool Parser::predicate(ExpressionPtr& left, int minimum) {
  if (at_word("IS")) {
    const bool distinct = at_word("DISTINCT", 1) || (at_word("NOT", 1) && at_word("DISTINCT", 2));
    if ((distinct ? kSum : kIs) < minimum) return false;
    is_predicate(left);
    return true;
  }
  const std::size_t ahead = at_word("NOT") ? 1 : 0;
  if (!at_any_word({"BETWEEN", "IN", "LIKE", "SIMILAR"}, ahead) || kBetween < minimum) return false;
  const Token& word = peek();
  if (ahead == 1) advance();
  if (at_word("BETWEEN")) {
    between(left);
  } else if (at_word("IN")) {
    in_list(left);
  } else if (at_word("LIKE")) {
    like(left, "LIKE");
  } else {
    like(left, "SIMILAR TO");
  }
  if (ahead == 0) return true;
  const SourceSpan span = left->span;
  std::vector<ExpressionPtr> values;
  values.push_back(std::move(left));
  left = call(CallSyntax::kPrefix, "NOT", word.span, std::move(values), span);
  return true;
}

// between := x BETWEEN [ SYMMETRIC | ASYMMETRIC ] low AND high
void Parser::between(ExpressionPtr& left) {
  const Token& word = peek();
  advance();
  const bool symmetric = accept_word("SYMMETRIC");
  if (!symmetric) accept_word("ASYMMETRIC");
  std::vector<ExpressionPtr> values;
  const SourceSpan begin = left->span;
  values.push_back(std::move(left));
  values.push_back(expression(kBetween + 1));
  expect_word("AND");
  values.push_back(expression(kBetween + 1));
  left = call(CallSyntax::kInfix, symmetric ? "BETWEEN SYMMETRIC" : "BETWEEN", word.span, std::move(values),
              since(begin));
}

// in := x IN '(' ( query | expression, … ) ')'
void Parser::in_list(ExpressionPtr& left) {
  const Token& word = peek();
  const SourceSpan begin = left->span;
  advance();
  if (at("(") && (at_any_word({"SELECT", "WITH", "VALUES", "TABLE"}, 1))) {
    auto node = std::make_unique<Subquery>();
    node->use = Subquery::Use::kIn;
    node->operand = std::move(left);
    node->query = parenthesised_query();
    left = seal(std::move(node), since(begin));
    return;
  }
  expect("(", "and a list or a query");
  std::vector<ExpressionPtr> values = expressions();
  if (!accept(")")) error_expected("',' or ')' after the value");
  values.insert(values.begin(), std::move(left));
  left = call(CallSyntax::kInfix, "IN", word.span, std::move(values), since(begin));
}

// like := x ( LIKE | SIMILAR TO ) pattern [ ESCAPE character ]
void Parser::like(ExpressionPtr& left, std::string name) {
  const Token& word = peek();
  const SourceSpan begin = left->span;
  advance();
  if (name == "SIMILAR TO") expect_word("TO");
  const SourceSpan written = since(word);
  std::vector<ExpressionPtr> values;
  values.push_back(std::move(left));
  values.push_back(expression(kBetween + 1));
  if (accept_word("ESCAPE")) values.push_back(expression(kBetween + 1));
  left = call(CallSyntax::kInfix, std::move(name), written, std::move(values), since(begin));
}

// is := x IS [ NOT ] ( NULL | TRUE | FALSE | UNKNOWN | JSON [ VALUE | OBJECT | ARRAY | SCALAR ] | DISTINCT
// FROM y )
void Parser::is_predicate(ExpressionPtr& left) {
  const Token& word = peek();
  const SourceSpan begin = left->span;
  advance();
  std::string name = accept_word("NOT") ? "IS NOT" : "IS";
  std::vector<ExpressionPtr> values;
  values.push_back(std::move(left));
  if (accept_words({"DISTINCT", "FROM"})) {
    const SourceSpan written = since(word);
    values.push_back(expression(kSum));
    left = call(CallSyntax::kInfix, name + " DISTINCT FROM", written, std::move(values), since(begin));
    return;
  }
  for (const auto& [first, second] : kStates) {
    if (!at_word(first) || (!second.empty() && !at_word(second, 1))) continue;
    name.append(" ").append(first);
    advance();
    if (accept_word(second)) name.append(" ").append(second);
    left = call(CallSyntax::kPostfix, std::move(name), since(word), std::move(values), since(begin));
    return;
  }
  error_expected("NULL, TRUE, FALSE, UNKNOWN, JSON or DISTINCT FROM",
                 {"NULL", "TRUE", "FALSE", "UNKNOWN", "JSON", "DISTINCT"});
  left = failed_expression();
}

ExpressionPtr Parser::operand() {
  if (at_word("NOT")) return prefix("NOT", kNot);
  if (at("+") || at("-")) return signed_operand();
  // In MEASURES: FINAL LAST(a.x). Elsewhere FINAL is a name like any other.
  if (at_any_word({"FINAL", "RUNNING"}) && peek(1).kind == TokenKind::kWord && at("(", 2)) {
    return prefix(at_word("FINAL") ? "FINAL" : "RUNNING", kSign);
  }
  return postfix(primary());
}

ExpressionPtr Parser::prefix(std::string_view name, int minimum) {
  const Token& word = peek();
  advance();
  std::vector<ExpressionPtr> values;
  values.push_back(expression(minimum));
  return call(CallSyntax::kPrefix, std::string(name), word.span, std::move(values), since(word));
}

/// A minus sign before a number belongs to the number: the smallest BIGINT has no positive counterpart.
ExpressionPtr Parser::signed_operand() {
  const Token& sign = peek();
  const TokenKind next = peek(1).kind;
  const bool number =
      next == TokenKind::kInteger || next == TokenKind::kDecimal || next == TokenKind::kDouble;
  if (!at("-") || !number) return prefix(sign.text, kSign);
  advance();
  ExpressionPtr value = primary();
  auto* literal = as<Literal>(*value);
  if (literal == nullptr) return value;
  literal->text = fmt::format("-{}", literal->text);
  literal->span = join(sign.span, literal->span);
  return postfix(std::move(value));
}

// postfix := primary { '[' expression ']' | '.' ( name | '*' ) }
ExpressionPtr Parser::postfix(ExpressionPtr value) {
  while (!failed_) {
    const Token& first = peek();
    if (accept("[")) {
      const SourceSpan begin = value->span;
      std::vector<ExpressionPtr> values;
      values.push_back(std::move(value));
      values.push_back(expression());
      expect("]");
      value = call(CallSyntax::kItem, "ITEM", since(first), std::move(values), since(begin));
    } else if (at(".")) {
      value = field_access(std::move(value));
    } else {
      break;
    }
  }
  return value;
}

ExpressionPtr Parser::field_access(ExpressionPtr value) {
  const SourceSpan begin = value->span;
  auto node = std::make_unique<FieldAccess>();
  advance();
  node->value = std::move(value);
  node->star = accept("*");
  if (!node->star) node->field = identifier("a field's name");
  return seal(std::move(node), since(begin));
}

}  // namespace leat::sql
