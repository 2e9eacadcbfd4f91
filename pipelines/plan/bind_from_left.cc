// What reads the tables to its left in FROM: UNNEST and LATERAL.
#include <utility>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_from.h"
#include "pipelines/plan/bind_lateral.h"
#include "pipelines/plan/unnest_node.h"

namespace leat::plan {

// ---- UNNEST ----------------------------------------------------------------------------------------------

namespace {
bool is_collection(const Type& type) {
  return type.kind() == TypeKind::kArray || type.kind() == TypeKind::kMap ||
         type.kind() == TypeKind::kMultiset;
}

std::vector<Type::Field> columns_of_element(const FromItem& item) {
  UnnestNode node;
  node.collection = item.collection;
  node.ordinality = item.ordinality;
  if (item.type == JoinType::kLeft) node.empty = UnnestNode::Empty::kPadded;
  return node.element_columns();
}
}  // namespace

std::optional<BoundFrom> FromBinder::unnest(BoundFrom left, const sql::Unnest& unnest, JoinType type) {
  if (unnest.values.size() != 1) {
    context_.not_yet(unnest.span, "UNNEST of several collections", "unnest one after the other");
    return std::nullopt;
  }
  const ExprPtr collection = ExprBinder(left.scope, context_, "UNNEST").bind(*unnest.values[0]);
  if (!collection) return std::nullopt;
  if (!is_collection(collection->type)) {
    context_.diagnostics.error(unnest.values[0]->span, "UNNEST takes an ARRAY, a MAP or a MULTISET, not " +
                                                           collection->type.to_string());
    return std::nullopt;
  }
  BoundFrom bound{std::make_unique<FromItem>(), std::move(left.scope), std::move(left.deferred)};
  FromItem& item = *bound.item;
  item.span = unnest.span;
  item.type = type;
  item.collection = collection;
  item.ordinality = unnest.ordinality == sql::Unnest::Ordinality::kWith;
  item.first = left.item->first;
  item.left = std::move(left.item);
  const std::vector<Type::Field> columns = columns_of_element(item);
  if (!unnest.column_aliases.empty() && unnest.column_aliases.size() != columns.size()) {
    context_.diagnostics.error(unnest.span,
                               "UNNEST gives " + std::to_string(columns.size()) + " columns here, but " +
                                   std::to_string(unnest.column_aliases.size()) + " names are given");
    return std::nullopt;
  }
  bound.scope.add(names_of_table(unnest, Schema{columns}, next_column_));
  next_column_ += columns.size();
  item.width = item.left->width + columns.size();
  return bound;
}

std::optional<BoundFrom> FromBinder::unnest(BoundFrom left, const sql::Join& join) {
  const JoinType type = type_of(join.kind);
  if (type == JoinType::kRight || type == JoinType::kFull) {
    context_.diagnostics.error(join.span, "UNNEST goes with CROSS JOIN, JOIN and LEFT JOIN only");
    return std::nullopt;
  }
  const Scope left_names = left.scope;
  std::optional<BoundFrom> joined = unnest(std::move(left), *sql::as<sql::Unnest>(*join.right), type);
  if (!joined || !join.on) return joined;
  const ExprPtr condition = ExprBinder(joined->scope, context_, "ON").bind_condition(*join.on);
  if (!condition) return std::nullopt;
  if (is_true(*condition)) return joined;
  joined->item->on = conjuncts_of(condition);
  return joined;
}

// ---- LATERAL (SELECT …) ----------------------------------------------------------------------------------

bool is_lateral(const sql::TableReference& reference) {
  return reference.lateral && reference.kind == sql::TableReferenceKind::kDerived;
}

bool reads_left(const sql::TableReference& reference) {
  return reference.kind == sql::TableReferenceKind::kUnnest || is_lateral(reference);
}

BoundFrom FromBinder::lateral_side(const LateralQuery& query, const sql::TableReference& reference) {
  BoundFrom right{std::make_unique<FromItem>(), {}};
  right.item->span = reference.span;
  right.item->first = next_column_;
  right.item->relation = query.relation;
  right.item->width = query.relation.schema().size();
  ScopeTable names{reference.alias ? reference.alias->text : "", {}};
  for (std::size_t i = 0; i < query.columns.size(); ++i)
    names.columns.push_back(
        {reference.column_aliases.empty() ? query.columns[i].name : reference.column_aliases[i].text,
         joined_columns(query.columns[i].expr, next_column_)});
  right.scope.add(std::move(names));
  next_column_ += right.item->width;
  return right;
}

std::optional<BoundFrom> FromBinder::lateral(BoundFrom left, const sql::Join& join) {
  const sql::TableReference& reference = *join.right;
  JoinType type = type_of(join.kind);
  if (keeps_right(type) || join.natural || !join.using_columns.empty()) {
    context_.diagnostics.error(join.span, "LATERAL goes with CROSS JOIN, JOIN … ON and LEFT JOIN … ON only");
    return std::nullopt;
  }
  const FromItem& rows = *left.item;
  const auto build = [this, &left] { return build_from(*left.item, {}, context_); };
  const std::optional<LateralQuery> query = bind_lateral(*sql::as<sql::DerivedTable>(reference)->query,
                                                         {left.scope, build, rows.first}, type, queries_);
  if (!query) return std::nullopt;
  if (!reference.column_aliases.empty() && reference.column_aliases.size() != query->columns.size()) {
    context_.diagnostics.error(reference.span,
                               "the query has " + std::to_string(query->columns.size()) + " columns, but " +
                                   std::to_string(reference.column_aliases.size()) + " names are given");
    return std::nullopt;
  }
  BoundFrom right = lateral_side(*query, reference);
  if (!check_names(left.scope, right.scope, reference.span)) return std::nullopt;
  const std::size_t first = right.item->first;
  const Scope left_names = left.scope;
  const Scope right_names = right.scope;
  if (query->gives_always) type = JoinType::kLeft;
  BoundFrom joined = joined_items(std::move(left), std::move(right), type, join.span);
  if (join.on && !bind_condition(join, left_names, right_names, joined)) return std::nullopt;
  std::erase_if(joined.item->on, [](const ExprPtr& condition) { return is_true(*condition); });
  if (query->gives_always && !joined.item->on.empty()) {
    context_.not_yet(join.on->span, "a condition in ON of a LATERAL aggregate without GROUP BY",
                     "write ON TRUE and put the condition into WHERE");
    return std::nullopt;
  }
  for (const ExprPtr& condition : query->conditions)
    joined.item->on.push_back(joined_columns(condition, first));
  return joined;
}

}  // namespace leat::plan
