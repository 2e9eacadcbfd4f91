// The parser: one class, recursive descent, private to this folder. Its methods are spread over parser_*.cc
// by meaning, the grammar of each clause stands above the method that reads it.
//
// Errors: the first error of a statement is reported and makes the parser *failed*: from then on every look
// at the tokens sees the end of the file, so all loops end at once, methods return half-built nodes that
// nobody reads, and the statement is dropped; then `recover` goes behind its `;`. So no method checks for
// errors after each step, and expressions are never null.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/sql/ast.h"
#include "pipelines/sql/diagnostic.h"
#include "pipelines/sql/token.h"

namespace leat::sql {

class Parser {
 public:
  Parser(std::vector<Token> tokens, Diagnostics& diagnostics);
  Script script();

 private:
  using Words = std::initializer_list<std::string_view>;
  /// Binding power of an operand that ends before the words AND, IN, PRECEDING: above BETWEEN.
  static constexpr int kOperandOfWords = 33;
  class Nesting;

  // Tokens: parser_core.cc.
  const Token& peek(std::size_t ahead = 0) const;
  void advance();
  /// The token that was read last.
  const Token& previous() const;
  bool at(std::string_view symbol, std::size_t ahead = 0) const;
  bool at_word(std::string_view word, std::size_t ahead = 0) const;
  bool at_any_word(Words words, std::size_t ahead = 0) const;
  /// True if the words stand here, one after another.
  bool at_words(Words words) const;
  bool at_name(std::size_t ahead = 0) const;
  bool at_query() const;
  bool accept(std::string_view symbol);
  bool accept_word(std::string_view word);
  bool accept_words(Words words);
  void expect(std::string_view symbol, std::string_view after = {});
  void expect_word(std::string_view word);
  void expect_words(Words words);
  /// From a token to the one that was read last.
  SourceSpan since(const Token& first) const;
  SourceSpan since(SourceSpan first) const;

  // Errors.
  void error(SourceSpan span, std::string message, std::string hint = {});
  /// "expected `what`, found …"; `keywords` are what the found word may have been meant to be.
  void error_expected(std::string_view what, Words keywords = {});
  /// The same where a name could stand: a reserved word gets the advice to quote it.
  void error_expected_name(std::string_view what, Words keywords = {});
  bool blame_alias(std::string_view what);
  void recover();

  // Names, literals as words: parser_core.cc.
  Identifier identifier(std::string_view what);
  std::vector<Identifier> identifier_list(std::string_view what);
  Name name(std::string_view what);
  StringWord string_word(std::string_view what);
  std::string decoded_string(const Token& token);
  std::int64_t integer(std::string_view what);
  std::vector<Option> options(std::string_view what);
  Option option(std::string_view what);
  std::vector<Hint> hints();
  Hint hint();

  // Statements: parser_statements.cc.
  StatementPtr statement();
  StatementPtr statement_body();
  void end_of_statement();
  StatementPtr create_statement();
  StatementPtr execute_statement();
  std::unique_ptr<StatementSet> statement_set();
  void statement_set_member(StatementSet& set);
  std::unique_ptr<Insert> insert_statement();
  void insert_partition(Insert& insert);
  void insert_conflict(Insert& insert);
  StatementPtr set_statement();
  StatementPtr reset_statement();
  StatementPtr explain_statement();
  StatementPtr drop_statement();
  StatementPtr select_statement();
  void refuse_foreign_statement();
  template <class Node>
  std::unique_ptr<Node> finish(std::unique_ptr<Node> node, const Token& first);

  // CREATE TABLE, CREATE VIEW: parser_create.cc.
  static void keep_name(const Statement& unreadable, Script& script);
  StatementPtr create_table(bool temporary);
  void table_element(CreateTable& table);
  void column_definition(CreateTable& table);
  void column_tail(ColumnDefinition& column, CreateTable& table);
  void metadata_column(ColumnDefinition& column);
  void watermark(CreateTable& table);
  void primary_key(CreateTable& table);
  void table_clauses(CreateTable& table);
  std::unique_ptr<Insert> create_as(const Name& table);
  Distribution distribution();
  LikeClause like_clause();
  LikeOption like_option();
  StatementPtr create_view(bool temporary);

  // Types: parser_types.cc.
  TypeName type_name();
  TypeName simple_type();
  TypeName named_type(const Token& first);
  void unknown_type(const Token& word, TypeName& type);
  void row_fields(TypeName& type);
  TypeName::Field row_field(TypeName& type, std::string_view close);
  void map_type(TypeName& type);
  void raw_type(TypeName& type);
  void type_parameters(TypeName& type, std::size_t most);
  void time_type(TypeName& type);
  void close_angle();
  IntervalUnits interval_units();
  std::optional<TimeUnit> accept_unit();
  std::optional<TimeUnit> accept_odbc_unit();
  TypeName seal(TypeName type, SourceSpan span);

  // Queries: parser_queries.cc.
  std::unique_ptr<Query> query();
  /// Goes on behind a query in parentheses that turned out to be the first of a larger one.
  std::unique_ptr<Query> query_from(std::unique_ptr<Query> first, SourceSpan begin);
  void query_tail(Query& query);
  void fetch_clause(Query& query);
  void with_clause(Query& query);
  std::unique_ptr<Query> parenthesised_query();
  QueryBodyPtr set_operation(QueryBodyPtr first);
  QueryBodyPtr intersections(QueryBodyPtr first);
  void set_step(SetOperation& chain, SetOperation::Operator op);
  QueryBodyPtr query_primary();
  QueryBodyPtr nested_query(std::unique_ptr<Query> query, SourceSpan span);
  QueryBodyPtr select();
  void select_items(Select& select);
  SelectItem select_item();
  QueryBodyPtr values();
  std::vector<GroupItem> group_items();
  GroupItem group_item();
  std::vector<OrderItem> order_items();
  OrderItem order_item();
  std::vector<NamedWindow> named_windows();
  Window window_definition();
  Frame frame();
  FrameBound frame_bound();

  // FROM: parser_from.cc.
  From from_clause();
  void joins(From& from);
  bool join_kind(Join& join);
  void join_condition(Join& join);
  void refuse_shaping();
  TableReferencePtr table_reference();
  TableReferencePtr table_primary();
  TableReferencePtr parenthesised_table();
  TableReferencePtr derived_table(std::unique_ptr<Query> query, SourceSpan begin);
  TableReferencePtr named_table();
  TableReferencePtr table_function();
  TableReferencePtr unnest();
  void alias(TableReference& reference);
  /// An alias without AS; remembered, in case it was a misspelt keyword.
  bool at_alias() const;
  Identifier implicit_alias();

  // Expressions: parser_expressions.cc.
  ExpressionPtr expression() { return expression(0); }
  ExpressionPtr expression(int minimum);
  bool infix(ExpressionPtr& left, int minimum);
  bool predicate(ExpressionPtr& left, int minimum);
  void between(ExpressionPtr& left);
  void in_list(ExpressionPtr& left);
  void like(ExpressionPtr& left, std::string name);
  void is_predicate(ExpressionPtr& left);
  ExpressionPtr operand();
  ExpressionPtr prefix(std::string_view name, int minimum);
  ExpressionPtr signed_operand();
  ExpressionPtr postfix(ExpressionPtr value);
  ExpressionPtr field_access(ExpressionPtr value);
  std::vector<ExpressionPtr> expressions();
  template <class Node>
  ExpressionPtr seal(std::unique_ptr<Node> node, SourceSpan span);
  void check_height(Expression& expression);
  void check_height(Query& query);
  void note_height(const Expression& expression);
  ExpressionPtr call(CallSyntax syntax, std::string name, SourceSpan written,
                     std::vector<ExpressionPtr> values, SourceSpan span);
  ExpressionPtr failed_expression();

  // Literals and what begins with a word or a bracket: parser_primary.cc.
  ExpressionPtr primary();
  ExpressionPtr word_primary();
  ExpressionPtr literal(LiteralKind kind, std::string text);
  ExpressionPtr string_literal();
  ExpressionPtr binary_literal();
  ExpressionPtr time_literal(LiteralKind kind);
  ExpressionPtr interval();
  ExpressionPtr interval_literal(const Token& first, bool negative);
  ExpressionPtr interval_of(ExpressionPtr count, const Token& first, bool negative);
  ExpressionPtr case_expression();
  ExpressionPtr cast_expression(Cast::OnError on_error);
  ExpressionPtr parenthesised();
  ExpressionPtr row_or_group(const Token& open);
  ExpressionPtr time_difference(ExpressionPtr difference, const Token& open);
  ExpressionPtr subquery(Subquery::Use use, const Token& first);
  ExpressionPtr exists();
  bool quantified(ExpressionPtr& left, std::string_view op, const Token& token);
  ExpressionPtr bracket_constructor();
  ExpressionPtr column_or_call();
  ExpressionPtr bare_function();

  // Calls: parser_calls.cc.
  ExpressionPtr function_call(Name function);
  bool keyword_form(Call& call);
  void plain_arguments(Call& call);
  void null_treatment(Call& call);
  Argument argument();
  ExpressionPtr argument_value();
  ExpressionPtr table_argument();
  ExpressionPtr table_keys(std::unique_ptr<TableArgument> table, const Token& first);
  bool at_next_key() const;
  ExpressionPtr descriptor(SourceSpan begin);
  ExpressionPtr unit_argument(std::optional<TimeUnit> read);
  void add(Call& call, ExpressionPtr value);
  void extract_form(Call& call);
  void to_unit_form(Call& call);
  void position_form(Call& call);
  void substring_form(Call& call);
  void overlay_form(Call& call);
  void trim_form(Call& call);
  void timestamp_form(Call& call);
  void call_clauses(Call& call);
  std::unique_ptr<Window> over_clause();

  // SQL/JSON functions: parser_json.cc.
  void json_value_form(Call& call);
  void json_query_form(Call& call);
  void json_exists_form(Call& call);
  void json_pairs(Call& call);
  void json_elements(Call& call);
  void json_null_clause(JsonClauses& clauses);
  void json_on_clauses(JsonClauses& clauses);
  JsonClauses::Behaviour json_behaviour(ExpressionPtr& default_value);
  bool at_json_null_clause() const;

  // MATCH_RECOGNIZE: parser_match.cc.
  TableReferencePtr match_table(TableReferencePtr input);
  MatchRecognize match_recognize();
  void measures(MatchRecognize& match);
  void rows_per_match(MatchRecognize& match);
  void after_match(MatchRecognize& match);
  void pattern_clause(MatchRecognize& match);
  void subsets(MatchRecognize& match);
  void definitions(MatchRecognize& match);
  RowPattern pattern();
  RowPattern pattern_sequence();
  RowPattern pattern_factor();
  RowPattern pattern_primary();
  std::optional<RowPattern::Quantifier> quantifier();
  bool at_pattern_factor() const;
  void repetition(RowPattern::Quantifier& quantifier);
  std::uint32_t repetition_count();

  std::vector<Token> tokens_;
  Diagnostics& diagnostics_;  ///< Of the caller; outlives the parser.
  std::size_t at_ = 0;
  bool failed_ = false;             ///< The statement has an error; see the top.
  std::uint32_t nesting_ = 0;       ///< Of the text: parentheses, sub-queries, types.
  std::uint32_t tallest_ = 0;       ///< Height of the tallest tree of the query that is being read.
  std::size_t implicit_alias_ = 0;  ///< Index of the token behind the last alias without AS; 0: none.
};

/// Counts how deep the grammar has descended; beyond the limit the statement fails.
class Parser::Nesting {
 public:
  explicit Nesting(Parser& parser);
  ~Nesting();
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  Parser& parser_;
};

template <class Node>
std::unique_ptr<Node> Parser::finish(std::unique_ptr<Node> node, const Token& first) {
  node->span = since(first);
  return node;
}

template <class Node>
ExpressionPtr Parser::seal(std::unique_ptr<Node> node, SourceSpan span) {
  node->span = span;
  check_height(*node);
  return node;
}

}  // namespace leat::sql
