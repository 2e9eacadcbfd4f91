// The SQL/JSON functions, whose arguments are sentences.
#include "pipelines/sql/json_clauses.h"
#include "pipelines/sql/parser_core.h"

namespace leat::sql {

// JSON_VALUE '(' document ',' path [ RETURNING type ] on_clauses ')'
void Parser::json_value_form(Call& call) {
  plain_arguments(call);
  call.json = std::make_unique<JsonClauses>();
  if (accept_word("RETURNING")) call.json->returning = type_name();
  json_on_clauses(*call.json);
}

// JSON_QUERY '(' document ',' path [ RETURNING type ] [ wrapper ] on_clauses ')'
// wrapper := ( WITHOUT | WITH [ CONDITIONAL | UNCONDITIONAL ] ) [ ARRAY ] WRAPPER
void Parser::json_query_form(Call& call) {
  plain_arguments(call);
  call.json = std::make_unique<JsonClauses>();
  if (accept_word("RETURNING")) call.json->returning = type_name();
  if (at_any_word({"WITH", "WITHOUT"})) {
    using Wrapper = JsonClauses::Wrapper;
    if (accept_word("WITHOUT")) {
      call.json->wrapper = Wrapper::kWithout;
    } else {
      advance();
      call.json->wrapper = accept_word("CONDITIONAL") ? Wrapper::kConditional : Wrapper::kUnconditional;
      accept_word("UNCONDITIONAL");
    }
    accept_word("ARRAY");
    expect_word("WRAPPER");
  }
  json_on_clauses(*call.json);
}

// JSON_EXISTS '(' document ',' path [ behaviour ON ERROR ] ')'
void Parser::json_exists_form(Call& call) {
  plain_arguments(call);
  call.json = std::make_unique<JsonClauses>();
  json_on_clauses(*call.json);
}

// on_clauses := { behaviour ON ( EMPTY | ERROR ) }
void Parser::json_on_clauses(JsonClauses& clauses) {
  while (!failed_ && !at(")")) {
    ExpressionPtr value;
    const JsonClauses::Behaviour behaviour = json_behaviour(value);
    expect_word("ON");
    if (accept_word("EMPTY")) {
      clauses.on_empty = behaviour;
      clauses.default_on_empty = std::move(value);
    } else if (accept_word("ERROR")) {
      clauses.on_error = behaviour;
      clauses.default_on_error = std::move(value);
    } else {
      error_expected("EMPTY or ERROR", {"EMPTY", "ERROR"});
    }
  }
}

// behaviour := NULL | ERROR | EMPTY ARRAY | EMPTY OBJECT | TRUE | FALSE | UNKNOWN | DEFAULT expression
JsonClauses::Behaviour Parser::json_behaviour(ExpressionPtr& default_value) {
  using Behaviour = JsonClauses::Behaviour;
  if (accept_word("NULL")) return Behaviour::kNull;
  if (accept_word("ERROR")) return Behaviour::kError;
  if (accept_words({"EMPTY", "ARRAY"})) return Behaviour::kEmptyArray;
  if (accept_words({"EMPTY", "OBJECT"})) return Behaviour::kEmptyObject;
  if (accept_word("TRUE")) return Behaviour::kTrue;
  if (accept_word("FALSE")) return Behaviour::kFalse;
  if (accept_word("UNKNOWN")) return Behaviour::kUnknown;
  if (accept_word("DEFAULT")) {
    default_value = expression();
    return Behaviour::kDefault;
  }
  error_expected("',', ')' or what to do ON EMPTY or ON ERROR",
                 {"RETURNING", "NULL", "ERROR", "DEFAULT", "EMPTY"});
  return Behaviour::kNone;
}

bool Parser::at_json_null_clause() const {
  return at_words({"NULL", "ON", "NULL"}) || at_words({"ABSENT", "ON", "NULL"});
}

void Parser::json_null_clause(JsonClauses& clauses) {
  if (!at_json_null_clause()) return;
  using Nulls = JsonClauses::NullHandling;
  clauses.nulls = at_word("NULL") ? Nulls::kNullOnNull : Nulls::kAbsentOnNull;
  for (int word = 0; word < 3; ++word) advance();
}

// JSON_OBJECT '(' [ pair { ',' pair } ] [ ( NULL | ABSENT ) ON NULL ] ')'
// pair := [ KEY ] key ( VALUE | ':' ) value
void Parser::json_pairs(Call& call) {
  call.json = std::make_unique<JsonClauses>();
  if (!at(")") && !at_json_null_clause()) {
    do {
      const bool column = at_word("VALUE", 1) || at(":", 1) || at(".", 1) || at("(", 1);
      if (!column) accept_word("KEY");
      add(call, expression());
      if (!accept(":") && !accept_word("VALUE")) error_expected("VALUE after the key", {"VALUE"});
      add(call, expression());
    } while (accept(","));
  }
  json_null_clause(*call.json);
}

// JSON_ARRAY '(' [ value { ',' value } ] [ ( NULL | ABSENT ) ON NULL ] ')'
void Parser::json_elements(Call& call) {
  call.json = std::make_unique<JsonClauses>();
  if (!at(")") && !at_json_null_clause()) plain_arguments(call);
  json_null_clause(*call.json);
}

}  // namespace leat::sql
