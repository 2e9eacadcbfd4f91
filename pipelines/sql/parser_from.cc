// FROM: tables, joins, table functions.
#include <fmt/format.h>

#include "pipelines/sql/parser_core.h"

namespace leat::sql {

// from := reference { join };  join := ',' reference | words reference [ ON expression | USING '(' … ')' ]
From Parser::from_clause() {
  const Token& first = peek();
  From from;
  from.first = table_reference();
  joins(from);
  from.span = since(first);
  return from;
}

void Parser::joins(From& from) {
  while (!failed_) {
    Join join;
    const Token& first = peek();
    if (!join_kind(join)) return;
    join.span = since(first);
    join.right = table_reference();
    join_condition(join);
    from.joins.push_back(std::move(join));
  }
}

// words := [ NATURAL ] [ INNER | ( LEFT | RIGHT | FULL ) [ OUTER ] ] JOIN | CROSS JOIN
bool Parser::join_kind(Join& join) {
  if (accept(",")) {
    join.kind = JoinKind::kComma;
    return true;
  }
  if (!at_any_word({"NATURAL", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "JOIN"})) return false;
  join.natural = accept_word("NATURAL");
  if (accept_word("LEFT")) {
    join.kind = JoinKind::kLeft;
  } else if (accept_word("RIGHT")) {
    join.kind = JoinKind::kRight;
  } else if (accept_word("FULL")) {
    join.kind = JoinKind::kFull;
  } else if (accept_word("CROSS")) {
    join.kind = JoinKind::kCross;
  } else {
    accept_word("INNER");
  }
  const bool outer =
      join.kind == JoinKind::kLeft || join.kind == JoinKind::kRight || join.kind == JoinKind::kFull;
  if (outer) accept_word("OUTER");
  expect_word("JOIN");
  return true;
}

void Parser::join_condition(Join& join) {
  if (at_words({"ON", "CONFLICT", "DO"})) return;
  if (accept_word("ON")) {
    join.on = expression();
  } else if (accept_word("USING")) {
    join.using_columns = identifier_list("a column's name");
  }
}

// reference := primary [ [ AS ] alias [ '(' column, … ')' ] ] [ MATCH_RECOGNIZE … [ alias ] ]
TableReferencePtr Parser::table_reference() {
  const Nesting nesting(*this);
  const Token& first = peek();
  TableReferencePtr result = table_primary();
  refuse_shaping();
  alias(*result);
  refuse_shaping();
  result->span = since(first);
  if (!at_word("MATCH_RECOGNIZE")) return result;
  result = match_table(std::move(result));
  alias(*result);
  result->span = since(first);
  return result;
}

// primary := [ LATERAL ] ( TABLE '(' call ')' | '(' … ')' | UNNEST … | call ) | name …
TableReferencePtr Parser::table_primary() {
  const Token& first = peek();
  const bool lateral = accept_word("LATERAL");
  TableReferencePtr result;
  if (at_word("TABLE") && at("(", 1)) {
    advance();
    advance();
    result = at_word("UNNEST") ? unnest() : table_function();
    expect(")", "after the call of the table function");
  } else if (at("(")) {
    result = parenthesised_table();
  } else if (at_word("UNNEST")) {
    result = unnest();
  } else if (at("(", 1) && peek().kind == TokenKind::kWord) {
    result = table_function();
  } else {
    result = named_table();
  }
  result->lateral = lateral;
  result->span = since(first);
  return result;
}

/// `(query)`, `((query) UNION …)` or `(a JOIN b ON …)`: what begins with two parentheses may be any of them.
TableReferencePtr Parser::parenthesised_table() {
  const Token& open = peek();
  advance();
  if (at_query()) {
    auto inner = query();
    expect(")", "after the query");
    return derived_table(std::move(inner), open.span);
  }
  const Token& first = peek();
  auto joined = std::make_unique<JoinedTable>();
  joined->from.first = table_reference();
  auto* derived = as<DerivedTable>(*joined->from.first);
  const bool goes_on =
      at_any_word({"UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH"}) || at(")");
  if (derived != nullptr && !derived->alias && !derived->lateral && goes_on) {
    auto inner = query_from(std::move(derived->query), since(first));
    expect(")", "after the query");
    return derived_table(std::move(inner), open.span);
  }
  joins(joined->from);
  joined->from.span = since(first);
  expect(")", "after the join");
  return joined;
}

TableReferencePtr Parser::derived_table(std::unique_ptr<Query> query, SourceSpan begin) {
  auto result = std::make_unique<DerivedTable>();
  result->query = std::move(query);
  result->span = since(begin);
  return result;
}

// named := name [ hints ] [ FOR SYSTEM_TIME AS OF expression ]
TableReferencePtr Parser::named_table() {
  auto result = std::make_unique<NamedTable>();
  result->name = name("a table, a query in parentheses or a table function");
  result->hints = hints();
  if (accept_word("FOR")) {
    expect_words({"SYSTEM_TIME", "AS", "OF"});
    result->system_time = expression();
  }
  return result;
}

/// Clauses behind a table that Leat knows by name only.
void Parser::refuse_shaping() {
  const auto refuse = [&](std::string_view advice) {
    error(peek().span, fmt::format("Leat does not run {}", peek().text), std::string(advice));
  };
  if (at_word("TABLESAMPLE") && peek(1).kind == TokenKind::kWord)
    refuse("WHERE RAND() < 0.1 takes a part of the rows");
  else if (at_word("PIVOT") && at("(", 1))
    refuse("write SUM(x) FILTER (WHERE k = 'a') for each column");
  else if (at_word("UNPIVOT") && at("(", 1))
    refuse("write CROSS JOIN UNNEST(ARRAY[ROW('a', a), ROW('b', b)]) AS t (name, x)");
}

TableReferencePtr Parser::table_function() {
  auto result = std::make_unique<TableFunction>();
  const Token& first = peek();
  ExpressionPtr call = at("(", 1) ? word_primary() : failed_expression();
  if (failed_) {
    // The error is reported; the node only has to be whole.
    result->call = std::make_unique<Call>();
  } else if (as<Call>(*call) == nullptr) {
    error(since(first), "expected the call of a table function");
    result->call = std::make_unique<Call>();
  } else {
    result->call.reset(static_cast<Call*>(call.release()));
  }
  return result;
}

// unnest := UNNEST '(' expression, … ')' [ WITH ORDINALITY ]
TableReferencePtr Parser::unnest() {
  auto result = std::make_unique<Unnest>();
  advance();
  expect("(");
  result->values = expressions();
  expect(")");
  if (accept_words({"WITH", "ORDINALITY"})) result->ordinality = Unnest::Ordinality::kWith;
  return result;
}

void Parser::alias(TableReference& reference) {
  if (accept_word("AS")) {
    reference.alias = identifier("a name for the table");
  } else if (at_alias()) {
    reference.alias = implicit_alias();
  } else {
    return;
  }
  if (at("(")) reference.column_aliases = identifier_list("a name for the column");
}

bool Parser::at_alias() const {
  return at_name();
}

Identifier Parser::implicit_alias() {
  Identifier result = identifier("a name");
  if (!result.quoted) implicit_alias_ = at_;
  return result;
}

}  // namespace leat::sql
