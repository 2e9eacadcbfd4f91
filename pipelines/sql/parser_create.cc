// CREATE TABLE and CREATE VIEW.
#include <array>

#include <fmt/format.h>

#include "pipelines/sql/parser_core.h"

namespace leat::sql {
namespace {

using Feature = LikeOption::Feature;

struct FeatureWord {
  std::string_view word;
  Feature feature;
};

constexpr auto kFeatures = std::to_array<FeatureWord>({
    {"ALL", Feature::kAll},
    {"CONSTRAINTS", Feature::kConstraints},
    {"DISTRIBUTION", Feature::kDistribution},
    {"PARTITIONS", Feature::kPartitions},
    {"GENERATED", Feature::kGenerated},
    {"OPTIONS", Feature::kOptions},
    {"METADATA", Feature::kMetadata},
    {"WATERMARKS", Feature::kWatermarks},
});

}  // namespace

// create_table := CREATE [TEMPORARY] TABLE [ IF NOT EXISTS ] name [ '(' element { ',' element } ')' ] clauses
StatementPtr Parser::create_table(bool temporary) {
  auto table = std::make_unique<CreateTable>();
  table->temporary = temporary;
  if (accept_words({"IF", "NOT", "EXISTS"})) table->if_exists = IfExists::kSkip;
  table->name = name("a table's name");
  if (accept("(") && !accept(")")) {
    do {
      table_element(*table);
    } while (accept(","));
    if (!accept(")")) {
      error_expected("',' or ')' after the column definition",
                     {"WATERMARK", "PRIMARY", "CONSTRAINT", "METADATA", "COMMENT", "VIRTUAL", "NOT", "AS"});
    }
  }
  table_clauses(*table);
  return table;
}

// element := column | WATERMARK FOR … | [ CONSTRAINT n ] PRIMARY KEY …
void Parser::table_element(CreateTable& table) {
  if (at_word("WATERMARK")) return watermark(table);
  if (at_any_word({"PRIMARY", "CONSTRAINT"})) return primary_key(table);
  if (at_word("FOR", 1))
    return error_expected("a column definition, WATERMARK FOR or PRIMARY KEY", {"WATERMARK"});
  if (at_word("KEY", 1) && at("(", 2)) {
    return error_expected("a column definition, WATERMARK FOR or PRIMARY KEY", {"PRIMARY"});
  }
  column_definition(table);
}

// column := name ( AS expression | type [ METADATA … ] tail )
void Parser::column_definition(CreateTable& table) {
  const Token& first = peek();
  ColumnDefinition& column = table.columns.emplace_back();
  column.name = identifier("a column's name, WATERMARK FOR or PRIMARY KEY");
  if (accept_word("AS")) {
    column.kind = ColumnDefinition::Kind::kComputed;
    column.computed = expression();
  } else if (at(",") || at(")")) {
    column.kind = ColumnDefinition::Kind::kNameOnly;
  } else {
    column.type = type_name();
    metadata_column(column);
  }
  column_tail(column, table);
  column.span = since(first);
}

// metadata := METADATA [ FROM 'key' ] [ VIRTUAL ]
void Parser::metadata_column(ColumnDefinition& column) {
  if (!accept_word("METADATA")) return;
  column.kind = ColumnDefinition::Kind::kMetadata;
  if (accept_word("FROM")) column.metadata_key = string_word("the metadata key in quotes");
  column.is_virtual = accept_word("VIRTUAL");
}

// tail := { [ CONSTRAINT n ] PRIMARY KEY NOT ENFORCED | COMMENT 'text' }
void Parser::column_tail(ColumnDefinition& column, CreateTable& table) {
  while (at_any_word({"PRIMARY", "CONSTRAINT", "COMMENT"})) {
    if (accept_word("COMMENT")) {
      column.comment = string_word("the comment in quotes");
      continue;
    }
    const Token& first = peek();
    PrimaryKey& key = table.primary_keys.emplace_back();
    if (accept_word("CONSTRAINT")) key.constraint = identifier("the constraint's name");
    expect_words({"PRIMARY", "KEY", "NOT", "ENFORCED"});
    key.columns.push_back(column.name);
    key.span = since(first);
  }
}

// watermark := WATERMARK FOR column AS expression
void Parser::watermark(CreateTable& table) {
  const Token& first = peek();
  WatermarkDefinition& watermark = table.watermarks.emplace_back();
  expect_words({"WATERMARK", "FOR"});
  watermark.column = name("the rowtime column's name");
  expect_word("AS");
  watermark.value = expression();
  watermark.span = since(first);
}

// primary_key := [ CONSTRAINT name ] PRIMARY KEY '(' column, … ')' NOT ENFORCED
void Parser::primary_key(CreateTable& table) {
  const Token& first = peek();
  PrimaryKey& key = table.primary_keys.emplace_back();
  if (accept_word("CONSTRAINT")) key.constraint = identifier("the constraint's name");
  expect_words({"PRIMARY", "KEY"});
  key.columns = identifier_list("a column's name");
  if (!accept_words({"NOT", "ENFORCED"}))
    error_expected("NOT ENFORCED after PRIMARY KEY: keys are never checked");
  key.span = since(first);
}

// clauses := [ COMMENT 'text' ] [ DISTRIBUTED … ] [ PARTITIONED BY '(' column, … ')' ] [ WITH options ]
//            [ LIKE … | AS query ]
void Parser::table_clauses(CreateTable& table) {
  if (accept_word("COMMENT")) table.comment = string_word("the comment in quotes");
  if (at_word("DISTRIBUTED")) table.distribution = distribution();
  if (accept_words({"PARTITIONED", "BY"})) table.partitioned_by = identifier_list("a column's name");
  const Token& with = peek();
  if (accept_word("WITH")) {
    table.options = options("a key in quotes");
    table.options_span = since(with);
  }
  if (at_word("LIKE")) table.like = like_clause();
  if (accept_word("AS")) table.as = create_as(table.name);
}

/// The INSERT that fills the table of CREATE TABLE … AS.
std::unique_ptr<Insert> Parser::create_as(const Name& table) {
  const Token& first = peek();
  auto insert = std::make_unique<Insert>();
  insert->table = table;
  insert->match = Insert::Match::kName;
  if (!at_query() && !at("(")) error_expected("a query", {"SELECT", "WITH", "VALUES"});
  insert->query = query();
  insert->span = since(first);
  return insert;
}

// distribution := DISTRIBUTED ( BY [ HASH | RANGE ] '(' column, … ')' [ INTO n BUCKETS ] | INTO n BUCKETS )
Distribution Parser::distribution() {
  const Token& first = peek();
  Distribution result;
  advance();
  const bool by = accept_word("BY");
  if (by) {
    if (accept_word("HASH")) {
      result.kind = Distribution::Kind::kHash;
    } else if (accept_word("RANGE")) {
      result.kind = Distribution::Kind::kRange;
    }
    result.columns = identifier_list("a column's name");
  }
  if (at_word("INTO") || !by) {
    expect_word("INTO");
    result.buckets = integer("the number of buckets");
    expect_word("BUCKETS");
  }
  result.span = since(first);
  return result;
}

// like := LIKE table [ '(' like_option { like_option } ')' ]
LikeClause Parser::like_clause() {
  const Token& first = peek();
  LikeClause result;
  expect_word("LIKE");
  result.table = name("the name of the table to copy");
  if (accept("(")) {
    do {
      result.options.push_back(like_option());
    } while (!failed_ && !at(")"));
    expect(")");
  }
  result.span = since(first);
  return result;
}

// like_option := ( INCLUDING | EXCLUDING | OVERWRITING ) feature
LikeOption Parser::like_option() {
  const Token& first = peek();
  LikeOption result;
  if (accept_word("EXCLUDING")) {
    result.merge = LikeOption::Merge::kExcluding;
  } else if (accept_word("OVERWRITING")) {
    result.merge = LikeOption::Merge::kOverwriting;
  } else if (!accept_word("INCLUDING")) {
    error_expected("INCLUDING, EXCLUDING or OVERWRITING", {"INCLUDING", "EXCLUDING", "OVERWRITING"});
  }
  for (const auto& [word, feature] : kFeatures) {
    if (!accept_word(word)) continue;
    result.feature = feature;
    result.span = since(first);
    if (result.merge == LikeOption::Merge::kOverwriting && feature < Feature::kGenerated) {
      error(result.span, fmt::format("{} can be included or excluded, not overwritten", word));
    }
    return result;
  }
  error_expected(
      "what to copy: ALL, CONSTRAINTS, GENERATED, METADATA, OPTIONS, PARTITIONS or WATERMARKS",
      {"ALL", "CONSTRAINTS", "DISTRIBUTION", "PARTITIONS", "GENERATED", "OPTIONS", "METADATA", "WATERMARKS"});
  return result;
}

// create_view := CREATE [TEMPORARY] VIEW [ IF NOT EXISTS ] name [ '(' column, … ')' ] [ COMMENT 'text' ] AS
// query
StatementPtr Parser::create_view(bool temporary) {
  auto view = std::make_unique<CreateView>();
  view->temporary = temporary;
  if (accept_words({"IF", "NOT", "EXISTS"})) view->if_exists = IfExists::kSkip;
  view->name = name("a view's name");
  if (at("(")) view->columns = identifier_list("a column's name");
  if (accept_word("COMMENT")) view->comment = string_word("the comment in quotes");
  expect_word("AS");
  const Token& first = peek();
  if (!at_query() && !at("(")) error_expected("a query", {"SELECT", "WITH", "VALUES"});
  view->query = query();
  view->query_span = since(first);
  return view;
}

}  // namespace leat::sql
