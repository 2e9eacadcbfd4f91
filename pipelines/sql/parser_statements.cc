// Statements but CREATE.
#include <array>

#include <fmt/format.h>

#include "pipelines/sql/parser_core.h"

namespace leat::sql {
namespace {

/// Statements of Flink that need a cluster, a catalog or a session: known, so that the error can say so.
struct ForeignStatement {
  std::string_view first;
  std::string_view second;  ///< Empty: any.
  std::string_view advice;
};

constexpr auto kForeignStatements = std::to_array<ForeignStatement>({
    {"CREATE", "CATALOG", "a pipeline has one catalog, its own tables and views"},
    {"CREATE", "DATABASE", "a pipeline has one database, its own tables and views"},
    {"CREATE", "FUNCTION", "only built-in functions can be called"},
    {"CREATE", "MODEL", "models are not run from SQL"},
    {"CREATE", "CONNECTION", "connections are written in the WITH clause of a table"},
    {"CREATE", "MATERIALIZED", "write INSERT INTO a table instead"},
    {"CREATE", "OR", "write CREATE TABLE … AS: a pipeline's tables are never there before it"},
    {"DROP", "", "only tables and views can be dropped"},
    {"ALTER", "", "write the definition as it should be"},
    {"SHOW", "", "the file is the whole pipeline; `leat describe` shows what there is"},
    {"DESCRIBE", "", "`leat describe` shows connectors, formats and functions"},
    {"DESC", "", "`leat describe` shows connectors, formats and functions"},
    {"USE", "", "a pipeline has one catalog and one database"},
    {"LOAD", "", "there are no modules"},
    {"UNLOAD", "", "there are no modules"},
    {"ANALYZE", "", "there are no statistics"},
    {"CALL", "", "there are no procedures"},
    {"ADD", "", "there are no jars"},
    {"REMOVE", "", "there are no jars"},
    {"COMPILE", "", "the file itself is the plan"},
    {"STOP", "", "pipelines are stopped by the daemon"},
    {"TRUNCATE", "", "tables are written by INSERT only"},
    {"UPDATE", "", "tables are written by INSERT only"},
    {"DELETE", "", "tables are written by INSERT only"},
    {"MERGE", "", "tables are written by INSERT only"},
    {"UPSERT", "", "write INSERT INTO a table with a PRIMARY KEY"},
    {"BEGIN", "", "write EXECUTE STATEMENT SET BEGIN … END"},
});

constexpr auto kStatementStarts = std::to_array<std::string_view>(
    {"CREATE", "INSERT", "SELECT", "WITH", "EXECUTE", "EXPLAIN", "SET", "RESET", "DROP", "VALUES"});

}  // namespace

// script := { [ statement ] ';' }
Script Parser::script() {
  Script result;
  while (peek().kind != TokenKind::kEnd) {
    if (accept(";")) continue;
    StatementPtr next = statement();
    end_of_statement();
    if (failed_) {
      if (next) keep_name(*next, result);
      recover();
    } else {
      result.statements.push_back(std::move(next));
    }
  }
  return result;
}

void Parser::keep_name(const Statement& unreadable, Script& script) {
  if (const auto* table = as<CreateTable>(unreadable)) script.unreadable.push_back(table->name);
  if (const auto* view = as<CreateView>(unreadable)) script.unreadable.push_back(view->name);
}

StatementPtr Parser::statement() {
  const Token& first = peek();
  implicit_alias_ = 0;
  tallest_ = 0;
  return finish(statement_body(), first);
}

StatementPtr Parser::statement_body() {
  if (at_query() || at("(")) return select_statement();
  if (at_word("INSERT")) return insert_statement();
  if (at_word("CREATE")) return create_statement();
  if (at_word("EXECUTE")) return execute_statement();
  if (accept_words({"BEGIN", "STATEMENT", "SET"})) return statement_set();
  if (at_word("EXPLAIN")) return explain_statement();
  if (at_word("SET")) return set_statement();
  if (at_word("RESET")) return reset_statement();
  if (at_word("DROP")) return drop_statement();
  refuse_foreign_statement();
  error_expected("a statement",
                 {"CREATE", "INSERT", "SELECT", "WITH", "EXECUTE", "EXPLAIN", "SET", "RESET", "DROP"});
  return std::make_unique<SelectStatement>();
}

/// A missing `;` before the next statement is reported, and the next statement is read all the same.
void Parser::end_of_statement() {
  if (failed_ || at(";") || peek().kind == TokenKind::kEnd) return;
  for (const auto start : kStatementStarts) {
    if (!at_word(start)) continue;
    const std::uint32_t end = previous().span.end;
    diagnostics_.error({end, end}, fmt::format("expected ';' before {}", start));
    return;
  }
  error_expected("';' or the end of the statement",
                 {"FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "UNION", "WITH",
                  "LIKE", "PARTITIONED", "COMMENT", "JOIN", "ON"});
}

void Parser::refuse_foreign_statement() {
  for (const auto& foreign : kForeignStatements) {
    if (!at_word(foreign.first)) continue;
    if (!foreign.second.empty() && !at_word(foreign.second, 1)) continue;
    std::string name(foreign.first);
    SourceSpan span = peek().span;
    if (peek(1).kind == TokenKind::kWord && !at_word("BEGIN")) {
      name += fmt::format(" {}", peek(1).text.substr(0, 20));
      span = join(span, peek(1).span);
    }
    return error(span, fmt::format("Leat does not run {}", name), std::string(foreign.advice));
  }
}

StatementPtr Parser::select_statement() {
  auto result = std::make_unique<SelectStatement>();
  result->query = query();
  return result;
}

// create := CREATE [TEMPORARY] ( TABLE … | VIEW … )
StatementPtr Parser::create_statement() {
  const std::size_t object = at_word("TEMPORARY", 1) ? 2 : 1;
  if (at_word("SYSTEM", object) || at_word("FUNCTION", object)) {
    error(join(peek().span, peek(object).span), "Leat does not run CREATE FUNCTION",
          "only built-in functions can be called");
  }
  refuse_foreign_statement();
  advance();
  const bool temporary = accept_word("TEMPORARY");
  if (accept_word("TABLE")) return create_table(temporary);
  if (accept_word("VIEW")) return create_view(temporary);
  error_expected("TABLE or VIEW", {"TABLE", "VIEW", "TEMPORARY"});
  return std::make_unique<CreateTable>();
}

// execute := EXECUTE ( STATEMENT SET BEGIN { insert ';' } END | insert | query )
StatementPtr Parser::execute_statement() {
  advance();
  if (accept_words({"STATEMENT", "SET"})) {
    expect_word("BEGIN");
    return statement_set();
  }
  if (at_word("INSERT")) return insert_statement();
  if (at_query()) return select_statement();
  if (at_word("PLAN"))
    error(since(previous()), "Leat does not run EXECUTE PLAN", "the file itself is the plan");
  error_expected("STATEMENT SET, INSERT or a query", {"STATEMENT", "INSERT", "SELECT"});
  return std::make_unique<SelectStatement>();
}

// set := { insert ';' } END, behind EXECUTE STATEMENT SET BEGIN or the older BEGIN STATEMENT SET;
std::unique_ptr<StatementSet> Parser::statement_set() {
  auto set = std::make_unique<StatementSet>();
  const std::size_t errors = diagnostics_.error_count();
  while (!failed_ && !at_word("END")) statement_set_member(*set);
  // One member with an error spoils the set: half of it must not run.
  if (!failed_) advance();
  if (diagnostics_.error_count() > errors) failed_ = true;
  return set;
}

/// After an error in one INSERT the next is read, so that the errors of all are reported.
void Parser::statement_set_member(StatementSet& set) {
  if (accept(";")) return;
  const Token& first = peek();
  if (!at_word("INSERT")) return error_expected("INSERT or END", {"INSERT", "END"});
  auto insert = finish(insert_statement(), first);
  if (!failed_ && !at(";")) error_expected("';' after the INSERT");
  if (!failed_) return set.inserts.push_back(std::move(insert));
  recover();
  if (peek().kind == TokenKind::kEnd) failed_ = true;
}

// insert := INSERT ( INTO | OVERWRITE ) table [ hints ] [ PARTITION '(' … ')' ] [ '(' column, … ')' ] query
//           [ ON CONFLICT DO ( NOTHING | ERROR | DEDUPLICATE ) ]
std::unique_ptr<Insert> Parser::insert_statement() {
  auto insert = std::make_unique<Insert>();
  tallest_ = 0;
  advance();
  if (accept_word("OVERWRITE")) {
    insert->mode = Insert::Mode::kOverwrite;
  } else if (!accept_word("INTO")) {
    error_expected("INTO or OVERWRITE", {"INTO", "OVERWRITE"});
  }
  insert->table = name("a table's name");
  insert->hints = hints();
  insert_partition(*insert);
  const bool columns = at("(") && !at_any_word({"SELECT", "WITH", "VALUES", "TABLE"}, 1) && !at("(", 1);
  if (columns) insert->columns = identifier_list("a column's name");
  if (!at_query() && !at("(")) error_expected("SELECT or VALUES", {"SELECT", "VALUES", "WITH", "PARTITION"});
  insert->query = query();
  insert_conflict(*insert);
  return insert;
}

void Parser::insert_partition(Insert& insert) {
  if (!accept_word("PARTITION")) return;
  expect("(");
  do {
    Insert::PartitionValue& value = insert.partition.emplace_back();
    value.column = identifier("a partition column's name");
    if (accept("=")) value.value = expression();
  } while (accept(","));
  expect(")");
}

void Parser::insert_conflict(Insert& insert) {
  const Token& first = peek();
  if (!accept_words({"ON", "CONFLICT"})) return;
  expect_word("DO");
  if (accept_word("NOTHING")) {
    insert.on_conflict = Insert::OnConflict::kNothing;
  } else if (accept_word("ERROR")) {
    insert.on_conflict = Insert::OnConflict::kError;
  } else if (accept_word("DEDUPLICATE")) {
    insert.on_conflict = Insert::OnConflict::kDeduplicate;
  } else {
    error_expected("NOTHING, ERROR or DEDUPLICATE", {"NOTHING", "ERROR", "DEDUPLICATE"});
  }
  insert.on_conflict_span = since(first);
}

// set := SET [ 'key' '=' 'value' ]
StatementPtr Parser::set_statement() {
  auto set = std::make_unique<SetStatement>();
  advance();
  if (at(";") || peek().kind == TokenKind::kEnd) return set;
  if (peek().kind == TokenKind::kWord) {
    error(peek().span, fmt::format("expected a key in quotes, found '{}'", peek().text),
          "write SET 'key' = 'value'");
  }
  set->option = option("a key in quotes");
  return set;
}

// reset := RESET [ 'key' ]
StatementPtr Parser::reset_statement() {
  auto reset = std::make_unique<ResetStatement>();
  advance();
  if (at(";") || peek().kind == TokenKind::kEnd) return reset;
  reset->key = string_word("a key in quotes");
  return reset;
}

// explain := EXPLAIN [ PLAN FOR | detail { ',' detail } ] ( query | insert | [EXECUTE] STATEMENT SET … |
// create )
StatementPtr Parser::explain_statement() {
  auto explain = std::make_unique<Explain>();
  advance();
  if (!accept_words({"PLAN", "FOR"}) && at_name() && !at_words({"STATEMENT", "SET"})) {
    do {
      explain->details.push_back(identifier("a detail of EXPLAIN"));
    } while (accept(","));
  }
  const Token& first = peek();
  StatementPtr inner;
  if (at_query() || at("(")) {
    inner = select_statement();
  } else if (at_word("INSERT")) {
    inner = insert_statement();
  } else if (at_word("CREATE")) {
    inner = create_statement();
  } else if (at_word("EXECUTE")) {
    inner = execute_statement();
  } else if (accept_words({"STATEMENT", "SET"})) {
    expect_word("BEGIN");
    inner = statement_set();
  } else {
    error_expected("a query, INSERT or STATEMENT SET to explain",
                   {"SELECT", "INSERT", "STATEMENT", "CREATE"});
    return explain;
  }
  explain->statement = finish(std::move(inner), first);
  return explain;
}

// drop := DROP [TEMPORARY] ( TABLE | VIEW ) [ IF EXISTS ] name
StatementPtr Parser::drop_statement() {
  auto drop = std::make_unique<Drop>();
  const std::size_t object = at_word("TEMPORARY", 1) ? 2 : 1;
  if (!at_any_word({"TABLE", "VIEW"}, object)) refuse_foreign_statement();
  advance();
  drop->temporary = accept_word("TEMPORARY");
  if (accept_word("VIEW")) {
    drop->object = Drop::Object::kView;
  } else {
    expect_word("TABLE");
  }
  if (accept_words({"IF", "EXISTS"})) drop->if_exists = IfExists::kSkip;
  drop->name = name("a name");
  return drop;
}

}  // namespace leat::sql
