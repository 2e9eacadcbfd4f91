#include "pipelines/plan/bind_like.h"

#include <algorithm>

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

void take_rest(const sql::CreateTable& statement, const Table& base, Table& table,
               const BindContext& context) {
  const Merge watermarks = merge_of(Feature::kWatermarks, *statement.like);
  if (watermarks == Merge::kIncluding && base.watermark_definition && table.watermark_definition)
    context.diagnostics.error(table.watermark_definition->span, "'" + base.name + "' already has a WATERMARK",
                              "OVERWRITING WATERMARKS lets this table's win");
  if (watermarks != Merge::kExcluding && !table.watermark_definition)
    table.watermark_definition = base.watermark_definition;
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

void add_columns(const sql::CreateTable& statement, Table& table, const BindContext& context) {
  for (const sql::ColumnDefinition& column : statement.columns) {
    if (table.find(column.name.text))
      context.diagnostics.error(column.name.span, "column '" + column.name.text + "' is declared twice");
    else
      table.columns.push_back({.definition = &column});
  }
}

template <class Clause>
const Clause* only(const std::vector<Clause>& clauses, std::string_view what, const BindContext& context) {
  for (std::size_t i = 1; i < clauses.size(); ++i)
    context.diagnostics.error(clauses[i].span, "a table has one " + std::string(what) + " at most");
  return clauses.empty() ? nullptr : clauses.data();
}

}  // namespace

void merge_definitions(const sql::CreateTable& statement, const Table* base, Table& table,
                       const BindContext& context) {
  table.watermark_definition = only(statement.watermarks, "WATERMARK", context);
  table.primary_key_definition = only(statement.primary_keys, "PRIMARY KEY", context);
  add_options(statement, table, context);
  if (base) {
    take_columns(statement, *base, table);
    take_options(statement, *base, table, context);
    take_rest(statement, *base, table, context);
  }
  add_columns(statement, table, context);
}

}  // namespace leat::plan
