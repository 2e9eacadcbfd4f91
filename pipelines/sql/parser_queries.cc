// Queries but FROM.
#include <algorithm>

#include <fmt/format.h>

#include "pipelines/sql/parser_core.h"

namespace leat::sql {
namespace {

std::unique_ptr<Query> query_of(QueryBodyPtr body) {
  auto query = std::make_unique<Query>();
  query->body = std::move(body);
  return query;
}

}  // namespace

void Parser::check_height(Query& query) {
  query.height = tallest_ + 1;
  if (query.height > kMaxTreeHeight) error(query.span, "this query is nested too deeply");
}

// query := [ WITH common { ',' common } ] set_operation tail
std::unique_ptr<Query> Parser::query() {
  const Nesting nesting(*this);
  const Token& first = peek();
  const std::uint32_t outer = std::exchange(tallest_, 0);
  auto result = std::make_unique<Query>();
  if (at_word("WITH")) with_clause(*result);
  result->body = set_operation(query_primary());
  query_tail(*result);
  result->span = since(first);
  check_height(*result);
  tallest_ = std::max(outer, result->height);
  return result;
}

std::unique_ptr<Query> Parser::query_from(std::unique_ptr<Query> first, SourceSpan begin) {
  const std::uint32_t outer = std::exchange(tallest_, first->height);
  auto result = query_of(set_operation(nested_query(std::move(first), begin)));
  query_tail(*result);
  result->span = since(begin);
  check_height(*result);
  tallest_ = std::max(outer, result->height);
  return result;
}

// tail := [ ORDER BY … ] { LIMIT ( ALL | n ) | OFFSET n [ ROW | ROWS ] | FETCH … }
void Parser::query_tail(Query& query) {
  if (accept_words({"ORDER", "BY"})) query.order_by = order_items();
  while (at_any_word({"LIMIT", "OFFSET", "FETCH"})) {
    const Token& word = peek();
    const bool twice = at_word("OFFSET") ? query.offset != nullptr : query.limit != nullptr;
    if (twice) error(word.span, fmt::format("{} stands here a second time", word.text));
    if (at_word("FETCH")) {
      fetch_clause(query);
    } else if (accept_word("OFFSET")) {
      query.offset = expression();
      if (!accept_word("ROWS")) accept_word("ROW");
    } else {
      advance();
      if (!accept_word("ALL")) query.limit = expression();
    }
  }
}

// fetch := FETCH ( FIRST | NEXT ) [ n ] ( ROW | ROWS ) ONLY
void Parser::fetch_clause(Query& query) {
  advance();
  if (!accept_word("FIRST") && !accept_word("NEXT")) error_expected("FIRST or NEXT", {"FIRST", "NEXT"});
  if (at_any_word({"ROW", "ROWS"})) {
    query.limit = literal(LiteralKind::kInteger, "1");
  } else {
    query.limit = expression();
  }
  if (!accept_word("ROWS")) expect_word("ROW");
  expect_word("ONLY");
}

// common := name [ '(' column, … ')' ] AS '(' query ')'
void Parser::with_clause(Query& query) {
  advance();
  if (at_word("RECURSIVE")) error(peek().span, "recursive queries do not run on streams");
  do {
    CommonTable& common = query.with.emplace_back();
    common.name = identifier("a name for the query");
    if (at("(")) common.columns = identifier_list("a column's name");
    expect_word("AS");
    common.query = parenthesised_query();
  } while (accept(","));
}

std::unique_ptr<Query> Parser::parenthesised_query() {
  expect("(", "and a query");
  if (!at_query() && !at("(")) error_expected("a query", {"SELECT", "WITH", "VALUES"});
  auto result = query();
  expect(")", "after the query");
  return result;
}

// set_operation := intersections { ( UNION | EXCEPT ) [ ALL | DISTINCT ] intersections }
QueryBodyPtr Parser::set_operation(QueryBodyPtr first) {
  first = intersections(std::move(first));
  if (!at_any_word({"UNION", "EXCEPT"})) return first;
  const SourceSpan begin = first->span;
  auto chain = std::make_unique<SetOperation>();
  chain->first = std::move(first);
  while (at_any_word({"UNION", "EXCEPT"})) {
    const auto op = at_word("UNION") ? SetOperation::Operator::kUnion : SetOperation::Operator::kExcept;
    set_step(*chain, op);
    chain->steps.back().right = intersections(query_primary());
  }
  chain->span = since(begin);
  return chain;
}

// intersections := primary { INTERSECT [ ALL | DISTINCT ] primary }
QueryBodyPtr Parser::intersections(QueryBodyPtr first) {
  if (!at_word("INTERSECT")) return first;
  const SourceSpan begin = first->span;
  auto chain = std::make_unique<SetOperation>();
  chain->first = std::move(first);
  while (at_word("INTERSECT")) {
    set_step(*chain, SetOperation::Operator::kIntersect);
    chain->steps.back().right = query_primary();
  }
  chain->span = since(begin);
  return chain;
}

/// Reads the words; the caller reads what is to the right of them.
void Parser::set_step(SetOperation& chain, SetOperation::Operator op) {
  const Token& word = peek();
  advance();
  SetOperation::Step& step = chain.steps.emplace_back();
  step.op = op;
  if (accept_word("ALL")) {
    step.quantifier = SetOperation::Quantifier::kAll;
  } else {
    accept_word("DISTINCT");
  }
  step.span = since(word);
}

// primary := select | VALUES … | TABLE name | '(' query ')'
QueryBodyPtr Parser::query_primary() {
  const Token& first = peek();
  if (at_word("SELECT")) return select();
  if (at_word("VALUES")) return values();
  if (at("(")) {
    auto inner = parenthesised_query();
    return nested_query(std::move(inner), since(first));
  }
  auto table = std::make_unique<ExplicitTable>();
  if (accept_word("TABLE")) {
    table->name = name("a table's name");
  } else {
    error_expected("SELECT, VALUES or a query in parentheses", {"SELECT", "VALUES", "WITH"});
  }
  return finish(std::move(table), first);
}

QueryBodyPtr Parser::nested_query(std::unique_ptr<Query> query, SourceSpan span) {
  auto result = std::make_unique<NestedQuery>();
  result->query = std::move(query);
  result->span = span;
  return result;
}

// select := SELECT [ hints ] [ ALL | DISTINCT ] item, … [ FROM … ] [ WHERE … ] [ GROUP BY … ] [ HAVING … ]
//           [ WINDOW … ] [ QUALIFY … ]
QueryBodyPtr Parser::select() {
  const Token& first = peek();
  auto result = std::make_unique<Select>();
  advance();
  result->hints = hints();
  result->distinct = accept_word("DISTINCT");
  if (!result->distinct) accept_word("ALL");
  select_items(*result);
  if (accept_word("FROM")) result->from = from_clause();
  if (accept_word("WHERE")) result->where = expression();
  if (accept_words({"GROUP", "BY"})) {
    result->grouped = true;
    result->group_by = group_items();
  }
  if (accept_word("HAVING")) result->having = expression();
  if (accept_word("WINDOW")) result->windows = named_windows();
  if (accept_word("QUALIFY")) result->qualify = expression();
  return finish(std::move(result), first);
}

void Parser::select_items(Select& select) {
  do {
    if (at_word("FROM") && !select.items.empty()) {
      error(previous().span, "a comma stands before FROM", "remove it, or add a column");
    }
    select.items.push_back(select_item());
  } while (accept(","));
}

// item := ( '*' | expression ) [ [ AS ] alias ]
SelectItem Parser::select_item() {
  const Token& first = peek();
  SelectItem item;
  if (accept("*")) {
    item.value = seal(std::make_unique<Star>(), first.span);
  } else {
    item.value = expression();
  }
  if (accept_word("AS")) {
    item.alias = identifier("a name for the column");
  } else if (at_alias()) {
    item.alias = implicit_alias();
  }
  item.span = since(first);
  return item;
}

// values := VALUES row { ',' row };  row := '(' expression, … ')' | ROW '(' expression, … ')' | expression
QueryBodyPtr Parser::values() {
  const Token& first = peek();
  auto result = std::make_unique<Values>();
  advance();
  do {
    const Token& begin = peek();
    Values::Row& row = result->rows.emplace_back();
    const bool constructor = at_word("ROW") && at("(", 1);
    if (constructor) advance();
    if (constructor || (at("(") && !at_any_word({"SELECT", "WITH", "VALUES"}, 1))) {
      advance();
      row.values = expressions();
      if (!accept(")")) error_expected("',' or ')' after the value");
    } else {
      row.values.push_back(expression());
    }
    row.span = since(begin);
  } while (accept(","));
  return finish(std::move(result), first);
}

std::vector<GroupItem> Parser::group_items() {
  std::vector<GroupItem> result;
  do {
    result.push_back(group_item());
  } while (accept(","));
  return result;
}

// group_item := GROUPING SETS '(' group_item, … ')' | ROLLUP '(' … ')' | CUBE '(' … ')' | '(' ')' |
// expression
GroupItem Parser::group_item() {
  const Nesting nesting(*this);
  const Token& first = peek();
  GroupItem item;
  const bool sets = accept_words({"GROUPING", "SETS"});
  const bool rollup = !sets && accept_word("ROLLUP");
  if (sets || rollup || accept_word("CUBE")) {
    item.kind = sets     ? GroupItem::Kind::kGroupingSets
                : rollup ? GroupItem::Kind::kRollup
                         : GroupItem::Kind::kCube;
    expect("(");
    item.items = group_items();
    expect(")");
  } else if (at("(") && at(")", 1)) {
    item.kind = GroupItem::Kind::kSet;
    advance();
    advance();
  } else {
    ExpressionPtr value = expression();
    auto* row = as<Call>(*value);
    if (row != nullptr && row->syntax == CallSyntax::kRow) {
      item.kind = GroupItem::Kind::kSet;
      for (auto& argument : row->arguments) item.values.push_back(std::move(argument.value));
    } else {
      item.values.push_back(std::move(value));
    }
  }
  item.span = since(first);
  return item;
}

std::vector<OrderItem> Parser::order_items() {
  std::vector<OrderItem> result;
  do {
    result.push_back(order_item());
  } while (accept(","));
  return result;
}

// order_item := expression [ ASC | DESC ] [ NULLS ( FIRST | LAST ) ]
OrderItem Parser::order_item() {
  const Token& first = peek();
  OrderItem item;
  item.value = expression();
  if (accept_word("DESC")) {
    item.direction = OrderItem::Direction::kDescending;
  } else {
    accept_word("ASC");
  }
  if (accept_words({"NULLS", "FIRST"})) {
    item.nulls = OrderItem::Nulls::kFirst;
  } else if (accept_words({"NULLS", "LAST"})) {
    item.nulls = OrderItem::Nulls::kLast;
  }
  item.span = since(first);
  return item;
}

// windows := name AS window { ',' name AS window }
std::vector<NamedWindow> Parser::named_windows() {
  std::vector<NamedWindow> result;
  do {
    NamedWindow& window = result.emplace_back();
    window.name = identifier("a window's name");
    expect_word("AS");
    window.window = window_definition();
  } while (accept(","));
  return result;
}

// window := '(' [ name ] [ PARTITION BY expression, … ] [ ORDER BY … ] [ frame ] ')'
Window Parser::window_definition() {
  const Token& first = peek();
  Window window;
  expect("(", "and the window's definition");
  if (at_name()) window.base = identifier("a window's name");
  if (accept_words({"PARTITION", "BY"})) window.partition_by = expressions();
  if (accept_words({"ORDER", "BY"})) window.order_by = order_items();
  if (at_any_word({"ROWS", "RANGE"})) window.frame = frame();
  if (!accept(")")) {
    error_expected("PARTITION BY, ORDER BY, ROWS, RANGE or ')'",
                   {"PARTITION", "ORDER", "ROWS", "RANGE", "BETWEEN"});
  }
  window.span = since(first);
  return window;
}

// frame := ( ROWS | RANGE ) ( BETWEEN bound AND bound | bound )
Frame Parser::frame() {
  const Token& first = peek();
  Frame result;
  result.unit = at_word("ROWS") ? Frame::Unit::kRows : Frame::Unit::kRange;
  advance();
  const bool between = accept_word("BETWEEN");
  result.lower = frame_bound();
  if (between) {
    expect_word("AND");
    result.upper = frame_bound();
  }
  result.span = since(first);
  return result;
}

// bound := CURRENT ROW | ( UNBOUNDED | expression ) ( PRECEDING | FOLLOWING )
FrameBound Parser::frame_bound() {
  const Token& first = peek();
  FrameBound bound;
  if (accept_words({"CURRENT", "ROW"})) {
    bound.span = since(first);
    return bound;
  }
  const bool unbounded = accept_word("UNBOUNDED");
  if (!unbounded) bound.offset = expression(kOperandOfWords);
  const bool preceding = accept_word("PRECEDING");
  if (!preceding && !accept_word("FOLLOWING")) {
    error_expected("PRECEDING or FOLLOWING", {"PRECEDING", "FOLLOWING"});
  }
  using Kind = FrameBound::Kind;
  if (unbounded) {
    bound.kind = preceding ? Kind::kUnboundedPreceding : Kind::kUnboundedFollowing;
  } else {
    bound.kind = preceding ? Kind::kPreceding : Kind::kFollowing;
  }
  bound.span = since(first);
  return bound;
}

}  // namespace leat::sql
