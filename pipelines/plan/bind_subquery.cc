#include "pipelines/plan/bind_subquery.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "pipelines/plan/bind_correlated.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_from.h"
#include "pipelines/plan/bind_hints.h"
#include "pipelines/plan/bind_join.h"
#include "pipelines/plan/bind_over.h"
#include "pipelines/plan/bind_subquery_value.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {
namespace {

/// EXISTS and IN over rows that a join can look for. An aggregate without GROUP BY gives a row in any case.
const sql::Subquery* test_of(const sql::Expression& expression) {
  const auto* query = sql::as<sql::Subquery>(expression);
  const bool test =
      query && (query->use == sql::Subquery::Use::kExists || query->use == sql::Subquery::Use::kIn);
  if (!test || single_group(*query->query)) return nullptr;
  return query->operand && contains_subquery(*query->operand) ? nullptr : query;
}

void collect(const sql::Expression& expression, WhereParts& parts) {
  const auto* call = sql::as<sql::Call>(expression);
  if (call && call->name == "AND" && call->syntax == sql::CallSyntax::kInfix) {
    for (const sql::Argument& argument : call->arguments) collect(*argument.value, parts);
    return;
  }
  const bool negated = call && call->name == "NOT" && call->arguments.size() == 1;
  if (const sql::Subquery* query = test_of(negated ? *call->arguments[0].value : expression))
    parts.tests.push_back({query, negated});
  else
    (contains_subquery(expression) ? parts.valued : parts.conditions).push_back(&expression);
}

/// A SELECT whose rows are those of its FROM and WHERE.
const sql::Select* plain_select(const sql::Query& query) {
  if (!query.with.empty() || !query.order_by.empty() || query.limit || query.offset) return nullptr;
  const auto* select = sql::as<sql::Select>(*query.body);
  const auto valued = [](const sql::SelectItem& item) { return contains_subquery(*item.value); };
  const bool plain = select && select->from && !is_grouped(*select) && !select->qualify &&
                     !has_over(*select) && std::ranges::none_of(select->items, valued);
  return plain ? select : nullptr;
}

std::optional<InnerQuery> bind_plain(const sql::Select& select, Correlated& correlated,
                                     QueryBinder& queries) {
  InnerQuery inner;
  Scope scope;
  std::optional<Relation> relation = queries.bind_from_where(select, scope, &correlated);
  if (!relation) return std::nullopt;
  inner.relation = std::move(*relation);
  inner.conditions = std::move(correlated.conditions);
  Scope names = scope;
  names.set_outer(&correlated.outer.scope);
  const ExprBinder binder(names, queries.context(), "SELECT");
  for (const sql::SelectItem& item : select.items) {
    if (const auto* star = sql::as<sql::Star>(*item.value)) {
      const auto all = scope.expand(star->qualifier, star->span, queries.context());
      if (!all) return std::nullopt;
      for (const ScopeColumn& column : *all) inner.items.push_back({column.expr, column.name});
      continue;
    }
    inner.items.push_back({binder.bind(*item.value), column_name_of(item, inner.items.size())});
    if (!inner.items.back().expr) return std::nullopt;
  }
  return inner;
}

/// `left = right`; under NOT IN also TRUE where it is unknown, since NOT of unknown lets no row through.
ExprPtr comparison(ExprPtr left, ExprPtr right, bool negated, sql::SourceSpan span,
                   const BindContext& context) {
  ExprPtr equal = make_call("=", {left, right}, span, context);
  if (!equal || !negated || !equal->type.nullable()) return equal;
  std::vector<ExprPtr> cases = {equal};
  for (const ExprPtr& side : {left, right}) {
    if (!side->type.nullable()) continue;
    ExprPtr null = make_call("IS NULL", {side}, span, context);
    if (!null) return nullptr;
    cases.push_back(std::move(null));
  }
  return make_condition(ExprKind::kOr, std::move(cases));
}

bool add_comparisons(const SubqueryTest& test, const InnerQuery& inner, const Scope& scope,
                     const BindContext& context, JoinParts& parts) {
  const std::vector<const sql::Expression*> operands = operands_of(*test.query);
  if (!check_width(*test.query, inner.items.size(), context)) return false;
  const ExprBinder binder(scope, context, "WHERE");
  for (std::size_t i = 0; i < operands.size(); ++i) {
    ExprPtr left = binder.bind(*operands[i]);
    if (!left) return false;
    ExprPtr equal = comparison(std::move(left), joined_columns(inner.items[i].expr, parts.left_width()),
                               test.negated, operands[i]->span, context);
    if (!equal) return false;
    parts.conditions.push_back(std::move(equal));
  }
  return true;
}

}  // namespace

bool contains_subquery(const sql::Expression& expression) {
  if (expression.kind == sql::ExpressionKind::kSubquery) return true;
  bool found = false;
  sql::for_each_child(expression,
                      [&](const sql::Expression& child) { found = found || contains_subquery(child); });
  return found;
}

WhereParts parts_of(const sql::Expression& where) {
  WhereParts parts;
  collect(where, parts);
  return parts;
}

std::optional<InnerQuery> bind_keyed(const sql::Query& query, Correlated& correlated, QueryBinder& queries) {
  std::optional<Relation> relation = queries.bind_correlated(query, correlated);
  if (!relation) return std::nullopt;
  InnerQuery inner{std::move(*relation), {}, {}};
  const Schema& schema = inner.relation.schema();
  const std::size_t width = schema.size() - correlated.keys.size();
  for (std::size_t i = 0; i < width; ++i)
    inner.items.push_back({column_of(*inner.relation.node, i), schema.fields[i].name});
  auto conditions = key_conditions(correlated, *inner.relation.node, width, query.span, queries.context());
  if (!conditions) return std::nullopt;
  inner.conditions = std::move(*conditions);
  return inner;
}

std::optional<InnerQuery> bind_inner(const sql::Query& query, Correlated& correlated, QueryBinder& queries) {
  if (const sql::Select* select = plain_select(query)) return bind_plain(*select, correlated, queries);
  return bind_keyed(query, correlated, queries);
}

std::optional<Relation> apply_test(const SubqueryTest& test, const Relation& input, const Scope& scope,
                                   QueryBinder& queries) {
  Correlated correlated({scope, [&input] { return input; }});
  std::optional<InnerQuery> inner = bind_inner(*test.query->query, correlated, queries);
  if (!inner) return std::nullopt;
  JoinParts parts{
      test.negated ? JoinType::kAnti : JoinType::kSemi, input, inner->relation, {}, test.query->span};
  const bool compares = test.query->use == sql::Subquery::Use::kIn;
  if (compares && !add_comparisons(test, *inner, scope, queries.context(), parts)) return std::nullopt;
  for (const ExprPtr& condition : inner->conditions)
    parts.conditions.push_back(joined_columns(condition, parts.left_width()));
  return make_join(std::move(parts), queries.context());
}

// ---- FROM and WHERE --------------------------------------------------------------------------------------

namespace {

bool reads_outer(const Expr& expr) {
  const std::vector<std::size_t> columns = columns_of(expr);
  return !columns.empty() && columns.back() >= kOuterColumns;
}

std::vector<ExprPtr> bind_conditions(std::span<const sql::Expression* const> parts, Scope names,
                                     Correlated* correlated, const BindContext& context) {
  if (correlated) names.set_outer(&correlated->outer.scope);
  std::vector<ExprPtr> conditions;
  for (const sql::Expression* const part : parts) {
    const ExprPtr predicate = ExprBinder(names, context, "WHERE").bind_condition(*part);
    if (!predicate || is_true(*predicate)) continue;
    for (const ExprPtr& conjunct : conjuncts_of(predicate))
      (reads_outer(*conjunct) ? correlated->conditions : conditions).push_back(conjunct);
  }
  return conditions;
}

/// What of `parts` needs sub-queries.
std::optional<Relation> apply_subqueries(const WhereParts& parts, std::optional<Relation> relation,
                                         const Scope& scope, QueryBinder& queries) {
  for (const SubqueryTest& test : parts.tests)
    if (relation) relation = apply_test(test, *relation, scope, queries);
  if (!relation || parts.valued.empty()) return relation;
  SubqueryValues values(queries, std::move(*relation), {scope, scope, {}});
  for (const sql::Expression* const part : parts.valued)
    if (!values.collect(*part)) return std::nullopt;
  return values.filter(parts.valued, "WHERE");
}

}  // namespace

std::optional<Relation> QueryBinder::bind_from_where(const sql::Select& select, Scope& scope,
                                                     Correlated* correlated) {
  const QueryInside inside(around_, correlated);
  std::optional<BoundFrom> from =
      select.from ? FromBinder(*this, select.hints).bind(*select.from) : one_row();
  if (!from) return std::nullopt;
  scope = std::move(from->scope);
  if (!check_select_hints(select, scope.tables(), context_) ||
      !check_reach(select, scope, correlated, around_, context_))
    return std::nullopt;
  WhereParts parts;
  if (select.where) parts = parts_of(*select.where);
  if (parts.tests.empty() && parts.valued.empty() && select.where) parts.conditions = {select.where.get()};
  std::vector<ExprPtr> conditions = bind_conditions(parts.conditions, scope, correlated, context_);
  std::optional<Relation> relation = build_from(*from->item, std::move(conditions), context_);
  for (const DeferredCondition& on : from->deferred)
    relation = apply_subqueries(on.parts, std::move(relation), on.scope, *this);
  return apply_subqueries(parts, std::move(relation), scope, *this);
}

}  // namespace leat::plan
