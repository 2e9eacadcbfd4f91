#include "pipelines/plan/bind_lateral.h"

#include <utility>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_group.h"
#include "pipelines/plan/bind_join.h"
#include "pipelines/plan/bind_subquery.h"
#include "pipelines/plan/bind_subquery_value.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/subquery_parts.h"

namespace leat::plan {
namespace {

/// What the columns of the groups are where a LEFT join may find none.
std::vector<ExprPtr> padded_columns(const Relation& groups, std::span<const ExprPtr> keys,
                                    const Correlated& correlated) {
  std::vector<ExprPtr> columns;
  for (std::size_t i = 0; i < groups.schema().size(); ++i) {
    const Type::Field& field = groups.schema().fields[i];
    columns.push_back(over_no_rows(make_column(i, field.type.with_nullable(true), field.name), field.type));
  }
  for (std::size_t i = 0; i < keys.size(); ++i)
    columns[keys[i]->column] = shift_columns(correlated.matches[i].outer, 0, kOuterColumns);
  return columns;
}

std::optional<LateralQuery> bind_group(const sql::Select& select, Correlated& correlated,
                                       QueryBinder& queries) {
  const BindContext& context = queries.context();
  if (select.having) {
    context.not_yet(select.having->span, "HAVING of a LATERAL query without GROUP BY",
                    "name the aggregate and put the condition into WHERE of the query around it");
    return std::nullopt;
  }
  Scope scope;
  std::optional<Relation> input = queries.bind_from_where(select, scope, &correlated);
  if (!input || !make_keys(select, *input, scope, correlated, context)) return std::nullopt;
  Groups groups(select, *input, scope, {correlated.keys, {}}, context);
  std::optional<Relation> rows = groups.bind({});
  if (!rows) return std::nullopt;
  LateralQuery lateral{.relation = std::move(*rows), .gives_always = true};
  const std::vector<ExprPtr> keys = groups.keys();
  const std::vector<ExprPtr> padded = padded_columns(lateral.relation, keys, correlated);
  ExprBinder binder(scope, context, "SELECT");
  binder.set_interceptor(groups.interceptor());
  for (const sql::SelectItem& item : select.items) {
    const ExprPtr expr = binder.bind(*item.value);
    if (!expr) return std::nullopt;
    lateral.columns.push_back(
        {substitute_columns(expr, padded), column_name_of(item, lateral.columns.size())});
  }
  make_names_unique(lateral.columns);
  auto conditions = match_conditions(correlated, keys, select.span, context);
  if (!conditions) return std::nullopt;
  lateral.conditions = std::move(*conditions);
  return lateral;
}

}  // namespace

std::optional<LateralQuery> bind_lateral(const sql::Query& query, OuterQuery outer, JoinType type,
                                         QueryBinder& queries) {
  Correlated correlated(std::move(outer));
  if (single_group(query)) return bind_group(*sql::as<sql::Select>(*query.body), correlated, queries);
  std::optional<InnerQuery> inner = type == JoinType::kInner ? bind_inner(query, correlated, queries)
                                                             : bind_keyed(query, correlated, queries);
  if (!inner) return std::nullopt;
  make_names_unique(inner->items);
  return LateralQuery{std::move(inner->relation), std::move(inner->items), std::move(inner->conditions)};
}

}  // namespace leat::plan
