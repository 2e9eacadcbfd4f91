// FROM: tables, derived tables, table functions, and the names that they give.
#include "pipelines/plan/bind_query.h"
#include "pipelines/plan/bind_window.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {

std::optional<Relation> QueryBinder::bind_named(const sql::NamedTable& table) {
  if (table.system_time) {
    context_.not_yet(table.system_time->span, "FOR SYSTEM_TIME AS OF");
    return std::nullopt;
  }
  if (!table.hints.empty()) {
    context_.not_yet(table.hints[0].span, "the hint " + table.hints[0].name.text,
                     "write the options into the table's WITH");
    return std::nullopt;
  }
  return bind_name(table.name);
}

std::optional<Relation> QueryBinder::bind_reference(const sql::TableReference& reference) {
  switch (reference.kind) {
    case sql::TableReferenceKind::kTable:
      return bind_named(*sql::as<sql::NamedTable>(reference));
    case sql::TableReferenceKind::kDerived:
      return bind(*sql::as<sql::DerivedTable>(reference)->query);
    case sql::TableReferenceKind::kFunction:
      return bind_window_function(*sql::as<sql::TableFunction>(reference)->call, *this);
    case sql::TableReferenceKind::kUnnest:
      context_.not_yet(reference.span, "UNNEST");
      return std::nullopt;
    case sql::TableReferenceKind::kMatch:
      context_.not_yet(reference.span, "MATCH_RECOGNIZE");
      return std::nullopt;
    case sql::TableReferenceKind::kJoined:
      context_.not_yet(reference.span, "a join", "UNION ALL brings the rows of several tables together");
      return std::nullopt;
  }
  return std::nullopt;
}

/// The names of one table in FROM: its alias, or the last part of its own name.
std::optional<Scope> QueryBinder::scope_for(const sql::TableReference& reference,
                                            const Relation& relation) const {
  std::string name;
  if (reference.alias)
    name = reference.alias->text;
  else if (const auto* table = sql::as<sql::NamedTable>(reference))
    name = table->name.last();
  const std::optional<Relation> renamed = rename(relation, reference.column_aliases, context_);
  if (!renamed) return std::nullopt;
  if (reference.column_aliases.empty()) return Scope(relation, std::move(name));
  ScopeTable columns{std::move(name), {}};
  for (std::size_t i = 0; i < relation.schema().size(); ++i)
    columns.columns.push_back({reference.column_aliases[i].text, column_of(*relation.node, i)});
  Scope scope;
  scope.add(std::move(columns));
  return scope;
}

std::optional<Relation> QueryBinder::bind_from(const sql::Select& select, Scope& scope) {
  if (!select.from) {
    auto one_row = std::make_shared<ValuesNode>();
    one_row->rows.emplace_back();
    return plain_relation(std::move(one_row));
  }
  std::optional<Relation> relation = bind_reference(*select.from->first);
  if (!select.from->joins.empty()) {
    context_.not_yet(select.from->joins[0].span, "a join",
                     "UNION ALL brings the rows of several tables together");
    for (const sql::Join& join : select.from->joins) bind_reference(*join.right);  // For their own errors.
    return std::nullopt;
  }
  if (!relation) return std::nullopt;
  std::optional<Scope> names = scope_for(*select.from->first, *relation);
  if (!names) return std::nullopt;
  scope = std::move(*names);
  return relation;
}

}  // namespace leat::plan
