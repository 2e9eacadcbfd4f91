#include "pipelines/plan/bind_query.h"

#include <algorithm>
#include <utility>

#include "pipelines/plan/bind_correlated.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_hints.h"
#include "pipelines/plan/bind_order.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {

std::optional<Relation> rename(Relation relation, const std::vector<sql::Identifier>& names,
                               const BindContext& context) {
  if (names.empty()) return relation;
  if (names.size() != relation.schema().size()) {
    context.diagnostics.error(join(names.front().span, names.back().span),
                              "the query has " + std::to_string(relation.schema().size()) + " columns, but " +
                                  std::to_string(names.size()) + " names are given");
    return std::nullopt;
  }
  std::vector<ExprPtr> exprs;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    exprs.push_back(column_of(*relation.node, i));
    texts.push_back(names[i].text);
  }
  relation.node = make_project(relation.node, std::move(exprs), texts);
  return relation;
}

bool QueryBinder::bind_with(const sql::Query& query) {
  bool whole = true;
  for (const sql::CommonTable& table : query.with) {
    std::optional<Relation> relation = bind(*table.query);
    if (relation) relation = rename(std::move(*relation), table.columns, context_);
    whole = whole && relation;
    common_tables_.emplace_back(table.name.text, std::move(relation));
  }
  return whole;
}

std::optional<Relation> QueryBinder::bind(const sql::Query& query) {
  Correlated* const correlated = std::exchange(correlated_, nullptr);
  const std::size_t in_sight = common_tables_.size();
  ++depth_;
  const bool whole = bind_with(query);
  std::optional<Relation> relation = bind_ordered(query, correlated);
  --depth_;
  common_tables_.resize(in_sight);
  if (!whole || !relation || !context_.fits(relation->schema(), query.span)) return std::nullopt;
  return relation;
}

std::optional<Relation> QueryBinder::bind_ordered(const sql::Query& query, Correlated* correlated) {
  Ordering ordering{query.order_by};
  ordering_ = query.body->kind == sql::QueryBodyKind::kSelect ? &ordering : nullptr;
  correlated_ = correlated;
  std::optional<Relation> relation = bind_body(*query.body);
  ordering_ = nullptr;
  correlated_ = nullptr;
  if (!relation || !find_order_columns(*relation, ordering)) return std::nullopt;
  const auto place = depth_ > 1 ? QueryPlace::kInner : QueryPlace::kOutermost;
  std::vector<std::size_t> keys;
  for (std::size_t i = 0; correlated && i < correlated->keys.size(); ++i)
    keys.push_back(ordering.visible - correlated->keys.size() + i);
  return bind_order(query, std::move(*relation), {ordering.columns, ordering.visible, keys}, place, context_);
}

std::optional<Relation> QueryBinder::bind_name(const sql::Name& name, std::span<const sql::Hint> hints) {
  for (auto table = common_tables_.rbegin(); name.parts.size() == 1 && table != common_tables_.rend();
       ++table) {
    if (table->first != name.last()) continue;
    if (!hints.empty()) refuse_hint(hints[0], context_);
    return hints.empty() ? table->second : std::nullopt;
  }
  return tables_.find_relation(name, hints);
}

std::optional<Relation> QueryBinder::bind_body(const sql::QueryBody& body) {
  switch (body.kind) {
    case sql::QueryBodyKind::kSelect:
      return bind_select(*sql::as<sql::Select>(body));
    case sql::QueryBodyKind::kValues:
      return bind_values(*sql::as<sql::Values>(body));
    case sql::QueryBodyKind::kTable:
      return bind_name(sql::as<sql::ExplicitTable>(body)->name);
    case sql::QueryBodyKind::kSetOperation:
      return bind_set_operation(*sql::as<sql::SetOperation>(body));
    case sql::QueryBodyKind::kNested:
      return bind(*sql::as<sql::NestedQuery>(body)->query);
  }
  return std::nullopt;
}

// ---- VALUES ----------------------------------------------------------------------------------------------

namespace {
using Rows = std::vector<std::vector<ExprPtr>>;

/// All rows have the width of the first, and every value was bound.
bool is_rectangle(const sql::Values& values, const Rows& rows, const BindContext& context) {
  bool whole = true;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (const ExprPtr& value : rows[r]) whole = whole && value;
    if (rows[r].size() == rows[0].size()) continue;
    context.diagnostics.error(values.rows[r].span, "this row has " + std::to_string(rows[r].size()) +
                                                       " values, the first has " +
                                                       std::to_string(rows[0].size()));
    whole = false;
  }
  return whole;
}

/// The first value that does not go with those above it; the last one, if all go together. Each look reads
/// all types before it: there may be thousands.
std::size_t first_odd(std::span<const Type> types) {
  if (functions::common_type(types)) return types.size() - 1;
  std::size_t together = 0;  // So many go together, and `apart` do not.
  std::size_t apart = types.size();
  while (apart - together > 1) {
    const std::size_t middle = together + (apart - together) / 2;
    (functions::common_type(types.first(middle)) ? together : apart) = middle;
  }
  return apart - 1;
}

/// Brings column `c` of all rows to one type.
std::optional<Type> unify_column(const sql::Values& values, Rows& rows, std::size_t c,
                                 const BindContext& context) {
  std::vector<Type> types;
  for (const auto& row : rows) types.push_back(row[c]->type);
  const std::size_t odd = first_odd(types);
  const std::optional<Type> type = unify(types, "VALUES", values.rows[odd].values[c]->span, context);
  if (!type) return std::nullopt;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    rows[r][c] = coerce(rows[r][c], *type, values.rows[r].values[c]->span, context);
    if (!rows[r][c]) return std::nullopt;
  }
  return type;
}
}  // namespace

std::optional<Relation> QueryBinder::bind_values(const sql::Values& values) {
  const Scope nothing;
  const ExprBinder binder(nothing, context_, "VALUES");
  auto node = std::make_shared<ValuesNode>();
  for (const sql::Values::Row& row : values.rows) {
    node->rows.emplace_back();
    for (const sql::ExpressionPtr& value : row.values) node->rows.back().push_back(binder.bind(*value));
  }
  if (!is_rectangle(values, node->rows, context_)) return std::nullopt;
  for (std::size_t c = 0; c < node->rows[0].size(); ++c) {
    const std::optional<Type> type = unify_column(values, node->rows, c, context_);
    if (!type) return std::nullopt;
    node->schema.fields.push_back({"EXPR$" + std::to_string(c), *type});
  }
  node->time_attributes.assign(node->schema.size(), TimeAttribute::kNone);
  return plain_relation(std::move(node));
}

}  // namespace leat::plan
