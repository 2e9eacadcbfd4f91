#include "pipelines/plan/bind_subquery.h"

#include <algorithm>
#include <utility>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_from.h"
#include "pipelines/plan/bind_join.h"
#include "pipelines/plan/bind_over.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {
namespace {

const sql::Subquery* test_of(const sql::Expression& expression) {
  const auto* query = sql::as<sql::Subquery>(expression);
  if (!query || query->use == sql::Subquery::Use::kScalar || query->use == sql::Subquery::Use::kArray)
    return nullptr;
  return query;
}

void collect(const sql::Expression& expression, WhereParts& parts) {
  const auto* call = sql::as<sql::Call>(expression);
  if (call && call->name == "AND" && call->syntax == sql::CallSyntax::kInfix) {
    for (const sql::Argument& argument : call->arguments) collect(*argument.value, parts);
    return;
  }
  const bool negated = call && call->name == "NOT" && call->arguments.size() == 1;
  const sql::Subquery* query = test_of(negated ? *call->arguments[0].value : expression);
  if (query)
    parts.tests.push_back({query, negated});
  else
    parts.conditions.push_back(&expression);
}

/// A SELECT whose rows are those of its FROM and WHERE.
const sql::Select* plain_select(const sql::Query& query) {
  if (!query.with.empty() || !query.order_by.empty() || query.limit || query.offset) return nullptr;
  const auto* select = sql::as<sql::Select>(*query.body);
  const bool plain = select && select->from && !is_grouped(*select) && !select->qualify && !has_over(*select);
  return plain ? select : nullptr;
}

/// Over the columns of a join: the sub-query's behind those of the outer query.
ExprPtr joined_columns(const ExprPtr& expr, std::size_t left_width) {
  const std::vector<std::size_t> columns = columns_of(*expr);
  if (columns.empty()) return expr;
  std::vector<std::size_t> places(columns.back() + 1);
  for (const std::size_t column : columns)
    places[column] = column >= kOuterColumns ? column - kOuterColumns : left_width + column;
  return remap_columns(expr, places);
}

/// The values that IN compares: of a row, its parts.
std::vector<const sql::Expression*> operands_of(const sql::Subquery& query) {
  const auto* row = sql::as<sql::Call>(*query.operand);
  if (!row || row->syntax != sql::CallSyntax::kRow) return {query.operand.get()};
  std::vector<const sql::Expression*> operands;
  for (const sql::Argument& argument : row->arguments) operands.push_back(argument.value.get());
  return operands;
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
  if (operands.size() != inner.items.size()) {
    context.diagnostics.error(test.query->span, "IN compares " + std::to_string(operands.size()) +
                                                    " values with a query of " +
                                                    std::to_string(inner.items.size()) + " columns");
    return false;
  }
  const ExprBinder binder(scope, context, "WHERE");
  for (std::size_t i = 0; i < operands.size(); ++i) {
    ExprPtr left = binder.bind(*operands[i]);
    if (!left) return false;
    ExprPtr equal = comparison(std::move(left), joined_columns(inner.items[i], parts.left_width()),
                               test.negated, operands[i]->span, context);
    if (!equal) return false;
    parts.conditions.push_back(std::move(equal));
  }
  return true;
}

}  // namespace

WhereParts parts_of(const sql::Expression& where) {
  WhereParts parts;
  collect(where, parts);
  return parts;
}

std::optional<Relation> apply_test(const SubqueryTest& test, const Relation& input, const Scope& scope,
                                   QueryBinder& queries) {
  std::optional<InnerQuery> inner = queries.bind_inner(*test.query->query, scope);
  if (!inner) return std::nullopt;
  JoinParts parts{
      test.negated ? JoinType::kAnti : JoinType::kSemi, input, inner->relation, {}, test.query->span};
  const bool compares = test.query->use == sql::Subquery::Use::kIn;
  if (compares && !add_comparisons(test, *inner, scope, queries.context(), parts)) return std::nullopt;
  for (const ExprPtr& condition : inner->correlated)
    parts.conditions.push_back(joined_columns(condition, parts.left_width()));
  return make_join(std::move(parts), queries.context());
}

// ---- The query inside ------------------------------------------------------------------------------------

namespace {
InnerQuery uncorrelated(Relation relation) {
  InnerQuery inner{std::move(relation), {}, {}};
  for (std::size_t i = 0; i < inner.relation.schema().size(); ++i)
    inner.items.push_back(column_of(*inner.relation.node, i));
  return inner;
}

bool reads_outer(const Expr& expr) {
  const std::vector<std::size_t> columns = columns_of(expr);
  return !columns.empty() && columns.back() >= kOuterColumns;
}
}  // namespace

std::optional<InnerQuery> QueryBinder::bind_inner(const sql::Query& query, const Scope& outer) {
  const sql::Select* select = plain_select(query);
  if (!select) {
    std::optional<Relation> relation = bind(query);
    if (!relation) return std::nullopt;
    return uncorrelated(std::move(*relation));
  }
  InnerQuery inner;
  Scope scope;
  std::optional<Relation> relation = bind_from_where(*select, scope, {&outer, &inner.correlated});
  if (!relation) return std::nullopt;
  inner.relation = std::move(*relation);
  const ExprBinder binder(scope, context_, "SELECT");
  for (const sql::SelectItem& item : select->items) {
    if (const auto* star = sql::as<sql::Star>(*item.value)) {
      const auto all = scope.expand(star->qualifier, star->span, context_);
      if (!all) return std::nullopt;
      for (const ScopeColumn& column : *all) inner.items.push_back(column.expr);
      continue;
    }
    inner.items.push_back(binder.bind(*item.value));
    if (!inner.items.back()) return std::nullopt;
  }
  return inner;
}

// ---- FROM and WHERE --------------------------------------------------------------------------------------

namespace {
bool is_true(const Expr& expr) {
  return expr.kind == ExprKind::kLiteral && !expr.literal.is_null() && expr.literal.as_boolean();
}
}  // namespace

std::optional<Relation> QueryBinder::bind_from_where(const sql::Select& select, Scope& scope,
                                                     Correlation correlation) {
  std::optional<BoundFrom> from = select.from ? FromBinder(*this).bind(*select.from) : one_row();
  if (!from) return std::nullopt;
  scope = std::move(from->scope);
  WhereParts parts;
  if (select.where) parts = parts_of(*select.where);
  if (parts.tests.empty() && select.where) parts.conditions = {select.where.get()};
  Scope names = scope;
  names.set_outer(correlation.outer);
  std::vector<ExprPtr> conditions;
  for (const sql::Expression* const part : parts.conditions) {
    const ExprPtr predicate = ExprBinder(names, context_, "WHERE").bind_condition(*part);
    if (!predicate || is_true(*predicate)) continue;
    for (const ExprPtr& conjunct : conjuncts_of(predicate))
      (reads_outer(*conjunct) ? *correlation.conditions : conditions).push_back(conjunct);
  }
  std::optional<Relation> relation = build_from(*from->item, std::move(conditions), context_);
  for (const SubqueryTest& test : parts.tests)
    if (relation) relation = apply_test(test, *relation, scope, *this);
  return relation;
}

}  // namespace leat::plan
