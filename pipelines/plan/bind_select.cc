// SELECT … FROM … WHERE: lists, names and filters. GROUP BY is bind_group.cc's.
#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "pipelines/functions/aggregate.h"
#include "pipelines/plan/bind_correlated.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_group.h"
#include "pipelines/plan/bind_order.h"
#include "pipelines/plan/bind_over.h"
#include "pipelines/plan/bind_query.h"
#include "pipelines/plan/bind_subquery_value.h"
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
  std::map<std::string, std::size_t> next;  // Thousands may have one name.
  for (SelectColumn& column : columns) {
    const std::string name = column.name;
    while (!taken.insert(column.name).second) column.name = name + std::to_string(next[name]++);
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

std::span<const sql::OrderItem> QueryBinder::ListPlace::order_items() const {
  return ordering ? std::span(ordering->items) : std::span<const sql::OrderItem>();
}

std::optional<Relation> QueryBinder::bind_items(const sql::Select& select, const Relation& input,
                                                const Scope& scope, const ListPlace& place) {
  ExprBinder binder(scope, context_, "SELECT");
  binder.set_interceptor(place.values);
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
      if (columns.size() > kMostColumns && !context_.fits(columns.size(), star->span)) return std::nullopt;
      continue;
    }
    ExprPtr expr = binder.bind(*item.value);
    const ColumnRole role = role_of(expr);
    columns.push_back({std::move(expr), column_name_of(item, columns.size()), role});
  }
  const std::size_t listed = columns.size();
  for (const ExprPtr& key : place.keys) columns.push_back({key, "KEY$" + std::to_string(columns.size())});
  if (place.ordering) add_order_columns(columns, listed, binder, *place.ordering);
  return project(input, std::move(columns));
}

void QueryBinder::add_order_columns(std::vector<SelectColumn>& columns, std::size_t listed,
                                    const ExprBinder& binder, Ordering& ordering) {
  make_names_unique(columns);
  ordering.visible = columns.size();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < listed; ++i) names.push_back(columns[i].name);
  for (const sql::OrderItem& item : ordering.items) {
    if (const auto named = named_column(item, names, context_)) {
      ordering.columns.push_back(*named);
      if (*named == names.size()) columns.push_back({});  // Reported.
      continue;
    }
    ordering.columns.push_back(columns.size());
    columns.push_back({binder.bind(*item.value), "ORDER$" + std::to_string(columns.size())});
  }
}

/// Where the list could not take more columns (it is grouped, or no list at all), items are columns of the
/// result or computed of them.
bool QueryBinder::find_order_columns(const Relation& relation, Ordering& ordering) {
  if (ordering.columns.empty()) ordering.visible = relation.schema().size();
  std::vector<std::string> names;
  for (const Type::Field& field : relation.schema().fields) names.push_back(field.name);
  for (std::size_t i = ordering.columns.size(); i < ordering.items.size(); ++i) {
    const auto named = named_column(ordering.items[i], names, context_);
    if (named == names.size()) return false;
    if (!named) {
      context_.diagnostics.error(ordering.items[i].span, "ORDER BY of this query takes columns of its result",
                                 "give the expression a name in the list: … AS x … ORDER BY x");
      return false;
    }
    ordering.columns.push_back(*named);
  }
  return true;
}

std::optional<Relation> QueryBinder::bind_over_select(const sql::Select& select, const Relation& input,
                                                      const Scope& scope, ListPlace place) {
  if (select.qualify && !has_over(select)) {
    context_.diagnostics.error(select.qualify->span, "QUALIFY needs a function OVER a window",
                               is_grouped(select) ? "conditions on groups belong into HAVING"
                                                  : "conditions on columns belong into WHERE");
    return std::nullopt;
  }
  OverCalls calls(select, input, scope, place.values, place.keys, context_);
  const std::optional<Relation> relation = calls.bind(place.order_items());
  if (!relation) return std::nullopt;
  place.values = calls.interceptor();
  return bind_items(select, *relation, scope, place);
}

std::optional<Relation> QueryBinder::bind_list(const sql::Select& select, const Relation& input,
                                               const Scope& scope, ListPlace place) {
  const bool ordered_over = std::ranges::any_of(
      place.order_items(), [](const sql::OrderItem& item) { return contains_over(*item.value); });
  return select.qualify || has_over(select) || ordered_over
             ? bind_over_select(select, input, scope, std::move(place))
             : bind_items(select, input, scope, place);
}

bool is_grouped(const sql::Select& select) {
  return select.grouped || select.having || (select.qualify && contains_aggregate(*select.qualify)) ||
         std::ranges::any_of(select.items,
                             [](const sql::SelectItem& item) { return contains_aggregate(*item.value); });
}

namespace {
/// The sub-queries of the list, of QUALIFY and of ORDER BY.
bool collect_list(const sql::Select& select, std::span<const sql::OrderItem> order, SubqueryValues& values,
                  SubqueryValues::Reach reach) {
  bool whole = true;
  for (const sql::SelectItem& item : select.items) whole = values.collect(*item.value, reach) && whole;
  if (select.qualify) whole = values.collect(*select.qualify, reach) && whole;
  for (const sql::OrderItem& item : order) whole = values.collect(*item.value, reach) && whole;
  return whole;
}
}  // namespace

std::optional<Relation> QueryBinder::bind_grouped_select(const sql::Select& select, Relation input,
                                                         const Scope& scope, ListPlace place) {
  using enum SubqueryValues::Reach;
  SubqueryValues rows(*this, std::move(input), {scope, scope, {}});
  bool whole = collect_list(select, place.order_items(), rows, kInsideAggregates);
  if (select.having) whole = rows.collect(*select.having, kInsideAggregates) && whole;
  if (!whole) return std::nullopt;
  Groups groups(select, rows.relation(), scope, {place.keys, rows.interceptor()}, context_);
  std::optional<Relation> relation = groups.bind(place.order_items());
  if (!relation) return std::nullopt;
  const Scope key_names = groups.key_names();
  SubqueryValues values(*this, std::move(*relation), {scope, key_names, groups.interceptor()});
  whole = !select.having || values.collect(*select.having, kOutsideAggregates);
  whole = collect_list(select, place.order_items(), values, kOutsideAggregates) && whole;
  if (!whole) return std::nullopt;
  relation = values.relation();
  const sql::Expression* const having = select.having.get();
  if (having) relation = values.filter(std::span(&having, 1), "HAVING");
  if (!relation) return std::nullopt;
  place.values = values.interceptor();
  place.keys = groups.keys();
  return bind_list(select, *relation, scope, std::move(place));
}

std::optional<Relation> QueryBinder::bind_plain_select(const sql::Select& select, Relation input,
                                                       const Scope& scope, ListPlace place) {
  SubqueryValues values(*this, std::move(input), {scope, scope, {}});
  if (!collect_list(select, place.order_items(), values, SubqueryValues::Reach::kAnywhere))
    return std::nullopt;
  place.values = values.interceptor();
  return bind_list(select, values.relation(), scope, std::move(place));
}

std::optional<Relation> QueryBinder::bind_select(const sql::Select& select) {
  ListPlace place{.ordering = select.distinct ? nullptr : ordering_};
  ordering_ = nullptr;
  Correlated* const correlated = std::exchange(correlated_, nullptr);
  const QueryInside inside(around_, correlated);
  Scope scope;
  const std::size_t before = context_.diagnostics.error_count();
  std::optional<Relation> input = bind_from_where(select, scope, correlated);
  if (!input) return std::nullopt;
  if (correlated && !make_keys(select, *input, scope, *correlated, context_)) return std::nullopt;
  if (correlated) place.keys = correlated->keys;
  const bool refused = context_.diagnostics.error_count() > before;
  std::optional<Relation> output =
      is_grouped(select) ? bind_grouped_select(select, std::move(*input), scope, std::move(place))
                         : bind_plain_select(select, std::move(*input), scope, std::move(place));
  if (output && select.distinct) output = bind_distinct(*output, context_);
  return refused ? std::nullopt : output;
}

}  // namespace leat::plan
