// SELECT … FROM … WHERE: lists, names and filters. GROUP BY is bind_group.cc's.
#include <algorithm>
#include <set>

#include "pipelines/functions/aggregate.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_group.h"
#include "pipelines/plan/bind_query.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {

bool contains_aggregate(const sql::Expression& expression) {
  if (const auto* call = sql::as<sql::Call>(expression);
      call && !call->over && functions::find_aggregate(call->name))
    return true;
  bool found = false;
  sql::for_each_child(expression,
                      [&](const sql::Expression& child) { found = found || contains_aggregate(child); });
  return found;
}

std::string column_name_of(const sql::SelectItem& item, std::size_t position) {
  if (item.alias) return item.alias->text;
  if (const auto* column = sql::as<sql::ColumnName>(*item.value)) return column->name.last();
  if (const auto* field = sql::as<sql::FieldAccess>(*item.value)) return field->field.text;
  return "EXPR$" + std::to_string(position);
}

void make_names_unique(std::vector<SelectColumn>& columns) {
  std::set<std::string> taken;
  for (SelectColumn& column : columns) {
    const std::string name = column.name;
    for (int n = 0; !taken.insert(column.name).second; ++n) column.name = name + std::to_string(n);
  }
}

std::optional<Relation> project(const Relation& input, std::vector<SelectColumn> columns) {
  make_names_unique(columns);
  Relation relation{.window = input.window};
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  for (SelectColumn& column : columns) {
    if (!column.expr) return std::nullopt;
    relation.roles.push_back(column.role);
    exprs.push_back(std::move(column.expr));
    names.push_back(std::move(column.name));
  }
  relation.node = make_project(input.node, std::move(exprs), names);
  return relation;
}

bool QueryBinder::refuse_clauses(const sql::Select& select) const {
  const std::size_t before = context_.diagnostics.error_count();
  if (!select.hints.empty())
    context_.not_yet(select.hints[0].span, "the hint " + select.hints[0].name.text, "leave it out");
  if (!select.windows.empty())
    context_.not_yet(select.windows[0].name.span, "WINDOW", "use a window table function in FROM");
  if (select.qualify)
    context_.not_yet(select.qualify->span, "QUALIFY", "HAVING filters the rows of a window");
  return context_.diagnostics.error_count() > before;
}

std::optional<Relation> QueryBinder::bind_items(const sql::Select& select, const Relation& input,
                                                const Scope& scope) {
  const ExprBinder binder(scope, context_, "SELECT");
  const auto role_of = [&](const ExprPtr& expr) {
    return expr && expr->kind == ExprKind::kColumn ? input.roles[expr->column] : ColumnRole::kPlain;
  };
  std::vector<SelectColumn> columns;
  for (const sql::SelectItem& item : select.items) {
    if (const auto* star = sql::as<sql::Star>(*item.value)) {
      const auto all = scope.expand(star->qualifier, star->span, context_);
      if (!all) columns.push_back({});
      for (std::size_t i = 0; all && i < all->size(); ++i)
        columns.push_back({(*all)[i].expr, (*all)[i].name, role_of((*all)[i].expr)});
      continue;
    }
    ExprPtr expr = binder.bind(*item.value);
    const ColumnRole role = role_of(expr);
    columns.push_back({std::move(expr), column_name_of(item, columns.size()), role});
  }
  return project(input, std::move(columns));
}

std::optional<Relation> QueryBinder::bind_select(const sql::Select& select) {
  bool refused = refuse_clauses(select);
  Scope scope;
  const std::size_t before = context_.diagnostics.error_count();
  std::optional<Relation> input = bind_from_where(select, scope);
  if (!input) return std::nullopt;
  refused = refused || context_.diagnostics.error_count() > before;
  const bool aggregates = std::ranges::any_of(
      select.items, [](const sql::SelectItem& item) { return contains_aggregate(*item.value); });
  const bool grouped = select.grouped || select.having || aggregates;
  std::optional<Relation> output =
      grouped ? bind_grouped_select(select, *input, scope, context_) : bind_items(select, *input, scope);
  if (output && select.distinct) output = bind_distinct(*output, context_);
  return refused ? std::nullopt : output;
}

}  // namespace leat::plan
