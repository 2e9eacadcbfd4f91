#include "pipelines/plan/bind_subquery_value.h"

#include <algorithm>
#include <utility>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_from.h"
#include "pipelines/plan/bind_group.h"
#include "pipelines/plan/bind_join.h"
#include "pipelines/plan/bind_over.h"
#include "pipelines/plan/bind_subquery.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/rank_node.h"
#include "pipelines/plan/subquery_parts.h"

namespace leat::plan {

bool single_group(const sql::Query& query) {
  const auto* select = sql::as<sql::Select>(*query.body);
  const bool plain = query.with.empty() && !query.limit && !query.offset && select && is_grouped(*select) &&
                     select->group_by.empty() && !select->qualify && !has_over(*select);
  if (!plain || (select->having && contains_subquery(*select->having))) return false;
  return std::ranges::none_of(select->items,
                              [](const sql::SelectItem& item) { return contains_subquery(*item.value); });
}

std::vector<const sql::Expression*> operands_of(const sql::Subquery& query) {
  const auto* row = sql::as<sql::Call>(*query.operand);
  if (!row || row->syntax != sql::CallSyntax::kRow) return {query.operand.get()};
  std::vector<const sql::Expression*> operands;
  for (const sql::Argument& argument : row->arguments) operands.push_back(argument.value.get());
  return operands;
}

std::string comparison_text(const sql::Subquery& query) {
  if (query.use == sql::Subquery::Use::kIn) return "IN";
  return query.op + (query.use == sql::Subquery::Use::kAll ? " ALL" : " ANY");
}

bool check_width(const sql::Subquery& query, std::size_t columns, const BindContext& context) {
  const std::size_t wanted = query.operand ? operands_of(query).size() : 1;
  if (columns == wanted) return true;
  const std::string with = " with a query of " + std::to_string(columns) + " columns";
  if (query.operand)
    context.diagnostics.error(query.span, comparison_text(query) + " compares " + std::to_string(wanted) +
                                              (wanted == 1 ? " value" : " values") + with);
  else
    context.diagnostics.error(
        query.span, "a sub-query that stands for a value has one column, not " + std::to_string(columns));
  return false;
}

// ---- Collecting ------------------------------------------------------------------------------------------

bool SubqueryValues::collect(const sql::Expression& expression, Reach reach) {
  if (const auto* call = sql::as<sql::Call>(expression);
      call && reach != Reach::kAnywhere && !call->over && functions::find_aggregate(call->name)) {
    if (reach == Reach::kOutsideAggregates) return true;
    reach = Reach::kAnywhere;
  }
  bool whole = true;
  sql::for_each_child(expression,
                      [&](const sql::Expression& child) { whole = collect(child, reach) && whole; });
  const auto* query = sql::as<sql::Subquery>(expression);
  if (!whole || !query || reach == Reach::kInsideAggregates) return whole;
  return add(*query);
}

bool SubqueryValues::add(const sql::Subquery& query) {
  ExprPtr value;
  if (query.use == sql::Subquery::Use::kArray)
    context_.not_yet(query.span, "ARRAY(SELECT …)", "write (SELECT ARRAY_AGG(x) FROM …)");
  else if (single_group(*query.query))
    value = group_value(query);
  else if (query.use == sql::Subquery::Use::kScalar)
    value = scalar_value(query);
  else if (query.use == sql::Subquery::Use::kExists)
    value = exists_value(query);
  else
    value = membership_value(query);
  found_[&query] = value;
  return value != nullptr;
}

ExprBinder::Interceptor SubqueryValues::interceptor() const {
  return [this](const sql::Expression& part) -> std::optional<ExprPtr> {
    const auto* query = sql::as<sql::Subquery>(part);
    const auto found = query == nullptr ? found_.end() : found_.find(query);
    if (found != found_.end()) return found->second;
    return names_.values ? names_.values(part) : std::nullopt;
  };
}

std::optional<Relation> SubqueryValues::filter(std::span<const sql::Expression* const> conditions,
                                               std::string_view place) const {
  ExprBinder binder(names_.scope, context_, place);
  binder.set_interceptor(interceptor());
  std::vector<ExprPtr> bound;
  for (const sql::Expression* const condition : conditions) {
    bound.push_back(binder.bind_condition(*condition));
    if (!bound.back()) return std::nullopt;
  }
  Relation filtered = relation_;
  filtered.node = make_filter(filtered.node, conjunction_of(bound));
  return filtered;
}

OuterQuery SubqueryValues::outer() const {
  return {names_.outer, [this] { return relation_; }};
}

std::optional<std::vector<ExprPtr>> SubqueryValues::bind_operands(const sql::Subquery& query) const {
  const std::string place = comparison_text(query);
  ExprBinder binder(names_.scope, context_, place);
  binder.set_interceptor(interceptor());
  std::vector<ExprPtr> operands;
  for (const sql::Expression* const operand : operands_of(query)) {
    operands.push_back(binder.bind(*operand));
    if (!operands.back()) return std::nullopt;
  }
  return operands;
}

std::optional<std::size_t> SubqueryValues::attach(const Relation& right, std::vector<ExprPtr> conditions,
                                                  sql::SourceSpan span) {
  const std::size_t first = relation_.schema().size();
  for (ExprPtr& condition : conditions) condition = joined_columns(condition, first);
  std::optional<Relation> joined =
      make_join({JoinType::kLeft, relation_, right, std::move(conditions), span}, context_);
  if (!joined) return std::nullopt;
  relation_ = std::move(*joined);
  return first;
}

std::optional<std::size_t> SubqueryValues::attach_by_keys(const Relation& right, std::size_t keys_at,
                                                          const Correlated& correlated,
                                                          sql::SourceSpan span) {
  auto conditions = key_conditions(correlated, *right.node, keys_at, span, context_);
  if (!conditions) return std::nullopt;
  return attach(right, std::move(*conditions), span);
}

// ---- One group -------------------------------------------------------------------------------------------

ExprPtr SubqueryValues::group_value(const sql::Subquery& query) {
  const auto& select = *sql::as<sql::Select>(*query.query->body);
  Correlated correlated(outer());
  Scope scope;
  std::optional<Relation> input = queries_.bind_from_where(select, scope, &correlated);
  if (!input || !make_keys(select, *input, scope, correlated, context_)) return nullptr;
  Groups groups(select, *input, scope, {correlated.keys, {}}, context_);
  const std::optional<Relation> rows = groups.bind({});
  if (!rows || !check_width(query, select.items.size(), context_)) return nullptr;
  ExprBinder binder(scope, context_, "SELECT");
  binder.set_interceptor(groups.interceptor());
  std::vector<ExprPtr> items;
  for (const sql::SelectItem& item : select.items) {
    items.push_back(binder.bind(*item.value));
    if (!items.back()) return nullptr;
  }
  ExprPtr having = select.having ? binder.bind_condition(*select.having) : truth(true);
  if (!having) return nullptr;
  const std::vector<ExprPtr> joined = join_groups(*rows, groups.keys(), correlated, query.span);
  if (joined.empty()) return nullptr;
  for (ExprPtr& item : items) item = substitute_columns(item, joined);
  return value_of_group(query, items, substitute_columns(having, joined));
}

/// What each column of the groups is behind the join with the outer rows. Empty: reported.
std::vector<ExprPtr> SubqueryValues::join_groups(const Relation& groups, std::span<const ExprPtr> keys,
                                                 const Correlated& correlated, sql::SourceSpan span) {
  auto conditions = match_conditions(correlated, keys, span, context_);
  if (!conditions) return {};
  std::vector<ExprPtr> columns(groups.schema().size());
  for (std::size_t i = 0; i < keys.size(); ++i) columns[keys[i]->column] = correlated.matches[i].outer;
  const std::optional<std::size_t> first = attach(groups, std::move(*conditions), span);
  if (!first) return {};
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!columns[i])
      columns[i] = over_no_rows(column_at(relation_, *first + i), groups.schema().fields[i].type);
  return columns;
}

ExprPtr SubqueryValues::value_of_group(const sql::Subquery& query, const std::vector<ExprPtr>& items,
                                       const ExprPtr& having) const {
  const bool always = is_true(*having);
  if (query.use == sql::Subquery::Use::kExists)
    return always ? having : make_call("IS TRUE", {having}, query.span, context_);
  if (query.use == sql::Subquery::Use::kScalar) {
    if (always) return items[0];
    const Type type = items[0]->type.with_nullable(true);
    return make_case({having, items[0], make_literal(type, Value::null())}, type);
  }
  const std::optional<std::vector<ExprPtr>> operands = bind_operands(query);
  ExprPtr equal = operands ? compare(query, *operands, items) : nullptr;
  if (equal && query.use == sql::Subquery::Use::kAll) equal = make_call("NOT", {equal}, query.span, context_);
  if (!equal || always) return equal;
  const ExprPtr otherwise = truth(query.use == sql::Subquery::Use::kAll);
  return make_case({having, equal, otherwise}, Type::boolean());
}

// ---- Rows ------------------------------------------------------------------------------------------------

ExprPtr SubqueryValues::scalar_value(const sql::Subquery& query) {
  Correlated correlated(outer());
  const std::optional<Relation> inner = queries_.bind_correlated(*query.query, correlated);
  if (!inner) return nullptr;
  const std::size_t width = inner->schema().size() - correlated.keys.size();
  if (!check_width(query, width, context_)) return nullptr;
  auto single = std::make_shared<RankNode>();
  single->inputs = {inner->node};
  single->partition_by = last_columns(*inner, correlated.keys.size());
  single->range.last = 1;
  single->gives_number = false;
  single->further = RankNode::Further::kFail;
  single->state_ttl = context_.settings.state_ttl;
  single->pass_all();
  const auto first = attach_by_keys(plain_relation(single), width, correlated, query.span);
  return first ? column_at(relation_, *first) : nullptr;
}

ExprPtr SubqueryValues::exists_value(const sql::Subquery& query) {
  Correlated correlated(outer());
  const std::optional<Relation> inner = queries_.bind_correlated(*query.query, correlated);
  return inner ? mark(query, *inner, correlated, nullptr) : nullptr;
}

ExprPtr SubqueryValues::mark(const sql::Subquery& query, const Relation& inner, const Correlated& correlated,
                             const ExprPtr& condition) {
  const std::size_t keys = correlated.keys.size();
  const Relation marks = marks_of(inner, last_columns(inner, keys), condition, context_);
  const auto first = attach_by_keys(marks, 0, correlated, query.span);
  return first ? is_joined(*first + keys, query.span) : nullptr;
}

ExprPtr SubqueryValues::is_joined(std::size_t mark, sql::SourceSpan span) const {
  return make_call("IS NOT NULL", {column_at(relation_, mark)}, span, context_);
}

}  // namespace leat::plan
