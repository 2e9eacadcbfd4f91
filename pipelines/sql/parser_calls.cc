// Calls of functions: arguments, keyword forms (EXTRACT, TRIM …), and the clauses behind them.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pipelines/sql/parser_core.h"

namespace leat::sql {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

}  // namespace

// call := name '(' arguments ')' clauses
ExpressionPtr Parser::function_call(Name function) {
  const SourceSpan begin = function.span;
  const bool plain = function.parts.size() == 1 && !function.parts.front().quoted;
  if (plain && same_word(function.last(), "DESCRIPTOR")) return descriptor(begin);
  auto call = std::make_unique<Call>();
  call->name = upper(function.to_string());
  call->written = {function.to_string(), begin, function.parts.front().quoted};
  expect("(");
  if (!plain || !keyword_form(*call)) plain_arguments(*call);
  if (!accept(")")) error_expected("',' or ')' after the argument");
  call_clauses(*call);
  return seal(std::move(call), since(begin));
}

/// Functions whose arguments have words between them; true if the arguments have been read.
bool Parser::keyword_form(Call& call) {
  struct Form {
    std::string_view name;
    void (Parser::*read)(Call&);
  };
  static constexpr auto kForms = std::to_array<Form>({
      {"CEIL", &Parser::to_unit_form},
      {"CEILING", &Parser::to_unit_form},
      {"EXTRACT", &Parser::extract_form},
      {"FLOOR", &Parser::to_unit_form},
      {"JSON_ARRAY", &Parser::json_elements},
      {"JSON_ARRAYAGG", &Parser::json_elements},
      {"JSON_EXISTS", &Parser::json_exists_form},
      {"JSON_OBJECT", &Parser::json_pairs},
      {"JSON_OBJECTAGG", &Parser::json_pairs},
      {"JSON_QUERY", &Parser::json_query_form},
      {"JSON_VALUE", &Parser::json_value_form},
      {"OVERLAY", &Parser::overlay_form},
      {"POSITION", &Parser::position_form},
      {"SUBSTRING", &Parser::substring_form},
      {"TIMESTAMPADD", &Parser::timestamp_form},
      {"TIMESTAMPDIFF", &Parser::timestamp_form},
      {"TRIM", &Parser::trim_form},
  });
  for (const auto& form : kForms) {
    if (call.name != form.name) continue;
    (this->*form.read)(call);
    return true;
  }
  return false;
}

void Parser::add(Call& call, ExpressionPtr value) {
  call.arguments.push_back({std::nullopt, std::move(value)});
}

// arguments := [ '*' | [ DISTINCT | ALL ] argument { ',' argument } [ nulls ] [ ORDER BY … ] ]
void Parser::plain_arguments(Call& call) {
  if (at(")")) return;
  if (at("*") && at(")", 1)) {
    advance();
    call.star = true;
    return;
  }
  call.distinct = accept_word("DISTINCT");
  if (!call.distinct) accept_word("ALL");
  do {
    call.arguments.push_back(argument());
  } while (accept(","));
  null_treatment(call);
  if (accept_words({"ORDER", "BY"})) call.order_by = order_items();
}

void Parser::null_treatment(Call& call) {
  if (accept_words({"IGNORE", "NULLS"})) call.nulls = Call::Nulls::kIgnore;
  if (accept_words({"RESPECT", "NULLS"})) call.nulls = Call::Nulls::kRespect;
}

// argument := [ name '=>' ] value
Argument Parser::argument() {
  Argument result;
  const TokenKind kind = peek().kind;
  if ((kind == TokenKind::kWord || kind == TokenKind::kQuoted) && at("=>", 1)) {
    result.name = identifier("an argument's name");
    advance();
  }
  result.value = argument_value();
  return result;
}

// value := TABLE … | MODEL name | DEFAULT | '*' | expression | '(' query ')' [ PARTITION BY … ] [ ORDER BY …
// ]
ExpressionPtr Parser::argument_value() {
  const Token& first = peek();
  if (at_word("TABLE")) return table_argument();
  if (at_word("MODEL") && at_name(1)) {
    advance();
    auto model = std::make_unique<ModelArgument>();
    model->model = name("a model's name");
    return seal(std::move(model), since(first));
  }
  if (accept_word("DEFAULT")) {
    auto symbol = std::make_unique<SymbolArgument>();
    symbol->symbol = "DEFAULT";
    return seal(std::move(symbol), first.span);
  }
  ExpressionPtr value = expression();
  auto* query = as<Subquery>(*value);
  const bool clauses = at_words({"PARTITION", "BY"}) || at_words({"ORDER", "BY"});
  if (query == nullptr || query->use != Subquery::Use::kScalar || !clauses) return value;
  auto table = std::make_unique<TableArgument>();
  table->query = std::move(query->query);
  return table_keys(std::move(table), first);
}

// table := TABLE ( name | '(' query ')' ) keys
ExpressionPtr Parser::table_argument() {
  const Token& first = peek();
  auto table = std::make_unique<TableArgument>();
  advance();
  if (at("(")) {
    table->query = parenthesised_query();
  } else {
    table->table = name("a table's name");
  }
  return table_keys(std::move(table), first);
}

// keys := [ PARTITION BY ( key | '(' key, … ')' ) ] [ ORDER BY ( order | '(' order, … ')' ) ]
// A list without parentheses is taken as far as bare names go: `PARTITION BY a, b, DESCRIPTOR(ts)`.
ExpressionPtr Parser::table_keys(std::unique_ptr<TableArgument> table, const Token& first) {
  if (accept_words({"PARTITION", "BY"})) {
    const bool list = accept("(");
    do {
      table->partition_by.push_back(expression());
    } while ((list || at_next_key()) && accept(","));
    if (list) expect(")");
  }
  if (accept_words({"ORDER", "BY"})) {
    const bool list = accept("(");
    do {
      table->order_by.push_back(order_item());
    } while ((list || at_next_key()) && accept(","));
    if (list) expect(")");
  }
  return seal(std::move(table), since(first));
}

/// True at `, name` if the name is no argument of its own.
bool Parser::at_next_key() const {
  return at(",") && at_name(1) &&
         (at(",", 2) || at(")", 2) || at_any_word({"ORDER", "ASC", "DESC", "NULLS"}, 2));
}

// descriptor := DESCRIPTOR '(' column { ',' column } ')'
ExpressionPtr Parser::descriptor(SourceSpan begin) {
  auto node = std::make_unique<Descriptor>();
  node->columns = identifier_list("a column's name");
  return seal(std::move(node), since(begin));
}

/// `read`: the unit, if one stood there.
ExpressionPtr Parser::unit_argument(std::optional<TimeUnit> read) {
  auto node = std::make_unique<UnitArgument>();
  if (read) {
    node->unit = *read;
  } else {
    error_expected("a unit of time",
                   {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND",
                    "MICROSECOND", "NANOSECOND", "EPOCH", "DECADE", "CENTURY"});
  }
  return seal(std::move(node), read ? previous().span : peek().span);
}

// EXTRACT '(' unit FROM x ')'
void Parser::extract_form(Call& call) {
  add(call, unit_argument(accept_unit()));
  expect_word("FROM");
  add(call, expression());
}

// ( FLOOR | CEIL ) '(' x [ TO unit ] ')'
void Parser::to_unit_form(Call& call) {
  plain_arguments(call);
  if (accept_word("TO")) add(call, unit_argument(accept_unit()));
}

// POSITION '(' needle IN text [ FROM n ] ')'
void Parser::position_form(Call& call) {
  add(call, expression(kOperandOfWords));
  expect_word("IN");
  add(call, expression());
  if (accept_word("FROM")) add(call, expression());
}

// SUBSTRING '(' x FROM a [ FOR n ] ')' or plain
void Parser::substring_form(Call& call) {
  plain_arguments(call);
  if (!accept_word("FROM")) return;
  add(call, expression());
  if (accept_word("FOR")) add(call, expression());
}

// OVERLAY '(' x PLACING y FROM a [ FOR n ] ')' or plain
void Parser::overlay_form(Call& call) {
  plain_arguments(call);
  if (!accept_word("PLACING")) return;
  add(call, expression());
  expect_word("FROM");
  add(call, expression());
  if (accept_word("FOR")) add(call, expression());
}

// TRIM '(' [ LEADING | TRAILING | BOTH ] [ characters ] [ FROM ] x ')'
void Parser::trim_form(Call& call) {
  auto side = std::make_unique<SymbolArgument>();
  side->symbol = "BOTH";
  SourceSpan side_span{peek().span.begin, peek().span.begin};
  for (const std::string_view word : {"LEADING", "TRAILING", "BOTH"}) {
    if (!accept_word(word)) continue;
    side->symbol = word;
    side_span = previous().span;
  }
  ExpressionPtr characters = at_word("FROM") ? nullptr : expression();
  ExpressionPtr text;
  if (accept_word("FROM")) {
    text = expression();
  } else {
    text = std::move(characters);
  }
  if (!characters) {
    auto blank = std::make_unique<Literal>();
    blank->literal = LiteralKind::kString;
    blank->text = " ";
    characters = seal(std::move(blank), side_span);
  }
  add(call, seal(std::move(side), side_span));
  add(call, std::move(characters));
  add(call, std::move(text));
}

// ( TIMESTAMPADD | TIMESTAMPDIFF ) '(' unit ',' a ',' b ')'
void Parser::timestamp_form(Call& call) {
  const std::optional<TimeUnit> odbc = accept_odbc_unit();
  add(call, unit_argument(odbc ? odbc : accept_unit()));
  expect(",", "after the unit");
  add(call, expression());
  expect(",", "after the second argument");
  add(call, expression());
}

// clauses := [ nulls ] [ WITHIN GROUP '(' ORDER BY … ')' ] [ FILTER '(' WHERE … ')' ] [ OVER … ]
void Parser::call_clauses(Call& call) {
  null_treatment(call);
  if (accept_words({"WITHIN", "GROUP"})) {
    expect("(");
    expect_words({"ORDER", "BY"});
    call.order_by = order_items();
    expect(")");
  }
  if (at_word("FILTER") && at("(", 1)) {
    advance();
    advance();
    expect_word("WHERE");
    call.filter = expression();
    expect(")", "after the filter");
  }
  if (accept_word("OVER")) call.over = over_clause();
}

// over := name | window
std::unique_ptr<Window> Parser::over_clause() {
  if (at("(")) return std::make_unique<Window>(window_definition());
  auto window = std::make_unique<Window>();
  window->base = identifier("a window's name or '('");
  window->span = window->base->span;
  return window;
}

}  // namespace leat::sql
