#include "pipelines/plan/bind_like.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/nearest.h"

namespace leat::plan {
namespace {

using Merge = sql::LikeOption::Merge;
using Feature = sql::LikeOption::Feature;
using ColumnKind = sql::ColumnDefinition::Kind;

/// How each feature is merged; the last option that names it wins, a named feature beats ALL.
Merge merge_of(Feature feature, const sql::LikeClause& like) {
  Merge merge = feature == Feature::kOptions ? Merge::kOverwriting : Merge::kIncluding;
  for (const sql::LikeOption& option : like.options)
    if (option.feature == Feature::kAll) merge = option.merge;
  for (const sql::LikeOption& option : like.options)
    if (option.feature == feature) merge = option.merge;
  return merge;
}

Feature feature_of(ColumnKind kind) {
  return kind == ColumnKind::kMetadata ? Feature::kMetadata : Feature::kGenerated;
}

const sql::ColumnDefinition* find_column(const sql::CreateTable& statement, const std::string& name) {
  const auto found =
      std::ranges::find(statement.columns, name, [](const sql::ColumnDefinition& c) { return c.name.text; });
  return found == statement.columns.end() ? nullptr : &*found;
}

void take_columns(const sql::CreateTable& statement, const Table& base, Table& table) {
  for (const TableColumn& column : base.columns) {
    const Merge merge = column.physical() ? Merge::kIncluding
                                          : merge_of(feature_of(column.definition->kind), *statement.like);
    const bool replaced = merge == Merge::kOverwriting && find_column(statement, column.name());
    if (merge != Merge::kExcluding && !replaced) table.columns.push_back({.definition = column.definition});
  }
}

void take_options(const sql::CreateTable& statement, const Table& base, Table& table,
                  const BindContext& context) {
  const Merge merge = merge_of(Feature::kOptions, *statement.like);
  if (merge == Merge::kExcluding) return;
  for (const TableOption& option : base.options) {
    const TableOption* own = table.find_option(option.key.text);
    if (!own) {
      table.options.push_back(option);
    } else if (merge == Merge::kIncluding) {
      context.diagnostics.error(own->key.span,
                                "option '" + option.key.text + "' is already set by '" + base.name + "'",
                                "OVERWRITING OPTIONS lets this table's value win");
    }
  }
}

void take_partitions(const Table& base, Table& table, const BindContext& context) {
  if (table.partitioned_by.empty())
    table.partitioned_by = base.partitioned_by;
  else if (!base.partitioned_by.empty())
    context.diagnostics.error(table.partitioned_by[0].span, "'" + base.name + "' is already PARTITIONED BY",
                              "EXCLUDING PARTITIONS leaves it out");
}

void take_rest(const sql::CreateTable& statement, const Table& base, Table& table,
               const BindContext& context) {
  const Merge watermarks = merge_of(Feature::kWatermarks, *statement.like);
  if (watermarks == Merge::kIncluding && base.watermark_definition && table.watermark_definition)
    context.diagnostics.error(table.watermark_definition->span, "'" + base.name + "' already has a WATERMARK",
                              "OVERWRITING WATERMARKS lets this table's win");
  if (watermarks != Merge::kExcluding && !table.watermark_definition)
    table.watermark_definition = base.watermark_definition;
  if (merge_of(Feature::kPartitions, *statement.like) != Merge::kExcluding)
    take_partitions(base, table, context);
  if (merge_of(Feature::kConstraints, *statement.like) == Merge::kExcluding) return;
  if (base.primary_key_definition && table.primary_key_definition)
    context.diagnostics.error(table.primary_key_definition->span,
                              "'" + base.name + "' already has a PRIMARY KEY",
                              "EXCLUDING CONSTRAINTS leaves it out");
  else if (!table.primary_key_definition)
    table.primary_key_definition = base.primary_key_definition;
}

void add_options(const sql::CreateTable& statement, Table& table, const BindContext& context) {
  for (const sql::Option& option : statement.options) {
    if (table.find_option(option.key.text))
      context.diagnostics.error(option.key.span, "option '" + option.key.text + "' is set twice");
    else
      table.options.push_back({option.key, option.value});
  }
}

void add_column(const sql::ColumnDefinition& column, Table& table, const BindContext& context) {
  if (table.find(column.name.text))
    context.diagnostics.error(column.name.span, "column '" + column.name.text + "' is declared twice");
  else
    table.columns.push_back({.definition = &column});
}

void add_columns(const sql::CreateTable& statement, Table& table, const BindContext& context) {
  for (const sql::ColumnDefinition& column : statement.columns) {
    if (column.kind == ColumnKind::kNameOnly && !statement.as) {
      context.diagnostics.error(column.name.span, "column '" + column.name.text + "' has no type",
                                "only CREATE TABLE … AS takes the types of its columns from a query");
      table.broken = true;
    }
    add_column(column, table, context);
  }
}

/// The columns of CREATE TABLE … AS.
class QueryColumns {
 public:
  QueryColumns(const sql::CreateTable& statement, const Schema& query, Table& table,
               const BindContext& context)
      : statement_(statement), query_(query), table_(table), context_(context) {}

  void add() {
    const auto is_bare = [](const sql::ColumnDefinition& c) { return c.kind == ColumnKind::kNameOnly; };
    if (std::ranges::any_of(statement_.columns, is_bare)) return order_by_names();
    for (const sql::ColumnDefinition& column : statement_.columns)
      if (!query_.find(column.name.text)) add_column(column, table_, context_);
    for (const Type::Field& field : query_.fields) add_field(field);
  }

 private:
  void order_by_names() {
    for (const sql::ColumnDefinition& column : statement_.columns) {
      const std::optional<std::size_t> index = query_.find(column.name.text);
      if (column.kind != ColumnKind::kNameOnly)
        error(column.span, "bare names and definitions of columns do not go together",
              "give each column its type, or none of them");
      else if (!index)
        error(column.name.span,
              "the query has no column '" + column.name.text + "'" + did_you_mean(column.name.text, names()));
      else if (table_.find(column.name.text))
        error(column.name.span, "column '" + column.name.text + "' is named twice");
      else
        add_typed(column, query_.fields[*index].type);
    }
    if (!table_.broken && table_.columns.size() != query_.size())
      error(statement_.as->query->span,
            "the query has " + std::to_string(query_.size()) + " columns, but the list names " +
                std::to_string(table_.columns.size()),
            "name all of its columns, or leave the list out");
  }

  void add_field(const Type::Field& field) {
    const sql::ColumnDefinition* own = find_column(statement_, field.name);
    if (own && own->kind == ColumnKind::kComputed)
      error(own->name.span, "column '" + field.name + "' is computed, but the query has one of that name");
    else if (own)
      table_.columns.push_back({.definition = own});
    else
      add_named(field);
  }

  void add_named(const Type::Field& field) {
    sql::ColumnDefinition made;
    made.name = {.text = field.name, .span = statement_.as->query->span};
    made.span = made.name.span;
    table_.query_columns.push_back(std::make_shared<const sql::ColumnDefinition>(std::move(made)));
    add_typed(*table_.query_columns.back(), field.type);
  }

  void add_typed(const sql::ColumnDefinition& definition, const Type& type) {
    if (type.kind() == TypeKind::kNull)
      return error(statement_.as->query->span,
                   "column '" + definition.name.text + "' of the query is NULL and has no type",
                   "write CAST(NULL AS …)");
    table_.columns.push_back({.definition = &definition, .type = type});
  }

  void error(sql::SourceSpan span, std::string message, std::string hint = {}) {
    context_.diagnostics.error(span, std::move(message), std::move(hint));
    table_.broken = true;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Type::Field& field : query_.fields) names.push_back(field.name);
    return names;
  }

  const sql::CreateTable& statement_;
  const Schema& query_;
  Table& table_;
  const BindContext& context_;
};

template <class Clause>
const Clause* only(const std::vector<Clause>& clauses, std::string_view what, const BindContext& context) {
  for (std::size_t i = 1; i < clauses.size(); ++i)
    context.diagnostics.error(clauses[i].span, "a table has one " + std::string(what) + " at most");
  return clauses.empty() ? nullptr : clauses.data();
}

}  // namespace

void merge_definitions(const sql::CreateTable& statement, const TableOrigin& origin, Table& table,
                       const BindContext& context) {
  const Table* base = origin.like;
  table.watermark_definition = only(statement.watermarks, "WATERMARK", context);
  table.partitioned_by = statement.partitioned_by;
  table.primary_key_definition = only(statement.primary_keys, "PRIMARY KEY", context);
  add_options(statement, table, context);
  if (base) {
    take_columns(statement, *base, table);
    take_options(statement, *base, table, context);
    take_rest(statement, *base, table, context);
  }
  if (origin.as)
    QueryColumns(statement, *origin.as, table, context).add();
  else
    add_columns(statement, table, context);
}

}  // namespace leat::plan
